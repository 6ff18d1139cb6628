/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pull: from a name to an image in the store; see pull.h for how. The daemon gives the names. */
#include <errno.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/storage/apply.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "service/worker/platform.h"
#include "service/worker/pull.h"
#include "service/worker/task.h"

#define SCHEMA1        "application/vnd.docker.distribution.manifest.v1+json"
#define SCHEMA1_SIGNED "application/vnd.docker.distribution.manifest.v1+prettyjws"

#define TAGS_COUNT_MAX 10000U

/* ---- documents ---- */

static int refuse_schema1(const PullDocument *d, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        bool old = d->media_type && STR_IN_SET(d->media_type, SCHEMA1, SCHEMA1_SIGNED);

        if (!old && json_parse(d->text, d->size, IMAGE_DOCUMENT_SIZE_MAX, &v, NULL) >= 0)
                old = json_get_int64(v, "schemaVersion", 2) == 1;
        if (!old)
                return 0;
        return error_set(reterr, ERROR_INVALID,
                "the registry has this image as Docker image manifest version 2, schema 1 only, "
                "which is not supported any more: push it again with a newer client");
}

/* What the registry calls it, or what it calls itself. */
static int document_type(const PullDocument *d, char **ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *own;
        int r;

        r = json_parse(d->text, d->size, IMAGE_DOCUMENT_SIZE_MAX, &v, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "manifest");
        own = json_get_text(v, "mediaType");
        if (d->media_type &&
                (media_type_is_index(d->media_type) || media_type_is_manifest(d->media_type))) {
                if (own && !streq(own, d->media_type))
                        return error_set(reterr, ERROR_INVALID,
                                "manifest calls itself \"%s\", the registry calls it \"%s\"", own,
                                d->media_type);
                return str_copy(ret, d->media_type);
        }
        if (own)
                return str_copy(ret, own);
        if (json_get(v, "manifests"))
                return str_copy(ret, MEDIA_OCI_INDEX);
        return str_copy(ret, MEDIA_OCI_MANIFEST);
}

static int choose(Pull *p, const ImageIndex *index, const Descriptor **ret, Error *reterr) {
        const Platform *want = &p->load.platform;
        const Descriptor *best = NULL;
        unsigned rank = 0;

        for (size_t i = 0; i < index->n_manifests; i++) {
                const Descriptor *d = index->manifests + i;
                unsigned k = oci_is_attestation(d) ? 0 : platform_rank(want, d->platform);

                if (k > rank) {
                        best = d;
                        rank = k;
                }
        }
        if (!best)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "no matching manifest for %s/%s%s%s in the manifest list entries", want->os,
                        want->architecture, str_empty(want->variant) ? "" : "/",
                        str_or_empty(want->variant));
        *ret = best;
        return 0;
}

/* From an index down to the manifest of our platform; *d is replaced, *type too. */
static int descend(Pull *p, PullDocument *d, char **type, Error *reterr) {
        for (unsigned depth = 0; media_type_is_index(*type); depth++) {
                _cleanup_(image_index_done) ImageIndex index = {};
                _cleanup_(pull_document_done) PullDocument next = {};
                const Descriptor *best = NULL;
                int r;

                if (depth >= IMAGE_INDEX_DEPTH_MAX)
                        return error_set(reterr, ERROR_INVALID,
                                "more than %u indexes inside each other", IMAGE_INDEX_DEPTH_MAX);
                r = image_index_read(d->text, d->size, *type, &index, reterr);
                if (r >= 0)
                        r = choose(p, &index, &best, reterr);
                if (r >= 0)
                        r = pull_document(
                                p, FETCH_MANIFEST, best->digest, best->size, &next, reterr);
                if (r >= 0 &&
                        (!streq(next.digest, best->digest) || next.size != (uint64_t) best->size))
                        r = error_set(reterr, ERROR_INVALID,
                                "manifest verification failed for digest %s", best->digest);
                if (r >= 0)
                        r = str_copy(type, best->media_type);
                if (r < 0)
                        return r;
                pull_document_done(d);
                *d = TAKE_STRUCT(next);
        }
        return 0;
}

/* ---- one image ---- */

static int check_layers(const ImageManifest *m, Error *reterr) {
        for (size_t i = 0; i < m->n_layers; i++) {
                const Descriptor *d = m->layers + i;

                if (strstr(str_or_empty(d->media_type), "foreign") ||
                        strstr(str_or_empty(d->media_type), "nondistributable") ||
                        !strv_empty(d->urls))
                        return error_set(reterr, ERROR_INVALID,
                                "layer %s is to be fetched from elsewhere (a foreign layer), which "
                                "is not done",
                                d->digest);
                if (!media_type_is_layer(d->media_type))
                        return error_set(reterr, ERROR_INVALID,
                                "layer %s is of a kind that cannot be used: \"%s\"", d->digest,
                                str_or_empty(d->media_type));
        }
        return 0;
}

static int read_config(Pull *p, const ImageManifest *m, ImageConfig *ret, Error *reterr) {
        _cleanup_(pull_document_done) PullDocument d = {};
        char kept[DIGEST_TEXT_SIZE];
        int r;

        if (!STR_IN_SET(str_or_empty(m->config.media_type), MEDIA_OCI_CONFIG, MEDIA_DOCKER_CONFIG))
                return error_set(reterr, ERROR_INVALID,
                        "the manifest is not about an image (config is \"%s\")",
                        str_or_empty(m->config.media_type));
        if (blobs_is_whole(p->context->blobs, m->config.digest) > 0) {
                r = blobs_read(p->context->blobs, m->config.digest, &d.text, &d.size, reterr);
                (void) strcpy(d.digest, m->config.digest);
        } else
                r = pull_document(p, FETCH_BLOB, m->config.digest, m->config.size, &d, reterr);
        if (r < 0)
                return r;
        if (!streq(d.digest, m->config.digest) || d.size != (uint64_t) m->config.size)
                return error_set(reterr, ERROR_INVALID,
                        "image config verification failed for digest %s", m->config.digest);
        r = image_config_read(d.text, d.size, ret, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "config");

        if (!str_empty(ret->os) && !streq(ret->os, "linux"))
                return error_set(reterr, ERROR_INVALID,
                        "image operating system \"%s\" cannot be used on this platform", ret->os);
        if (strv_length(ret->rootfs.diff_ids) != m->n_layers)
                return error_set(reterr, ERROR_INVALID, "config names %zu layers, the manifest %zu",
                        strv_length(ret->rootfs.diff_ids), m->n_layers);
        if (m->n_layers > STORAGE_LAYERS_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "image has %zu layers, more than %u",
                        m->n_layers, STORAGE_LAYERS_MAX);
        return blobs_put(p->context->blobs, d.text, d.size, kept);
}

static int pull_content(
        Pull *p, const PullDocument *d, const char *type, char *const *names, Error *reterr) {
        _cleanup_(image_manifest_done) ImageManifest m = {};
        _cleanup_(image_config_done) ImageConfig config = {};
        char kept[DIGEST_TEXT_SIZE];
        int r;

        r = image_manifest_read(d->text, d->size, type, &m, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "manifest %s", d->digest);
        r = check_layers(&m, reterr);
        if (r < 0)
                return r;

        image_config_init(&config);
        r = read_config(p, &m, &config, reterr);
        if (r >= 0)
                r = pull_layers(p, &m, &config, reterr);
        if (r >= 0)
                r = blobs_put(p->context->blobs, d->text, d->size, kept);
        if (r < 0)
                return r;
        return load_oci_descriptor(&p->load,
                &(const Descriptor) { .media_type = (char *) type,
                        .digest = (char *) d->digest,
                        .size = (int64_t) d->size },
                names, 0, reterr);
}

/* name: a tag or a digest. The image is called so, and by the digest that was asked for. */
static int pull_names(Pull *p, const char *name, const char *digest, char ***ret) {
        Reference ref = { .domain = p->name.domain, .path = p->name.path };
        _cleanup_(freep) char *tagged = NULL, *pinned = NULL;
        int r = 0;

        if (!digest_is_valid(name)) {
                ref.tag = (char *) name;
                r = reference_format(&ref, &tagged);
                if (r >= 0)
                        r = strv_add(ret, tagged);
        }
        ref.tag = NULL;
        ref.digest = (char *) digest;
        if (r >= 0)
                r = reference_format(&ref, &pinned);
        return r < 0 ? r : strv_add(ret, pinned);
}

static int pull_one(Pull *p, const char *name, Error *reterr) {
        _cleanup_(freep) char *type = NULL, *from = NULL, *line = NULL;
        _cleanup_(pull_document_done) PullDocument d = {};
        _cleanup_(strv_freep) char **names = NULL;
        char asked[DIGEST_TEXT_SIZE];
        int r;

        r = pull_document(p, FETCH_MANIFEST, name, -1, &d, reterr);
        if (r < 0)
                return r;
        if (digest_is_valid(name) && !streq(name, d.digest))
                return error_set(
                        reterr, ERROR_INVALID, "manifest verification failed for digest %s", name);
        (void) strcpy(asked, d.digest);

        r = refuse_schema1(&d, reterr);
        if (r >= 0)
                r = document_type(&d, &type, reterr);
        if (r >= 0) /* Docker shows the path, "library/" too, and no domain */
                r = str_printf(&from, "Pulling from %s", p->name.path);
        if (r >= 0)
                r = task_message(p->context, name, from);
        if (r >= 0)
                r = descend(p, &d, &type, reterr);
        if (r >= 0)
                r = pull_names(p, name, asked, &names);
        if (r >= 0)
                r = pull_content(p, &d, type, names, reterr);
        if (r < 0 || !p->context->spec.all_tags) /* of a single one the daemon tells */
                return r;
        r = str_printf(&line, "Digest: %s", asked);
        return r < 0 ? r : task_message(p->context, NULL, line);
}

/* ---- all tags ---- */

static int read_tags(const PullDocument *d, char ***tags, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *key;
        Json *tag;
        int r;

        r = json_parse(d->text, d->size, IMAGE_DOCUMENT_SIZE_MAX, &v, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "list of tags");
        JSON_FOREACH (key, tag, json_get(v, "tags")) {
                const char *text = json_to_text(tag);

                if (!text || !reference_tag_is_valid(text))
                        return error_set(
                                reterr, ERROR_INVALID, "list of tags: one of them is no tag");
                if (strv_length(*tags) >= TAGS_COUNT_MAX)
                        return error_set(
                                reterr, ERROR_TOO_LARGE, "more than %u tags", TAGS_COUNT_MAX);
                r = strv_add(tags, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int pull_all(Pull *p, Error *reterr) {
        _cleanup_(strv_freep) char **tags = NULL;
        int r;

        for (;;) {
                _cleanup_(pull_document_done) PullDocument d = {};
                size_t n = strv_length(tags);

                r = pull_document(p, FETCH_TAGS, n > 0 ? tags[n - 1] : "", -1, &d, reterr);
                if (r >= 0)
                        r = read_tags(&d, &tags, reterr);
                if (r < 0)
                        return r;
                if (!d.more || strv_length(tags) == n)
                        break;
        }
        if (strv_empty(tags))
                return error_set(reterr, ERROR_NOT_FOUND, "the repository has no tags");
        STRV_FOREACH (t, tags) {
                r = pull_one(p, *t, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void pull_done(Pull *p) {
        load_done(&p->load);
        reference_done(&p->name);
}

int task_pull_run(TaskContext *c, Error *reterr) {
        _cleanup_(pull_done) Pull p = { .context = c, .fetcher_fd = c->fds[0] };
        _cleanup_(freep) char *name = NULL;
        int r;

        r = reference_parse_untagged(str_or_empty(c->spec.reference), &p.name);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID, "invalid reference format");
        name = p.name.digest ? TAKE_PTR(p.name.digest) : TAKE_PTR(p.name.tag);
        p.name.tag = mfree(p.name.tag);

        p.load.context = c;
        r = platform_wanted(c->spec.platform, &p.load.platform, reterr);
        if (r >= 0)
                r = c->spec.all_tags ? pull_all(&p, reterr)
                                     : pull_one(&p, name ?: "latest", reterr);
        if (r < 0)
                return r;

        r = storage_sync(c->storage);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to sync the images");
        return 0;
}
