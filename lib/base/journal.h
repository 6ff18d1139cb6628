/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Records for journald, by its native protocol: one datagram, or a sealed memfd for a large one.
 * Written here so that the monitor, of which there is one per container, needs no library for
 * it. */

#include <sys/uio.h>

#include "lib/base/macro.h"

/* Each iovec is one field "KEY=any bytes"; the key (up to the first '=') must be ours: A-Z, 0-9
 * and '_', not '_' first. At most 256 fields. Never blocks for long: a journal that takes
 * nothing gives -EAGAIN. Negative errno also when there is no journal. */
int journal_sendv(const struct iovec *fields, size_t n);

/* True when fd is connected to the journal, which JOURNAL_STREAM=device:inode names. */
bool journal_is_stream(int fd);
