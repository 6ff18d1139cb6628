/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An Image is a config with the layers it names. Its id is the digest of the config, as with Docker's graph drivers.
 * Owned by Images; a container borrows it (image_add_user). Everything in config was written by a stranger: to be shown and to be run
 * inside, never to be obeyed (rule R7). The fields are for reading; only engine/image changes them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"
#include "lib/oci/image-spec.h"

typedef struct Image Image;
typedef struct ImageUser ImageUser;
typedef struct Images Images;

struct ImageUser {
        char *container_id;
        bool running;
};

struct Image {
        Images *images;
        char *id;         /* sha256:… of the config */
        char *manifest;   /* sha256:… of the OCI or Docker manifest */
        char **manifests; /* all that lead to this config; the first is manifest */
        char **blobs;     /* sha256:… of all that the manifests name, themselves included */
        bool hidden; /* removed by force while containers stand on it: found by its whole id only */
        bool cached; /* only the build cache refers to it: no image for people, but found by its id */
        char *media_type; /* of the manifest */
        int64_t manifest_size;
        char **names; /* normalised references, sorted: docker.io/library/x:1, docker.io/library/x@sha256:… */
        char **repo_tags;    /* the same in familiar form, those with a tag */
        char **repo_digests; /* … and those with a digest */
        ImageConfig config;
        char **chain_ids; /* sha256:… of every layer, lowest first; top one is a container's parent */
        size_t n_layers;
        uint64_t *layer_sizes; /* n_layers */
        uint64_t size;         /* of all layers */
        int64_t created_ns;    /* CLOCK_NEVER when the config does not say */
        int64_t tagged_ns;     /* last load, import or tag; CLOCK_NEVER */
        size_t position;       /* in the sorted list of the set */
        ImageUser *users;      /* containers made of it */
        size_t n_users;
        size_t n_users_allocated;
};

int image_new(const char *id, Image **ret);
Image *image_free(Image *i);
DEFINE_CLEANUP(Image *, image_free);

/* The top layer's chain id, the parent of a container's layer; NULL for an image without layers. */
const char *image_top_layer(const Image *i);

/* Files to read before an image is believed: config bytes whose digest is the id. Fills config, chain_ids, created_ns. */
int image_read_config(Image *i, const char *text, size_t size, Error *reterr);

/* Sets names and the two familiar lists. */
int image_set_names(Image *i, char *const *names);

/* Where its layers are: name of the storage driver, and what that says of the top layer (GraphDriver of inspect). */
const char *image_driver(const Image *i);
int image_describe(const Image *i, char ***ret_pairs);
