/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A LogReader gives back what a LogDriver wrote, message by message, from the daemon's event loop: some messages per turn, so that a long log
 * never holds up others. Owned by whoever asked for it; it may be freed at any time, also from inside its callbacks. What is malformed
 * on disk is skipped, never an error. */

#include <stdbool.h>

#include "engine/log/driver.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct LogReader LogReader;
typedef struct LogReaderOps LogReaderOps;
typedef struct sd_event sd_event;

typedef void (*log_message_t)(const LogMessage *m, void *userdata);
typedef void (*log_end_t)(
        int r, void *userdata); /* once, after the last message; r < 0: it could not be read on */

/* ERROR_NOT_IMPLEMENTED "configured logging driver does not support reading" for none. target and options are copied. A log that does not exist
 * yet is an empty one. */
int log_reader_new(const char *driver, const LogTarget *target, const LogReadOptions *options,
        LogReader **ret, Error *reterr);
LogReader *log_reader_free(LogReader *r);
DEFINE_CLEANUP(LogReader *, log_reader_free);

/* Callbacks come from the loop, never from inside this call. */
int log_reader_start(
        LogReader *r, sd_event *e, log_message_t on_message, log_end_t on_end, void *userdata);

/* Back-pressure: no callback between pause and resume. Both may be called at any time and as often as one likes. */
void log_reader_pause(LogReader *r);
void log_reader_resume(LogReader *r);

/* A following reader has yielded all there is for now; often more than once. */
void log_reader_on_idle(LogReader *r, void (*on_idle)(void *userdata));
/* Nothing behind this place, until log_reader_finish(); being there is idle. Not before log_reader_start(). place is copied. */
int log_reader_read_to(LogReader *r, const LogPlace *place);

/* The container has stopped: a following reader yields all that is written by now, then ends. */
void log_reader_finish(LogReader *r);

bool logs_can_read(const char *driver);
