/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/bundle.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

/* The member, made when it is not there. Borrowed. */
static int member_object(Json *object, const char *key, Json **ret) {
        Json *v = json_get(object, key);

        if (json_type_of(v) == JSON_TYPE_OBJECT) {
                *ret = v;
                return 0;
        }
        return json_set_new_object(object, key, ret);
}

/* The primary group stands among the supplementary ones, too: setgroups() without it would let a process drop it and so pass a
 * group's denial (CVE-2022-36109). */
static int set_groups(Json *user, const UserIdentity *u) {
        Json *list;
        int r;

        r = json_set_new_list(user, "additionalGids", &list);
        if (r >= 0)
                r = json_append_int64(list, u->gid);
        for (size_t i = 0; r >= 0 && i < u->n_groups; i++)
                if (u->groups[i] != u->gid)
                        r = json_append_int64(list, u->groups[i]);
        return r;
}

static int set_user(Json *process, const UserIdentity *u) {
        Json *user;
        int r;

        r = member_object(process, "user", &user); /* umask may be in it already */
        if (r >= 0)
                r = json_set_int64(user, "uid", u->uid);
        if (r >= 0)
                r = json_set_int64(user, "gid", u->gid);
        if (r >= 0)
                r = set_groups(user, u);
        return r;
}

/* HOME of the user unless the container's environment has one. An empty one counts as none, as with Docker. */
static int set_home(Json *process, const UserIdentity *u, bool *ret_added) {
        _cleanup_(json_unrefp) Json *fresh = NULL;
        _cleanup_(freep) char *home = NULL;
        const Json *env = json_get(process, "env");
        int r;

        r = json_new_list(&fresh);
        for (size_t i = 0; r >= 0 && i < json_count(env); i++) {
                const char *entry = json_to_text(json_at(env, i)), *value;

                if (!entry)
                        continue;
                value = str_starts(entry, "HOME=");
                if (value && value[0]) {
                        *ret_added = false;
                        return 0;
                }
                if (!value)
                        r = json_append_text(fresh, entry);
        }
        if (r >= 0)
                r = str_printf(&home, "HOME=%s", u->home && u->home[0] ? u->home : "/");
        if (r >= 0)
                r = json_append_text(fresh, home);
        if (r >= 0)
                r = json_set(process, "env", fresh);
        *ret_added = true;
        return r;
}

int bundle_set_user(Json *process, const UserIdentity *user) {
        bool added;
        int r;

        r = set_user(process, user);
        return r < 0 ? r : set_home(process, user, &added);
}

int bundle_make(Json *config, const UserIdentity *user, Bundle *ret, Error *reterr) {
        _cleanup_(bundle_done) Bundle b = {};
        Json *process, *root, *linux_section;
        int r;

        if (json_type_of(config) != JSON_TYPE_OBJECT)
                return error_set(
                        reterr, ERROR_INVALID, "The container's configuration is no JSON object");

        r = member_object(config, "process", &process);
        if (r >= 0)
                r = set_user(process, user);
        if (r >= 0)
                r = set_home(process, user, &b.home_added);
        if (r >= 0)
                r = member_object(config, "root", &root);
        if (r >= 0)
                r = json_set_text(root, "path", "rootfs");
        if (r >= 0)
                r = member_object(config, "linux", &linux_section);
        if (r < 0)
                return r;

        json_unset(linux_section, "cgroupsPath");
        r = json_print(linux_section, JSON_COMPACT, &b.linux_section);
        if (r < 0)
                return r;
        json_unset(config, "linux");
        r = json_print(config, JSON_COMPACT, &b.top);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(b);
        return 0;
}

void bundle_done(Bundle *b) {
        free(b->top);
        free(b->linux_section);
        *b = (Bundle) {};
}

static struct iovec text_iov(const char *s) {
        return (struct iovec) { .iov_base = (void *) s, .iov_len = strlen(s) };
}

static int print_path(const char *path, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_new_text(path, &v);
        return r < 0 ? r : json_print(v, JSON_COMPACT, ret);
}

int bundle_write(const Bundle *b, const char *cgroup_path, int bundle_fd) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        bool has_linux = !streq(b->linux_section, "{}"), has_top = !streq(b->top, "{}");
        struct iovec iov[8];
        size_t n = 0, size = 0;
        ssize_t written;
        int r;

        /* {"linux":{["cgroupsPath":"…"][,]…}[,]…} */
        iov[n++] = text_iov("{\"linux\":{");
        if (cgroup_path) {
                r = print_path(cgroup_path, &path);
                if (r < 0)
                        return r;
                iov[n++] = text_iov("\"cgroupsPath\":");
                iov[n++] = text_iov(path);
                if (has_linux)
                        iov[n++] = text_iov(",");
        }
        iov[n++] = text_iov(b->linux_section + 1); /* with its closing brace */
        if (has_top)
                iov[n++] = text_iov(",");
        iov[n++] = text_iov(b->top + 1);

        fd = openat(bundle_fd, "config.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                0600);
        if (fd < 0)
                return -errno;
        for (size_t i = 0; i < n; i++)
                size += iov[i].iov_len;
        written = writev(fd, iov, (int) n);
        if (written < 0)
                return -errno;
        return (size_t) written == size ? 0 : -ENOSPC;
}
