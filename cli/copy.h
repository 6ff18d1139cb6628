/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* docker cp: between the caller's files and a container's, as tar over the API (rule R1: what the engine sends is unpacked beneath one folder and follows
 * no link). copy-path.h has the rules about names. */

#include <stdbool.h>
#include <stdint.h>

#include "cli/copy-path.h"
#include "lib/base/error.h"

typedef struct Http Http;
typedef struct RestClient RestClient;

typedef struct Copy {
        RestClient *client;
        const char *container;
        const char *source; /* the paths as they were given; "-": the tar itself */
        const char *target;
        bool archive; /* owners are kept (from), or become the container's user, if it has one (to) */
        bool follow_link; /* a source that is a link is what it leads to */
        bool quiet;       /* nothing about how far it is */
} Copy;

int copy_from_container(const Copy *c, Error *reterr); /* copy-out.c */
int copy_to_container(const Copy *c, Error *reterr);   /* copy-in.c */

/* What the engine says about a path of a container. */
typedef struct CopyStat {
        bool is_folder;
        bool is_link;
        bool is_device;
        char *link; /* where it leads, as the engine resolved it */
} CopyStat;

void copy_stat_done(CopyStat *s);
/* The header's value: JSON in base64. */
int copy_stat_parse(const char *header, CopyStat *ret);
int copy_stat(const Copy *c, const char *path, CopyStat *ret, Error *reterr);
/* The API's path with its query; more: further pairs, or NULL. */
char *copy_rest_path(const Copy *c, const char *path, const char *const more[4]);
#define COPY_STAT_HEADER "x-docker-container-path-stat"

/* How far it is: one line of stderr, written over; nothing when quiet. */
typedef struct CopyProgress {
        const char *words; /* "Copying from container" */
        bool quiet;
        uint64_t size;
        uint64_t shown_at; /* monotonic, us */
} CopyProgress;

void copy_progress_add(CopyProgress *p, size_t size);
/* "Successfully copied 2.05kB to WHERE", or (r < 0) only the line away. */
void copy_progress_end(CopyProgress *p, int r, const char *where);
