/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/volume/volumes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/core/hub.h"
#include "engine/volume/volume-options.h"
#include "engine/volume/volumes-internal.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define VOLUMES_MAX 100000U
#define DATA_FOLDER "_data"

/* Of a folder that nobody refers to, in tmp/ or in the trash. */
#define TEMPORARY_SIZE (sizeof("volume-") + 16)

static char *temporary_name(char ret[static TEMPORARY_SIZE]) {
        (void) snprintf(ret, TEMPORARY_SIZE, "volume-%016llx", (unsigned long long) random_u64());
        return ret;
}

const char *const volume_filter_keys[] = { "dangling", "driver", "label", "name", NULL };

char *volume_mountpoint(const Volume *v) {
        _cleanup_(freep) char *folder = path_join(v->set->root, v->name);

        return folder ? path_join(folder, DATA_FOLDER) : NULL;
}

int volume_is_empty(const Volume *v) {
        _cleanup_(fd_closep) int folder_fd = -EBADF;

        if (volume_is_mount(v))
                return 1; /* whoever mounts it looks again */
        folder_fd = file_open_dir(v->set->root_fd, v->name);
        return folder_fd < 0 ? folder_fd : file_is_empty_dir_at(folder_fd, DATA_FOLDER);
}

void volumes_publish(Volumes *s, const char *name, const char *action, const char *attribute) {
        int r;

        r = hub_publish(s->hub, "volume", action, name, (char *[]) { (char *) attribute, NULL });
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to publish \"%s\" of volume %s: %m, ignoring", action, name);
}

/* ---- the indexes ---- */

static size_t sorted_position(const Volumes *s, const char *name) {
        size_t low = 0, high = s->n_sorted;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(s->sorted[middle]->name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static int volumes_add(Volumes *s, Volume *v) {
        size_t at;
        int r;

        r = array_grow(&s->sorted, &s->n_sorted_allocated, s->n_sorted + 1);
        if (r >= 0)
                r = hashmap_put(s->by_name, v->name, v);
        if (r < 0)
                return r;

        at = sorted_position(s, v->name);
        memmove(s->sorted + at + 1, s->sorted + at, (s->n_sorted - at) * sizeof(*s->sorted));
        s->sorted[at] = v;
        s->n_sorted++;
        return 0;
}

static void volumes_drop(Volumes *s, Volume *v) {
        size_t at = sorted_position(s, v->name);

        assert(at < s->n_sorted && s->sorted[at] == v);
        s->n_sorted--;
        memmove(s->sorted + at, s->sorted + at + 1, (s->n_sorted - at) * sizeof(*s->sorted));
        (void) hashmap_remove(s->by_name, v->name);
}

int volumes_find(Volumes *s, const char *name, Volume **ret, Error *reterr) {
        Volume *v = hashmap_get(s->by_name, name);

        if (!v)
                return error_set(reterr, ERROR_NOT_FOUND, "get %s: no such volume", name);
        *ret = v;
        return 0;
}

Volume *volumes_next(Volumes *s, const Volume *after) {
        size_t at = after ? sorted_position(s, after->name) + 1 : 0;

        return at < s->n_sorted ? s->sorted[at] : NULL;
}

unsigned volumes_count(const Volumes *s) {
        return (unsigned) s->n_sorted;
}

static int passes(const Volume *v, const Filter *f, const bool *dangling) {
        return (!dangling || *dangling == (volume_count_users(v) == 0)) &&
               filter_match_pattern(f, "name", v->name) &&
               filter_match_exact(f, "driver", VOLUME_DRIVER) && filter_match_labels(f, v->labels);
}

int volumes_list(Volumes *s, const Filter *f, Volume ***ret, size_t *ret_n, Error *reterr) {
        _cleanup_(freep) Volume **list = NULL;
        bool dangling = false;
        size_t n = 0;
        int r;

        r = filter_get_bool(f, "dangling", &dangling, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        list = new0(Volume *, s->n_sorted + 1);
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_sorted; i++)
                if (passes(s->sorted[i], f, r == -ENOENT ? NULL : &dangling))
                        list[n++] = s->sorted[i];

        *ret = TAKE_PTR(list);
        *ret_n = n;
        return 0;
}

/* ---- what is on disk ---- */

static int open_folders(Volumes *s) {
        _cleanup_(fd_closep) int data_fd = -EBADF;

        s->root = path_join(s->data_root, "volumes");
        if (!s->root)
                return -ENOMEM;
        data_fd = file_open_dir(AT_FDCWD, s->data_root);
        if (data_fd < 0)
                return data_fd;
        s->root_fd = file_mkdir_open_exact(data_fd, "volumes", 0701);
        if (s->root_fd < 0)
                return s->root_fd;
        s->tmp_fd = file_mkdir_open(data_fd, "tmp", 0700);
        if (s->tmp_fd < 0)
                return s->tmp_fd;
        s->trash_fd = file_mkdir_open(s->tmp_fd, "trash", 0700);
        return s->trash_fd < 0 ? s->trash_fd : 0;
}

static void load_one(Volumes *s, const char *name) {
        _cleanup_(fd_closep) int folder_fd = -EBADF;
        _cleanup_(volume_freep) Volume *v = NULL;
        int r;

        folder_fd = file_open_dir(s->root_fd, name);
        if (folder_fd == -ENOTDIR)
                return;
        r = folder_fd < 0 ? folder_fd : volume_load(s, name, folder_fd, &v);
        if (r >= 0)
                r = volumes_add(s, v);
        if (r < 0) {
                (void) log_warning_errno(
                        r, "%s/%s is no volume that can be used: %m, leaving it", s->root, name);
                return;
        }
        TAKE_PTR(v);
}

int volumes_new(const VolumesWiring *w, Volumes **ret, Error *reterr) {
        _cleanup_(volumes_freep) Volumes *s = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        assert(w);
        assert(ret);

        s = new0(Volumes, 1);
        if (!s)
                return -ENOMEM;
        *s = (Volumes) {
                .data_root = w->data_root,
                .hub = w->hub,
                .jobs = w->jobs,
                .workers = w->workers,
                .on_trash = w->on_trash,
                .userdata = w->userdata,
                .root_fd = -EBADF,
                .tmp_fd = -EBADF,
                .trash_fd = -EBADF,
        };
        s->by_name = hashmap_new(HASHMAP_STRING);
        if (!s->by_name)
                return -ENOMEM;
        r = open_folders(s);
        if (r >= 0)
                r = file_list(s->root_fd, ".", /* hidden= */ false, &names);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to read the volumes of %s", s->data_root);
        STRV_FOREACH (name, names)
                load_one(s, *name);

        *ret = TAKE_PTR(s);
        return 0;
}

void volumes_end(Volumes *s) {
        if (!s)
                return;
        s->ending = true;
        s->prune = volume_prune_free(s->prune);
}

Volumes *volumes_free(Volumes *s) {
        if (!s)
                return NULL;

        volumes_end(s);
        hashmap_free_with(s->by_name, volume_free);
        free(s->sorted);
        fd_close(s->root_fd);
        fd_close(s->tmp_fd);
        fd_close(s->trash_fd);
        free(s->root);
        free(s);
        return NULL;
}

/* ---- create ---- */

static int check_wish(const VolumeWish *w, const char *name, Error *reterr) {
        if (!str_empty(w->driver) && !streq(w->driver, VOLUME_DRIVER))
                return error_set(reterr, ERROR_NOT_FOUND,
                        "create %s: error looking up volume plugin %s: plugin \"%s\" not found",
                        name, w->driver, w->driver);
        if (strlen(name) == 1)
                return error_set(reterr, ERROR_INVALID,
                        "create %s: volume name is too short, names should be at least two "
                        "alphanumeric characters",
                        name);
        if (!ident_is_name(name))
                return error_set(reterr, ERROR_INVALID,
                        "create %s: \"%s\" includes invalid characters for a local volume name, "
                        "only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a "
                        "host directory, use absolute path",
                        name, name);
        return 0;
}

/* Out of sight by one rename; a worker does the rest. */
static int throw_away(Volumes *s, const char *name) {
        char trash[TEMPORARY_SIZE];

        if (renameat(s->root_fd, name, s->trash_fd, temporary_name(trash)) < 0)
                return errno == ENOENT ? 0 : -errno;
        s->on_trash(s->userdata);
        return 0;
}

/* Filled under a name in tmp/, visible by one rename. */
static int make_visible(Volume *v) {
        _cleanup_(fd_closep) int fd = -EBADF, data_fd = -EBADF;
        char temporary[TEMPORARY_SIZE];
        Volumes *s = v->set;
        int r;

        fd = file_mkdir_open_exact(s->tmp_fd, temporary_name(temporary), 0701);
        if (fd < 0)
                return fd;
        data_fd = file_mkdir_open_exact(fd, DATA_FOLDER, 0755);
        r = data_fd < 0 ? data_fd : volume_save(v, fd);
        if (r >= 0 && renameat2(s->tmp_fd, temporary, s->root_fd, v->name, RENAME_NOREPLACE) < 0)
                r = -errno;
        if (r < 0) {
                (void) file_remove_tree(s->tmp_fd, temporary);
                return r;
        }
        r = file_sync_dir(s->root_fd);
        if (r < 0)
                (void) throw_away(s, v->name);
        return r;
}

static int make(Volumes *s, const char *name, bool anonymous, const VolumeWish *w, Volume **ret) {
        _cleanup_(volume_freep) Volume *v = NULL;
        int r;

        r = volume_new(s, &v);
        if (r >= 0)
                r = str_copy(&v->name, name);
        if (r >= 0)
                r = pairs_merge(&v->labels, w->labels, /* replace= */ true);
        if (r >= 0 && anonymous)
                r = pairs_set(&v->labels, VOLUME_ANONYMOUS_LABEL, "");
        if (r >= 0)
                r = pairs_merge(&v->options, w->options, /* replace= */ true);
        if (r < 0)
                return r;
        v->created_ns = clock_realtime_ns();
        r = volumes_add(s, v);
        if (r < 0)
                return r;
        r = make_visible(v);
        if (r < 0) {
                volumes_drop(s, v);
                return r;
        }
        *ret = TAKE_PTR(v);
        return 0;
}

int volumes_create(Volumes *s, const VolumeWish *w, Volume **ret, Error *reterr) {
        bool anonymous = str_empty(w->name);
        const char *name = w->name;
        char id[IDENT_SIZE];
        Volume *v;
        int r;

        assert(s);
        assert(w);
        assert(ret);

        if (anonymous)
                name = ident_random(id);
        r = check_wish(w, name, reterr);
        if (r < 0)
                return r;
        v = hashmap_get(s->by_name, name);
        if (v) {
                *ret = v;
                return 0;
        }
        r = volume_options_check(w->options, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "create %s", name);
        if (s->n_sorted >= VOLUMES_MAX)
                return error_set(
                        reterr, ERROR_INVALID, "there are %u volumes already", VOLUMES_MAX);

        r = make(s, name, anonymous, w, &v);
        if (r < 0)
                return error_set_errno(reterr, r, "create %s: Failed to make the volume", name);
        volumes_publish(s, v->name, "create", "driver=" VOLUME_DRIVER);
        *ret = v;
        return 1;
}

/* ---- remove ---- */

static int volume_set_in_use(const Volume *v, Error *reterr) {
        _cleanup_(strv_freep) char **ids = NULL;
        _cleanup_(freep) char *joined = NULL;
        const char *id;
        void *user;
        int r = 0;

        HASHMAP_FOREACH_KEY(user, id, v->users)
        if (r >= 0)
                r = strv_add(&ids, id);
        joined = r < 0 ? NULL : strv_join(ids, ", ");
        if (!joined)
                return -ENOMEM;
        return error_set(
                reterr, ERROR_CONFLICT, "remove %s: volume is in use - [%s]", v->name, joined);
}

int volumes_remove(Volumes *s, Volume *v, Error *reterr) {
        int r;

        assert(s);
        assert(v);

        if (volume_count_users(v) > 0)
                return volume_set_in_use(v, reterr);

        r = throw_away(s, v->name);
        if (r < 0)
                return error_set_errno(reterr, r, "remove %s", v->name);
        r = file_sync_dir(s->root_fd);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to sync %s: %m, ignoring", s->root);

        volumes_drop(s, v);
        volumes_publish(s, v->name, "destroy", "driver=" VOLUME_DRIVER);
        volume_free(v);
        return 0;
}
