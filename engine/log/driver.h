/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A LogDriver writes the output of one container somewhere. It runs in the monitor, in the container's scope, so it must stay small
 * and must not need libsystemd; the reading side (the daemon's) is engine/log/reader.h. The tables are constant, a driver's own
 * data is the state that open() made and close() ended. */

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Error Error;
typedef struct LogDriver LogDriver;
typedef struct LogMessage LogMessage;
typedef struct LogReadOptions LogReadOptions;
typedef struct LogTarget LogTarget;

#define LOG_MESSAGE_MAX \
        ((size_t) 16 * 1024) /* longer lines are cut into pieces of this size, as Docker does */

typedef enum LogStream {
        LOG_STREAM_STDOUT = 1,
        LOG_STREAM_STDERR = 2,
} LogStream;

/* One line or a piece of one. A complete line ends with its line feed; a partial piece has none and goes on in the next message of the
 * same stream, which carries the same time (a last line that never got its line feed is partial, too). */
struct LogMessage {
        LogStream stream;
        uint64_t time_nsec; /* since the epoch */
        const char *data;   /* any bytes; borrowed */
        size_t size;
        bool partial;
        char *const *attrs; /* KEY=VALUE, sorted; readers only; NULL: none */
};

/* Whose output it is and where it goes. All borrowed; must stay while the driver is open. */
struct LogTarget {
        const char *id;
        const char *name;  /* without the slash */
        const char *image; /* as the user gave it */
        const char *path;  /* json-file: DATAROOT/containers/ID/ID-json.log */
        char *const *opts; /* KEY=VALUE as checked by logs_check(), engine/log/logs.h */
        char *const *
                fields; /* KEY=VALUE, sorted: labels, environment and "tag" that the options chose: engine/log/fields.h */
};

/* What a reader shall yield. log_read_options_init() gives everything of both streams. Time stamps and attributes come with each
 * message; whether to show them is the face's business. */
struct LogReadOptions {
        bool with_stdout;
        bool with_stderr;
        uint64_t since_nsec; /* inclusive; 0: from the beginning */
        uint64_t until_nsec; /* inclusive; UINT64_MAX: no end */
        int64_t tail;        /* messages (pieces count), before the filters; < 0: all */
        bool follow;
};

#define LOG_READ_OPTIONS_ALL                                                                   \
        (LogReadOptions) {                                                                     \
                .with_stdout = true, .with_stderr = true, .until_nsec = UINT64_MAX, .tail = -1 \
        }

/* Right behind what was taken so far, for a reader to stop at; borrowed from the driver, valid until its next call. Zeroes: nothing was
 * written. */
typedef struct LogPlace {
        uint64_t inode, offset; /* in files */
        const char *epoch;      /* in the journal: of this run, and how many lines it has sent */
        uint64_t ordinal;
} LogPlace;

struct LogDriver {
        const char *name;
        const char *const *
                opts; /* option names it knows besides those of all drivers; NULL-terminated, may be NULL */

        /* Values of its own options; -EINVAL with reterr. Optional. */
        int (*check)(char *const *opts, Error *reterr);

        int (*open)(const LogTarget *t, void **ret_state);

        /* 0: taken (or counted as lost, see n_lost). -EAGAIN: the sink is full, nothing was taken; give the same message again a little
         * later. There is no other error: a log never ends a container. */
        int (*write)(void *state, const LogMessage *m);

        int (*flush)(
                void *state); /* optional: what was taken goes out now; same answers as write */
        int (*reopen)(void *state);                /* optional: somebody moved the file away */
        void (*place)(void *state, LogPlace *ret); /* optional, for what can be read; flushes */

        /* Optional: a child of this process has ended and was reaped. Was it one that worked for the driver? It may begin another one. */
        bool (*reaped)(void *state, const siginfo_t *si);

        uint64_t (*n_lost)(void *state,
                int *ret_errno);    /* messages lost so far and why the last one was; optional */
        void (*close)(void *state); /* takes NULL */
};

extern const LogDriver log_driver_json_file;
extern const LogDriver log_driver_journald;
extern const LogDriver log_driver_local;
extern const LogDriver log_driver_none;
extern const LogDriver log_driver_syslog;
