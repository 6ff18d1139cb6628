/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes with the options type, o and device. Who uses one mounts it (service/rootfs/volume-mount.h); when somebody has left, a worker unmounts those that
 * nobody uses any more: locks of the users tell, so it does no harm to ask too often. */
#include <unistd.h>

#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "engine/volume/volumes-internal.h"
#include "lib/api/mount-source.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define LEAVING_MARK "leaving"

bool volume_is_mount(const Volume *v) {
        return !str_empty(pairs_get(v->options, "type")) ||
               !str_empty(pairs_get(v->options, "device"));
}

int volume_describe_mount(const Volume *v, VolumeMount *ret) {
        VolumeMount m = { .folder = path_join(v->set->root, v->name) };
        int r = m.folder ? 0 : -ENOMEM;

        if (r >= 0)
                r = str_copy(&m.type, pairs_get(v->options, "type"));
        if (r >= 0)
                r = str_copy(&m.device, pairs_get(v->options, "device"));
        if (r >= 0)
                r = str_copy(&m.options, pairs_get(v->options, "o"));
        if (r < 0) {
                fields_done(volume_mount_fields, &m);
                return r;
        }
        *ret = m;
        return 0;
}

static int on_unmounted(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        if (r < 0 && r != -ECANCELED)
                log_warning("Failed to unmount volumes: %s, trying again with the next one",
                        error_text(e, r));
        return 0;
}

int volumes_unmount(Volumes *s, char *const *names) {
        _cleanup_(strv_freep) char **all = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        TaskSpec task = { .kind = TASK_UNMOUNT_VOLUMES, .data_root = (char *) s->data_root };
        int r = 0;

        for (size_t i = 0; !names && r >= 0 && i < s->n_sorted; i++)
                if (volume_is_mount(s->sorted[i]))
                        r = strv_add(&all, s->sorted[i]->name);
        task.volumes = names ? (char **) names : all;
        if (r < 0 || strv_empty(task.volumes) || s->ending)
                return r;
        r = job_new(s->jobs, JOB_UNMOUNT, "unmount volumes", on_unmounted, NULL, &j);
        if (r < 0)
                return r;
        r = worker_start(s->workers, &task, NULL, 0, j);
        if (r < 0)
                job_finish(j, NULL, r, NULL);
        return 0;
}

/* ---- on its way out ---- */

int volume_mark_leaving(const Volume *v, const char *container_id) {
        _cleanup_(fd_closep) int fd = file_open_dir(v->set->root_fd, v->name);

        if (fd < 0)
                return fd;
        (void) unlinkat(fd, LEAVING_MARK, 0);
        return container_id && symlinkat(container_id, fd, LEAVING_MARK) < 0 ? -errno : 0;
}

int volume_read_leaving(const Volume *v, char ret[static IDENT_SIZE]) {
        _cleanup_(fd_closep) int fd = file_open_dir(v->set->root_fd, v->name);
        ssize_t n;

        n = fd < 0 ? -1 : readlinkat(fd, LEAVING_MARK, ret, IDENT_SIZE);
        if (n != IDENT_SIZE - 1)
                return 0;
        ret[n] = '\0';
        return ident_is_valid(ret);
}

const char *volume_wish_privilege(const VolumeWish *wish) {
        return pairs_get(wish->options, "type") || pairs_get(wish->options, "device") ? "mount"
                                                                                      : NULL;
}
