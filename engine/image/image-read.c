/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image as it is on disk: manifest and config from the store, each hashed again, then its layers. Small files only: inline. */
#include <errno.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/image/images-internal.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static int image_note_blobs(Image *i, const ImageManifest *m) {
        int r;

        r = strv_add(&i->blobs, i->manifest);
        if (r >= 0)
                r = strv_add(&i->blobs, m->config.digest);
        for (size_t k = 0; r >= 0 && k < m->n_layers; k++)
                r = strv_add(&i->blobs, m->layers[k].digest);
        return r;
}

int images_read(
        Images *s, const char *manifest, const char *media_type, Image **ret, Error *reterr) {
        _cleanup_(image_manifest_done) ImageManifest m = {};
        _cleanup_(freep) char *text = NULL, *config = NULL;
        _cleanup_(image_freep) Image *i = NULL;
        size_t size;
        int r;

        r = blobs_read(s->blobs, manifest, &text, &size, reterr);
        if (r >= 0)
                r = image_manifest_read(text, size, media_type, &m, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "manifest %s", manifest);

        r = image_new(m.config.digest, &i);
        if (r < 0)
                return r;
        i->images = s;
        i->manifest_size = (int64_t) size;
        if (str_copy(&i->manifest, manifest) < 0 || strv_add(&i->manifests, manifest) < 0 ||
                str_copy(&i->media_type, media_type ?: m.media_type ?: MEDIA_OCI_MANIFEST) < 0)
                return -ENOMEM;

        r = blobs_read(s->blobs, m.config.digest, &config, &size, reterr);
        if (r >= 0)
                r = image_read_config(i, config, size, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "image %s", m.config.digest);
        if (m.n_layers != i->n_layers)
                return error_set(reterr, ERROR_INVALID,
                        "image %s: manifest and config differ in their layers", i->id);

        r = image_note_blobs(i, &m);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(i);
        return 0;
}

int images_read_layers(Images *s, Image *i) {
        i->size = 0;

        for (size_t k = 0; k < i->n_layers; k++) {
                _cleanup_(layer_done) Layer l = {};
                int r;

                r = layer_load(s->storage, i->chain_ids[k], &l);
                if (r < 0)
                        return r;
                i->layer_sizes[k] = l.size;
                i->size += l.size;
        }

        return 0;
}
