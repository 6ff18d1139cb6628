/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Blobs are the bytes of manifests, configs and layers below DATAROOT/blobs/sha256/, each named by its own digest. A
 * blob gets its name only after every byte has been hashed (rule R8), so what has a name is whole. The data root is an OCI
 * image layout; blobs_open() makes the mark (oci-layout). Removing renames into the trash folder, which a worker empties.
 *
 * A layer is on disk twice: as the blob it came as (plain, gzip or zstd; any other compression is kept as plain tar) and unpacked for
 * the storage driver. The blob is what skopeo and umoci read, what push and save will send byte for byte, and what another
 * driver unpacks after a change of -s without asking a registry again. */

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct BlobWriter BlobWriter;
typedef struct Blobs Blobs;

#define BLOBS_SMALL_MAX ((size_t) 4 * 1024 * 1024) /* documents that are read whole */

/* root_fd: the data root, borrowed while open. */
int blobs_open(int root_fd, Blobs **ret);
Blobs *blobs_free(Blobs *b);
DEFINE_CLEANUP(Blobs *, blobs_free);

/* Every user that adds blobs which nothing refers to yet holds it shared; the sweep needs it alone. Kept until
 * blobs_free(). -EAGAIN when it is taken the other way and wait is false. */
int blobs_lock(Blobs *b, bool exclusive, bool wait);
void blobs_unlock(Blobs *b);

/* 1 there, 0 not. A string that is no sha256 digest is -EINVAL in every function here. */
int blobs_exists(Blobs *b, const char *digest);
int blobs_open_fd(Blobs *b, const char *digest, uint64_t *ret_size); /* an fd for reading */
/* 1 there, and what has up to BLOBS_SMALL_MAX bytes has been hashed again; 0 not there, or the disk has changed it. */
int blobs_is_whole(Blobs *b, const char *digest);
/* Whole, at most BLOBS_SMALL_MAX bytes, hashed again and compared: -EBADMSG when the disk has changed it. */
int blobs_read(Blobs *b, const char *digest, char **ret, size_t *ret_size, Error *reterr);

/* Writing: below DATAROOT/tmp, hashed while it passes. Not synced one by one: the caller syncs the file system once,
 * before anything refers to the blob. */
int blob_writer_new(Blobs *b, BlobWriter **ret);
BlobWriter *blob_writer_free(BlobWriter *w); /* drops what has no name yet */
DEFINE_CLEANUP(BlobWriter *, blob_writer_free);
int blob_writer_write(BlobWriter *w, const void *data, size_t size);
/* A digest that was computed beside, of exactly the bytes written, spares the second run over them. */
void blob_writer_skip_hash(BlobWriter *w);
uint64_t blob_writer_size(const BlobWriter *w);
int blob_writer_fd(const BlobWriter *w);       /* borrowed; readable too */
const char *blob_writer_digest(BlobWriter *w); /* of all bytes so far; NULL after skip_hash */
/* Gives the blob its name. expected (or NULL): what the digest must be, else ERROR_INVALID. When the name is there already
 * with content that is known to be right, the new copy is dropped; else it takes the place of the old one, synced. computed: after skip_hash the digest, else NULL. */
int blob_writer_commit(BlobWriter *w, const char *expected, const char *computed, Error *reterr);

int blobs_put(Blobs *b, const void *data, size_t size, char ret[static DIGEST_TEXT_SIZE]);

int blobs_remove(Blobs *b, const char *digest); /* 1 removed, 0 was not there */
int blobs_list(Blobs *b, char ***ret);          /* "sha256:…" of all, sorted */
