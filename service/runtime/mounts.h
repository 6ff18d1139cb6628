/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The mounts of a container. Rule R1 throughout: sources are opened in the parent, in the caller's view of the world; targets are
 * resolved beneath the container's root to an fd, made if missing, and mounted on by that fd; no path that a container or
 * an image controls ever goes to mount(2). */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/macro.h"
#include "service/runtime/mount-options.h"

typedef struct Error Error;
typedef struct Mount Mount;
typedef struct Mounts Mounts;
typedef struct Namespaces Namespaces;
typedef struct RuntimeMount RuntimeMount;
typedef struct RuntimeSpec RuntimeSpec;

#define MOUNTS_MAX 4096U

typedef enum MountKind {
        MOUNT_BIND,
        MOUNT_FILE_SYSTEM, /* tmpfs, mqueue, … */
        MOUNT_PROC,
        MOUNT_SYSFS,
        MOUNT_CGROUP,
        MOUNT_DEVPTS,
} MountKind;

struct Mount {
        const RuntimeMount *spec; /* borrowed */
        MountKind kind;
        MountOptions options;
        char *destination;    /* absolute and normalised */
        int source_fd;        /* bind: a detached copy of the source; proc: the mount, or -EBADF */
        bool directory;       /* bind: what the source is */
        bool late;            /* cgroup: only possible once the container is in its cgroup */
        bool read_only_later; /* /dev: read-only when all is in it */
};

struct Mounts {
        Mount *items;
        size_t n_items;
        const RuntimeSpec *spec; /* borrowed */
        bool own_user_namespace;
        int root_fd;  /* child: root of the container's file system */
        int proc_fd;  /* a procfs that we mounted ourselves (rule R2), -EBADF while there is none */
        int dev_fd;   /* child: the /dev that we mounted, -EBADF when /dev is not ours */
        int null_fd;  /* child: the verified null device, mounted over masked files */
        int empty_fd; /* child: an empty read-only tmpfs, mounted over masked folders */
};

/* Parent: reads options, opens the sources, also a procfs of a pid namespace that is to be joined. bundle_fd: relative sources are meant from there. */
int mounts_open(const RuntimeSpec *spec, int bundle_fd, const Namespaces *namespaces, Mounts *ret,
        Error *reterr);
void mounts_done(Mounts *m);

/* Child. late: the ones that wait for the cgroup, else all others. */
int mounts_attach(Mounts *m, bool late, Error *reterr);

/* Child, after everything is in place: /dev as read-only as was asked for. */
int mounts_finish(Mounts *m, Error *reterr);

/* mount-special.c: what needs more than its type. Each gives the fd of a detached mount. */
int mount_special(Mounts *m, const Mount *mount, Error *reterr);

/* Rule R2: a procfs of the container's pid namespace that nobody else has seen; mounted in the container or not. */
int mounts_trusted_proc(Mounts *m, Error *reterr);
int mounts_mask(Mounts *m, char *const *paths, Error *reterr);
int mounts_make_read_only(Mounts *m, char *const *paths, Error *reterr);

/* A mount target: folder or file at path beneath the root, made if missing. A link as last component is followed inside the root,
 * also when it leads to nothing yet. strict: no link anywhere. */
int mounts_target(Mounts *m, const char *path, bool directory, bool strict, Error *reterr);
