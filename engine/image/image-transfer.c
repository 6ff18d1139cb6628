/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load and import: a job, a task for a worker, and what to do with its result. The worker has made blobs and layers durable; nothing
 * refers to them before the one rename of index.json here. */
#include <errno.h>
#include <string.h>

#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "engine/image/images-internal.h"
#include "engine/storage/storage.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/reference.h"

/* What a worker says is checked like any input: it has read a stranger's bytes. */
static int transfer_check(const TaskImage *t, Error *reterr) {
        if (!image_digest_is_valid(str_or_empty(t->id)) ||
                !image_digest_is_valid(str_or_empty(t->manifest)))
                return error_set(reterr, ERROR_INTERNAL, "the worker gave no digest of an image");

        STRV_FOREACH (n, t->tags) {
                _cleanup_(reference_done) Reference ref = {};
                _cleanup_(freep) char *full = NULL;

                if (reference_parse(*n, &ref) < 0 || reference_format(&ref, &full) < 0 ||
                        !streq(full, *n))
                        return error_set(reterr, ERROR_INTERNAL,
                                "the worker gave \"%s\" as the name of an image", *n);
        }
        return 0;
}

static int transfer_add(Images *s, const TaskImage *t, Image **ret, Error *reterr) {
        Image *i = NULL;
        int r;

        r = transfer_check(t, reterr);
        if (r >= 0)
                r = images_read(s, t->manifest, NULL, &i, reterr);
        if (r < 0)
                return r;

        if (!streq(i->id, t->id))
                r = error_set(reterr, ERROR_INTERNAL, "the worker said %s, the manifest says %s",
                        t->id, i->id);
        else
                r = images_read_layers(s, i);
        if (r >= 0)
                r = images_add(s, i, ret);
        if (r < 0) {
                image_free(i);
                return error_set_errno(reterr, r, "Failed to keep image %s", t->id);
        }
        return 0;
}

/* Docker tells when a name leaves another image. */
static int transfer_tell_move(Images *s, Job *j, const Image *to, const char *name) {
        const Tag *old = tags_find(s->tags, name);
        const Image *from = old ? images_by_manifest(s, old->manifest) : NULL;
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(freep) char *familiar = NULL;

        if (!from || from == to)
                return 0;
        if (reference_parse(name, &ref) < 0 || reference_format_familiar(&ref, &familiar) < 0)
                return -ENOMEM;
        return strv_addf(&j->lines,
                "The image %s already exists, renaming the old one with ID %s to empty string",
                familiar, from->id);
}

static int transfer_name(Images *s, Job *j, Tags *next, Image *i, const TaskImage *t) {
        int64_t now = clock_realtime_ns();
        int r;

        r = images_give_name(s, next, i, NULL, now);
        if (r >= 0 && j->kind == JOB_PULL)
                r = pull_note(s, j, i, t);
        STRV_FOREACH (n, t->tags) {
                if (r >= 0 && j->kind != JOB_PULL)
                        r = transfer_tell_move(s, j, i, *n);
                if (r >= 0)
                        r = images_give_name(s, next, i, *n, now);
        }
        return r;
}

static int transfer_tell(Images *s, Job *j, Image *i, const TaskImage *t) {
        int r = 0;

        if (j->kind == JOB_PULL)
                return pull_tell(s, j, i, t);
        if (j->kind == JOB_IMPORT || j->kind == JOB_COMMIT)
                return strv_add(&j->lines, i->id);
        if (strv_empty(t->tags))
                return strv_addf(&j->lines, "Loaded image ID: %s", i->id);

        STRV_FOREACH (n, t->tags) {
                _cleanup_(reference_done) Reference ref = {};
                _cleanup_(freep) char *familiar = NULL;

                r = reference_parse(*n, &ref);
                if (r >= 0)
                        r = reference_format_familiar(&ref, &familiar);
                if (r >= 0)
                        r = strv_addf(&j->lines, "Loaded image: %s", familiar);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool images_has_row(Images *s, const Image *i) {
        for (size_t k = 0; k < tags_count(s->tags); k++)
                if (strv_contains(i->manifests, tags_at(s->tags, k)->manifest))
                        return true;
        return false;
}

static void transfer_publish(Images *s, const Job *j, const Image *i, const TaskImage *t) {
        if (j->kind == JOB_PULL)
                return; /* told already, by its name */
        images_publish(s, i,
                j->kind == JOB_COMMIT   ? "create"
                : j->kind == JOB_IMPORT ? "import"
                                        : "load",
                NULL);
        if (j->kind != JOB_COMMIT)
                return;
        STRV_FOREACH (n, t->tags)
                images_publish(s, i, "tag", *n);
}

int images_take_transferred(Images *s, Job *j, const TaskResult *result, Error *reterr) {
        _cleanup_(tags_freep) Tags *next = NULL;
        _cleanup_(freep) Image **images = NULL;
        Image *any;
        int r;

        images = new0(Image *, result->n_images + 1);
        if (!images)
                return -ENOMEM;

        r = tags_copy(s->tags, &next);
        for (size_t k = 0; r >= 0 && k < result->n_images; k++) {
                r = transfer_add(s, result->images + k, images + k, reterr);
                if (r >= 0)
                        r = transfer_name(s, j, next, images[k], result->images + k);
        }
        if (r >= 0)
                r = images_commit_tags(s, &next, reterr);

        /* Names of those that lost one as well: few enough to do all. After a failure: what no row leads to is taken back. */
        HASHMAP_FOREACH (any, s->by_id) {
                int q = images_refresh_names(s, any);

                if (r >= 0)
                        r = q;
        }
        if (r < 0) {
                for (size_t k = 0; k < result->n_images; k++)
                        if (images[k] && !images_has_row(s, images[k])) {
                                for (size_t m = k + 1; m < result->n_images; m++)
                                        if (images[m] == images[k])
                                                images[m] = NULL;
                                images_drop(s, images[k]);
                        }
                return r;
        }

        for (size_t k = 0; r >= 0 && k < result->n_images; k++) {
                r = transfer_tell(s, j, images[k], result->images + k);
                transfer_publish(s, j, images[k], result->images + k);
        }
        return r;
}

static int on_transferred(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        Images *s = userdata;

        assert(s->n_jobs > 0);

        if (r >= 0)
                r = images_take_transferred(s, j, result, reterr);

        s->n_jobs--;
        images_sweep(s); /* what an archive brought that no image needs, or a failed one left */
        return r;
}

/* fd is moved in any case; -EBADF: none, and the task waits until it is let go. */
static int transfer_start(Images *s, JobKind kind, TaskSpec *task, const char *title, int fd,
        Job **ret, Error *reterr) {
        _cleanup_(job_unrefp) Job *j = NULL;
        int r;

        task->data_root = (char *) storage_data_root(s->storage);
        task->driver = (char *) storage_driver_name(s->storage);
        task->driver_opts = (char **) storage_options(s->storage);

        r = job_new(s->jobs, kind, title, on_transferred, s, &j);
        if (r < 0) {
                fd_close(fd);
                return error_set_errno(reterr, r, "Failed to %s", title);
        }

        s->n_jobs++;
        r = fd >= 0 ? worker_start(s->workers, task, &fd, 1, j)
                    : worker_start_held(s->workers, task, j);
        if (r < 0) {
                job_finish(j, NULL, r, NULL); /* on_transferred() counts it down */
                return error_set_errno(reterr, r, "Failed to %s", title);
        }

        *ret = TAKE_PTR(j);
        return 0;
}

int images_load_archive(Images *s, int fd, bool quiet, Job **ret, Error *reterr) {
        TaskSpec task = { .kind = TASK_LOAD, .quiet = quiet };

        assert(s);
        assert(fd >= 0);
        assert(ret);

        return transfer_start(s, JOB_LOAD, &task, "load", fd, ret, reterr);
}

int images_import(Images *s, int fd, const char *source, const char *repository, const char *tag,
        const char *message, char *const *changes, const char *platform, Job **ret, Error *reterr) {
        TaskSpec task = {
                .kind = TASK_IMPORT, .changes = (char **) changes, .platform = (char *) platform
        };
        _cleanup_(strv_freep) char **tags = NULL;
        _cleanup_(freep) char *name = NULL, *comment = NULL, *title = NULL;
        _cleanup_(fd_closep) int input = fd;
        int r = 0;

        assert(s);
        assert(fd >= 0);
        assert(ret);

        if (!str_empty(repository)) {
                r = images_target_name(repository, tag, &name, reterr);
                if (r >= 0)
                        r = strv_add(&tags, name);
        }
        if (r >= 0)
                r = str_empty(message) ? str_printf(&comment, "Imported from %s",
                                                 str_empty(source) ? "-" : source)
                                       : str_copy(&comment, message);
        if (r >= 0)
                r = name ? str_printf(&title, "import %s", name) : str_copy(&title, "import");
        if (r < 0)
                return r;

        task.tags = tags;
        task.message = comment;
        return transfer_start(s, JOB_IMPORT, &task, title, TAKE_FD(input), ret, reterr);
}

int images_commit(Images *s, TaskSpec *task, const char *container, const char *repository,
        const char *tag, Job **ret, Error *reterr) {
        _cleanup_(strv_freep) char **tags = NULL;
        _cleanup_(freep) char *name = NULL, *title = NULL;
        int r = 0;

        assert(s);
        assert(task);
        assert(ret);

        if (!str_empty(repository)) {
                r = images_target_name(repository, tag, &name, reterr);
                if (r >= 0)
                        r = strv_add(&tags, name);
        }
        if (r >= 0)
                r = str_printf(&title, "commit %s", container);
        if (r < 0)
                return r;

        task->tags = tags;
        return transfer_start(s, JOB_COMMIT, task, title, -EBADF, ret, reterr);
}

void images_commit_let_go(Images *s, Job *j) {
        worker_let_go(s->workers, j);
}
