/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-files.h"

#include <stdio.h>
#include <string.h>

#include "config/settings.h"
#include "engine/container/bundle.h"
#include "engine/container/set.h"
#include "engine/core/job.h"
#include "engine/core/pending.h"
#include "engine/core/worker.h"
#include "engine/host/launcher.h"
#include "engine/storage/storage.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/process.h"
#include "lib/base/str.h"

#define CHANGES_MAX ((size_t) 64 * 1024 * 1024)

/* One task about a container's files. Owned by its job's handler; in the container's list while that lives. */
typedef struct Files {
        ListNode node;
        Container *container; /* NULL: removed */
        Job *job;             /* borrowed: it ends after our handler */
        Pending *pending;     /* NULL: a watcher of the job is told */
        TaskKind kind;
        char *path;
        int changes_fd;
        bool writes_layer;
} Files;

static Files *files_free(Files *f) {
        if (!f)
                return NULL;

        list_remove(&f->node);
        pending_unref(f->pending);
        fd_close(f->changes_fd);
        free(f->path);
        return mfree(f);
}
DEFINE_CLEANUP(Files *, files_free);

bool container_files_writing(Container *c) {
        Files *f;

        LIST_FOREACH (f, &c->files, node)
                if (f->writes_layer)
                        return true;
        return false;
}

void container_files_cancel(Container *c) {
        Files *f;

        /* A job that waits in the queue is finished by this, and its entry gone. */
        LIST_FOREACH_SAFE (f, &c->files, node)
                (void) job_cancel(f->job);
}

void container_files_detach(Container *c) {
        Files *f;

        container_files_cancel(c);
        LIST_FOREACH_SAFE (f, &c->files, node) {
                list_remove(&f->node);
                f->container = NULL;
        }
}

static void files_publish(const Files *f) {
        static const struct {
                TaskKind kind;
                const char *action;
        } actions[] = {
                { TASK_COPY_OUT, "archive-path" },
                { TASK_COPY_IN, "extract-to-dir" },
                { TASK_EXPORT, "export" },
        };

        for (size_t i = 0; f->container && i < ARRAY_SIZE(actions); i++)
                if (actions[i].kind == f->kind)
                        container_publish(
                                f->container, actions[i].action, f->path ? "path" : NULL, f->path);
}

static int on_files(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        _cleanup_(files_freep) Files *f = userdata;
        _cleanup_(error_done) Error error = {};
        _cleanup_(freep) char *changes = NULL;
        const char *text = NULL;

        list_remove(&f->node);
        if (f->container)
                mount_points_unmount(f->container);
        if (r >= 0 && f->kind == TASK_CHANGES) {
                r = file_read_fd(f->changes_fd, CHANGES_MAX, &changes, NULL);
                if (r < 0)
                        e = NULL;
                text = changes;
        } else if (r >= 0 && result)
                text = str_or_empty(result->text);
        if (r >= 0)
                files_publish(f);

        if (r < 0 && (!e || !error_is_set(e))) {
                (void) error_set_errno(&error, r, "%s", j->title);
                e = &error;
        }
        if (f->pending)
                pending_complete(f->pending, r, (void *) text, e);
        if (r < 0 && e == &error)
                (void) error_copy(reterr, e);
        return r;
}

/* The first process by a pidfd, after a look at whether the number is still the container's. */
static int files_open_pid(const Container *c) {
        char path[sizeof("/proc/18446744073709551615/cgroup")];
        _cleanup_(fd_closep) int pidfd = -EBADF;
        _cleanup_(freep) char *line = NULL;
        int r;

        pidfd = process_pidfd_open((pid_t) c->pid);
        if (pidfd < 0)
                return pidfd;

        (void) snprintf(path, sizeof(path), "/proc/%lld/cgroup", (long long) c->pid);
        r = file_read_line(path, &line);
        if (r >= 0 && strstr(line, "docker-") && !strstr(line, c->id))
                return -ESRCH;
        r = process_is_alive(pidfd);
        if (r <= 0)
                return r < 0 ? r : -ESRCH;
        return TAKE_FD(pidfd);
}

static int files_add_mounts(Container *c, TaskSpec *task) {
        _cleanup_(freep) char *folder = container_folder(c);
        const BundleInput in = {
                .spec = &c->spec, .mount_points = &c->mount_points, .folder = folder
        };

        int r;

        if (!folder)
                return -ENOMEM;
        r = bundle_list_binds(&in, &task->mounts, &task->n_mounts);
        return r < 0 ? r
                     : mount_points_volume_mounts(c, &task->volume_mounts, &task->n_volume_mounts);
}

static void free_mounts(TaskSpec *task) {
        for (size_t i = 0; i < task->n_mounts; i++) {
                free(task->mounts[i].source);
                free(task->mounts[i].target);
                free(task->mounts[i].layer);
                free(task->mounts[i].subpath);
        }
        volume_mounts_free(task->volume_mounts, task->n_volume_mounts);
        free(task->mounts);
}

static int files_job(Files *f, TaskSpec *task, int *fds, size_t n_fds, Job **ret, Error *reterr) {
        _cleanup_(job_unrefp) Job *j = NULL;
        _cleanup_(freep) char *title = NULL;
        Container *c = f->container;
        Containers *s = c->set;
        int r;

        task->data_root = s->settings->data_root;
        task->driver = (char *) storage_driver_name(s->storage);
        task->driver_opts = (char **) storage_options(s->storage);
        task->layer_id = c->id;
        task->name = c->name;

        r = str_printf(&title, "%s %s", task_kind_to_string(f->kind), c->name);
        if (r >= 0)
                r = job_new(s->jobs, JOB_COPY, title, on_files, f, &j);
        if (r < 0) {
                fd_close_many(fds, n_fds);
                files_free(f);
                return r;
        }
        f->job = j;
        list_append(&c->files, &f->node);

        r = worker_start(s->copiers, task, fds, n_fds, j);
        if (r < 0) {
                f->pending = pending_unref(f->pending); /* told by our answer */
                job_finish(j, NULL, r, NULL);
                return error_set_errno(reterr, r, "%s", title);
        }
        if (ret)
                *ret = TAKE_PTR(j);
        return 0;
}

/* fd: moved in any case; -EBADF: none. p and ret: one of them. */
static int files_start(Container *c, TaskSpec *task, int fd, Pending *p, Job **ret, Error *reterr) {
        _cleanup_(fd_closep) int stream = fd, pidfd = -EBADF;
        _cleanup_(files_freep) Files *f = NULL;
        bool tree = task->kind != TASK_EXPORT && task->kind != TASK_CHANGES;
        int fds[2], r = 0;
        size_t n_fds = 0;

        if (c->remove || c->state == CONTAINER_REMOVING)
                return error_set(
                        reterr, ERROR_CONFLICT, "container %s is marked for removal", c->name);

        f = new0(Files, 1);
        if (!f)
                return -ENOMEM;
        f->container = c;
        f->kind = (TaskKind) task->kind;
        f->pending = p ? pending_ref(p) : NULL;
        f->changes_fd = -EBADF;
        if (task->path && str_copy(&f->path, task->path) < 0)
                return -ENOMEM;

        if (task->kind == TASK_CHANGES) {
                stream = fd_memfd("changes");
                f->changes_fd = stream < 0 ? stream : fd_dup(stream);
                if (f->changes_fd < 0)
                        return f->changes_fd;
        }
        if (tree && c->pid > 0 && c->state != CONTAINER_STARTING) {
                pidfd = files_open_pid(c);
                if (pidfd < 0)
                        return error_set(
                                reterr, ERROR_CONFLICT, "container %s has just ended", c->name);
        } else if (tree) {
                if (task->kind == TASK_COPY_IN && c->state == CONTAINER_STARTING)
                        return error_set(
                                reterr, ERROR_CONFLICT, "container %s is being started", c->name);
                f->writes_layer = task->kind == TASK_COPY_IN;
                r = files_add_mounts(c, task);
                if (r < 0)
                        return r;
        }

        if (stream >= 0)
                fds[n_fds++] = TAKE_FD(stream);
        if (pidfd >= 0)
                fds[n_fds++] = TAKE_FD(pidfd);
        launcher_wake(c->set->launcher);
        r = files_job(TAKE_PTR(f), task, fds, n_fds, ret, reterr);
        return r;
}

static int files_check_path(const char *path, Error *reterr) {
        if (str_empty(path))
                return error_set(reterr, ERROR_INVALID, "the path in the container is missing");
        if (strlen(path) >= 4096)
                return error_set(reterr, ERROR_INVALID, "the path in the container is too long");
        return 0;
}

int container_stat_path(Container *c, const char *path, Pending *p, Error *reterr) {
        TaskSpec task = { .kind = TASK_COPY_STAT, .path = (char *) path };
        int r;

        r = files_check_path(path, reterr);
        if (r >= 0)
                r = files_start(c, &task, -EBADF, p, NULL, reterr);
        free_mounts(&task);
        return r;
}

int container_copy_from(
        Container *c, const char *path, bool gzip, int fd, Job **ret, Error *reterr) {
        TaskSpec task = { .kind = TASK_COPY_OUT, .path = (char *) path, .gzip = gzip };
        int r;

        r = files_check_path(path, reterr);
        if (r >= 0)
                r = files_start(c, &task, TAKE_FD(fd), NULL, ret, reterr);
        fd_close(fd);
        free_mounts(&task);
        return r;
}

int container_copy_to(Container *c, const char *path, const ContainerCopyOptions *options, int fd,
        Pending *p, Error *reterr) {
        TaskSpec task = {
                .kind = TASK_COPY_IN,
                .path = (char *) path,
                .keep_kind = options->keep_kind,
                .give_owner = options->give_owner,
                .user = c->spec.config.user,
                .read_only = c->spec.host.readonly_rootfs,
        };
        int r;

        r = files_check_path(path, reterr);
        if (r >= 0)
                r = files_start(c, &task, TAKE_FD(fd), p, NULL, reterr);
        fd_close(fd);
        free_mounts(&task);
        return r;
}

int container_export(Container *c, int fd, Job **ret, Error *reterr) {
        TaskSpec task = { .kind = TASK_EXPORT };

        return files_start(c, &task, fd, NULL, ret, reterr);
}

int container_changes(Container *c, Pending *p, Error *reterr) {
        TaskSpec task = { .kind = TASK_CHANGES };

        return files_start(c, &task, -EBADF, p, NULL, reterr);
}
