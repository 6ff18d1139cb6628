/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/image-write.h"

#include <errno.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/oci/image-spec.h"

static int image_write_descriptor(
        Descriptor *d, const char *media_type, const char *digest, uint64_t size) {
        d->size = (int64_t) size;
        return str_copy(&d->media_type, media_type) < 0 || str_copy(&d->digest, digest) < 0
                     ? -ENOMEM
                     : 0;
}

static const char *image_layer_type(Compression c) {
        switch (c) {
        case COMPRESSION_NONE:
                return MEDIA_OCI_LAYER;
        case COMPRESSION_GZIP:
                return MEDIA_OCI_LAYER_GZIP;
        case COMPRESSION_ZSTD:
                return MEDIA_OCI_LAYER_ZSTD;
        default:
                return NULL; /* OCI has no word for it */
        }
}

int image_write_manifest(Blobs *blobs, const char *config_digest, const ImageBlob *layers,
        size_t n_layers, char ret[static DIGEST_TEXT_SIZE], Error *reterr) {
        _cleanup_(image_manifest_done) ImageManifest m = { .schema_version = 2 };
        _cleanup_(freep) char *text = NULL;
        uint64_t size;
        int fd, r;

        fd = blobs_open_fd(blobs, config_digest, &size);
        if (fd < 0)
                return error_set_errno(reterr, fd, "config %s", config_digest);
        fd_close(fd);

        if (str_copy(&m.media_type, MEDIA_OCI_MANIFEST) < 0)
                return -ENOMEM;
        r = image_write_descriptor(&m.config, MEDIA_OCI_CONFIG, config_digest, size);
        if (r < 0)
                return r;

        m.layers = new0(Descriptor, n_layers + 1);
        if (!m.layers)
                return -ENOMEM;
        for (; m.n_layers < n_layers; m.n_layers++) {
                const ImageBlob *b = layers + m.n_layers;
                const char *type = image_layer_type(b->compression);

                if (!type)
                        return error_set(reterr, ERROR_INVALID,
                                "layer %s: %s inside of an OCI layout is not supported", b->digest,
                                compression_to_string(b->compression));
                r = image_write_descriptor(m.layers + m.n_layers, type, b->digest, b->size);
                if (r < 0)
                        return r;
        }

        r = image_manifest_write(&m, &text);
        if (r < 0)
                return r;

        return blobs_put(blobs, text, strlen(text), ret);
}
