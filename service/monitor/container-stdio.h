/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The standard input and output of one process: the container's first, or one of an exec. Output comes through one pipe per stream, or through
 * a terminal, and goes to the attached clients as it comes and to the log driver in lines; the pipe is the only buffer: when the log or a
 * client does not take more, the pipe is not read, and the process waits (for the log not with mode=non-blocking: engine/log/ring.h). Nothing is read before the process has started, so that the
 * words of a runtime that failed stay out of the log. */

#include <stdbool.h>
#include <sys/types.h>

#include "engine/log/driver.h"
#include "lib/base/error.h"
#include "service/monitor/attach.h"
#include "service/monitor/poller.h"

typedef struct LogRing LogRing;
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
        const LogDriver *driver; /* NULL: no log */
        void *driver_state;
        LogRing *ring;          /* mode=non-blocking: between the streams and the driver */
        StdioStream streams[2]; /* with a terminal the first one only */
        Attachments clients;
        int stdin_fd; /* our end of an open standard input, or the terminal */
        bool terminal;
        bool started;
        Timer retry;      /* the log was full */
        Timer ring_retry; /* the same, but nobody waits for it */
        uint64_t n_lost_told;
        uint64_t told_usec;
        void (*on_drained)(void *userdata);
        void *userdata;
        Timer deadline;
        void (*on_detach)(void *userdata);
        void (*on_idle)(void *userdata);
        void *clients_userdata;
};

/* Opens the log. spec must stay. */
int stdio_init(Stdio *s, Poller *p, const MonitorSpec *spec, Error *reterr);
/* Without a log. */
void stdio_init_plain(Stdio *s, Poller *p);
void stdio_done(Stdio *s);

/* Makes the pipes. ret_fds: the process's ends of 0, 1 and 2, to be closed by the caller. once: its input ends with that of the first client.
 * With a terminal only a pipe for what the runtime says as error, until stdio_set_terminal(). */
int stdio_open(Stdio *s, bool open_stdin, bool once, bool terminal, int ret_fds[static 3]);
/* The pty's master, moved. */
int stdio_set_terminal(Stdio *s, int master_fd);
/* -ENOTTY: there is none. */
int stdio_resize(Stdio *s, unsigned height, unsigned width);

/* The process runs: from now on its output is read. */
int stdio_start(Stdio *s);

/* A client, at any time before stdio_end_clients(); fd moved in any case. It gets all that is read from now on. on_detach (set in Stdio by its owner, with clients_userdata): one of them has typed the keys. */
int stdio_attach(Stdio *s, int fd, const AttachRequest *request);
/* The same for what a command brings: the client's socket (taken) and perhaps a memfd with its early input. Sets keys and early of request. */
int stdio_attach_client(Stdio *s, AttachRequest *request, const char *detach_keys, int *fds,
        size_t n_fds, Error *reterr);
/* For a client that was attached with a hold: how far the log is that is read for it meanwhile, which ends where its output here begins.
 * ret is zeroes when the driver has no places. */
int stdio_hold(Stdio *s, uint64_t hold, LogPlace *ret);
/* After the drain: they get what waits for them, then on_idle is called, possibly at once; also if stdio_init() failed or was never called. */
void stdio_end_clients(Stdio *s, void (*on_idle)(void *userdata), void *userdata);

/* What is in a pipe that was never read, for a start that failed. */
char *stdio_take_text(Stdio *s);

/* All writers are gone: reads what is there and calls back when it is in the log, at the latest after timeout_usec. Possibly at once. */
void stdio_drain(
        Stdio *s, uint64_t timeout_usec, void (*on_drained)(void *userdata), void *userdata);

int stdio_reopen(Stdio *s);
/* A child of ours has ended: was it the log driver's? */
bool stdio_reaped(Stdio *s, const siginfo_t *si);
