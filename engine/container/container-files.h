/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The files of a container: looked at, taken out and put in as tar, compared with its image, kept as an image. A worker does it, as the container
 * sees them when it runs, else with its layer and binds mounted for the worker alone. Any number at once; all of them end when the container is
 * removed. A path is the container's; Docker's words and errors: ERROR_NOT_FOUND "Could not find the file X in container Y". */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct Container Container;
typedef struct Job Job;
typedef struct Json Json;
typedef struct Pending Pending;

/* Pending's result: const char *, JSON with name, size, mode (Go's bits), mtime, linkTarget. */
int container_stat_path(Container *c, const char *path, Pending *p, Error *reterr);

/* fd: the write end of a pipe (moved in any case). The job's watcher gets one progress row with id CONTAINER_FILES_STAT before the first byte comes, its
 * status is the JSON of container_stat_path() (export: ""). Whoever loses interest cancels the job. The caller owns the reference. */
#define CONTAINER_FILES_STAT "stat"
int container_copy_from(
        Container *c, const char *path, bool gzip, int fd, Job **ret, Error *reterr);
/* The root file system without what is mounted on it. */
int container_export(Container *c, int fd, Job **ret, Error *reterr);

typedef struct ContainerCopyOptions {
        bool keep_kind; /* a folder may not take a file's place, nor the other way */
        bool give_owner; /* the container's user, if it has one, owns what is unpacked; else the archive says who */
} ContainerCopyOptions;

/* fd: a tar, plain or compressed (moved in any case), unpacked into the folder path. A container that does not run cannot be started meanwhile. */
int container_copy_to(Container *c, const char *path, const ContainerCopyOptions *options, int fd,
        Pending *p, Error *reterr);

/* Pending's result: const char *, a JSON list of {"Path","Kind"} (0 modified, 1 added, 2 deleted), or null. */
int container_changes(Container *c, Pending *p, Error *reterr);

typedef struct ContainerCommit {
        const char *repository; /* NULL or "": the image gets no name */
        const char *tag;
        const char *author;
        const char *comment;
        char *const *changes; /* lines of a Dockerfile, or several in one */
        Json *config;         /* instead of the container's; NULL: that */
        bool pause;           /* it is frozen meanwhile, if it runs */
} ContainerCommit;

/* A job of the images: its only line is the id of the image. */
int container_commit(Container *c, const ContainerCommit *commit, Job **ret, Error *reterr);
