/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Between reader.c, which knows the loop, the filters and the callbacks, and the readers of the formats, which know where the next
 * message is. For this folder only. */

#include "engine/log/reader.h"

struct LogReaderOps {
        const char *driver;

        /* target and options live as long as the state. Quick: no message is read yet. */
        int (*open)(LogReader *r, const LogTarget *t, const LogReadOptions *o, sd_event *e,
                void **ret_state);

        /* 1: a message, valid until the next call; 0: nothing more for now (when following, log_reader_wake() is called when there may
         * be); -EAGAIN: the same, but it is not known yet whether there is more, so a reader that wants to end waits for the wake. */
        int (*next)(void *state, LogMessage *ret);

        /* Stops (with 0) right behind that place; NULL: not any more. */
        int (*limit)(void *state, const LogPlace *place);

        /* Optional: no more will be written. Before the end is declared, next() is called again. */
        void (*finish)(void *state);

        void (*close)(void *state); /* takes NULL */
};

extern const LogReaderOps log_reader_json_file;
extern const LogReaderOps log_reader_journald;
extern const LogReaderOps log_reader_local;
extern const LogReaderOps log_reader_syslog;

void log_reader_wake(LogReader *r);
