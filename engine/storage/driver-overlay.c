/* SPDX-License-Identifier: GPL-2.0-or-later */
/* overlay2: each layer's folder holds only what the layer brings; the kernel's overlayfs puts them on top of each other. Mount
 * options must fit into one page, so every layer has a short name too: l/FIRST-12-DIGITS, a link to its diff folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/storage/apply-result.h"
#include "engine/storage/driver.h"
#include "engine/storage/overlay-probe.h"
#include "engine/storage/storage-internal.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/buffer.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define OVERLAY_WORK   "work"
#define OVERLAY_LINKS  "l"
#define OVERLAY_OPAQUE "trusted.overlay.opaque"

typedef struct Overlay {
        int layers_fd; /* borrowed */
        int links_fd;
        char *path;
        OverlayFeatures features;
        char *backing;
} Overlay;

static void overlay_close(void *state) {
        Overlay *o = state;

        if (!o)
                return;

        fd_close(o->links_fd);
        free(o->path);
        free(o->backing);
        free(o);
}

static int overlay_open(
        int layers_fd, const char *path, char *const *options, void **ret_state, Error *reterr) {
        Overlay *o;

        STRV_FOREACH (s, options)
                if (!str_starts(*s, "overlay2.override_kernel_check=") && !str_starts(*s, "vfs."))
                        return error_set(reterr, ERROR_INVALID,
                                "Storage driver overlay2 has no option \"%s\"", *s);

        o = new0(Overlay, 1);
        if (!o)
                return -ENOMEM;

        o->layers_fd = layers_fd;
        o->links_fd = file_mkdir_open(layers_fd, OVERLAY_LINKS, 0700);
        o->path = strdup(path);
        o->backing = strdup(overlay_backing_name(layers_fd));
        if (o->links_fd < 0 || !o->path || !o->backing) {
                int r = o->links_fd < 0 ? o->links_fd : -ENOMEM;

                overlay_close(o);
                return r;
        }

        overlay_features(&o->features);
        *ret_state = o;
        return 0;
}

/* Owner and mode of a folder; times too for one that the archive did not name. */
static int overlay_copy_attributes(int fd, const struct stat *st, bool times) {
        if (fchownat(fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0)
                return -errno;
        if (fchmod(fd, st->st_mode & 07777) < 0)
                return -errno;
        if (times) {
                const struct timespec both[2] = { st->st_atim, st->st_mtim };

                if (futimens(fd, both) < 0)
                        return -errno;
        }
        return 0;
}

static int overlay_diff_fd(Overlay *o, const char *digits) {
        char name[IDENT_SIZE + STRLEN("/" LAYER_DIFF)];

        (void) snprintf(name, sizeof(name), "%s/" LAYER_DIFF, digits);
        return file_open_dir(o->layers_fd, name);
}

static int overlay_create(
        void *state, int dir_fd, const char *parent, bool writable, Error *reterr) {
        _cleanup_(fd_closep) int diff = -EBADF, below = -EBADF;
        struct stat st;
        int r;

        if (mkdirat(dir_fd, LAYER_DIFF, 0755) < 0)
                return -errno;
        if (writable && mkdirat(dir_fd, OVERLAY_WORK, 0700) < 0)
                return -errno;

        /* The root of the mount looks as the root of its top layer does. */
        diff = file_open_dir(dir_fd, LAYER_DIFF);
        if (diff < 0)
                return diff;
        if (!parent)
                return fchmod(diff, 0755) < 0 ? -errno : 0;

        below = overlay_diff_fd(state, parent);
        if (below < 0)
                return below;
        if (fstat(below, &st) < 0)
                return -errno;
        r = overlay_copy_attributes(diff, &st, /* times= */ true);
        return r;
}

/* The short name of a layer: as many digits as it takes to be the only one. 0 with *ret empty: it has none yet. */
static int overlay_link_find(
        Overlay *o, const char *digits, bool make, char ret[static IDENT_SIZE]) {
        char target[IDENT_SIZE + STRLEN("..//" LAYER_DIFF)], seen[sizeof(target) + 1];

        (void) snprintf(target, sizeof(target), "../%s/" LAYER_DIFF, digits);

        for (size_t n = IDENT_SHORT_LENGTH; n <= IDENT_LENGTH; n += 4) {
                ssize_t size;

                (void) memcpy(ret, digits, n);
                ret[n] = '\0';

                if (make && symlinkat(target, o->links_fd, ret) >= 0)
                        return 0;
                if (make && errno != EEXIST)
                        return -errno;

                size = readlinkat(o->links_fd, ret, seen, sizeof(seen) - 1);
                if (size < 0) {
                        if (errno == ENOENT)
                                continue;
                        return -errno;
                }
                seen[size] = '\0';
                if (streq(seen, target))
                        return 0;
        }

        return -ENOENT;
}

static int overlay_publish(void *state, const char *id) {
        char name[IDENT_SIZE];

        return overlay_link_find(state, id, /* make= */ true, name);
}

static void overlay_withdraw(void *state, const char *id) {
        Overlay *o = state;
        char name[IDENT_SIZE];

        if (overlay_link_find(o, id, /* make= */ false, name) >= 0)
                (void) unlinkat(o->links_fd, name, 0);
}

static int overlay_append_lower(Overlay *o, char *const *chain, Buffer *b) {
        int r;

        STRV_FOREACH (s, chain) {
                char name[IDENT_SIZE];

                r = overlay_link_find(o, *s, /* make= */ false, name);
                if (r == -ENOENT) /* somebody removed the links: they are only names */
                        r = overlay_link_find(o, *s, /* make= */ true, name);
                if (r >= 0)
                        r = buffer_printf(
                                b, "%s" OVERLAY_LINKS "/%s", s == (char **) chain ? "" : ":", name);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* One folder needs no overlay. */
static int overlay_bind_spec(Overlay *o, const char *digits, bool read_only, MountSpec *ret) {
        *ret = (MountSpec) { .read_only = read_only };
        if (str_copy(&ret->type, "bind") < 0 || str_copy(&ret->directory, o->path) < 0 ||
                str_copy(&ret->options, "") < 0 ||
                str_printf(&ret->source, "%s/%s/" LAYER_DIFF, o->path, digits) < 0) {
                mount_spec_done(ret);
                return -ENOMEM;
        }
        return 0;
}

static int overlay_mount_spec(
        void *state, char *const *chain, bool read_only, MountSpec *ret, Error *reterr) {
        _cleanup_(buffer_done) Buffer b = {};
        Overlay *o = state;
        int r;

        if (!chain[1])
                return overlay_bind_spec(o, chain[0], read_only, ret);

        r = buffer_append_string(&b, "lowerdir=");
        if (r >= 0)
                r = overlay_append_lower(o, read_only ? chain : chain + 1, &b);
        if (r >= 0 && !read_only)
                r = buffer_printf(&b, ",upperdir=%s/" LAYER_DIFF ",workdir=%s/" OVERLAY_WORK,
                        chain[0], chain[0]);
        if (r >= 0 && o->features.index)
                r = buffer_append_string(&b, ",index=off");
        if (r >= 0 && o->features.metacopy)
                r = buffer_append_string(&b, ",metacopy=off");
        if (r >= 0 && o->features.redirect_dir)
                r = buffer_append_string(&b, ",redirect_dir=off");
        if (r < 0)
                return r;
        if (buffer_size(&b) >= (size_t) sysconf(_SC_PAGESIZE))
                return error_set(reterr, ERROR_TOO_LARGE, "Too many layers for one mount");

        *ret = (MountSpec) { .read_only = read_only };
        ret->options = buffer_take_string(&b, NULL);
        if (!ret->options || str_copy(&ret->type, "overlay") < 0 ||
                str_copy(&ret->source, "overlay") < 0 || str_copy(&ret->directory, o->path) < 0) {
                mount_spec_done(ret);
                return -ENOMEM;
        }

        return 0;
}

static int overlay_usage(void *state, int dir_fd, uint64_t *ret) {
        return file_tree_usage(dir_fd, LAYER_DIFF, NULL, ret);
}

static int overlay_status(void *state, char ***ret_pairs) {
        _cleanup_(strv_freep) char **pairs = NULL;
        const Overlay *o = state;

        if (pairs_set(&pairs, "Backing Filesystem", o->backing) < 0 ||
                pairs_set(&pairs, "Supports d_type", "true") < 0 ||
                pairs_set(&pairs, "Using metacopy", "false") < 0 ||
                pairs_set(&pairs, "Native Overlay Diff", "true") < 0 ||
                pairs_set(&pairs, "userxattr", "false") < 0)
                return -ENOMEM;

        *ret_pairs = TAKE_PTR(pairs);
        return 0;
}

static int overlay_describe(void *state, char *const *chain, bool read_only, char ***ret_pairs) {
        _cleanup_(strv_freep) char **pairs = NULL;
        _cleanup_(freep) char *lower = NULL, *upper = NULL, *work = NULL, *merged = NULL;
        const Overlay *o = state;

        STRV_FOREACH (s, chain + 1)
                if (str_appendf(&lower, "%s%s/%s/" LAYER_DIFF, lower ? ":" : "", o->path, *s) < 0)
                        return -ENOMEM;

        if (str_printf(&upper, "%s/%s/" LAYER_DIFF, o->path, chain[0]) < 0 ||
                str_printf(&work, "%s/%s/" OVERLAY_WORK, o->path, chain[0]) < 0 ||
                str_printf(&merged, "%s/%s/merged", o->path, chain[0]) < 0)
                return -ENOMEM;

        if ((lower && pairs_set(&pairs, "LowerDir", lower) < 0) ||
                pairs_set(&pairs, "MergedDir", merged) < 0 ||
                pairs_set(&pairs, "UpperDir", upper) < 0 || pairs_set(&pairs, "WorkDir", work) < 0)
                return -ENOMEM;

        *ret_pairs = TAKE_PTR(pairs);
        return 0;
}

static int overlay_opaque(void *userdata, int dir_fd, const char *path, Error *reterr) {
        ApplyResult *result = userdata;
        _cleanup_(fd_closep) int fd = -EBADF;

        if (path[0] == '\0') { /* overlayfs always merges roots: the layer gets no parent instead */
                result->opaque_root = true;
                return 0;
        }

        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsetxattr(fd, OVERLAY_OPAQUE, "y", 1, 0) < 0)
                return error_set_errno(
                        reterr, -errno, "entry \"%s\": cannot make the directory opaque", path);
        return 0;
}

static int overlay_whiteout(void *userdata, int dir_fd, const char *name, Error *reterr) {
        struct stat st;

        if (mknodat(dir_fd, name, S_IFCHR, makedev(0, 0)) >= 0)
                return 0;
        if (errno != EEXIST)
                return error_set_errno(reterr, -errno, "cannot make a whiteout for \"%s\"", name);

        /* The layer brings the name itself: then that hides what is below, and of a folder nothing may show through. */
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0 && S_ISDIR(st.st_mode)) {
                _cleanup_(fd_closep) int fd =
                        openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

                if (fd < 0)
                        return error_set_errno(reterr, -errno, "whiteout \"%s\"", name);
                return overlay_opaque(userdata, fd, name, reterr);
        }

        return 0;
}

static int overlay_implied(void *userdata, int dir_fd, const char *path, Error *reterr) {
        return apply_result_add_implied(userdata, path, reterr);
}

static const TarExtractOps overlay_unpack = {
        .whiteout = overlay_whiteout,
        .opaque = overlay_opaque,
        .implied = overlay_implied,
};

/* Is a folder above path opaque? Then the layers below do not know path. */
static int overlay_is_new(int diff_fd, const char *path) {
        _cleanup_(freep) char *prefix = strdup(path);
        char *slash;

        if (!prefix)
                return -ENOMEM;

        while ((slash = strrchr(prefix, '/'))) {
                _cleanup_(fd_closep) int fd = -EBADF;
                char value;

                *slash = '\0';
                fd = beneath_open(diff_fd, prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                        BENEATH_STRICT | BENEATH_NO_XDEV);
                if (fd >= 0 && fgetxattr(fd, OVERLAY_OPAQUE, &value, sizeof(value)) > 0)
                        return 1;
        }

        return 0;
}

/* The topmost layer that has a folder at path says what it looks like. */
static int overlay_adopt_one(Overlay *o, int diff_fd, char *const *chain, const char *path) {
        int new;

        new = overlay_is_new(diff_fd, path);
        if (new != 0)
                return new < 0 ? new : 0;

        STRV_FOREACH (s, chain) {
                _cleanup_(fd_closep) int below = -EBADF, fd = -EBADF;
                struct stat st;
                int r;

                below = overlay_diff_fd(o, *s);
                if (below < 0)
                        return below;

                r = beneath_stat(below, path, BENEATH_STRICT | BENEATH_NO_XDEV, &st);
                if (r == -ENOENT)
                        continue;
                if (r < 0 || !S_ISDIR(st.st_mode)) /* hidden, or no folder: nothing to look like */
                        return 0;

                fd = beneath_open(diff_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                        BENEATH_STRICT | BENEATH_NO_XDEV);
                if (fd < 0)
                        return 0;
                return overlay_copy_attributes(fd, &st, /* times= */ true);
        }

        return 0;
}

static int overlay_adopt(void *state, int diff_fd, char *const *chain, char *const *paths) {
        STRV_FOREACH (p, paths) {
                int r = overlay_adopt_one(state, diff_fd, chain, *p);

                if (r < 0)
                        return r;
        }

        return 0;
}

const StorageDriver storage_driver_overlay2 = {
        .name = "overlay2",
        .flags = STORAGE_CREATE_QUICK | STORAGE_UNPACK_ALONE | STORAGE_LAYERS_ARE_DIFFS,
        .probe = overlay_probe,
        .open = overlay_open,
        .close = overlay_close,
        .create = overlay_create,
        .publish = overlay_publish,
        .withdraw = overlay_withdraw,
        .mount_spec = overlay_mount_spec,
        .usage = overlay_usage,
        .status = overlay_status,
        .describe = overlay_describe,
        .unpack = &overlay_unpack,
        .adopt = overlay_adopt,
};
