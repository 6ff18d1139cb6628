/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The container's standard input and output. Output comes through one pipe per stream and is cut into lines for the log driver; the pipe is
 * the only buffer: when the log does not take more, the pipe is not read, and the container waits. Nothing is read before the
 * container has started, so that the words of a runtime that failed stay out of the log. */

#include <stdbool.h>
#include <sys/types.h>

#include "engine/log/driver.h"
#include "lib/base/error.h"
#include "service/monitor/poller.h"

typedef struct MonitorSpec MonitorSpec;
typedef struct Stdio Stdio;

typedef struct StdioStream {
        Stdio *stdio;
        LogStream stream;
        int fd; /* our end; -EBADF after the end of it */
        Watch watch;
        bool ended;         /* nothing more will come, the buffer may still hold something */
        bool in_line;       /* the last piece was partial: the next one belongs to the same line */
        uint64_t line_nsec; /* and carries this time */
        size_t begin, end;  /* what is in the buffer */
        char buffer[LOG_MESSAGE_MAX];
} StdioStream;

struct Stdio {
        Poller *poller;
        LogTarget target;
        const LogDriver *driver;
        void *driver_state;
        StdioStream streams[2];
        int stdin_fd; /* the end that keeps an open standard input open */
        Timer retry;  /* the log was full */
        uint64_t n_lost_told;
        uint64_t told_usec;
        void (*on_drained)(void *userdata);
        void *userdata;
        Timer deadline;
};

/* Opens the log. spec must stay. */
int stdio_init(Stdio *s, Poller *p, const MonitorSpec *spec, Error *reterr);
void stdio_done(Stdio *s);

/* Makes the pipes. ret_fds: the container's ends of 0, 1 and 2, to be closed by the caller. */
int stdio_open(Stdio *s, bool open_stdin, int ret_fds[static 3]);

/* The container runs: from now on its output is read. */
int stdio_start(Stdio *s);

/* What is in a pipe that was never read, for a start that failed. */
char *stdio_take_text(Stdio *s);

/* All writers are gone: reads what is there and calls back when it is in the log, at the latest after timeout_usec. Possibly at once. */
void stdio_drain(
        Stdio *s, uint64_t timeout_usec, void (*on_drained)(void *userdata), void *userdata);

int stdio_reopen(Stdio *s);
