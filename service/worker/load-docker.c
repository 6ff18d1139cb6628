/* SPDX-License-Identifier: GPL-2.0-or-later */
/* manifest.json of "docker save": a list of images, each with the names of its files in the archive. It wins over an index.json beside
 * it, which says the same (and has no names of images). */
#include <errno.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/reference.h"
#include "service/worker/load.h"

typedef struct DockerImage {
        char *config;
        char **repo_tags;
        char **layers;
} DockerImage;

typedef struct DockerManifest {
        DockerImage *images;
        size_t n_images;
} DockerManifest;

/* clang-format off */
static const JsonField docker_image_fields[] = {
        JSON_STRING("Config",   DockerImage, config,    JSON_MANDATORY),
        JSON_STRV  ("RepoTags", DockerImage, repo_tags, JSON_NULLABLE),
        JSON_STRV  ("Layers",   DockerImage, layers,    JSON_NULLABLE),
        {}
};

static const JsonField docker_manifest_fields[] = {
        JSON_ARRAY("", DockerManifest, images, n_images, DockerImage, docker_image_fields, 0),
        {}
};
/* clang-format on */

static void docker_manifest_done(DockerManifest *m) {
        fields_done(docker_manifest_fields, m);
}

/* Full names: "x:1" becomes docker.io/library/x:1. */
static int docker_tags(char *const *repo_tags, char ***ret, Error *reterr) {
        _cleanup_(strv_freep) char **tags = NULL;
        int r;

        STRV_FOREACH (s, repo_tags) {
                _cleanup_(reference_done) Reference ref = {};
                _cleanup_(freep) char *full = NULL;

                if (reference_parse(*s, &ref) < 0 || ref.digest || reference_is_ambiguous(&ref))
                        return error_set(reterr, ERROR_INVALID,
                                "manifest.json: \"%s\" is no name of an image", *s);
                r = reference_format(&ref, &full);
                if (r >= 0 && !strv_contains(tags, full))
                        r = strv_take(&tags, TAKE_PTR(full));
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(tags);
        return 0;
}

static int load_docker_image(Load *l, const DockerImage *image, Error *reterr) {
        _cleanup_(strv_freep) char **tags = NULL;
        _cleanup_(freep) LoadFile **layers = NULL;
        LoadFile *config;
        size_t n = 0;
        int r;

        r = docker_tags(image->repo_tags, &tags, reterr);
        if (r >= 0)
                r = load_find(l, image->config, &config, reterr);
        if (r < 0)
                return r;

        layers = new0(LoadFile *, strv_length(image->layers) + 1);
        if (!layers)
                return -ENOMEM;
        STRV_FOREACH (s, image->layers) {
                r = load_find(l, *s, layers + n++, reterr);
                if (r < 0)
                        return r;
        }

        return load_image(l,
                &(const LoadImage) {
                        .name = strv_empty(tags) ? image->config : tags[0],
                        .config_digest = config->intake.digest,
                        .layers = layers,
                        .n_layers = n,
                        .tags = tags,
                },
                reterr);
}

int load_docker(Load *l, Error *reterr) {
        const LoadDocument *d = l->documents + LOAD_MANIFEST_JSON;
        _cleanup_(docker_manifest_done) DockerManifest m = {};
        int r;

        r = json_read_text(d->text, d->size, docker_manifest_fields, &m, JSON_READ_DOCKER, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "manifest.json");
        if (m.n_images > LOAD_IMAGES_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "manifest.json: more than %u images",
                        LOAD_IMAGES_MAX);

        for (size_t i = 0; i < m.n_images; i++) {
                r = load_docker_image(l, m.images + i, reterr);
                if (r < 0)
                        return r;
        }

        return 0;
}
