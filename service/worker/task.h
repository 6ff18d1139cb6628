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
        Storage *storage;
        Blobs *blobs; /* locked shared while the task runs */
        TaskResult result;
        uint64_t progress_usec; /* when the last row was sent */
};

struct Task {
        TaskKind kind;
        size_t n_fds; /* exactly so many must come */
        bool locks;   /* makes or needs what nothing refers to yet: no sweep meanwhile */
        int (*run)(TaskContext *c, Error *reterr);
};

int task_load_run(TaskContext *c, Error *reterr);
int task_import_run(TaskContext *c, Error *reterr);
int task_layer_create_run(TaskContext *c, Error *reterr);
int task_measure_run(TaskContext *c, Error *reterr);
int task_layer_remove_run(TaskContext *c, Error *reterr);

bool task_cancelled(const TaskContext *c);

/* A row, at most ten in a second unless urgent. -EPIPE: the daemon is gone, nobody wants the result any more. */
int task_progress(TaskContext *c, bool urgent, const char *id, const char *status, uint64_t current,
        uint64_t total);

/* Adds an image to the result; copies. */
int task_add_image(TaskContext *c, const char *id, const char *manifest, char *const *tags);
