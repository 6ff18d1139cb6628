/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/image/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/content/blobs.h"
#include "engine/core/hub.h"
#include "engine/core/job.h"
#include "engine/image/images-internal.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"
#include "lib/oci/reference.h"

int images_new(const char *data_root, const Settings *settings, Storage *storage, Hub *hub,
        Jobs *jobs, Workers *workers, Images **ret) {
        _cleanup_(images_freep) Images *s = NULL;
        int r;

        assert(data_root);
        assert(storage);
        assert(ret);

        s = new0(Images, 1);
        if (!s)
                return -ENOMEM;
        s->settings = settings;
        s->storage = storage;
        s->hub = hub;
        s->jobs = jobs;
        s->workers = workers;
        list_init(&s->pulls);

        s->root_fd = open(data_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->root_fd < 0)
                return -errno;
        r = blobs_open(s->root_fd, &s->blobs);
        if (r < 0)
                return r;

        s->by_id = hashmap_new(HASHMAP_STRING);
        s->by_manifest = hashmap_new(HASHMAP_STRING_COPY);
        if (!s->by_id || !s->by_manifest)
                return -ENOMEM;

        if (jobs) { /* last: they hold a pointer to us from here on, and end before us */
                r = jobs_watch(jobs, images_on_jobs_changed, s);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(s);
        return 0;
}

void images_end(Images *s) {
        if (s)
                s->ending = true;
}

Images *images_free(Images *s) {
        if (!s)
                return NULL;

        hashmap_free(s->by_manifest);
        hashmap_free_with(s->by_id, image_free);
        for (size_t i = 0; i < s->n_unlisted; i++)
                image_free(s->unlisted[i]);
        free(s->unlisted);
        strv_free(s->damaged);
        strv_free(s->orphans);
        free(s->sorted);
        job_unref(s->trash_job);
        tags_free(s->tags);
        blobs_free(s->blobs);
        fd_close(s->root_fd);
        return mfree(s);
}

/* It has its layers now. */
static void images_forget_unlisted(Images *s, const char *id) {
        for (size_t k = s->n_unlisted; k > 0; k--)
                if (streq(s->unlisted[k - 1]->id, id)) {
                        image_free(s->unlisted[k - 1]);
                        s->unlisted[k - 1] = s->unlisted[--s->n_unlisted];
                }
}

int images_add(Images *s, Image *i, Image **ret) {
        Image *known;
        int r;

        assert(i->manifests && i->manifests[0] && !i->manifests[1]);

        known = hashmap_get(s->by_id, i->id);
        r = hashmap_set(s->by_manifest, i->manifest, known ?: i, NULL);
        if (r < 0)
                return r;
        (void) strv_remove(s->damaged, i->manifest);

        if (known) {
                if (!strv_contains(known->manifests, i->manifest))
                        r = strv_add(&known->manifests, i->manifest);
                if (r >= 0)
                        r = strv_add_all(&known->blobs, i->blobs);
                if (r < 0)
                        return r;
                image_free(i);
        } else {
                r = hashmap_put(s->by_id, i->id, i);
                if (r < 0) {
                        hashmap_remove(s->by_manifest, i->manifest);
                        return r;
                }
                s->sorted = mfree(s->sorted);
        }

        *ret = known ?: i;
        images_forget_unlisted(s, (*ret)->id);
        return 0;
}

void images_drop(Images *s, Image *i) {
        STRV_FOREACH (m, i->manifests)
                hashmap_remove(s->by_manifest, *m);
        hashmap_remove(s->by_id, i->id);
        s->sorted = mfree(s->sorted);
        image_free(i);
}

Image *images_by_manifest(Images *s, const char *manifest) {
        return hashmap_get(s->by_manifest, manifest);
}

int images_refresh_names(Images *s, Image *i) {
        _cleanup_(strv_freep) char **names = NULL;
        bool hidden = false, cached = false, other = false;
        int r;

        for (size_t k = 0; k < tags_count(s->tags); k++) {
                const Tag *t = tags_at(s->tags, k);

                if (!strv_contains(i->manifests, t->manifest))
                        continue;
                if (t->name && (r = strv_add(&names, t->name)) < 0)
                        return r;
                if (t->time_ns != CLOCK_NEVER && !t->cache)
                        i->tagged_ns = MAX(i->tagged_ns, t->time_ns);
                *(t->hidden ? &hidden : t->cache ? &cached : &other) = true;
        }

        if (i->hidden != (hidden && !other) || i->cached != (cached && !other && !hidden)) {
                i->hidden = hidden && !other;
                i->cached = cached && !other && !hidden;
                s->sorted = mfree(s->sorted);
        }
        return image_set_names(i, names);
}

int images_commit_tags(Images *s, Tags **next, Error *reterr) {
        int r;

        r = tags_save(*next, s->root_fd, reterr);
        if (r < 0)
                return r;

        tags_free(s->tags);
        s->tags = TAKE_PTR(*next);
        return 0;
}

/* One manifest of the table. What cannot be used stays on disk; nobody sees it. */
static int images_load_one(Images *s, const Tag *t) {
        _cleanup_(error_done) Error e = {};
        Image *i = NULL, *added;
        int r;

        r = images_read(s, t->manifest, t->media_type, &i, &e);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return images_note_damaged(s, t, error_text(&e, r));

        r = images_read_layers(s, i);
        if (r == -ENOMEM) {
                image_free(i);
                return r;
        }
        if (r < 0) {
                log_debug("Image %s has no layers of %s, not listed", t->name ?: i->id,
                        storage_driver_name(s->storage));
                r = array_grow(&s->unlisted, &s->n_unlisted_allocated, s->n_unlisted + 1);
                if (r < 0)
                        image_free(i);
                else
                        s->unlisted[s->n_unlisted++] = i;
                return r;
        }

        r = images_add(s, i, &added);
        if (r < 0)
                image_free(i);
        return r;
}

/* The names of all, in one walk over the table. */
static int images_name_all(Images *s) {
        _cleanup_(hashmap_freep) Hashmap *names = NULL; /* Image → strv */
        Image *i;
        int r = 0;

        names = hashmap_new(HASHMAP_POINTER);
        if (!names)
                return -ENOMEM;

        HASHMAP_FOREACH (i, s->by_id) {
                i->hidden = i->cached = true;
        }

        for (size_t k = 0; r >= 0 && k < tags_count(s->tags); k++) {
                const Tag *t = tags_at(s->tags, k);
                char **list;

                i = images_by_manifest(s, t->manifest);
                if (!i)
                        continue;
                i->hidden = i->hidden && (t->hidden || t->cache);
                i->cached = i->cached && t->cache;
                if (t->cache)
                        continue;
                i->tagged_ns = MAX(i->tagged_ns, t->time_ns);
                if (!t->name)
                        continue;
                list = hashmap_get(names, i);
                r = strv_add(&list, t->name);
                if (r >= 0)
                        r = hashmap_set(names, i, list, NULL);
                if (r >= 0)
                        r = 0;
        }

        HASHMAP_FOREACH (i, s->by_id) {
                char **list = hashmap_remove(names, i);

                i->hidden = i->hidden && !i->cached;

                if (r >= 0)
                        r = image_set_names(i, list);
                strv_free(list);
        }

        s->sorted = mfree(s->sorted);
        return r;
}

int images_load(Images *s) {
        _cleanup_(hashmap_freep) Hashmap *seen = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        assert(s);
        assert(!s->tags);

        r = images_load_tags(s, &e);
        if (r < 0)
                return log_error_errno(r, "Failed to read the images: %s", error_text(&e, r));

        seen = hashmap_new(HASHMAP_STRING);
        if (!seen)
                return log_oom();

        for (size_t k = 0; k < tags_count(s->tags); k++) {
                const Tag *t = tags_at(s->tags, k);

                r = hashmap_put(seen, t->manifest, (void *) t);
                if (r == -EEXIST)
                        continue;
                if (r >= 0)
                        r = images_load_one(s, t);
                if (r < 0)
                        return log_error_errno(r, "Failed to read the images: %m");
        }

        r = images_name_all(s);
        if (r >= 0)
                r = images_find_orphans(s);
        if (r < 0)
                return log_error_errno(r, "Failed to read the images: %m");

        images_sweep(s);
        return 0;
}

/* "x", "x:1", "x@sha256:…" as the table has it. -EINVAL: not a name of that kind. */
static int image_name_key(const char *name, Reference *ref, char **ret) {
        int r;

        r = reference_parse(name, ref);
        if (r < 0)
                return r;
        if (ref->digest) /* with both the digest decides */
                ref->tag = mfree(ref->tag);
        return reference_format(ref, ret);
}

static int images_not_found(const char *name, const Reference *ref, Error *reterr) {
        _cleanup_(freep) char *familiar = NULL;

        if (ref->path && reference_format_familiar(ref, &familiar) >= 0)
                name = familiar;
        return error_set(reterr, ERROR_NOT_FOUND, "No such image: %s", name);
}

static int images_find_prefix(Images *s, const char *digits, Image **ret, Error *reterr) {
        Image *found = NULL, *i;
        size_t n = strlen(digits);

        HASHMAP_FOREACH (i, s->by_id) {
                if (i->hidden || strncmp(digest_hex(i->id), digits, n) != 0)
                        continue;
                if (found)
                        return error_set(reterr, ERROR_INVALID,
                                "multiple IDs found with provided prefix: %s", digits);
                found = i;
        }

        *ret = found;
        return found ? 0 : -ENOENT;
}

Image *images_get(Images *s, const char *id) {
        assert(s);
        assert(id);

        return hashmap_get(s->by_id, id);
}

int images_find(Images *s, const char *name, Image **ret, Error *reterr) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(freep) char *key = NULL;
        const char *digits;
        const Tag *t;
        Image *i;
        int r;

        assert(s);
        assert(ret);

        name = str_or_empty(name);
        i = images_get(s, name);
        if (i && !i->hidden) {
                *ret = i;
                return 0;
        }

        r = image_name_key(name, &ref, &key);
        if (r == -ENOMEM)
                return r;
        if (r >= 0) {
                t = tags_find(s->tags, key);
                i = t ? images_by_manifest(s, t->manifest) : NULL;
                if (i && !i->hidden) {
                        *ret = i;
                        return 0;
                }
        }

        digits = str_starts(name, "sha256:") ?: name;
        if (ident_is_prefix(digits)) {
                r = images_find_prefix(s, digits, ret, reterr);
                if (r != -ENOENT)
                        return r;
        }

        if (str_empty(name) || (!ref.path && !ident_is_prefix(digits)))
                return error_set(reterr, ERROR_INVALID, "invalid reference format");
        return images_not_found(name, &ref, reterr);
}

void images_publish(Images *s, const Image *i, const char *action, const char *name) {
        images_publish_as(s, i, action, i->id, name);
}

void images_publish_as(
        Images *s, const Image *i, const char *action, const char *actor, const char *name) {
        _cleanup_(strv_freep) char **attributes = NULL;
        const char *key, *value;
        int r = 0;

        PAIRS_FOREACH(key, value, i->config.config.labels)
        if (r >= 0)
                r = strv_addf(&attributes, "%s=%s", key, value);
        if (r >= 0)
                r = strv_addf(&attributes, "name=%s", name ?: i->id);
        if (r >= 0)
                r = hub_publish(s->hub, "image", action, actor, attributes);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to tell of \"%s\" of image %s: %m, ignoring", action, i->id);
}
