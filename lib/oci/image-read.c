/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/oci/image-spec.h"

/* In any case: what one reader takes for a member, none may overlook. */
static bool has_member(const Json *object, const char *name) {
        const char *key;
        Json *value;

        JSON_FOREACH (key, value, object)
                if (key && strcasecmp(key, name) == 0)
                        return true;

        return false;
}

/* The same bytes must not be an index for one reader and a manifest for another
 * (CVE-2021-41190). */
static int check_kind(const Json *v, const char *kind, const char *const *foreign,
        const char *claimed, bool (*is_kind)(const char *), Error *reterr) {
        const char *own;

        if (json_type_of(v) != JSON_TYPE_OBJECT)
                return error_set(reterr, ERROR_INVALID, "%s: expected an object", kind);

        for (; *foreign; foreign++)
                if (has_member(v, *foreign))
                        return error_set(
                                reterr, ERROR_INVALID, "%s has a member \"%s\"", kind, *foreign);

        own = json_get_text(v, "mediaType");
        if (!str_empty(own) && !is_kind(own))
                return error_set(reterr, ERROR_INVALID, "%s has media type \"%.128s\"", kind, own);
        if (!str_empty(claimed) && !is_kind(claimed))
                return error_set(reterr, ERROR_INVALID, "%s is called \"%.128s\"", kind, claimed);
        if (!str_empty(own) && !str_empty(claimed) && !streq(own, claimed))
                return error_set(reterr, ERROR_INVALID,
                        "%s says media type \"%.128s\", but \"%.128s\" was expected", kind, own,
                        claimed);

        return 0;
}

static int check_descriptor(const Descriptor *d, const char *what, size_t i, Error *reterr) {
        if (!image_digest_is_valid(d->digest))
                return error_set(reterr, ERROR_INVALID,
                        "%s[%zu].digest: \"%.100s\" is no sha256 digest", what, i, d->digest);
        if (d->size < 0)
                return error_set(
                        reterr, ERROR_INVALID, "%s[%zu].size: must not be negative", what, i);

        return 0;
}

static int check_descriptors(
        const Descriptor *d, size_t n, size_t n_max, const char *what, Error *reterr) {
        int r = 0;

        if (n > n_max)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "%s: %zu entries, at most %zu", what, n, n_max);

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = check_descriptor(&d[i], what, i, reterr);

        return r;
}

static int check_schema(uint32_t version, Error *reterr) {
        if (version != 2)
                return error_set(reterr, ERROR_INVALID,
                        "schemaVersion: %u is not supported, only 2", version);

        return 0;
}

int image_index_read(
        const char *text, size_t size, const char *media_type, ImageIndex *ret, Error *reterr) {
        static const char *const foreign[] = { "layers", "config", "fsLayers", NULL };
        _cleanup_(image_index_done) ImageIndex i = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        assert(ret);

        r = json_parse(text, size, IMAGE_DOCUMENT_SIZE_MAX, &v, reterr);
        if (r >= 0)
                r = check_kind(v, "Index", foreign, media_type, media_type_is_index, reterr);
        if (r >= 0 && !has_member(v, "manifests"))
                r = error_set(reterr, ERROR_INVALID, "manifests: is missing");
        if (r >= 0)
                r = json_read_with(v, image_index_fields, &i, JSON_READ_NULLS, reterr);
        if (r >= 0)
                r = check_schema(i.schema_version, reterr);
        if (r >= 0)
                r = check_descriptors(
                        i.manifests, i.n_manifests, IMAGE_MANIFESTS_MAX, "manifests", reterr);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(i);
        return 0;
}

int image_manifest_read(
        const char *text, size_t size, const char *media_type, ImageManifest *ret, Error *reterr) {
        static const char *const foreign[] = { "manifests", "fsLayers", NULL };
        _cleanup_(image_manifest_done) ImageManifest m = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        assert(ret);

        r = json_parse(text, size, IMAGE_DOCUMENT_SIZE_MAX, &v, reterr);
        if (r >= 0)
                r = check_kind(v, "Manifest", foreign, media_type, media_type_is_manifest, reterr);
        if (r >= 0)
                r = json_read_with(v, image_manifest_fields, &m, JSON_READ_NULLS, reterr);
        if (r >= 0)
                r = check_schema(m.schema_version, reterr);
        if (r >= 0)
                r = check_descriptors(&m.config, 1, 1, "config", reterr);
        if (r >= 0)
                r = check_descriptors(m.layers, m.n_layers, IMAGE_LAYERS_MAX, "layers", reterr);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(m);
        return 0;
}

/* Times are only for people to see: one that is none is dropped. */
static void drop_bad_time(char **created) {
        int64_t ns;

        if (*created && clock_parse(*created, &ns) < 0)
                *created = mfree(*created);
}

static int check_config(ImageConfig *c, Error *reterr) {
        size_t n_diff_ids = strv_length(c->rootfs.diff_ids), n_layers = 0;

        if (!str_empty(c->rootfs.type) && !streq(c->rootfs.type, "layers"))
                return error_set(reterr, ERROR_INVALID, "rootfs.type: \"%.64s\" is not supported",
                        c->rootfs.type);
        if (n_diff_ids > IMAGE_LAYERS_MAX)
                return error_set(reterr, ERROR_TOO_LARGE,
                        "rootfs.diff_ids: %zu entries, at most %u", n_diff_ids, IMAGE_LAYERS_MAX);
        if (c->n_history > IMAGE_HISTORY_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "history: %zu entries, at most %u",
                        c->n_history, IMAGE_HISTORY_MAX);

        STRV_FOREACH (id, c->rootfs.diff_ids)
                if (!image_digest_is_valid(*id))
                        return error_set(reterr, ERROR_INVALID,
                                "rootfs.diff_ids: \"%.100s\" is no sha256 digest", *id);

        drop_bad_time(&c->created);
        for (size_t i = 0; i < c->n_history; i++) {
                drop_bad_time(&c->history[i].created);
                n_layers += !c->history[i].empty_layer;
        }
        if (n_layers > n_diff_ids)
                return error_set(reterr, ERROR_INVALID,
                        "history: too many non-empty layers (%zu, there are %zu)", n_layers,
                        n_diff_ids);

        return 0;
}

int image_config_read(const char *text, size_t size, ImageConfig *ret, Error *reterr) {
        _cleanup_(image_config_done) ImageConfig c;
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        assert(ret);

        image_config_init(&c);
        r = json_parse(text, size, IMAGE_DOCUMENT_SIZE_MAX, &v, reterr);
        if (r >= 0)
                r = json_read_with(v, image_config_fields, &c, JSON_READ_NULLS, reterr);
        if (r >= 0)
                r = check_config(&c, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(c);
        return 0;
}

int image_layout_mark_read(const char *text, size_t size, Error *reterr) {
        _cleanup_(image_layout_mark_done) ImageLayoutMark m = {};
        int r;

        r = json_read_text(text, size, image_layout_mark_fields, &m, 0, reterr);
        if (r < 0)
                return r;

        if (!str_starts(m.image_layout_version, "1."))
                return error_set(reterr, ERROR_INVALID,
                        "imageLayoutVersion: \"%.64s\" is not supported, only 1.x",
                        m.image_layout_version);

        return 0;
}
