/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image has where a new volume will be mounted becomes the content of the volume. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/storage/copy-tree.h"
#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "service/worker/task.h"

int task_copy_up_enter(TaskContext *c, Error *reterr) {
        int r;

        r = tree_use_volumes(c, reterr);
        if (r < 0)
                return r;
        c->volume_fds = new (int, c->spec.n_mounts + 1);
        if (!c->volume_fds)
                return -ENOMEM;
        for (size_t i = 0; i < c->spec.n_mounts; i++)
                c->volume_fds[i] = -EBADF; /* main() closes all of them, also after a failure */
        for (size_t i = 0; i < c->spec.n_mounts; i++) {
                const char *source = c->spec.mounts[i].source;

                /* Of our own making: DATAROOT/volumes/NAME/_data. */
                c->volume_fds[i] = file_open_dir(c->root_fd, source);
                if (c->volume_fds[i] < 0)
                        return error_set_errno(
                                reterr, c->volume_fds[i], "Failed to open %s", source);
        }
        return tree_enter_layer(c, reterr);
}

/* 1: something was copied. What has content already stays as it is, and no folder in the image means nothing to copy. */
static int copy_one(const TaskContext *c, const TaskMount *m, int volume_fd) {
        _cleanup_(fd_closep) int from = -EBADF;
        int r;

        r = file_is_empty_dir_at(volume_fd, ".");
        if (r <= 0)
                return r;
        from = beneath_open(c->tree_fd, m->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
        if (from == -ENOENT || from == -ENOTDIR || from == -ELOOP)
                return 0;
        r = from < 0 ? from : copy_tree(from, volume_fd);
        return r < 0 ? r : 1;
}

int task_copy_up_run(TaskContext *c, Error *reterr) {
        for (size_t i = 0; i < c->spec.n_mounts; i++) {
                const TaskMount *m = c->spec.mounts + i;
                int r;

                r = copy_one(c, m, c->volume_fds[i]);
                if (r > 0 && syncfs(c->volume_fds[i]) < 0)
                        r = -errno;
                if (r < 0)
                        return error_set_errno(reterr, r,
                                "Failed to copy %s of the image into its volume", m->target);
        }
        return 0;
}
