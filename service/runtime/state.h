/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What is remembered of a container between two calls of this program: ROOT/ID/state.json, and while it waits for `start` the
 * socket ROOT/ID/start; ROOT/ID/cgroup says where its cgroup was to be made. ROOT is 0700 and on a tmpfs. The folder is made before anything else and removed last, so
 * whatever was left by a killed call can be found and removed with `delete --force`. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct RuntimeHooks RuntimeHooks;
typedef struct State State;

#define STATE_VERSION  1
#define STATE_ROOT     "/run/stauer-runtime"
#define STATE_FILE     "state.json"
#define STATE_SOCKET   "start"
#define STATE_CGROUP   "cgroup"
#define STATE_FILE_MAX ((size_t) 1024 * 1024)
#define STATE_ID_MAX   1024U

typedef enum StateStatus {
        STATE_CREATING, /* made, but not to the end: being made now, or the maker was killed */
        STATE_CREATED,
        STATE_RUNNING,
        STATE_PAUSED,
        STATE_STOPPED,
        _STATE_STATUS_MAX,
        _STATE_STATUS_INVALID = -22,
} StateStatus;

struct State {
        uint32_t version;
        char *id;
        char *bundle; /* absolute */
        char *rootfs; /* absolute */
        uint32_t pid; /* 0: none yet */
        uint64_t
                pid_start; /* clock ticks since boot: with it a pid is not mistaken for a later one */
        int64_t created;   /* nsec since 1970 */
        char *cgroup_manager; /* systemd, cgroupfs, disabled */
        char *cgroup_path; /* below the root of cgroup v2, with a leading slash; NULL: none of its own */
        char *scope;       /* unit name, systemd only */
        char **annotations;  /* pairs */
        RuntimeHooks *hooks; /* those that run later: poststart, poststop */
        int dir_fd;          /* ROOT/ID */
};

/* [a-zA-Z0-9][a-zA-Z0-9_+.-]*: names of folders in ROOT, never a path. */
bool state_id_is_valid(const char *id) _pure_;

int state_root_open(const char *root, bool make, Error *reterr); /* fd */

/* A new folder; -EEXIST (ERROR_EXISTS) when the id is taken. The State belongs to the caller, *ret zeroed memory. */
int state_create(int root_fd, const char *id, State *ret, Error *reterr);
/* ERROR_NOT_FOUND when there is none. A folder without a file is a container in STATE_CREATING. lock: for calls that change it; waits
 * for the others, and reads what they have left. */
int state_load(int root_fd, const char *id, bool lock, State *ret, Error *reterr);
int state_save(const State *s, Error *reterr);
/* The path of a cgroup that is about to be made, in the text of a link, for a call that is killed before it could save its State.
 * state_noted_cgroup(): -ENOENT. */
int state_note_cgroup(const State *s, const char *path);
int state_noted_cgroup(const State *s, char **ret);
int state_remove(int root_fd, State *s, Error *reterr); /* the folder with all in it */
void state_done(State *s);

/* A new State is locked as well. The lock also ends with state_done() or the process, provided that no child has the folder's fd
 * too. state_lock() takes it again: ERROR_NOT_FOUND when somebody has deleted the container meanwhile. */
void state_unlock(const State *s);
int state_lock(const State *s, Error *reterr);

int state_status(const State *s, StateStatus *ret, Error *reterr);
const char *state_status_to_string(StateStatus status);

/* A pidfd of the first process, if that is still the one we started; -ESRCH when not. */
int state_pidfd(const State *s);

/* The document of `state` and of hooks. pretty: indented, and with a newline at the end. */
int state_document(const State *s, StateStatus status, bool pretty, char **ret);
