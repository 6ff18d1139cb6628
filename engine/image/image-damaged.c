/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the disk has lost something. An image whose documents cannot be read keeps its rows, and nothing is swept while there is one: what
 * belongs to it is not known. It comes back when it is loaded again, or it is removed. A table that cannot be read is made anew from
 * the manifests in the store: names are lost then, images are not. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/image/images-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/image-spec.h"
#include "lib/oci/reference.h"

#define TAGS_FILE_DAMAGED TAGS_FILE ".damaged"

int images_note_damaged(Images *s, const Tag *t, const char *why) {
        log_warning("Image %s cannot be read, ignoring; load it again or remove it: %s",
                t->name ?: t->manifest, why);
        return strv_contains(s->damaged, t->manifest) ? 0 : strv_add(&s->damaged, t->manifest);
}

/* The row that name means, if it is one of a damaged image; *ret_familiar NULL: by the digest of the manifest. */
static int images_find_damaged(Images *s, const char *name, const Tag **ret, char **ret_familiar) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(freep) char *key = NULL;
        const Tag *t;
        int r;

        for (size_t i = 0; i < tags_count(s->tags); i++) {
                t = tags_at(s->tags, i);
                if (strv_contains(s->damaged, t->manifest) &&
                        STR_IN_SET(name, t->manifest, digest_hex(t->manifest))) {
                        *ret = t;
                        return 1;
                }
        }

        r = reference_parse(name, &ref);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (ref.digest)
                ref.tag = mfree(ref.tag);
        r = reference_format(&ref, &key);
        if (r < 0)
                return r;

        t = tags_find(s->tags, key);
        if (!t || !strv_contains(s->damaged, t->manifest))
                return 0;

        r = reference_format_familiar(&ref, ret_familiar);
        if (r < 0)
                return r;
        *ret = t;
        return 1;
}

int images_remove_damaged(Images *s, const char *name, char ***ret_actions, Error *reterr) {
        _cleanup_(freep) char *familiar = NULL, *manifest = NULL;
        _cleanup_(strv_freep) char **actions = NULL;
        _cleanup_(tags_freep) Tags *next = NULL;
        const Tag *t;
        bool last;
        int r;

        if (strv_empty(s->damaged))
                return 0;

        r = images_find_damaged(s, str_or_empty(name), &t, &familiar);
        if (r <= 0)
                return r;

        r = str_copy(&manifest, t->manifest);
        if (r >= 0)
                r = tags_copy(s->tags, &next);
        if (r >= 0 && familiar)
                r = tags_unset(next, t->name);
        if (r >= 0 && familiar)
                r = strv_addf(&actions, "Untagged: %s", familiar);
        if (r < 0)
                return r;

        last = !familiar || !tags_has_name(next, manifest);
        if (last) {
                r = tags_drop(next, manifest);
                if (r >= 0)
                        r = strv_addf(&actions, "Deleted: %s", manifest);
        }
        if (r >= 0)
                r = images_commit_tags(s, &next, reterr);
        if (r < 0)
                return r;

        *ret_actions = TAKE_PTR(actions);
        if (last) {
                (void) strv_remove(s->damaged, manifest);
                images_sweep(s);
        }
        return 1;
}

/* Is the blob the manifest of an image? Then it gets a row. Layers are not read: they begin with a file's name. */
static int images_rebuild_row(Images *s, Tags *t, const char *digest) {
        _cleanup_(image_manifest_done) ImageManifest m = {};
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        uint64_t size;
        size_t n;
        char first;
        int r;

        fd = blobs_open_fd(s->blobs, digest, &size);
        if (fd < 0 || size > BLOBS_SMALL_MAX || pread(fd, &first, 1, 0) != 1 || first != '{')
                return 0;

        r = blobs_read(s->blobs, digest, &text, &n, NULL);
        if (r >= 0)
                r = image_manifest_read(text, n, NULL, &m, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (!STR_IN_SET(str_or_empty(m.config.media_type), MEDIA_OCI_CONFIG, MEDIA_DOCKER_CONFIG))
                return 0;

        r = tags_set(t, NULL, digest, m.media_type ?: MEDIA_OCI_MANIFEST, (int64_t) n, CLOCK_NEVER);
        return r < 0 ? r : 1;
}

static int images_rebuild_tags(Images *s, char *const *all, const char *why, Error *reterr) {
        _cleanup_(tags_freep) Tags *t = NULL;
        int r, n = 0;

        r = tags_new(&t);
        if (r < 0)
                return r;
        STRV_FOREACH (digest, all) {
                r = images_rebuild_row(s, t, *digest);
                if (r < 0)
                        return r;
                n += r;
        }

        /* The old one stays, as index.json.damaged, for somebody who can read more of it than we can. */
        if (unlinkat(s->root_fd, TAGS_FILE_DAMAGED, 0) < 0 && errno != ENOENT)
                return -errno;
        if (linkat(s->root_fd, TAGS_FILE, s->root_fd, TAGS_FILE_DAMAGED, 0) < 0 && errno != ENOENT)
                return -errno;
        r = tags_save(t, s->root_fd, reterr);
        if (r < 0)
                return r;

        log_error("The images have lost their names: %s; there are %d in the store", why, n);
        s->tags = TAKE_PTR(t);
        return 0;
}

int images_load_tags(Images *s, Error *reterr) {
        _cleanup_(strv_freep) char **all = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = file_exists_at(s->root_fd, TAGS_FILE);
        if (r < 0)
                return r;
        if (r == 0) {
                r = blobs_list(s->blobs, &all);
                if (r < 0)
                        return r;
                if (!strv_empty(all))
                        return images_rebuild_tags(s, all, TAGS_FILE " is missing", reterr);
                r = tags_new(&s->tags);
                return r < 0 ? r : tags_save(s->tags, s->root_fd, reterr);
        }

        r = tags_load(s->root_fd, &s->tags, &e);
        if (r == -EIO || e.kind == ERROR_INVALID || e.kind == ERROR_TOO_LARGE) {
                r = blobs_list(s->blobs, &all);
                return r < 0 ? r : images_rebuild_tags(s, all, error_text(&e, r), reterr);
        }
        if (r < 0)
                error_move(reterr, &e);
        return r;
}
