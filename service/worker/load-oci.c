/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index.json of an OCI image layout. Every manifest in it is an image; an index inside it is one image for several platforms,
 * of which ours is taken. */
#include <errno.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"
#include "lib/oci/reference.h"
#include "service/worker/load.h"
#include "service/worker/platform.h"
#include "service/worker/task.h"

static int load_oci_index(Load *l, const char *text, size_t size, const char *media_type,
        char *const *tags, unsigned depth, Error *reterr);

/* containerd and Docker write the whole name into an annotation of their own; ref.name may be a whole name or just a tag (umoci).
 * Of a bare tag nobody knows the repository: such an image has no name. */
static int oci_tags(const Descriptor *d, char ***ret) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(strv_freep) char **tags = NULL;
        _cleanup_(freep) char *full = NULL;
        const char *name;
        int r;

        name = pairs_get(d->annotations, ANNOTATION_CONTAINERD_NAME);
        if (!name) {
                name = pairs_get(d->annotations, ANNOTATION_REF_NAME);
                if (name && !strpbrk(name, ":/"))
                        name = NULL;
        }

        if (name && reference_parse(name, &ref) >= 0 && !reference_is_ambiguous(&ref)) {
                r = reference_format(&ref, &full);
                if (r >= 0)
                        r = strv_take(&tags, TAKE_PTR(full));
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(tags);
        return 0;
}

/* A document of the layout, verified: its digest when it was stored, its size here. */
static int oci_read(Load *l, const Descriptor *d, char **ret, size_t *ret_size, Error *reterr) {
        LoadFile *f;
        int r;

        if (d->size < 0 || (uint64_t) d->size > IMAGE_DOCUMENT_SIZE_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "document %s is larger than 4 MiB", d->digest);

        r = load_find_blob(l, d->digest, &f, reterr);
        if (r < 0)
                return r;
        if (f->intake.size != (uint64_t) d->size)
                return error_set(reterr, ERROR_INVALID,
                        "document %s has another size than its descriptor says", d->digest);

        return blobs_read(l->context->blobs, f->intake.digest, ret, ret_size, reterr);
}

static int load_oci_manifest(Load *l, const Descriptor *d, char *const *tags, Error *reterr) {
        _cleanup_(image_manifest_done) ImageManifest m = {};
        _cleanup_(freep) LoadFile **layers = NULL;
        _cleanup_(freep) char *text = NULL;
        LoadFile *config;
        size_t size;
        int r;

        r = oci_read(l, d, &text, &size, reterr);
        if (r >= 0)
                r = image_manifest_read(text, size, d->media_type, &m, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "manifest %s", d->digest);

        if (!STR_IN_SET(str_or_empty(m.config.media_type), MEDIA_OCI_CONFIG, MEDIA_DOCKER_CONFIG))
                return error_set(reterr, ERROR_INVALID,
                        "manifest %s is not about an image (config is \"%s\")", d->digest,
                        str_or_empty(m.config.media_type));

        r = load_find_blob(l, m.config.digest, &config, reterr);
        if (r < 0)
                return r;
        if (config->intake.size != (uint64_t) m.config.size)
                return error_set(reterr, ERROR_INVALID,
                        "config %s has another size than the manifest says", m.config.digest);

        layers = new0(LoadFile *, m.n_layers + 1);
        if (!layers)
                return -ENOMEM;
        for (size_t i = 0; i < m.n_layers; i++) {
                const Descriptor *layer = m.layers + i;

                if (!media_type_is_layer(layer->media_type))
                        return error_set(reterr, ERROR_INVALID,
                                "layer %s is of a kind that cannot be used: \"%s\"", layer->digest,
                                str_or_empty(layer->media_type));
                r = load_find_blob(l, layer->digest, layers + i, reterr);
                if (r < 0)
                        return r;
                if (layers[i]->intake.size != (uint64_t) layer->size)
                        return error_set(reterr, ERROR_INVALID,
                                "layer %s has another size than the manifest says", layer->digest);
        }

        return load_image(l,
                &(const LoadImage) {
                        .name = strv_empty(tags) ? d->digest : tags[0],
                        .config_digest = config->intake.digest,
                        .layers = layers,
                        .n_layers = m.n_layers,
                        .manifest_digest = d->digest,
                        .tags = tags,
                },
                reterr);
}

bool oci_is_attestation(const Descriptor *d) {
        return d->platform && str_equal(d->platform->os, "unknown") &&
               str_equal(d->platform->architecture, "unknown");
}

int load_oci_descriptor(
        Load *l, const Descriptor *d, char *const *tags, unsigned depth, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (++l->n_images > LOAD_IMAGES_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "archive has more than %u images",
                        LOAD_IMAGES_MAX);

        if (media_type_is_manifest(d->media_type))
                return load_oci_manifest(l, d, tags, reterr);
        if (!media_type_is_index(d->media_type))
                return error_set(reterr, ERROR_INVALID, "index.json: \"%s\" is no kind of an image",
                        str_or_empty(d->media_type));
        if (depth >= IMAGE_INDEX_DEPTH_MAX)
                return error_set(reterr, ERROR_INVALID,
                        "index.json: more than %u indexes inside each other",
                        IMAGE_INDEX_DEPTH_MAX);

        r = oci_read(l, d, &text, &size, reterr);
        if (r < 0)
                return r;
        return load_oci_index(l, text, size, d->media_type, tags, depth + 1, reterr);
}

/* An index for several platforms: the first that fits. */
static int load_oci_index(Load *l, const char *text, size_t size, const char *media_type,
        char *const *tags, unsigned depth, Error *reterr) {
        _cleanup_(image_index_done) ImageIndex index = {};
        int r;

        r = image_index_read(text, size, media_type, &index, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "index of platforms");

        for (size_t i = 0; i < index.n_manifests; i++) {
                const Descriptor *d = index.manifests + i;

                if (!oci_is_attestation(d) && platform_fits(&l->platform, d->platform))
                        return load_oci_descriptor(l, d, tags, depth, reterr);
        }

        return error_set(reterr, ERROR_NOT_FOUND,
                "no matching manifest for %s/%s in the manifest list entries", l->platform.os,
                l->platform.architecture);
}

/* Is there another entry of the same name that suits this machine better? */
static bool oci_is_other_platform(const Load *l, const ImageIndex *index, const Descriptor *d) {
        const char *name = pairs_get(d->annotations, ANNOTATION_REF_NAME);

        if (!d->platform || platform_fits(&l->platform, d->platform))
                return false;

        for (size_t i = 0; i < index->n_manifests; i++) {
                const Descriptor *other = index->manifests + i;

                if (other != d && other->platform && platform_fits(&l->platform, other->platform) &&
                        str_equal(name, pairs_get(other->annotations, ANNOTATION_REF_NAME)))
                        return true;
        }
        return false;
}

int load_oci(Load *l, Error *reterr) {
        const LoadDocument *mark = l->documents + LOAD_OCI_LAYOUT,
                           *d = l->documents + LOAD_INDEX_JSON;
        _cleanup_(image_index_done) ImageIndex index = {};
        int r;

        if (!mark->text)
                return error_set(
                        reterr, ERROR_INVALID, "archive has an index.json but no oci-layout");
        r = image_layout_mark_read(mark->text, mark->size, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "oci-layout");

        r = image_index_read(d->text, d->size, NULL, &index, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "index.json");

        for (size_t i = 0; i < index.n_manifests; i++) {
                _cleanup_(strv_freep) char **tags = NULL;

                if (oci_is_attestation(index.manifests + i) ||
                        oci_is_other_platform(l, &index, index.manifests + i))
                        continue;

                r = oci_tags(index.manifests + i, &tags);
                if (r >= 0)
                        r = load_oci_descriptor(l, index.manifests + i, tags, 0, reterr);
                if (r < 0)
                        return r;
        }

        return 0;
}
