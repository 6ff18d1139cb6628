/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which namespaces a container gets: new ones by clone3(), others by path. Planned and opened in the parent, so that a path means
 * what it means on the host; joined in the child, the pid namespace in the parent (it counts for children only). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct Namespaces Namespaces;
typedef struct RuntimeLinux RuntimeLinux;

typedef enum NamespaceType {
        NAMESPACE_USER, /* first: the others are joined with its rights */
        NAMESPACE_PID,
        NAMESPACE_IPC,
        NAMESPACE_UTS,
        NAMESPACE_NETWORK,
        NAMESPACE_CGROUP,
        NAMESPACE_TIME,
        NAMESPACE_MOUNT, /* last: /proc is needed until then */
        _NAMESPACE_TYPE_MAX,
        _NAMESPACE_TYPE_INVALID = -22,
} NamespaceType;

struct Namespaces {
        uint64_t new_flags;                /* CLONE_NEW* of those to make */
        int join_fds[_NAMESPACE_TYPE_MAX]; /* -EBADF: not to be joined */
};

NamespaceType namespace_from_string(const char *name);
const char *namespace_to_string(NamespaceType type);
uint64_t namespace_flag(NamespaceType type); /* CLONE_NEW* */

/* Checks the list: known, named once, sane together; opens the paths and checks their kind. */
int namespaces_open(const RuntimeLinux *l, Namespaces *ret, Error *reterr);
void namespaces_done(Namespaces *n);

static inline bool namespaces_is_new(const Namespaces *n, NamespaceType type) {
        return n->new_flags & namespace_flag(type);
}
/* New or joined: not that of the host. */
static inline bool namespaces_is_own(const Namespaces *n, NamespaceType type) {
        return namespaces_is_new(n, type) || n->join_fds[type] >= 0;
}

/* The flags for clone3(): those that can be made there. The cgroup namespace cannot: its root is where its maker is, and the child is
 * put into its cgroup by the same call. */
uint64_t namespaces_clone_flags(const Namespaces *n);

/* Parent: a detached procfs of the pid namespace to be joined (join_fds[NAMESPACE_PID] >= 0); options as mount_new(). -ESRCH before
 * Linux 6.17 when nobody in there has one. */
int namespaces_mount_proc(
        const Namespaces *n, char *const *options, unsigned attributes, Error *reterr);

/* In the child: all but those for children. */
int namespaces_join(const Namespaces *n, Error *reterr);
