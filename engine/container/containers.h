/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The set of containers, and every verb that a face may call on one. Owned by Engine; holds the lower sets it works with. Verbs that take
 * time take a Pending and complete it when the thing is done and saved (DESIGN.md 3.4), possibly before the call returns; when the call
 * itself returns negative, reterr is filled and the Pending is untouched. Any number of verbs may be under way for one container: each
 * header line says what wins. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/log/reader.h"
#include "lib/api/stream-frame.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Container Container;
typedef struct ContainerLog ContainerLog;
typedef struct Containers Containers;
typedef struct ContainerSpec ContainerSpec;
typedef struct EndpointSpec EndpointSpec;
typedef struct Filter Filter;
typedef struct Pending Pending;

/* name: full id, name (with or without leading slash), unique id prefix. ERROR_NOT_FOUND "No such container: X". */
int containers_find(Containers *s, const char *name, Container **ret, Error *reterr);
Container *containers_next(Containers *s, Container *after); /* newest first; NULL: start */
/* Those that pass, newest first, as Docker's rules have it: without all only running ones, unless a filter or limit asks for others.
 * limit <= 0: no limit. ret: the array is the caller's, the containers are not. */
extern const char *const container_filter_keys[];
int containers_list(Containers *s, bool all, int64_t limit, const Filter *f, Container ***ret,
        size_t *ret_n, Error *reterr);

/* How large the writable layers of these containers are: a worker walks their folders, container_size() tells then. Callers who ask for
 * what is being measured already share that walk. The result of p is NULL. */
int containers_measure(Containers *s, Container *const *list, size_t n, Pending *p, Error *reterr);

/* Removes all that are not up, and pass; one at a time for all callers: ERROR_CONFLICT "a prune operation is already running". Pending's
 * result: const ContainersPruned *. */
typedef struct ContainersPruned {
        char **ids;
        uint64_t bytes; /* of their writable layers */
} ContainersPruned;

extern const char *const container_prune_filter_keys[];
int containers_prune(Containers *s, const Filter *f, Pending *p, Error *reterr);

unsigned containers_count(Containers *s);
unsigned containers_count_running(Containers *s); /* paused ones too */
unsigned containers_count_paused(Containers *s);

/* Takes over the contents of spec (left empty) on success. name NULL or "": spec->name, else a random one; platform NULL or "":
 * spec->platform. Pending's result: Container *. Warnings are in container->warnings (strv) afterwards. ERROR_NOT_FOUND "No such
 * image: X:tag" when there is no such image. */
int containers_create(Containers *s, ContainerSpec *spec, const char *name, const char *platform,
        Pending *p, Error *reterr);

/* ERROR_NOT_MODIFIED when it runs already. Two starts at once: both get the one result. A stop or kill meanwhile wins. */
int container_start(Container *c, Pending *p, Error *reterr);

/* Stop signal, after timeout KILL. timeout_sec < 0: wait for ever; CONTAINER_TIMEOUT_DEFAULT: the container's own or 10. signal NULL: the
 * container's. ERROR_NOT_MODIFIED when it does not run. Completed after the exit has been handled and saved. */
#define CONTAINER_TIMEOUT_DEFAULT INT64_MIN
int container_stop(
        Container *c, int64_t timeout_sec, const char *signal, Pending *p, Error *reterr);

/* Stop as above if it runs, then start; --rm does not act in between. Completed when it runs again. */
int container_restart(
        Container *c, int64_t timeout_sec, const char *signal, Pending *p, Error *reterr);

/* Freezing by systemd, as "systemctl freeze" does. ERROR_NOT_RUNNING, ERROR_CONFLICT: paused already, or restarting; unpause:
 * ERROR_INTERNAL when it is not paused, as Docker has it. */
int container_pause(Container *c, Pending *p, Error *reterr);
int container_unpause(Container *c, Pending *p, Error *reterr);

/* Changes limits and restart policy: of wish (taken over on success, left empty) only host.resources and host.restart_policy count, zero and
 * empty are unchanged. What runs is changed by systemd, until it ends; then it is saved. Pending's result: char *const * warnings. */
int container_update(Container *c, ContainerSpec *wish, Pending *p, Error *reterr);

/* Joins a network, leaves one: at once if it runs, else from its next start on; saved. wish is copied; NULL: nothing special.
 * ERROR_FORBIDDEN, ERROR_INVALID for what Docker refuses. network: name or id; force: also one that is not there any more. */
int container_connect(
        Container *c, const char *network, const EndpointSpec *wish, Pending *p, Error *reterr);
int container_disconnect(Container *c, const char *network, bool force, Pending *p, Error *reterr);

typedef struct TopTable {
        char **titles;
        char ***rows; /* as many words as titles */
        size_t n_rows;
        size_t n_allocated;
} TopTable;

/* What the host's ps says of its processes. args NULL or "": -ef. Pending's result: const TopTable *. ERROR_NOT_RUNNING. */
int container_top(Container *c, const char *args, Pending *p, Error *reterr);

/* name: with or without slash. Saved on return. ERROR_INVALID, ERROR_EXISTS. */
int container_rename(Container *c, const char *name, Error *reterr);

/* signal: name with or without SIG, number; NULL or "": KILL. ERROR_CONFLICT when it does not run. For KILL, completed after the exit. */
int container_kill(Container *c, const char *signal, Pending *p, Error *reterr);

typedef struct AttachOptions {
        bool in, out, err;       /* which streams; input only if the container has one */
        bool raw;                /* no frames although there is no terminal */
        StreamFraming websocket; /* messages of a WebSocket instead; STREAM_BARE: none */
        bool logs;               /* first what its log has of these streams */
        bool no_stream;          /* and nothing else */
        const char *detach_keys; /* lib/api/detach-keys.h; NULL: the usual ones */
} AttachOptions;

/* Whether container_attach() would: ERROR_INVALID for the keys, ERROR_CONFLICT for the state. */
int container_attach_check(Container *c, const AttachOptions *o, Error *reterr);
/* Gives the container's streams to a connected stream socket (moved in any case): output in Docker's frames (8 bytes: stream 1 or 2, three
 * zeros, size big-endian), bare with a terminal or raw; what it sends is input, after the early bytes. The monitor serves it, also while
 * no daemon is there; before the start it is kept for the next one. A client that shuts its side down ends the input if StdinOnce. With logs the
 * log comes first and what is live follows it without a gap; ERROR_NOT_IMPLEMENTED when its driver cannot read.
 *   p is completed when the monitor has taken the client, when it waits for the start, or when its log is being read; then the stream may still
 * end with a sentence. Without p that goes for everything that is wrong, also for what is returned here. */
int container_attach(Container *c, const AttachOptions *o, int fd, const void *early,
        size_t early_size, Pending *p, Error *reterr);
/* Of the terminal, in characters; nothing happens without one. ERROR_NOT_RUNNING. */
int container_resize(Container *c, uint32_t height, uint32_t width, Pending *p, Error *reterr);

typedef enum ContainerWaitCondition {
        CONTAINER_WAIT_NOT_RUNNING, /* at once when it does not run */
        CONTAINER_WAIT_NEXT_EXIT,
        CONTAINER_WAIT_REMOVED,
        _CONTAINER_WAIT_MAX,
        _CONTAINER_WAIT_INVALID = -22,
} ContainerWaitCondition;

/* NULL and "" are not-running; -EINVAL for an unknown word. */
ContainerWaitCondition container_wait_condition_from_string(const char *s);

/* Pending's result: const int64_t * exit code. Any number of waiters. */
int container_wait(Container *c, ContainerWaitCondition condition, Pending *p, Error *reterr);

/* ERROR_CONFLICT when it runs and not force, or when it is being removed. volumes: anonymous volumes too. Completed when nothing of it
 * is left; the Container is gone then. */
int container_remove(Container *c, bool force, bool volumes, Pending *p, Error *reterr);

/* Reads the container's log. Callbacks come from the loop. Following ends by itself, after the last line, when the container stops or is
 * removed. ERROR_NOT_IMPLEMENTED when its driver cannot read. May be freed at any time, also in its callbacks. */
int container_logs(Container *c, const LogReadOptions *options, log_message_t on_message,
        log_end_t on_end, void *userdata, ContainerLog **ret, Error *reterr);
void container_log_pause(ContainerLog *l);
void container_log_resume(ContainerLog *l);
ContainerLog *container_log_free(ContainerLog *l);
DEFINE_CLEANUP(ContainerLog *, container_log_free);
