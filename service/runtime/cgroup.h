/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The cgroup of a container, cgroup v2 only. A manager says who makes it:
 *
 * cgroupfs   cgroupsPath is a path below the root of cgroup v2. It is made here, with its parents, and the container is born in it.
 *            This is also how a monitor uses us: inside the scope that systemd delegated to it.
 * systemd    cgroupsPath is slice:prefix:name. systemd makes a transient scope, the container is moved into it.
 * disabled   the container stays where its parent is; cgroup v2 need not even be mounted.
 *
 * Killing and freezing are the same for all: files of the cgroup. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/macro.h"
#include "service/runtime/cgroup-limits.h"
#include "service/runtime/device-filter.h"

typedef struct Cgroup Cgroup;
typedef struct CgroupManager CgroupManager;
typedef struct Error Error;
typedef struct RuntimeLinux RuntimeLinux;

#define CGROUP_ROOT      "/sys/fs/cgroup"
#define CGROUP_WAIT_USEC UINT64_C(10000000) /* for killed processes to be gone */

struct Cgroup {
        const CgroupManager *manager;
        const RuntimeLinux *spec; /* borrowed */
        char *path;               /* below CGROUP_ROOT, with a leading slash */
        char *slice;              /* systemd: names of units */
        char *scope;
        char *description;
        CgroupLimits limits;
        DeviceFilter filter;
        int fd; /* the cgroup's folder once it exists, -EBADF before */
};

struct CgroupManager {
        const char *name;
        /* In the parent before the clone: understands cgroupsPath. */
        int (*plan)(Cgroup *c, const char *id, Error *reterr);
        /* Then, for a manager that makes the cgroup itself: makes it and opens it. */
        int (*make)(Cgroup *c, Error *reterr);
        /* After the clone, for managers that move the container: makes the cgroup with the process in it and opens it. */
        int (*enter)(Cgroup *c, pid_t pid, Error *reterr);
        /* The container is gone. path and scope as State has them; NULL: nothing of ours to do. */
        int (*remove)(const char *path, const char *scope, Error *reterr);
};

extern const CgroupManager cgroup_manager_systemd;
extern const CgroupManager cgroup_manager_fs;
extern const CgroupManager cgroup_manager_disabled;

/* NULL: no such manager. */
const CgroupManager *cgroup_manager_find(const char *name);

/* Plans path, limits and filter; path stays NULL when only systemd can know it. */
int cgroup_plan(Cgroup *c, const CgroupManager *manager, const char *id, const RuntimeLinux *l,
        Error *reterr);
/* Before the clone: makes the cgroup, if that is ours to do. fd >= 0 says from when on there is something to undo. */
int cgroup_make(Cgroup *c, Error *reterr);
/* After the clone: moves the process in if the manager does that. */
int cgroup_enter(Cgroup *c, pid_t pid, Error *reterr);
void cgroup_done(Cgroup *c);

/* The folder of a cgroup by its path; -EBADF path NULL. Checks that what is mounted there is cgroup v2. */
int cgroup_root_open(Error *reterr);
int cgroup_open(const char *path, Error *reterr);

int cgroup_is_frozen(const char *path);                          /* 1, 0, negative errno */
int cgroup_freeze(const char *path, bool freeze, Error *reterr); /* waits until it is so */
int cgroup_signal(const char *path, int sig, Error *reterr);     /* every process in it and below */
/* Waits until nobody is left, and kills all before if it shall; nothing there is success. */
int cgroup_empty(const char *path, bool kill, Error *reterr);
/* Removes the cgroup and those below it; nobody may be in it. */
int cgroup_remove_tree(const char *path, Error *reterr);
int cgroup_remove_below(const char *path, Error *reterr); /* only those below it */
