/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/sysctl.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/pairs.h"
#include "service/runtime/mounts.h"
#include "service/runtime/namespaces.h"

/* As sysctl(8) reads names: the first of "." and "/" that comes separates, the other is a character of a part (an interface may be
 * called eth0.100). */
static int name_to_path(const char *name, char **ret) {
        _cleanup_(freep) char *path = NULL;
        const char *first = strpbrk(name, "./");
        char separator;
        int r;

        if (!first || strlen(name) > 255)
                return -EINVAL;
        separator = *first;

        r = str_copy(&path, name);
        if (r < 0)
                return r;
        for (char *p = path; *p; p++) {
                if (*p == '.' || *p == '/')
                        *p = *p == separator ? '/' : '.';
                else if (!isascii((unsigned char) *p) ||
                         (!isalnum((unsigned char) *p) && *p != '_' && *p != '-'))
                        return -EINVAL;
        }
        if (path[0] == '/' || strstr(path, "//") || str_ends(path, "/"))
                return -EINVAL;
        for (char *p = path; (p = strstr(p, "..")); p++)
                if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == 0))
                        return -EINVAL;

        *ret = TAKE_PTR(path);
        return 0;
}

static bool belongs_to_namespace(const Namespaces *n, const char *path) {
        if (str_starts(path, "net/"))
                return namespaces_is_own(n, NAMESPACE_NETWORK);
        if (str_starts(path, "fs/mqueue/") ||
                STR_IN_SET(path, "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
                        "kernel/shmall", "kernel/shmmax", "kernel/shmmni",
                        "kernel/shm_rmid_forced"))
                return namespaces_is_own(n, NAMESPACE_IPC);
        if (STR_IN_SET(path, "kernel/domainname", "kernel/hostname"))
                return namespaces_is_own(n, NAMESPACE_UTS);
        if (str_starts(path, "user/"))
                return namespaces_is_own(n, NAMESPACE_USER);
        return false;
}

int sysctl_check(
        const Namespaces *n, const char *name, const char *value, char **ret_path, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        int r;

        assert(n);
        assert(name);
        assert(value);
        assert(ret_path);

        r = name_to_path(name, &path);
        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID, "sysctl \"%s\" is not a name of one", name);
        if (r < 0)
                return r;
        if (!belongs_to_namespace(n, path))
                return error_set(reterr, ERROR_INVALID,
                        "sysctl \"%s\" is not in a separate kernel namespace", name);
        for (const char *p = value; *p; p++)
                if ((unsigned char) *p < 0x20 && *p != '\t') /* ranges are separated by tabs */
                        return error_set(reterr, ERROR_INVALID,
                                "sysctl \"%s\": the value has control characters", name);

        *ret_path = TAKE_PTR(path);
        return 0;
}

int sysctl_apply(char *const *pairs, const Namespaces *n, Mounts *m, Error *reterr) {
        _cleanup_(fd_closep) int sys_fd = -EBADF;
        const char *name, *value;
        int r;

        if (pairs_count(pairs) == 0)
                return 0;
        r = mounts_trusted_proc(m, reterr);
        if (r < 0)
                return r;
        sys_fd = beneath_open(m->proc_fd, "sys", O_PATH | O_DIRECTORY, 0, BENEATH_STRICT);
        if (sys_fd < 0)
                return error_set_errno(reterr, sys_fd, "open /proc/sys");

        PAIRS_FOREACH(name, value, pairs) {
                _cleanup_(fd_closep) int fd = -EBADF;
                _cleanup_(freep) char *path = NULL;

                r = sysctl_check(n, name, value, &path, reterr);
                if (r < 0)
                        return r;
                fd = beneath_open(
                        sys_fd, path, O_WRONLY | O_NOCTTY, 0, BENEATH_STRICT | BENEATH_NO_XDEV);
                r = fd < 0 ? fd : fd_write_string(fd, value);
                if (r < 0)
                        return error_set_errno(reterr, r, "sysctl %s=%s", name, value);
        }

        return 0;
}
