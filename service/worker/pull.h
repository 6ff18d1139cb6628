/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of "pull" share. This process has no network: it asks a stauer-fetcher for documents, which it reads, and for layers, each of which
 * comes through a pipe and is hashed, written and unpacked as it comes, by a child of its own, so that several do so at once. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/api/fetch-spec.h"
#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/oci/image-spec.h"
#include "lib/oci/reference.h"
#include "service/worker/load.h"

typedef struct Pull Pull;
typedef struct PullDocument PullDocument;
typedef struct TaskContext TaskContext;

struct Pull {
        TaskContext *context;
        Load load; /* what is in the store becomes an image as with load */
        int fetcher_fd;
        uint32_t last_id;
        Reference name; /* without tag and digest */
};

struct PullDocument {
        char *text;
        size_t size;
        char digest[DIGEST_TEXT_SIZE];
        char *media_type; /* as the registry says, or NULL */
        bool more;
};

void pull_document_done(PullDocument *d);

/* pull-ask.c. A document, whole, its digest computed; size -1: not known. */
int pull_document(
        Pull *p, FetchKind kind, const char *name, int64_t size, PullDocument *ret, Error *reterr);
/* Asks for a blob; what comes can be read from ret_fd. */
int pull_blob(Pull *p, const char *digest, int64_t size, uint32_t *ret_id, int *ret_fd);
/* The next answer, if one is there: 1 and *ret, 0. -ECONNRESET: the fetcher is gone. */
int pull_receive(Pull *p, FetchAnswer *ret, Error *reterr);
/* The error that an answer carries: 0, or negative with reterr filled. */
int pull_answer_error(const FetchAnswer *a, Error *reterr);

/* pull-layers.c. All layers of the image are in the store and unpacked afterwards. */
int pull_layers(Pull *p, const ImageManifest *m, const ImageConfig *config, Error *reterr);
