/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stauer-worker: one blocking task, then exit. The task comes as one record on fd 3, its result goes back as the last one. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/content/blobs.h"
#include "engine/storage/storage.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/channel.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "service/worker/confine.h"
#include "service/worker/task.h"
#include "stauer-config.h"

#define PROGRESS_USEC (100 * USEC_PER_MSEC)
#define FILES_MAX     4096U

static const Task tasks[] = {
        { TASK_LOAD, 1, 0, /* locks= */ true, task_load_run, NULL },
        { TASK_PULL, 1, 0, /* locks= */ true, task_pull_run, NULL },
        { TASK_IMPORT, 1, 0, /* locks= */ true, task_import_run, NULL },
        { TASK_LAYER_CREATE, 0, 0, /* locks= */ true, task_layer_create_run, NULL },
        { TASK_UNMOUNT_VOLUMES, 0, 0, /* locks= */ false, task_unmount_volumes_run,
                task_unmount_volumes_enter },
        { TASK_LAYER_REMOVE, 0, 0, /* locks= */ false, task_layer_remove_run,
                task_layer_remove_enter },
        { TASK_CHECK_SOURCES, 0, 0, /* locks= */ false, task_check_sources_run,
                task_check_sources_enter },
        { TASK_COPY_UP, 0, 0, /* locks= */ true, task_copy_up_run, task_copy_up_enter },
        { TASK_COPY_STAT, 0, 1, /* locks= */ false, task_copy_stat_run, tree_enter },
        { TASK_COPY_OUT, 1, 1, /* locks= */ false, task_copy_out_run, tree_enter },
        { TASK_COPY_IN, 1, 1, /* locks= */ false, task_copy_in_run, tree_enter_writable },
        { TASK_EXPORT, 1, 0, /* locks= */ false, task_export_run, tree_enter_layer },
        { TASK_CHANGES, 1, 0, /* locks= */ false, task_changes_run, NULL },
        { TASK_COMMIT, 0, 0, /* locks= */ true, task_commit_run, NULL },
        { TASK_BUILD_CONTEXT, 1, 0, /* locks= */ false, task_build_context_run, NULL },
        { TASK_BUILD_DIGEST, 0, 0, /* locks= */ false, task_build_digest_run, tree_enter_source },
        { TASK_BUILD_COPY, 0, 0, /* locks= */ true, task_build_copy_run, tree_enter_build },
        { TASK_MEASURE, 0, 0, /* locks= */ false, task_measure_run, NULL },
        { TASK_NETNS, 0, 0, /* locks= */ false, task_netns_run, NULL, .bare = true },
};

bool task_cancelled(const TaskContext *c) {
        return fd_wait(c->cancel_fd, POLLIN, 0) > 0;
}

static int task_send(TaskContext *c, const char *type, const JsonField *fields, const void *s,
        const int *fds, size_t n_fds) {
        _cleanup_(json_unrefp) Json *record = NULL;
        int r;

        r = json_write(s, fields, &record);
        if (r >= 0)
                r = json_set_text(record, "type", type);
        if (r < 0)
                return r;

        return channel_send(c->channel_fd, record, fds, n_fds);
}

int task_progress_fds(TaskContext *c, const TaskProgress *row, const int *fds, size_t n_fds) {
        return task_send(c, "progress", task_progress_fields, row, fds, n_fds);
}

int task_progress(TaskContext *c, bool urgent, const char *id, const char *status, uint64_t current,
        uint64_t total) {
        TaskProgress p = {
                .id = (char *) id, .status = (char *) status, .current = current, .total = total
        };
        uint64_t now;

        if (c->spec.quiet)
                return 0;

        now = clock_monotonic_us();
        if (!urgent && now - c->progress_usec < PROGRESS_USEC)
                return 0;

        c->progress_usec = now;
        return task_send(c, "progress", task_progress_fields, &p, NULL, 0);
}

int task_message(TaskContext *c, const char *id, const char *text) {
        TaskProgress p = { .id = (char *) id, .status = (char *) text, .message = true };

        return c->spec.quiet ? 0 : task_send(c, "progress", task_progress_fields, &p, NULL, 0);
}

int task_add_image(TaskContext *c, const char *id, const char *manifest, char *const *tags) {
        TaskImage *images;
        TaskImage *i;

        images = reallocarray(c->result.images, c->result.n_images + 1, sizeof(*images));
        if (!images)
                return -ENOMEM;
        c->result.images = images;

        i = images + c->result.n_images++;
        *i = (TaskImage) {};
        i->id = strdup(id);
        i->manifest = strdup(manifest);
        i->tags = strv_copy(tags);
        return i->id && i->manifest && i->tags ? 0 : -ENOMEM;
}

static int task_receive(TaskContext *c, int fds[static CHANNEL_FDS_MAX], Error *reterr) {
        _cleanup_(json_unrefp) Json *record = NULL;
        int r;

        r = channel_receive(c->channel_fd, &record, fds, &c->n_fds);
        if (r == 0)
                return -ECONNRESET;
        if (r < 0)
                return r;
        c->fds = fds;

        if (!str_equal(json_get_text(record, "type"), "task"))
                return error_set(reterr, ERROR_INVALID, "the first record is no task");
        return json_read(record, task_spec_fields, &c->spec, reterr);
}

static const Task *task_find(const TaskContext *c, Error *reterr) {
        for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
                if ((int) tasks[i].kind != c->spec.kind)
                        continue;
                if (c->n_fds >= tasks[i].n_fds && c->n_fds <= tasks[i].n_fds + tasks[i].n_fds_more)
                        return tasks + i;
                (void) error_set(reterr, ERROR_INVALID, "task %s wants %zu descriptors, got %zu",
                        task_kind_to_string(tasks[i].kind), tasks[i].n_fds, c->n_fds);
                return NULL;
        }

        (void) error_set(reterr, ERROR_NOT_IMPLEMENTED, "unknown task");
        return NULL;
}

/* Everything that needs names outside comes first, then the walls. */
static int task_prepare(TaskContext *c, const Task *t, Error *reterr) {
        _cleanup_(fd_closep) int tmp = -EBADF, empty = -EBADF;
        char warm_up[DIGEST_TEXT_SIZE];
        int r;

        r = storage_open(
                c->spec.data_root, c->spec.driver, c->spec.driver_opts, &c->storage, reterr);
        if (r < 0)
                return r;

        c->root_fd = open(c->spec.data_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (c->root_fd < 0)
                return -errno;
        r = blobs_open(c->root_fd, &c->blobs);
        if (r >= 0 &&
                t->locks) /* held until we exit: nobody sweeps what we are about to refer to */
                r = blobs_lock(c->blobs, /* exclusive= */ false, /* wait= */ true);
        if (r >= 0)
                r = digest_data(
                        "", 0, warm_up); /* the library reads its configuration the first time */
        if (r < 0)
                return r;

        tmp = file_mkdir_open(c->root_fd, "tmp", 0700);
        empty = tmp < 0 ? tmp : file_mkdir_open(tmp, "empty", 0500);
        if (empty < 0)
                return empty;

        c->proc_fd = tar_writer_open_proc();
        if (c->proc_fd < 0)
                return c->proc_fd;
        if (t->enter) {
                r = t->enter(c, reterr);
                if (r < 0)
                        return r;
        }
        return confine(empty);
}

static int task_run(TaskContext *c, int fds[static CHANNEL_FDS_MAX], Error *reterr) {
        const Task *t;
        int r;

        r = task_receive(c, fds, reterr);
        if (r < 0)
                return r;

        t = task_find(c, reterr);
        if (!t)
                return -EINVAL;

        r = t->bare ? 0 : task_prepare(c, t, reterr);
        if (r < 0)
                return r;

        return t->run(c, reterr);
}

/* The last record. An error without words gets those of its number. */
static int task_answer(TaskContext *c, int r, Error *e) {
        if (r < 0) {
                if (!error_is_set(e))
                        (void) error_set_errno(e, r, "%s",
                                c->spec.data_root ? task_kind_to_string((TaskKind) c->spec.kind)
                                                  : "task");
                c->result.error_kind = strdup(error_kind_to_string(e->kind));
                c->result.error = strdup(error_text(e, r));
                if (!c->result.error_kind || !c->result.error)
                        return -ENOMEM;
        }

        return task_send(c, "result", task_result_fields, &c->result, NULL, 0);
}

static int worker_setup(void) {
        struct rlimit files = { FILES_MAX, FILES_MAX };
        sigset_t mask;

        log_setup("stauer-worker");
        umask(0022);
        /* Names in pax headers are UTF-8 and stay as they are in this locale. No other one is ever loaded. */
        (void) setlocale(LC_CTYPE, "C.UTF-8");
        (void) setrlimit(RLIMIT_NOFILE, &files);
        (void) signal_ignore(SIGPIPE);

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        (void) sigaddset(&mask, SIGINT);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;

        return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char *argv[]) {
        _cleanup_(error_done) Error e = {};
        TaskContext c = { .channel_fd = TASK_FD_CHANNEL,
                .root_fd = -EBADF,
                .tree_fd = -EBADF,
                .source_fd = -EBADF,
                .tree_ns_fd = -EBADF,
                .proc_fd = -EBADF };
        int fds[CHANNEL_FDS_MAX], r;

        if (argc > 1 && streq(argv[1], "--version")) {
                printf("stauer-worker %s\n", STAUER_VERSION);
                return EXIT_SUCCESS;
        }

        (void) fd_set_cloexec(TASK_FD_CHANNEL, true);
        r = worker_setup();
        if (r < 0) {
                (void) log_error_errno(r, "Failed to set up: %m");
                return EXIT_FAILURE;
        }
        c.cancel_fd = r;

        r = task_run(&c, fds, &e);
        r = task_answer(&c, r, &e);
        if (r < 0 && r != -EPIPE && r != -ECONNRESET) /* nobody is there any more */
                (void) log_error_errno(r, "Failed to send the result: %m");

        if (c.volume_fds)
                fd_close_many(c.volume_fds, c.spec.n_mounts);
        free(c.volume_fds);
        fd_close_many(c.lock_fds, c.n_lock_fds);
        free(c.lock_fds);
        task_result_done(&c.result);
        task_spec_done(&c.spec);
        fd_close_many(c.fds, c.n_fds);
        blobs_free(c.blobs);
        storage_free(c.storage);
        fd_close(c.root_fd);
        fd_close(c.tree_fd);
        fd_close(c.source_fd);
        fd_close(c.tree_ns_fd);
        fd_close(c.proc_fd);
        fd_close(c.cancel_fd);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
