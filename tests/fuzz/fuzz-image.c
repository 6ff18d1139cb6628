/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/image-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes are read as every kind of document. */

static void try_index(const char *text, size_t size) {
        _cleanup_(image_index_done) ImageIndex i = {}, again = {};
        _cleanup_(freep) char *written = NULL;
        int r;

        if (image_index_read(text, size, NULL, &i, NULL) < 0)
                return;

        for (size_t k = 0; k < i.n_manifests; k++)
                assert(image_digest_is_valid(i.manifests[k].digest) && i.manifests[k].size >= 0);
        if (image_index_write(&i, &written) < 0)
                return;
        r = image_index_read(written, strlen(written), i.media_type, &again, NULL);
        assert(r >= 0);
}

static void try_manifest(const char *text, size_t size) {
        _cleanup_(image_manifest_done) ImageManifest m = {}, again = {};
        _cleanup_(image_index_done) ImageIndex i = {};
        _cleanup_(freep) char *written = NULL;
        int r;

        if (image_manifest_read(text, size, NULL, &m, NULL) < 0)
                return;

        r = image_index_read(text, size, NULL, &i, NULL);
        assert(r < 0); /* nothing is both */
        assert(image_digest_is_valid(m.config.digest));
        assert(m.n_layers <= IMAGE_LAYERS_MAX);
        if (image_manifest_write(&m, &written) < 0)
                return;
        r = image_manifest_read(written, strlen(written), m.media_type, &again, NULL);
        assert(r >= 0);
}

static void try_config(const char *text, size_t size) {
        _cleanup_(image_config_done) ImageConfig c = {}, again = {};
        _cleanup_(freep) char *written = NULL, *twice = NULL;
        int r;

        if (image_config_read(text, size, &c, NULL) < 0)
                return;

        STRV_FOREACH (id, c.rootfs.diff_ids)
                assert(image_digest_is_valid(*id));
        if (image_config_write(&c, &written) < 0)
                return;
        r = image_config_read(written, strlen(written), &again, NULL);
        assert(r >= 0);
        if (image_config_write(&again, &twice) < 0)
                return;
        assert(streq(written, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(error_done) Error e = {};
        const char *text = (const char *) data;

        try_index(text, size);
        try_manifest(text, size);
        try_config(text, size);
        (void) image_layout_mark_read(text, size, &e);
        return 0;
}
