/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Log option mode=non-blocking: what the sink does not take at once waits in memory, up to max-buffer-size; when that is full, new messages are
 * dropped and counted, as Docker does, and the container never waits. Order is kept. Owned by the monitor, in front of one open driver. */

#include <stdint.h>

#include "engine/log/driver.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

#define LOG_RING_SIZE_DEFAULT UINT64_C(1000000)
#define LOG_RING_SIZE_MAX     (UINT64_C(256) * 1024 * 1024)

typedef struct LogRing LogRing;

/* mode and max-buffer-size among opts; -EINVAL with Docker's sentence. */
int log_ring_check(char *const *opts, Error *reterr);

/* *ret is NULL when opts do not ask for it. The driver's state is borrowed. */
int log_ring_new(char *const *opts, const LogDriver *driver, void *driver_state, LogRing **ret);
LogRing *log_ring_free(LogRing *r); /* what still waits is lost */
DEFINE_CLEANUP(LogRing *, log_ring_free);

/* Takes the message in any case: it is given to the driver, or waits, or is dropped. */
void log_ring_write(LogRing *r, const LogMessage *m);

/* Gives the driver what waits. 0: nothing is left; -EAGAIN: something is, try later. */
int log_ring_flush(LogRing *r);

uint64_t log_ring_n_dropped(const LogRing *r);
