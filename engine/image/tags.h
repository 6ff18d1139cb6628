/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tags is the file DATAROOT/index.json as a table: one row per name of an image, and one without a name for an image that has none. The
 * file is a plain OCI index (names are org.opencontainers.image.ref.name), so that skopeo and umoci read the data root. A row that we
 * do not understand stays as it is.
 *
 * To change: copy, change the copy, save it, and only then let it take the place of the old one. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Descriptor Descriptor;
typedef struct Tag Tag;
typedef struct Tags Tags;

#define ANNOTATION_TAGGED "org.stauer.image.tagged" /* when the name was given */
#define ANNOTATION_HIDDEN \
        "org.stauer.image.hidden" /* removed by force; containers still stand on it */
#define ANNOTATION_CACHE \
        "org.stauer.build.cache" /* what a step of a build was made of: its result */

#define TAGS_FILE     "index.json"
#define TAGS_FILE_MAX ((size_t) 64 * 1024 * 1024)
#define TAGS_MAX      100000U

struct Tag {
        char *name;     /* normalised reference; NULL: the row of an image without a name */
        char *manifest; /* sha256:… */
        char *media_type;
        int64_t size;    /* of the manifest */
        int64_t time_ns; /* CLOCK_NEVER: not known */
        bool hidden;
        char *cache; /* a row of the build cache, without name: its key */
};

int tags_new(Tags **ret);
/* A missing file gives an empty table. */
int tags_load(int root_fd, Tags **ret, Error *reterr);
int tags_save(const Tags *t, int root_fd, Error *reterr); /* durable */
int tags_copy(const Tags *t, Tags **ret);
Tags *tags_free(Tags *t);
DEFINE_CLEANUP(Tags *, tags_free);

size_t tags_count(const Tags *t);
const Tag *tags_at(const Tags *t, size_t i);
const Tag *tags_find(const Tags *t, const char *name); /* NULL: nobody has it */
bool tags_has_name(const Tags *t, const char *manifest);

/* Rows that are not ours: indexes, foreign names. NULL after the last. */
const Descriptor *tags_other(const Tags *t, size_t i);

/* Gives the name to a manifest, taking it away from another one, which keeps a row without a name if it has no other. name NULL: only sees to it
 * that the manifest has a row. */
int tags_set(Tags *t, const char *name, const char *manifest, const char *media_type, int64_t size,
        int64_t time_ns);
/* 1 taken away; 0 nobody had it. */
int tags_unset(Tags *t, const char *name);
/* Adds a row of the build cache, in place of another one with this key. Such a row keeps an image and is none of its names: whoever has no other row is
 * no image for people. */
int tags_set_cache(Tags *t, const char *key, const char *manifest, const char *media_type,
        int64_t size, int64_t time_ns);
int tags_unset_cache(Tags *t, const char *key); /* 1 taken away; 0 nobody had it */
const Tag *tags_find_cache(const Tags *t, const char *key);

/* Removes all rows of the manifest; or all its names, leaving one hidden row. */
int tags_drop(Tags *t, const char *manifest);
int tags_hide(Tags *t, const char *manifest);
