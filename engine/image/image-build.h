/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Images for the builder. What each step has made is an image that only the build cache refers to, by a key that says what it was made of: a row of
 * index.json, so a power cut or a kill leaves whole steps. Nobody but the builder of this data root writes such rows: an image that was loaded or
 * pulled is never taken for the result of a step. */

#include <stdbool.h>
#include <stdint.h>

#include "engine/core/job.h"
#include "lib/base/error.h"

typedef struct Image Image;
typedef struct ImageConfig ImageConfig;
typedef struct Images Images;
typedef struct TaskSpec TaskSpec;

/* NULL: nobody has made it yet. */
Image *images_find_step(Images *s, const char *key);

/* A step that changes no file: the layers of base (an id; NULL: none) with another config. Saved. */
int images_make_step(Images *s, const char *base, const ImageConfig *config, const char *key,
        Image **ret, Error *reterr);

/* One that does: TASK_COMMIT or TASK_BUILD_COPY, without the storage's part. The job's only line is the image's id. */
int images_start_step(Images *s, TaskSpec *task, const char *key, Job **ret, Error *reterr);

/* Any other task of a build. Its text is the job's only line. fd is moved in any case; -EBADF: none. */
int images_start_build_task(Images *s, TaskSpec *task, int fd, Job **ret, Error *reterr);

/* From here on it is an image for people, with these names ("x:1"), which are written in full. Events "create" and "tag". */
int images_finish_build(Images *s, const char *id, char *const *names, Error *reterr);
/* "x" as "docker.io/library/x:latest". ERROR_INVALID. */
int images_build_name(const char *text, char **ret, Error *reterr);

/* While a build runs nothing is swept: its context is a folder in tmp. */
void images_hold_sweep(Images *s);
void images_release_sweep(Images *s);

/* The folder in tmp is not needed any more. */
void images_drop_context(Images *s, const char *context);

typedef struct BuildCacheEntry {
        const char *key;
        const Image *image;
        int64_t time_ns;
        uint64_t size; /* of its top layer, unless the entry below has that as well */
        bool in_use;   /* by a container or a build */
        bool shared;   /* an image for people stands on that layer */
} BuildCacheEntry;

/* All of it; what the entries point to is borrowed until the next change. free() the array. */
int images_build_cache(Images *s, BuildCacheEntry **ret, size_t *ret_n);

/* Removes entries that are not in use and older than until_ns; without all only those that no image for people stands on. keys: of what went
 * (strv); only: beginnings of keys, NULL: all of them. bytes: of layers that nobody needs any more. */
int images_prune_build_cache(Images *s, bool all, int64_t until_ns, char *const *only,
        char ***ret_keys, uint64_t *ret_bytes, Error *reterr);
