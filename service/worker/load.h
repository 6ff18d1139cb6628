/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of "load" share. The archive is read once, from a pipe perhaps: every file in it that can be a blob goes to the store as
 * it passes, the few documents that say what it all means are kept in memory, and when the end has come images are made of it.
 *
 * Names inside the archive are keys of a map and nothing else; no file is ever written under such a name. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/hashmap.h"
#include "lib/oci/image-spec.h"
#include "service/worker/intake.h"

typedef struct Load Load;
typedef struct LoadDocument LoadDocument;
typedef struct LoadFile LoadFile;
typedef struct LoadImage LoadImage;
typedef struct TaskContext TaskContext;

#define LOAD_FILES_MAX  65536U
#define LOAD_IMAGES_MAX 1024U
#define LOAD_LINKS_MAX  16U /* from one name to the next */

/* A file of the archive, by its clean path. */
struct LoadFile {
        char *path;
        char *link;    /* it is a link to this clean path; then nothing else is set */
        bool known;    /* a blob that the store has already: its content was skipped */
        Intake intake; /* digest is set in any case; of a known one only digest and size */
};

struct LoadDocument {
        const char *name; /* in the root of the archive */
        char *text;       /* NULL: not in the archive */
        size_t size;
};

enum {
        LOAD_MANIFEST_JSON,
        LOAD_INDEX_JSON,
        LOAD_OCI_LAYOUT,
        LOAD_REPOSITORIES,
        _LOAD_DOCUMENT_MAX
};

struct Load {
        TaskContext *context;
        Hashmap *files; /* path → LoadFile */
        LoadDocument documents[_LOAD_DOCUMENT_MAX];
        Platform platform; /* which one of several is wanted */
        unsigned n_images;
};

/* An image as a document in the archive describes it. */
struct LoadImage {
        const char *name; /* for sentences */
        const char *config_digest;
        LoadFile *const *layers;
        size_t n_layers;
        const char *manifest_digest; /* NULL: one is to be written */
        char *const *tags;           /* normalised */
};

void load_done(Load *l);

LoadFile *load_file_free(LoadFile *f);
DEFINE_CLEANUP(LoadFile *, load_file_free);

/* The file that the name in a document means, links followed. ERROR_INVALID when the archive does not have it. */
int load_find(Load *l, const char *name, LoadFile **ret, Error *reterr);
/* blobs/sha256/… of a digest: from the archive, or one that the store has. */
int load_find_blob(Load *l, const char *digest, LoadFile **ret, Error *reterr);

int load_docker(Load *l, Error *reterr); /* manifest.json */
int load_oci(Load *l, Error *reterr);    /* index.json */

/* A manifest, or an index of several platforms, whose documents and layers are in the store (or the archive) already. */
int load_oci_descriptor(
        Load *l, const Descriptor *d, char *const *tags, unsigned depth, Error *reterr);
/* Build attestations stand in an index beside the images, for a platform that does not exist. */
bool oci_is_attestation(const Descriptor *d);

/* One layer becomes visible under chain_id, on top of parent. f: its blob is in the store. */
int load_layer(Load *l, LoadFile *f, const char *chain_id, const char *parent, const char *diff_id,
        Error *reterr);

/* Checks the config, makes the layers visible, writes a manifest if there is none, adds to the result. */
int load_image(Load *l, const LoadImage *image, Error *reterr);
