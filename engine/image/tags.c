/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/image/tags.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/hashmap.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"
#include "lib/oci/image-spec.h"
#include "lib/oci/reference.h"

struct Tags {
        Tag *rows;
        size_t n;
        size_t allocated;
        Hashmap *by_name;     /* name → index + 1 */
        Hashmap *by_cache;    /* key → index + 1 */
        Hashmap *by_manifest; /* manifest → how many rows it has, without those of the cache */
        Descriptor *others;   /* rows that are not ours to judge, written back */
        size_t n_others;
        size_t n_others_allocated;
};

static void tag_done(Tag *x) {
        free(x->name);
        free(x->manifest);
        free(x->media_type);
        free(x->cache);
        *x = (Tag) {};
}

Tags *tags_free(Tags *t) {
        if (!t)
                return NULL;

        for (size_t i = 0; i < t->n; i++)
                tag_done(t->rows + i);
        for (size_t i = 0; i < t->n_others; i++)
                descriptor_done(t->others + i);
        free(t->rows);
        free(t->others);
        hashmap_free(t->by_name);
        hashmap_free(t->by_cache);
        hashmap_free(t->by_manifest);
        return mfree(t);
}

int tags_new(Tags **ret) {
        _cleanup_(tags_freep) Tags *t = NULL;

        t = new0(Tags, 1);
        if (!t)
                return -ENOMEM;
        t->by_name = hashmap_new(HASHMAP_STRING_COPY);
        t->by_cache = hashmap_new(HASHMAP_STRING_COPY);
        t->by_manifest = hashmap_new(HASHMAP_STRING_COPY);
        if (!t->by_name || !t->by_cache || !t->by_manifest)
                return -ENOMEM;

        *ret = TAKE_PTR(t);
        return 0;
}

static unsigned tags_rows_of(const Tags *t, const char *manifest) {
        return PTR_TO_UINT(hashmap_get(t->by_manifest, manifest));
}

static int tags_count_row(Tags *t, const char *manifest, int difference) {
        unsigned n = (unsigned) ((int) tags_rows_of(t, manifest) + difference);
        int r;

        if (n == 0) {
                hashmap_remove(t->by_manifest, manifest);
                return 0;
        }
        r = hashmap_set(t->by_manifest, manifest, UINT_TO_PTR(n), NULL);
        return r < 0 ? r : 0;
}

/* Its place in the table, by name or key. */
static int tags_note_place(Tags *t, size_t i) {
        const Tag *x = t->rows + i;
        int r = 0;

        if (x->name)
                r = hashmap_set(t->by_name, x->name, UINT_TO_PTR((unsigned) i + 1), NULL);
        if (r >= 0 && x->cache)
                r = hashmap_set(t->by_cache, x->cache, UINT_TO_PTR((unsigned) i + 1), NULL);
        return r < 0 ? r : 0;
}

static int tags_append(Tags *t, const Tag *from) {
        Tag *x;
        int r;

        if (t->n >= TAGS_MAX)
                return -E2BIG;

        r = array_grow(&t->rows, &t->allocated, t->n + 1);
        if (r < 0)
                return r;

        x = t->rows + t->n;
        *x = (Tag) { .size = from->size, .time_ns = from->time_ns, .hidden = from->hidden };
        if (str_copy(&x->name, from->name) < 0 || str_copy(&x->manifest, from->manifest) < 0 ||
                str_copy(&x->media_type, from->media_type) < 0 ||
                str_copy(&x->cache, from->cache) < 0 ||
                (!from->cache && tags_count_row(t, from->manifest, +1) < 0)) {
                tag_done(x);
                return -ENOMEM;
        }
        t->n++;
        return tags_note_place(t, t->n - 1);
}

/* The last row takes the place of row i. */
static int tags_delete(Tags *t, size_t i) {
        Tag *x = t->rows + i;
        int r;

        if (x->name)
                hashmap_remove(t->by_name, x->name);
        if (x->cache)
                hashmap_remove(t->by_cache, x->cache);
        else {
                r = tags_count_row(t, x->manifest, -1);
                if (r < 0)
                        return r;
        }
        tag_done(x);

        if (i != --t->n) {
                *x = TAKE_STRUCT(t->rows[t->n]);
                return tags_note_place(t, i);
        }
        return 0;
}

int tags_copy(const Tags *t, Tags **ret) {
        _cleanup_(tags_freep) Tags *c = NULL;
        int r;

        assert(t);
        assert(ret);

        r = tags_new(&c);
        if (r < 0)
                return r;
        for (size_t i = 0; i < t->n; i++) {
                r = tags_append(c, t->rows + i);
                if (r < 0)
                        return r;
        }

        r = array_grow(&c->others, &c->n_others_allocated, t->n_others);
        for (; r >= 0 && c->n_others < t->n_others; c->n_others++)
                r = fields_copy(
                        descriptor_fields, t->others + c->n_others, c->others + c->n_others);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

size_t tags_count(const Tags *t) {
        return t->n;
}

const Tag *tags_at(const Tags *t, size_t i) {
        assert(i < t->n);

        return t->rows + i;
}

const Tag *tags_find(const Tags *t, const char *name) {
        unsigned i = PTR_TO_UINT(hashmap_get(t->by_name, name));

        return i > 0 ? t->rows + i - 1 : NULL;
}

bool tags_has_name(const Tags *t, const char *manifest) {
        for (size_t i = 0; i < t->n; i++)
                if (t->rows[i].name && streq(t->rows[i].manifest, manifest))
                        return true;
        return false;
}

const Descriptor *tags_other(const Tags *t, size_t i) {
        return i < t->n_others ? t->others + i : NULL;
}

/* A name is ours when it is written exactly as we write it. */
static bool tag_name_is_ours(const char *name) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(freep) char *full = NULL;

        return reference_parse(name, &ref) >= 0 && reference_format(&ref, &full) >= 0 &&
               streq(full, name);
}

static int tags_read_row(Tags *t, Descriptor *d) {
        const char *name = pairs_get(d->annotations, ANNOTATION_REF_NAME);
        const char *when = pairs_get(d->annotations, ANNOTATION_TAGGED);
        Tag row = {
                .name = (char *) name,
                .manifest = d->digest,
                .media_type = d->media_type,
                .size = d->size,
                .time_ns = CLOCK_NEVER,
                .hidden = pairs_get(d->annotations, ANNOTATION_HIDDEN) != NULL,
                .cache = (char *) pairs_get(d->annotations, ANNOTATION_CACHE),
        };
        int r;

        if (!image_digest_is_valid(d->digest) || d->size < 0 ||
                !media_type_is_manifest(d->media_type) ||
                (name && (!tag_name_is_ours(name) || tags_find(t, name))) ||
                (row.cache && (name || row.hidden || tags_find_cache(t, row.cache)))) {
                r = array_grow(&t->others, &t->n_others_allocated, t->n_others + 1);
                if (r >= 0)
                        t->others[t->n_others++] = TAKE_STRUCT(*d);
                return r;
        }

        if (when)
                (void) clock_parse(when, &row.time_ns);
        return tags_append(t, &row);
}

int tags_load(int root_fd, Tags **ret, Error *reterr) {
        _cleanup_(image_index_done) ImageIndex index = {};
        _cleanup_(tags_freep) Tags *t = NULL;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        size_t size;
        int r;

        assert(root_fd >= 0);
        assert(ret);

        r = tags_new(&t);
        if (r < 0)
                return r;

        r = file_read_at(root_fd, TAGS_FILE, TAGS_FILE_MAX, &text, &size);
        if (r == -ENOENT) {
                *ret = TAKE_PTR(t);
                return 0;
        }
        if (r < 0)
                return error_set_errno(reterr, r, TAGS_FILE);

        /* Not image_index_read(): this is our own file and may be larger than a stranger's. */
        r = json_parse(text, size, TAGS_FILE_MAX, &v, reterr);
        if (r >= 0)
                r = json_read(v, image_index_fields, &index, reterr);
        if (r < 0)
                return error_prefix(reterr, r, TAGS_FILE);

        for (size_t i = 0; i < index.n_manifests; i++) {
                r = tags_read_row(t, index.manifests + i);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(t);
        return 0;
}

static int tag_to_descriptor(const Tag *x, Descriptor *d) {
        char when[CLOCK_TEXT_SIZE];

        d->size = x->size;
        if (str_copy(&d->media_type, x->media_type) < 0 || str_copy(&d->digest, x->manifest) < 0)
                return -ENOMEM;
        if (x->name && pairs_set(&d->annotations, ANNOTATION_REF_NAME, x->name) < 0)
                return -ENOMEM;
        if (x->time_ns != CLOCK_NEVER &&
                pairs_set(&d->annotations, ANNOTATION_TAGGED, clock_format(x->time_ns, when)) < 0)
                return -ENOMEM;
        if (x->hidden && pairs_set(&d->annotations, ANNOTATION_HIDDEN, "true") < 0)
                return -ENOMEM;
        if (x->cache && pairs_set(&d->annotations, ANNOTATION_CACHE, x->cache) < 0)
                return -ENOMEM;
        return 0;
}

int tags_save(const Tags *t, int root_fd, Error *reterr) {
        _cleanup_(image_index_done) ImageIndex index = { .schema_version = 2 };
        _cleanup_(freep) char *text = NULL;
        int r;

        assert(t);

        index.manifests = new0(Descriptor, t->n + t->n_others + 1);
        if (!index.manifests || str_copy(&index.media_type, MEDIA_OCI_INDEX) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < t->n; i++) {
                r = tag_to_descriptor(t->rows + i, index.manifests + index.n_manifests++);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < t->n_others; i++) {
                r = fields_copy(
                        descriptor_fields, t->others + i, index.manifests + index.n_manifests++);
                if (r < 0)
                        return r;
        }

        r = image_index_write(&index, &text);
        if (r >= 0)
                r = file_write_atomic_string(root_fd, TAGS_FILE, text, 0600, FILE_WRITE_DURABLE);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to save the names of images");
        return 0;
}

/* Row without a name, and hidden rows, of a manifest: gone. */
static int tags_delete_nameless(Tags *t, const char *manifest) {
        for (size_t i = t->n; i > 0; i--)
                if (!t->rows[i - 1].name && !t->rows[i - 1].cache &&
                        streq(t->rows[i - 1].manifest, manifest)) {
                        int r = tags_delete(t, i - 1);

                        if (r < 0)
                                return r;
                }
        return 0;
}

int tags_unset(Tags *t, const char *name) {
        unsigned i;
        Tag *x;
        int r;

        assert(t);
        assert(name);

        i = PTR_TO_UINT(hashmap_get(t->by_name, name));
        if (i == 0)
                return 0;
        x = t->rows + i - 1;

        if (tags_rows_of(t, x->manifest) > 1) {
                r = tags_delete(t, i - 1);
                return r < 0 ? r : 1;
        }

        hashmap_remove(t->by_name, name);
        x->name = mfree(x->name);
        return 1;
}

int tags_set(Tags *t, const char *name, const char *manifest, const char *media_type, int64_t size,
        int64_t time_ns) {
        const Tag *old;
        int r;

        assert(t);
        assert(manifest);

        if (!name &&
                tags_rows_of(t, manifest) > 0) { /* it has one; a hidden image is loaded again */
                for (size_t i = 0; i < t->n; i++)
                        if (!t->rows[i].cache && streq(t->rows[i].manifest, manifest)) {
                                t->rows[i].hidden = false;
                                t->rows[i].time_ns = time_ns;
                        }
                return 0;
        }

        if (name) {
                old = tags_find(t, name);
                if (old && streq(old->manifest, manifest)) {
                        t->rows[old - t->rows].time_ns = time_ns;
                        return 0;
                }
                r = tags_unset(t, name);
                if (r >= 0)
                        r = tags_delete_nameless(t, manifest);
                if (r < 0)
                        return r;
        }

        return tags_append(t, &(const Tag) { .name = (char *) name,
                                      .manifest = (char *) manifest,
                                      .media_type = (char *) media_type,
                                      .size = size,
                                      .time_ns = time_ns });
}

const Tag *tags_find_cache(const Tags *t, const char *key) {
        unsigned i = PTR_TO_UINT(hashmap_get(t->by_cache, key));

        return i > 0 ? t->rows + i - 1 : NULL;
}

int tags_unset_cache(Tags *t, const char *key) {
        unsigned i = PTR_TO_UINT(hashmap_get(t->by_cache, key));
        int r;

        if (i == 0)
                return 0;
        r = tags_delete(t, i - 1);
        return r < 0 ? r : 1;
}

int tags_set_cache(Tags *t, const char *key, const char *manifest, const char *media_type,
        int64_t size, int64_t time_ns) {
        int r;

        assert(t);
        assert(key);
        assert(manifest);

        r = tags_unset_cache(t, key);
        if (r < 0)
                return r;
        return tags_append(t, &(const Tag) { .manifest = (char *) manifest,
                                      .media_type = (char *) media_type,
                                      .size = size,
                                      .time_ns = time_ns,
                                      .cache = (char *) key });
}

int tags_drop(Tags *t, const char *manifest) {
        int n = 0;

        assert(t);
        assert(manifest);

        for (size_t i = t->n; i > 0; i--)
                if (streq(t->rows[i - 1].manifest, manifest)) {
                        int r = tags_delete(t, i - 1);

                        if (r < 0)
                                return r;
                        n++;
                }
        return n;
}

int tags_hide(Tags *t, const char *manifest) {
        _cleanup_(freep) char *media_type = NULL;
        Tag hidden = { .manifest = (char *) manifest, .time_ns = CLOCK_NEVER, .hidden = true };
        int r;

        assert(t);
        assert(manifest);

        for (size_t i = 0; i < t->n; i++)
                if (streq(t->rows[i].manifest, manifest)) {
                        hidden.size = t->rows[i].size;
                        r = str_copy(&media_type, t->rows[i].media_type);
                        if (r < 0)
                                return r;
                }
        hidden.media_type = media_type;

        r = tags_drop(t, manifest);
        return r <= 0 ? r : tags_append(t, &hidden);
}
