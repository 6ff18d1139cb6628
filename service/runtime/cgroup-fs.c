/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "service/runtime/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/oci/runtime-spec.h"

/* Whether the list of words has this one. */
static bool has_word(const char *list, const char *word, size_t n) {
        for (const char *p = list; (p = strstr(p, word)); p += n)
                if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\n' || p[n] == 0))
                        return true;
        return false;
}

static int read_small(int dir_fd, const char *name, char *ret, size_t size) {
        _cleanup_(fd_closep) int fd = -EBADF;
        ssize_t n;

        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, ret, size - 1);
        if (n < 0)
                return -errno;
        ret[n] = 0;
        return 0;
}

/* Hands all controllers that this cgroup has to those below it, as everybody does, so that figures are there even without a
 * limit. One by one: a controller that cannot be handed on here (processes inside) must not take the others along. What is
 * missing in the end shows when a limit is written. */
static void enable_controllers(int dir_fd) {
        char available[512], enabled[512];

        if (read_small(dir_fd, "cgroup.controllers", available, sizeof(available)) < 0 ||
                read_small(dir_fd, "cgroup.subtree_control", enabled, sizeof(enabled)) < 0)
                return;

        for (char *p = available, *word; (word = strsep(&p, " \n"));) {
                char text[64];
                int n;

                if (!*word || has_word(enabled, word, strlen(word)))
                        continue;
                n = snprintf(text, sizeof(text), "+%s", word);
                if (n < 0 || (size_t) n >= sizeof(text))
                        continue;

                _cleanup_(fd_closep) int fd =
                        openat(dir_fd, "cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
                if (fd >= 0)
                        (void) !write(fd, text, (size_t) n);
        }
}

static int choose_path(const Cgroup *c, const char *id, char **ret, Error *reterr) {
        const char *wanted = c->spec->cgroups_path;
        _cleanup_(freep) char *absolute = NULL, *path = NULL;
        int r;

        if (str_empty(wanted))
                return str_printf(ret, "/%s", id);
        if (strchr(wanted, ':'))
                return error_set(reterr, ERROR_INVALID,
                        "cgroupsPath \"%s\" is of the form slice:prefix:name, which needs the "
                        "systemd cgroup manager",
                        wanted);

        r = str_printf(&absolute, "/%s", wanted);
        if (r >= 0)
                r = path_normalise(absolute, &path);
        if (r < 0)
                return r;

        /* The root is everybody's, and ".." is a mistake wherever it would lead. */
        for (const char *p = wanted, *part;;) {
                size_t n;

                r = path_next(&p, &part, &n);
                if (r < 0 || (r > 0 && n == 2 && memcmp(part, "..", 2) == 0) || streq(path, "/"))
                        return error_set(reterr, ERROR_INVALID,
                                "cgroupsPath \"%s\" is not a path of a cgroup", wanted);
                if (r == 0)
                        break;
        }

        *ret = TAKE_PTR(path);
        return 0;
}

/* Ending the container ends all that is in its cgroup: what is in there already would go with it. */
static int check_empty(int cgroup_fd, const char *path, Error *reterr) {
        char text[256];
        int r;

        r = read_small(cgroup_fd, "cgroup.events", text, sizeof(text));
        if (r < 0)
                return error_set_errno(reterr, r, "look at the cgroup %s", path);
        if (strstr(text, "populated 1"))
                return error_set(
                        reterr, ERROR_CONFLICT, "the cgroup %s has processes in it already", path);
        return 0;
}

static int fs_plan(Cgroup *c, const char *id, Error *reterr) {
        return choose_path(c, id, &c->path, reterr);
}

static int fs_make(Cgroup *c, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        bool made = false;
        int r;

        fd = cgroup_root_open(reterr);
        if (fd < 0)
                return fd;

        for (const char *p = c->path, *part;;) {
                char name[NAME_MAX + 1];
                size_t n;
                int next;

                r = path_next(&p, &part, &n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cgroupsPath \"%s\"", c->path);
                if (r == 0)
                        break;
                memcpy(name, part, n);
                name[n] = 0;

                next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                made = next < 0 && errno == ENOENT;
                if (made) {
                        enable_controllers(fd);
                        if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
                                return error_set_errno(
                                        reterr, -errno, "create the cgroup %s", c->path);
                        next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                }
                if (next < 0)
                        return error_set_errno(reterr, -errno, "open the cgroup %s", c->path);

                (void) fd_close(fd);
                fd = next;
        }

        r = made ? 0 : check_empty(fd, c->path, reterr);
        if (r < 0)
                return r;

        c->fd = TAKE_FD(fd);
        return 0;
}

static int fs_remove(const char *path, const char *scope, Error *reterr) {
        return cgroup_remove_tree(path, reterr);
}

const CgroupManager cgroup_manager_fs = {
        .name = "cgroupfs",
        .plan = fs_plan,
        .make = fs_make,
        .remove = fs_remove,
};
