/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Layer is one unpacked layer of an image, named by its chain id: the digest of itself and everything below. Its record
 * is layer.json in its folder, written by the worker before the one rename that makes the layer visible. */

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Layer Layer;
typedef struct Storage Storage;

#define LAYER_VERSION 1

struct Layer {
        uint32_t version;
        char *chain_id; /* sha256:… */
        char *parent;   /* chain id of the layer below, or NULL */
        char *diff_id;  /* sha256:… of the uncompressed tar */
        char *blob;     /* sha256:… of the blob it came from */
        uint64_t size;  /* bytes of its files, as Docker counts an image's size */
};

void layer_done(Layer *l);

/* "sha256:…" of "PARENT DIFF"; parent NULL: the diff id itself. */
int layer_chain_id(const char *parent, const char *diff_id, char **ret);
/* All of them, lowest first, as many as there are diff ids. */
int layer_chain_ids(char *const *diff_ids, char ***ret);

/* Reads the record of a visible layer. -ENOENT when there is no such layer, -EBADMSG when it is damaged. Quick. */
int layer_load(Storage *s, const char *chain_id, Layer *ret);
/* 1 it is visible and its record can be read, 0 not. */
int layer_is_whole(Storage *s, const char *chain_id);
int layer_save_at(int dir_fd, const Layer *l);
