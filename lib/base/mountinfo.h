/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Mounts: reading mountinfo, and the new mount API on fds behind one-line calls. */

#include <sys/mount.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct MountEntry MountEntry;
typedef struct MountTable MountTable;

struct MountEntry {
        int id;
        int parent_id;
        dev_t device;
        char *root;        /* inside the file system */
        char *target;      /* unescaped */
        char *options;     /* of the mount */
        char *propagation; /* "shared:3 master:1", "" when private */
        char *type;
        char *source;
        char *super_options;
};

struct MountTable {
        MountEntry *entries; /* in the kernel's order: later ones lie on top */
        size_t n_entries;
};

/* Reads a mountinfo file (NULL: /proc/self/mountinfo). At most 100,000 lines. */
int mountinfo_read(const char *path, MountTable *ret);
int mountinfo_parse(const char *text, MountTable *ret); /* pure; broken lines are -EBADMSG */
void mountinfo_done(MountTable *t);
/* The entry on top of exactly this target, NULL when it is no mount point. */
const MountEntry *mountinfo_find(const MountTable *t, const char *target) _pure_;
/* The entry that holds path. */
const MountEntry *mountinfo_find_above(const MountTable *t, const char *path) _pure_;

/* 1, 0; by statx(), without reading the table. "" is dir_fd itself. */
int mount_is_mount_point(int dir_fd, const char *name);

/* A mount of its own that is nowhere yet: fsopen, options, fsmount. options is a strv of "key"
 * and "key=value"; attributes MOUNT_ATTR_*. On failure the kernel's words (if it has some) go to
 * *reterr_text. Gives the mount's fd. */
int mount_new(const char *type, const char *source, char *const *options, unsigned attributes,
        char **reterr_text);
/* A detached copy of what is at an O_PATH fd; recursive takes the mounts below along. */
int mount_clone(int fd, bool recursive);
/* Puts a detached mount on top of an O_PATH fd. */
int mount_attach(int mount_fd, int target_fd);
/* mount_setattr(): attributes set and cleared, propagation MS_PRIVATE, MS_SLAVE, MS_SHARED,
 * MS_UNBINDABLE or 0. */
int mount_change(int mount_fd, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive);
/* Detaches what is mounted at the fd of its root; MNT_DETACH. */
int mount_detach(int fd);
