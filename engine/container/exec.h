/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An Exec is one more process in a container: wished (created), started once, ended. Owned by its Container; found by id in the set. Kept five
 * to ten minutes after its end so that everybody can read how it ended, but no more than EXECS_ENDED_MAX of a container; those that only were
 * created end with the daemon, those that run do not notice it. The fields are for reading. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/exec-spec.h"
#include "lib/base/error.h"
#include "lib/base/ident.h"
#include "lib/base/list.h"

typedef struct Container Container;
typedef struct Containers Containers;
typedef struct Exec Exec;
typedef struct MonitorRecord MonitorRecord;
typedef struct Pending Pending;

#define EXECS_PER_CONTAINER_MAX 4096U /* created or running */
#define EXECS_ENDED_MAX         1024U /* remembered */
#define EXEC_WAITS_MAX          256U  /* who wait for the end of one */

typedef enum ExecState {
        EXEC_CREATED,
        EXEC_STARTING, /* the monitor was asked */
        EXEC_RUNNING,
        EXEC_ENDED,
} ExecState;

struct Exec {
        ListNode node; /* in the container, oldest first */
        Container *container;
        char id[IDENT_SIZE];
        ExecSpec spec;
        ExecState state;
        int64_t pid; /* in the host's pid namespace; 0: none */
        int exit_code;
        bool swept;       /* ended before the last sweep */
        Pending *pending; /* of exec_start(), until it runs */
        List waits;       /* ExecWait */
};

typedef enum ExecNews {
        EXEC_NEWS_ADDED,
        EXEC_NEWS_CHANGED, /* its state and what belongs to it */
        EXEC_NEWS_GONE,    /* still whole */
} ExecNews;

typedef void (*exec_news_t)(Exec *x, ExecNews news, void *userdata);

/* One listener; NULL takes it away. */
void containers_watch_execs(Containers *s, exec_news_t callback, void *userdata);
Exec *containers_next_exec(Containers *s, size_t *at); /* *at starts at 0; in no order */
const char *exec_state_to_string(ExecState s);         /* created, starting, running, exited */

/* Takes the contents of spec (left empty). ERROR_INVALID "No exec command specified", ERROR_NOT_RUNNING, ERROR_CONFLICT (paused, restarting). */
int container_exec_create(Container *c, ExecSpec *spec, Exec **ret, Error *reterr);

/* Full id. ERROR_NOT_FOUND "No such exec instance: X". */
int containers_find_exec(Containers *s, const char *id, Exec **ret, Error *reterr);

/* For a face, before it looks how an exec stands: a client whose stream has ended asks for the exit code, and what the monitor told before that end
 * came by another socket, which the loop may not have read yet. It is read now; the exec, its container and others may be gone afterwards, so
 * never out of a callback of the engine. */
void containers_catch_up_exec(Containers *s, const char *id);

/* Whether exec_start() could begin now: ERROR_CONFLICT when it was started already, and as container_exec_create(). */
int exec_check_start(const Exec *x, Error *reterr);

/* Once. rows, columns: size of the terminal, 0: what the spec says. Completed when the program runs; ERROR_INVALID when the container has no such
 * program or it cannot be executed. */
int exec_start(Exec *x, uint32_t rows, uint32_t columns, Pending *p, Error *reterr);
/* The same for a client: a connected stream socket (moved in any case) gets the output, in Docker's frames if framed and there is no terminal, and
 * gives the input, first the early bytes. A start that fails later is told in the stream, and by the exit code 126 or 127; and to p, completed
 * as that of exec_start(), unless it is NULL. */
int exec_start_attached(Exec *x, uint32_t rows, uint32_t columns, bool framed, int fd,
        const void *early, size_t early_size, Pending *p, Error *reterr);
/* Size of its terminal in characters. ERROR_NOT_RUNNING. */
int exec_resize(Exec *x, uint32_t rows, uint32_t columns, Pending *p, Error *reterr);

/* A signal for its process. ERROR_NOT_RUNNING. */
int exec_kill(Exec *x, int sig, Pending *p, Error *reterr);

/* Completed when it has ended, at once if it has; the result is int *, its exit code. One that was not started is waited for, too. */
int exec_wait(Exec *x, Pending *p, Error *reterr);

/* Ids of those that are created or run; NULL-terminated, the caller's. */
int container_exec_ids(const Container *c, char ***ret);

/* What went up from its monitor. */
void container_handle_exec(Container *c, const MonitorRecord *record);
/* The container does not run any more: what ran has ended with it. */
void container_execs_end(Container *c);
/* Nobody is told. */
void container_execs_free(Container *c);
