/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

#define DEPTH_MAX   8u
#define DEVICES_MAX 4096u

typedef struct DeviceLists {
        Json *nodes;  /* linux.devices */
        Json *rules;  /* linux.resources.devices; NULL: no rules wanted */
        char **texts; /* the rules in one line each */
        const UserIdentity *user;
        const char *permissions;
        size_t n;
} DeviceLists;

int host_check_binds(const MonitorSpec *s, Error *reterr) {
        for (size_t i = 0; i < s->n_binds; i++) {
                const MonitorBind *b = &s->binds[i];
                struct stat st;
                int r;

                if (stat(b->source, &st) >= 0)
                        continue;
                if (errno != ENOENT)
                        return error_set_errno(reterr, -errno,
                                "error while checking bind source path %s", b->source);
                if (!b->create)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"bind\": bind source path does not "
                                "exist: %s",
                                b->source);
                r = file_mkdir_p(b->source, 0755);
                if (r < 0)
                        return error_set_errno(reterr, r,
                                "error while creating bind source path '%s': mkdir", b->source);
        }
        return 0;
}

static int lists_add_rule(DeviceLists *l, const char *type, const struct stat *st) {
        Json *rule;
        int r;

        r = json_append_new_object(l->rules, &rule);
        if (r >= 0)
                r = json_set_bool(rule, "allow", true);
        if (r >= 0)
                r = json_set_text(rule, "type", type);
        if (r >= 0)
                r = json_set_int64(rule, "major", major(st->st_rdev));
        if (r >= 0)
                r = json_set_int64(rule, "minor", minor(st->st_rdev));
        if (r >= 0)
                r = json_set_text(rule, "access", l->permissions);
        return r < 0 ? r
                     : strv_addf(&l->texts, "%s %u:%u %s", type, major(st->st_rdev),
                               minor(st->st_rdev), l->permissions);
}

static int lists_add(DeviceLists *l, const char *path, const struct stat *st) {
        const char *type = S_ISBLK(st->st_mode) ? "b" : "c";
        Json *node;
        int r;

        if (l->n++ >= DEVICES_MAX)
                return -E2BIG;
        r = json_append_new_object(l->nodes, &node);
        if (r >= 0)
                r = json_set_text(node, "path", path);
        if (r >= 0)
                r = json_set_text(node, "type", type);
        if (r >= 0)
                r = json_set_int64(node, "major", major(st->st_rdev));
        if (r >= 0)
                r = json_set_int64(node, "minor", minor(st->st_rdev));
        if (r >= 0)
                r = json_set_int64(node, "fileMode", st->st_mode & 07777);
        if (r >= 0)
                r = json_set_int64(node, "uid", st->st_uid);
        if (r >= 0)
                r = json_set_int64(node, "gid", st->st_gid);
        if (r >= 0 && l->rules)
                r = lists_add_rule(l, type, st);
        return r;
}

static bool is_device(const struct stat *st) {
        return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

/* Folders below /dev that are file systems of their own or no devices; the console is the container's own. */
static bool is_skipped(const char *name) {
        return STR_IN_SET(name, "pts", "shm", "fd", "mqueue", "console", ".lxc", ".lxd-mounts",
                ".udev", ".", "..");
}

/* Takes dir_fd. container: where the folder's nodes appear. */
static int lists_add_folder(DeviceLists *l, int dir_fd, const char *container, unsigned depth) {
        struct dirent *e;
        DIR *d;
        int r = 0;

        d = fdopendir(dir_fd);
        if (!d) {
                (void) close(dir_fd);
                return -errno;
        }
        while (r >= 0 && (e = readdir(d))) {
                _cleanup_(freep) char *path = NULL;
                struct stat st;

                if (is_skipped(e->d_name) ||
                        fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue; /* gone again: /dev lives */
                if (!is_device(&st) && !S_ISDIR(st.st_mode))
                        continue;
                r = str_printf(&path, "%s/%s", container, e->d_name);
                if (r < 0)
                        break;
                if (is_device(&st))
                        r = lists_add(l, path, &st);
                else if (depth < DEPTH_MAX) {
                        int fd = file_open_dir(dirfd(d), e->d_name);

                        if (fd >= 0)
                                r = lists_add_folder(l, fd, path, depth + 1);
                }
        }
        (void) closedir(d);
        return r;
}

static int lists_add_path(DeviceLists *l, const MonitorDevice *device) {
        const char *container = str_empty(device->path_in_container) ? device->path_on_host
                                                                     : device->path_in_container;
        size_t before = l->n;
        struct stat st;
        int fd, r;

        if (stat(device->path_on_host, &st) < 0)
                return -errno;
        if (is_device(&st))
                return lists_add(l, container, &st);
        if (!S_ISDIR(st.st_mode))
                return -ENODEV;
        fd = open(device->path_on_host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd < 0 ? -errno : lists_add_folder(l, fd, container, 0);
        return r >= 0 && l->n == before ? -ENODEV : r;
}

/* Of CDI: what its file says wins over the host's node, which need not be there if the file says it all. */
static int lists_add_described(DeviceLists *l, const MonitorDevice *d) {
        bool whole = !str_empty(d->type) && d->major != JSON_NO_INT64 && d->minor != JSON_NO_INT64;
        struct stat st = { .st_mode = d->type && d->type[0] == 'b' ? S_IFBLK : S_IFCHR };

        if (whole)
                st.st_rdev = makedev((unsigned) d->major, (unsigned) d->minor);
        else if (stat(d->path_on_host, &st) < 0)
                return -errno;
        else if (!is_device(&st) ||
                 (!str_empty(d->type) && (d->type[0] == 'b') != (bool) S_ISBLK(st.st_mode)))
                return -ENODEV;
        st.st_mode = (st.st_mode & S_IFMT) | (d->file_mode & 07777);
        st.st_uid = d->uid != JSON_NO_UINT32 ? d->uid : l->user->uid;
        st.st_gid = d->gid != JSON_NO_UINT32 ? d->gid : l->user->gid;
        return lists_add(l, d->path_in_container, &st);
}

static int get_object(Json *object, const char *key, Json **ret) {
        *ret = json_get(object, key);
        return json_type_of(*ret) == JSON_TYPE_OBJECT ? 0 : json_set_new_object(object, key, ret);
}

static int get_list(Json *object, const char *key, Json **ret) {
        *ret = json_get(object, key);
        return json_type_of(*ret) == JSON_TYPE_LIST ? 0 : json_set_new_list(object, key, ret);
}

static int add_devices(const MonitorSpec *s, DeviceLists *l, Error *reterr) {
        for (size_t i = 0; i < s->n_devices; i++) {
                const MonitorDevice *d = &s->devices[i];
                int r;

                l->permissions = str_empty(d->permissions) ? "rwm" : d->permissions;
                r = d->is_owned ? lists_add_described(l, d) : lists_add_path(l, d);
                if (r == -ENOENT)
                        return error_set(reterr, ERROR_INVALID,
                                "error gathering device information while adding custom device "
                                "\"%s\": "
                                "no such file or directory",
                                d->path_on_host);
                if (r == -ENODEV)
                        return error_set(reterr, ERROR_INVALID,
                                "error gathering device information while adding custom device "
                                "\"%s\": not a device node",
                                d->path_on_host);
                if (r < 0)
                        return error_set_errno(reterr, r,
                                "error gathering device information while adding custom device "
                                "\"%s\"",
                                d->path_on_host);
        }
        return 0;
}

int host_add_devices(const MonitorSpec *s, const UserIdentity *user, Json *config,
        char ***ret_rules, Error *reterr) {
        Json *section, *resources, *rules;
        DeviceLists l = { .user = user };
        int r;

        if (s->n_devices == 0 && !s->all_devices)
                return 0;
        r = get_object(config, "linux", &section);
        if (r >= 0)
                r = get_list(section, "devices", &l.nodes);
        if (r >= 0)
                r = get_object(section, "resources", &resources);
        if (r >= 0)
                r = get_list(resources, "devices", &rules);
        if (r < 0)
                return r;

        if (s->all_devices) { /* the rule that allows everything is the daemon's */
                int fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                r = fd < 0 ? -errno : lists_add_folder(&l, fd, "/dev", 0);
                if (r < 0)
                        return error_set_errno(
                                reterr, r, "error gathering the devices of the host");
        }

        l.rules = rules;
        r = add_devices(s, &l, reterr);
        if (r < 0) {
                strv_free(l.texts);
                return r;
        }
        *ret_rules = l.texts;
        return 0;
}
