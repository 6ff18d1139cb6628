/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Only who lives outside of the daemon's walls sees the host's /tmp, /home and /dev: is what a bind mount wants to show there? */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/worker/task.h"

#define PATIENCE_SEC \
        8u /* the file system of a path may never answer: then the alarm ends us, and the daemon says so */

int task_check_sources_enter(TaskContext *c, Error *reterr) {
        (void) alarm(PATIENCE_SEC);
        for (size_t i = 0; i < c->spec.n_mounts; i++) {
                const char *source = c->spec.mounts[i].source;
                struct stat st;

                if (stat(source, &st) >= 0)
                        continue;
                if (errno == ENOENT || errno == ENOTDIR)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"bind\": bind source path does not "
                                "exist: %s",
                                source);
                return error_set_errno(
                        reterr, -errno, "error while checking bind source path %s", source);
        }
        (void) alarm(0);
        return 0;
}

int task_check_sources_run(TaskContext *c, Error *reterr) {
        return 0;
}
