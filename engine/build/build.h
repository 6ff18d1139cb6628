/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/build only: one build under way. */

#include "engine/build/builds.h"
#include "engine/build/dockerfile.h"
#include "engine/build/effects.h"
#include "engine/build/plan.h"
#include "engine/core/job.h"
#include "lib/base/buffer.h"
#include "lib/base/list.h"

typedef struct Build Build;
typedef struct BuildCopyWish BuildCopyWish;
typedef struct BuildResult BuildResult;
typedef struct Container Container;
typedef struct Pending Pending;
typedef struct TaskSpec TaskSpec;
typedef struct sd_event_source sd_event_source;

struct Builds {
        sd_event *event;
        Containers *containers;
        Images *images;
        Jobs *jobs;
        List builds;
        List removals; /* of containers that builds have left */
};

/* What a stage has come to. */
struct BuildResult {
        char *image; /* sha256:…; NULL: nothing, scratch */
        BuildState state;
        bool there;
};

/* Called when a worker has ended; line: the job's. */
typedef void (*build_task_done_t)(Build *b, const char *line);

struct Build {
        Builds *set;
        ListNode node;
        Job *job;
        BuildOptions o;
        char id[17]; /* of its context and its pins */
        Dockerfile *file;
        BuildPlan *plan;
        BuildResult *results; /* one for each stage */
        size_t stage;
        size_t at;             /* instruction in the stage; 0 is FROM */
        Dockerfile **triggers; /* of the base of this stage */
        size_t n_triggers;
        size_t at_trigger;
        bool labelled; /* --label is done */
        unsigned step, n_steps;
        char **asked; /* build arguments that somebody asked for */
        BuildState state;
        char *image; /* what the state is on top of; NULL: scratch */
        sd_event_source *next;
        bool cancelled, ended, holds_sweep;
        unsigned n_removals; /* of containers, that its end waits for */
        int result;
        Error error;

        /* of the step under way */
        const Dockerfile *step_file;
        const Instruction *step_i;
        char *key;
        char *created_by;
        Job *task;
        JobWatch *watch;
        build_task_done_t on_task;
        BuildCopyWish *copy;

        /* RUN */
        char **command;
        char *container;
        Build **creation; /* where a container that is being made keeps us */
        Pending *pending;
        int fd; /* its output */
        sd_event_source *source;
        Buffer in;
        bool exited, drained, paused;
        int64_t exit_code;
};

/* build.c */
Build *build_free(Build *b); /* takes NULL */
void build_say(Build *b, const char *format, ...) _printf_(2, 3);
void build_say_image(Build *b);
/* The step is done: on to the next one, in the loop's next turn. */
void build_proceed(Build *b);
/* Ends it; e is taken over. r: -ECANCELED when it was cancelled. Once. */
void build_fail(Build *b, int r, Error *e);
void build_finish(Build *b);
void build_removed(Build *b); /* one of its containers */
/* Runs a task whose end is on_task; j's reference is taken. */
int build_wait_task(Build *b, Job *j, build_task_done_t on_task);

/* build-step.c */
int build_do_step(Build *b, const Dockerfile *d, const Instruction *i, Error *reterr);
int build_do_labels(Build *b, Error *reterr);
int build_do_from(Build *b, const BuildStage *s, Error *reterr);
/* Is the result of b->key there? 1: it was taken. */
int build_take_cached(Build *b, Error *reterr);
/* The image of b->key was made. */
int build_take_image(Build *b, const char *id, Error *reterr);
/* What the steps of a key are made of: parts, NULL at the end. Fills b->key. */
int build_make_key(Build *b, const char *kind, char *const *parts);
int build_config_text(const BuildState *s, char **ret);
/* A worker keeps the image of this step: task is completed with config, history and image. */
int build_keep(Build *b, TaskSpec *task);
int build_unknown(const Build *b, Error *reterr, const char *format, ...) _printf_(3, 4);

/* build-copy.c */
int build_do_copy(Build *b, Error *reterr);
int build_do_workdir(Build *b, const char *comment, Error *reterr);
BuildCopyWish *build_copy_free(BuildCopyWish *w);

/* build-run.c */
int build_do_run(Build *b, Error *reterr);
void build_run_end(Build *b); /* lets go of everything but the container */
void build_run_pause(Build *b);

/* build-removal.c */
/* Nobody needs it any more. b (or NULL) waits for it at its end. */
void build_remove_container(Builds *s, Build *b, const char *id);
void build_removals_forget(Builds *s);
