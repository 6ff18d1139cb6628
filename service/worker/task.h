/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Task is what one stauer-worker process does: read its record, run, send one result, exit. One file per kind of task, one row per
 * kind in main.c. Tasks block as they please; SIGTERM makes task_cancelled() true and reads of input end with -ECANCELED. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/api/task-spec.h"
#include "lib/base/error.h"

typedef struct Blobs Blobs;
typedef struct Storage Storage;
typedef struct Task Task;
typedef struct TaskContext TaskContext;

struct TaskContext {
        TaskSpec spec;
        int *fds; /* that came with the task */
        size_t n_fds;
        int channel_fd;
        int cancel_fd; /* readable after SIGTERM */
        int root_fd;
        int tree_fd;     /* the root of a container's files, after enter() */
        int source_fd;   /* of a build: the context, or the root of an image */
        int *volume_fds; /* of spec.mounts, for a copy-up */
        int *lock_fds;   /* of spec.volume_mounts: they are used until we exit */
        size_t n_lock_fds;
        int tree_ns_fd; /* keeps the namespace of its mounts, when they are ours */
        int proc_fd;    /* for lib/archive/tar-write.h */
        Storage *storage;
        Blobs *blobs; /* locked shared while the task runs */
        TaskResult result;
        uint64_t progress_usec; /* when the last row was sent */
};

struct Task {
        TaskKind kind;
        size_t n_fds;      /* exactly so many must come, */
        size_t n_fds_more; /* or up to so many more */
        bool locks;        /* makes or needs what nothing refers to yet: no sweep meanwhile */
        int (*run)(TaskContext *c, Error *reterr);
        int (*enter)(TaskContext *c,
                Error *reterr); /* before the walls go up: finds c->tree_fd; NULL: nothing to find */
        bool bare;              /* has nothing to do with the data root, and builds its own walls */
};

int task_load_run(TaskContext *c, Error *reterr);
int task_pull_run(TaskContext *c, Error *reterr);
int task_import_run(TaskContext *c, Error *reterr);
int task_layer_create_run(TaskContext *c, Error *reterr);
int task_measure_run(TaskContext *c, Error *reterr);
int task_unmount_volumes_run(TaskContext *c, Error *reterr);
int task_unmount_volumes_enter(TaskContext *c, Error *reterr);
int task_layer_remove_enter(TaskContext *c, Error *reterr);
int task_layer_remove_run(TaskContext *c, Error *reterr);
int task_check_sources_run(TaskContext *c, Error *reterr);
int task_check_sources_enter(TaskContext *c, Error *reterr);
int task_copy_up_run(TaskContext *c, Error *reterr);
int task_copy_up_enter(TaskContext *c, Error *reterr);
int task_copy_stat_run(TaskContext *c, Error *reterr);
int task_copy_out_run(TaskContext *c, Error *reterr);
int task_copy_in_run(TaskContext *c, Error *reterr);
int task_export_run(TaskContext *c, Error *reterr);
int task_changes_run(TaskContext *c, Error *reterr);
int task_commit_run(TaskContext *c, Error *reterr);
int task_build_context_run(TaskContext *c, Error *reterr);
int task_build_digest_run(TaskContext *c, Error *reterr);
int task_build_copy_run(TaskContext *c, Error *reterr);
int task_netns_run(TaskContext *c, Error *reterr);

/* tree.c: the files as a container sees them (c->spec says how), for reading, for writing, or of its layer alone. */
int tree_enter(TaskContext *c, Error *reterr);
int tree_enter_writable(TaskContext *c, Error *reterr);
int tree_enter_layer(TaskContext *c, Error *reterr);
int tree_use_volumes(
        TaskContext *c, Error *reterr); /* spec.volume_mounts, in the host's mount namespace */
/* The source alone; or with it a layer, which is made, on top of layer_parent, as the tree. */
int tree_enter_source(TaskContext *c, Error *reterr);
int tree_enter_build(TaskContext *c, Error *reterr);

bool task_cancelled(const TaskContext *c);

/* A row, at most ten in a second unless urgent. -EPIPE: the daemon is gone, nobody wants the result any more. */
int task_progress(TaskContext *c, bool urgent, const char *id, const char *status, uint64_t current,
        uint64_t total);

/* A sentence, never held back. */
int task_message(TaskContext *c, const char *id, const char *text);

/* A row with descriptors, never held back; they stay the caller's. */
int task_progress_fds(TaskContext *c, const TaskProgress *row, const int *fds, size_t n_fds);

/* Adds an image to the result; copies. */
int task_add_image(TaskContext *c, const char *id, const char *manifest, char *const *tags);
