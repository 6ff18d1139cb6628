/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An Out is where a task's bytes go: a pipe whose reader may be slow or gone. Writing waits until there is room or the task is cancelled. */

#include "lib/archive/tar-write.h"

typedef struct TaskContext TaskContext;

typedef struct Out {
        const TaskContext *context;
        int fd; /* borrowed */
} Out;

/* -EPIPE: nobody reads; -ECANCELED. */
ByteSink out_sink(Out *o);
