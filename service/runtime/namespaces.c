/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/oci/runtime-spec.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static const char *const namespace_table[_NAMESPACE_TYPE_MAX] = {
        [NAMESPACE_USER] = "user",
        [NAMESPACE_PID] = "pid",
        [NAMESPACE_IPC] = "ipc",
        [NAMESPACE_UTS] = "uts",
        [NAMESPACE_NETWORK] = "network",
        [NAMESPACE_CGROUP] = "cgroup",
        [NAMESPACE_TIME] = "time",
        [NAMESPACE_MOUNT] = "mount",
};

static const uint64_t flag_table[_NAMESPACE_TYPE_MAX] = {
        [NAMESPACE_USER] = CLONE_NEWUSER,
        [NAMESPACE_PID] = CLONE_NEWPID,
        [NAMESPACE_IPC] = CLONE_NEWIPC,
        [NAMESPACE_UTS] = CLONE_NEWUTS,
        [NAMESPACE_NETWORK] = CLONE_NEWNET,
        [NAMESPACE_CGROUP] = CLONE_NEWCGROUP,
        [NAMESPACE_TIME] = CLONE_NEWTIME,
        [NAMESPACE_MOUNT] = CLONE_NEWNS,
};

NamespaceType namespace_from_string(const char *name) {
        return (NamespaceType) str_table_find(namespace_table, ARRAY_SIZE(namespace_table), name);
}

const char *namespace_to_string(NamespaceType type) {
        return type >= 0 && type < _NAMESPACE_TYPE_MAX ? namespace_table[type] : NULL;
}

uint64_t namespace_flag(NamespaceType type) {
        assert(type >= 0 && type < _NAMESPACE_TYPE_MAX);

        return flag_table[type];
}

/* By ioctl and not by the link's text: a bind mount of a namespace file has none. */
static int open_path(const RuntimeNamespace *ns, NamespaceType type, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (!path_is_absolute(ns->path))
                return error_set(reterr, ERROR_INVALID,
                        "path \"%s\" of the %s namespace is not absolute", ns->path, ns->type);

        fd = open(ns->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return error_set_errno(
                        reterr, -errno, "open the %s namespace %s", ns->type, ns->path);
        if (ioctl(fd, NS_GET_NSTYPE) != (int) flag_table[type])
                return error_set(
                        reterr, ERROR_INVALID, "%s is not a %s namespace", ns->path, ns->type);

        return TAKE_FD(fd);
}

static int check(const Namespaces *n, const RuntimeLinux *l, Error *reterr) {
        if (!namespaces_is_own(n, NAMESPACE_MOUNT))
                return error_set(reterr, ERROR_INVALID,
                        "a container needs a mount namespace of its own, linux.namespaces has "
                        "none");
        if (n->join_fds[NAMESPACE_MOUNT] >= 0)
                return error_set(reterr, ERROR_INVALID,
                        "the mount namespace of a container cannot be one that exists already");
        if (n->join_fds[NAMESPACE_USER] >= 0 && namespaces_is_new(n, NAMESPACE_PID))
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "joining a user namespace together with a new pid namespace is not "
                        "supported");
        if (namespaces_is_new(n, NAMESPACE_USER) &&
                (l->n_uid_mappings == 0 || l->n_gid_mappings == 0))
                return error_set(reterr, ERROR_INVALID,
                        "a new user namespace needs linux.uidMappings and linux.gidMappings");
        if (!namespaces_is_own(n, NAMESPACE_USER) &&
                (l->n_uid_mappings > 0 || l->n_gid_mappings > 0))
                return error_set(reterr, ERROR_INVALID,
                        "linux.uidMappings and linux.gidMappings need a user namespace");
        if (l->n_time_offsets > 0 && !namespaces_is_new(n, NAMESPACE_TIME))
                return error_set(
                        reterr, ERROR_INVALID, "linux.timeOffsets need a new time namespace");
        return 0;
}

int namespaces_open(const RuntimeLinux *l, Namespaces *ret, Error *reterr) {
        _cleanup_(namespaces_done) Namespaces n = {};
        int r;

        assert(l);
        assert(ret);

        for (NamespaceType t = 0; t < _NAMESPACE_TYPE_MAX; t++)
                n.join_fds[t] = -EBADF;

        for (size_t i = 0; i < l->n_namespaces; i++) {
                const RuntimeNamespace *ns = l->namespaces + i;
                NamespaceType type;

                type = namespace_from_string(str_or_empty(ns->type));
                if (type < 0)
                        return error_set(reterr, ERROR_INVALID, "unknown namespace \"%s\"",
                                str_or_empty(ns->type));
                if (namespaces_is_own(&n, type))
                        return error_set(
                                reterr, ERROR_INVALID, "the %s namespace is named twice", ns->type);

                if (str_empty(ns->path)) {
                        n.new_flags |= flag_table[type];
                        continue;
                }
                n.join_fds[type] = open_path(ns, type, reterr);
                if (n.join_fds[type] < 0)
                        return n.join_fds[type];
        }

        r = check(&n, l, reterr);
        if (r < 0)
                return r;

        *ret = n;
        for (NamespaceType t = 0; t < _NAMESPACE_TYPE_MAX; t++)
                n.join_fds[t] = -EBADF;
        return 0;
}

void namespaces_done(Namespaces *n) {
        if (!n)
                return;

        fd_close_many(n->join_fds, ARRAY_SIZE(n->join_fds));
}

uint64_t namespaces_clone_flags(const Namespaces *n) {
        assert(n);

        /* The time namespace is made by the parent, which writes its offsets before anybody is in it. */
        return n->new_flags & ~(uint64_t) (CLONE_NEWCGROUP | CLONE_NEWTIME);
}

int namespaces_join(const Namespaces *n, Error *reterr) {
        assert(n);

        for (NamespaceType t = 0; t < _NAMESPACE_TYPE_MAX; t++) {
                if (n->join_fds[t] < 0 || t == NAMESPACE_PID || t == NAMESPACE_TIME)
                        continue;
                if (setns(n->join_fds[t], (int) flag_table[t]) < 0)
                        return error_set_errno(
                                reterr, -errno, "join the %s namespace", namespace_table[t]);
        }

        return 0;
}
