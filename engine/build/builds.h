/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The set of builds that run. A build is a job: its rows are what the classic builder writes (stream), its first line is the image's id. One after the
 * other it does the instructions of the stages that the target needs; files are a worker's work, commands run in containers of their own, and what
 * each step has made is kept as an image that only the build cache knows (engine/image/image-build.h). Owned by Engine. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/container-spec.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct BuildOptions BuildOptions;
typedef struct Builds Builds;
typedef struct Containers Containers;
typedef struct Filter Filter;
typedef struct Images Images;
typedef struct Job Job;
typedef struct Jobs Jobs;
typedef struct sd_event sd_event;

#define BUILD_NAMES_MAX 100U

/* id of the row whose status is the id of the image that a stage has come to. */
#define BUILD_ROW_IMAGE "aux"

struct BuildOptions {
        char *dockerfile; /* path in the context; NULL: Dockerfile, or dockerfile */
        char **names;     /* to give: "x", "x:1" */
        char **args;      /* KEY=value; KEY alone is not set */
        char **labels;    /* pairs */
        char *target;
        char *platform;
        bool no_cache;
        bool keep;         /* containers of RUN, also when all went well */
        bool force_remove; /* also when one failed */
        HostConfig host;   /* of containers of RUN: limits, extra hosts, network mode, /dev/shm */
};

void build_options_init(BuildOptions *o);
void build_options_done(BuildOptions *o);

int builds_new(sd_event *e, Containers *containers, Images *images, Jobs *jobs, Builds **ret);
Builds *builds_free(Builds *s); /* takes NULL. Before the workers, the jobs and the containers go */
DEFINE_CLEANUP(Builds *, builds_free);
/* After a start: removes the containers of builds that an earlier daemon was doing. */
void builds_settle(Builds *s);

/* What a build may set of a HostConfig (NULL-terminated): what a program outside gives of it has these keys only. */
extern const char *const build_host_keys[];
/* What about its containers is as good as root on the host, as container_check_privilege() says it: who wants that must be allowed to create
 * such containers. NULL: nothing. */
const char *build_check_privilege(const BuildOptions *o);

/* o is taken over, also after a failure. fd: the context as a tar, plain or compressed (moved in any case). Cancelling the job ends it at once, and
 * nothing of it stays but the steps that are complete. */
int builds_start(Builds *s, BuildOptions *o, int fd, Job **ret, Error *reterr);

/* Removes from the build cache what no build and no container uses; without all only what no image stands on. Filter keys: until, id (a prefix).
 * *ret_keys: what went (strv). ERROR_INVALID. */
extern const char *const build_prune_filter_keys[];
int builds_prune(
        Builds *s, bool all, const Filter *f, char ***ret_keys, uint64_t *ret_bytes, Error *reterr);

/* Who shows the rows cannot keep up: the container that writes them waits. j: a build's or any other. */
void builds_pause(Builds *s, const Job *j, bool paused);
