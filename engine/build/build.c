/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A build from its context to its image. */
#include "engine/build/build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "engine/build/arguments.h"
#include "engine/image/image-build.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"
#include "lib/oci/reference.h"

void build_options_init(BuildOptions *o) {
        *o = (BuildOptions) {};
        host_config_init(&o->host);
}

void build_options_done(BuildOptions *o) {
        free(o->dockerfile);
        free(o->target);
        free(o->platform);
        strv_free(o->names);
        strv_free(o->args);
        strv_free(o->labels);
        host_config_done(&o->host);
        *o = (BuildOptions) {};
}

static void pin(Build *b, const char *id, bool on) {
        Image *i = id ? images_get(b->set->images, id) : NULL;

        if (i && on)
                (void) image_add_user(i, b->id);
        else if (i)
                image_remove_user(i, b->id);
}

Build *build_free(Build *b) {
        if (!b)
                return NULL;

        list_remove(&b->node);
        loop_source_free(b->next);
        build_run_end(b);
        job_watch_free(b->watch);
        job_unref(b->task);
        for (size_t k = 0; b->results && k < b->plan->n_stages; k++) {
                pin(b, b->results[k].image, false);
                free(b->results[k].image);
                if (b->results[k].there)
                        build_state_done(&b->results[k].state);
        }
        free(b->results);
        for (size_t k = 0; k < b->n_triggers; k++)
                dockerfile_free(b->triggers[k]);
        free(b->triggers);
        build_plan_free(b->plan);
        dockerfile_free(b->file);
        build_state_done(&b->state);
        build_copy_free(b->copy);
        build_options_done(&b->o);
        strv_free(b->asked);
        free(b->image);
        free(b->key);
        free(b->created_by);
        free(b->container);
        strv_free(b->command);
        error_done(&b->error);
        job_unref(b->job);
        free(b);
        return NULL;
}

void build_say(Build *b, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n >= 0)
                job_add_progress(b->job, &(const TaskProgress) { .stream = text });
}

void build_say_image(Build *b) {
        char shown[IDENT_SHORT_SIZE];

        if (b->image)
                build_say(b, " ---> %s\n", ident_short(b->image, shown));
        else
                build_say(b, " ---> \n");
}

/* What is left of it goes; the job's watchers are told. */
static void build_end_now(Build *b) {
        Images *images = b->set->images;
        _cleanup_(job_unrefp) Job *j = job_ref(b->job);
        _cleanup_(error_done) Error e = {};
        bool holds = b->holds_sweep;
        char context[sizeof("build-") + 16];
        int r = b->result;

        error_move(&e, &b->error);
        (void) snprintf(context, sizeof(context), "build-%s", b->id);
        build_free(b);
        images_drop_context(images, context);
        if (holds)
                images_release_sweep(images);
        job_finish(j, NULL, r, &e);
}

static void build_end(Build *b, int r, Error *e) {
        b->ended = true;
        b->result = r;
        if (e)
                error_move(&b->error, e);
        build_run_end(b);
        if (b->n_removals == 0)
                build_end_now(b);
}

void build_removed(Build *b) {
        assert(b->n_removals > 0);

        if (--b->n_removals == 0 && b->ended)
                build_end_now(b);
}

void build_fail(Build *b, int r, Error *e) {
        b->n_removals++; /* ours: not before this is through */
        build_end(b, b->cancelled ? -ECANCELED : r, e);
        if (b->container && (b->cancelled || b->o.force_remove || !b->exited))
                build_remove_container(b->set, b, b->container);
        build_removed(b);
}

/* ---- one after the other ---- */

static int build_keep_result(Build *b) {
        BuildResult *x = b->results + b->stage;
        int r;

        r = build_state_copy(&b->state, &x->state);
        if (r < 0)
                return r;
        x->there = true;
        r = str_copy(&x->image, b->image);
        if (r < 0)
                return r;
        pin(b, x->image, true);
        if (b->image)
                job_add_progress(b->job, &(const TaskProgress) { .id = (char *) BUILD_ROW_IMAGE,
                                                 .status = b->image });
        return 0;
}

static void build_drop_triggers(Build *b) {
        for (size_t k = 0; k < b->n_triggers; k++)
                dockerfile_free(b->triggers[k]);
        b->triggers = mfree(b->triggers);
        b->n_triggers = b->at_trigger = 0;
}

static int build_next_step(Build *b, Error *reterr) {
        const BuildStage *s = b->plan->stages + b->stage;
        const Instruction *i;
        int r;

        if (b->at == 0) {
                build_say(b, "Step %u/%u : %s\n", ++b->step, b->n_steps, s->from->text);
                b->at = 1;
                return build_do_from(b, s, reterr);
        }
        if (b->at_trigger < b->n_triggers) {
                const Dockerfile *d = b->triggers[b->at_trigger];

                if (b->at_trigger++ == 0)
                        build_say(b, "# Executing %zu build trigger%s\n", b->n_triggers,
                                b->n_triggers > 1 ? "s" : "");
                return build_do_step(b, d, d->list, reterr);
        }
        if (b->at <= s->n) {
                i = s->list + b->at++ - 1;
                build_say(b, "Step %u/%u : %s\n", ++b->step, b->n_steps, i->text);
                return build_do_step(b, b->file, i, reterr);
        }
        if (b->stage == b->plan->target && !b->labelled && !strv_empty(b->o.labels)) {
                b->labelled = true;
                return build_do_labels(b, reterr);
        }

        r = build_keep_result(b);
        if (r < 0)
                return r;
        if (b->stage == b->plan->target) {
                build_finish(b);
                return 0;
        }
        build_drop_triggers(b);
        do
                b->stage++;
        while (!b->plan->stages[b->stage].needed);
        b->at = 0;
        build_proceed(b);
        return 0;
}

static int on_next(sd_event_source *source, void *userdata) {
        _cleanup_(error_done) Error e = {};
        Build *b = userdata;
        int r;

        b->next = loop_source_free(b->next);
        r = build_next_step(b, &e); /* 0: b may be gone */
        if (r < 0)
                build_fail(b, r, &e);
        return 0;
}

void build_proceed(Build *b) {
        int r;

        assert(!b->next);

        b->key = mfree(b->key);
        b->created_by = mfree(b->created_by);
        r = loop_defer(b->set->event, LOOP_REQUEST, "build-step", on_next, b, &b->next);
        if (r < 0)
                build_fail(b, r, NULL);
}

static void on_task_done(Job *j, int r, const Error *e, void *userdata) {
        _cleanup_(job_unrefp) Job *task = NULL;
        _cleanup_(error_done) Error error = {};
        Build *b = userdata;

        b->watch = job_watch_free(b->watch);
        task = TAKE_PTR(b->task);
        if (r < 0) {
                (void) error_copy(&error, e);
                if (b->step_i && error.kind != ERROR_CANCELLED)
                        r = error_prefix(&error, r, "%s:%u:%u", b->step_file->name, b->step_i->line,
                                b->step_i->column);
                build_fail(b, r, &error);
                return;
        }
        b->on_task(b, task->lines ? str_or_empty(task->lines[0]) : "");
}

int build_wait_task(Build *b, Job *j, build_task_done_t on_task) {
        b->task = j;
        b->on_task = on_task;
        return job_watch(j, NULL, on_task_done, b, &b->watch);
}

static void build_warn_arguments(Build *b) {
        _cleanup_(freep) char *list = NULL;

        STRV_FOREACH (a, b->o.args) {
                _cleanup_(freep) char *name = strndup(*a, strcspn(*a, "="));

                if (name && !argument_is_predefined(name) && !strv_contains(b->asked, name) &&
                        !strv_contains(b->plan->asked, name))
                        (void) str_appendf(&list, "%s%s", list ? " " : "", name);
        }
        if (list)
                build_say(b, "[Warning] One or more build-args [%s] were not consumed\n", list);
}

void build_finish(Build *b) {
        _cleanup_(error_done) Error e = {};
        char shown[IDENT_SHORT_SIZE];
        int r;

        build_warn_arguments(b);
        if (!b->image) {
                r = error_set(
                        &e, ERROR_INVALID, "No image was generated. Is your Dockerfile empty?");
                build_fail(b, r, &e);
                return;
        }
        r = images_finish_build(b->set->images, b->image, b->o.names, &e);
        if (r >= 0)
                r = strv_add(&b->job->lines, b->image);
        if (r < 0) {
                build_fail(b, r, &e);
                return;
        }
        build_say(b, "Successfully built %s\n", ident_short(b->image, shown));
        STRV_FOREACH (n, b->o.names) {
                _cleanup_(reference_done) Reference ref = {};
                _cleanup_(freep) char *familiar = NULL;

                if (reference_parse(*n, &ref) >= 0 &&
                        reference_format_familiar(&ref, &familiar) >= 0)
                        build_say(b, "Successfully tagged %s\n", familiar);
        }
        build_end(b, 0, NULL);
}

/* ---- the beginning ---- */

static int build_plan_it(Build *b, const char *text, Error *reterr) {
        const char *name = str_empty(b->o.dockerfile) ? "Dockerfile" : b->o.dockerfile;
        int r;

        r = dockerfile_parse(text, strlen(text), name, &b->file, reterr);
        if (r >= 0)
                r = build_plan_new(b->file, b->o.args, b->o.target, &b->plan, reterr);
        if (r < 0)
                return r;
        b->results = new0(BuildResult, b->plan->n_stages);
        if (!b->results)
                return -ENOMEM;
        for (size_t k = 0; k < b->plan->n_stages; k++)
                if (b->plan->stages[k].needed)
                        b->n_steps += 1 + (unsigned) b->plan->stages[k].n;
        b->n_steps += !strv_empty(b->o.labels);
        while (!b->plan->stages[b->stage].needed)
                b->stage++;
        return 0;
}

static void on_context(Build *b, const char *line) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = build_plan_it(b, line, &e);
        if (r < 0)
                build_fail(b, r, &e);
        else
                build_proceed(b);
}

static int on_cancel(Job *j, void *userdata) {
        Build *b = userdata;

        if (b->ended)
                return 0;
        b->cancelled = true;
        if (b->task) /* its end is ours */
                return job_cancel(b->task);
        build_fail(b, -ECANCELED, NULL);
        return 0;
}

static int build_check(Build *b, Error *reterr) {
        if (strv_length(b->o.names) > BUILD_NAMES_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "more than %u names for one image",
                        BUILD_NAMES_MAX);
        STRV_FOREACH (n, b->o.names) {
                char *full;
                int r = images_build_name(*n, &full, reterr);

                if (r < 0)
                        return r;
                free(*n);
                *n = full;
        }
        return 0;
}

static int build_begin(Build *b, int fd, Error *reterr) {
        char context[sizeof("build-") + 16];
        TaskSpec task = { .kind = TASK_BUILD_CONTEXT, .context = context, .path = b->o.dockerfile };
        Job *j = NULL;
        int r;

        (void) snprintf(b->id, sizeof(b->id), "%016llx", (unsigned long long) random_u64());
        (void) snprintf(context, sizeof(context), "build-%s", b->id);
        r = images_start_build_task(b->set->images, &task, fd, &j, reterr);
        if (r < 0)
                return r;
        images_hold_sweep(b->set->images);
        b->holds_sweep = true;
        return build_wait_task(b, j, on_context);
}

int builds_start(Builds *s, BuildOptions *o, int fd, Job **ret, Error *reterr) {
        _cleanup_(fd_closep) int input = fd;
        Build *b;
        int r;

        assert(s);
        assert(o);
        assert(ret);

        b = new0(Build, 1);
        if (!b) {
                build_options_done(o);
                return -ENOMEM;
        }
        b->set = s;
        b->o = *o;
        *o = (BuildOptions) {};
        b->fd = -EBADF;
        build_state_init(&b->state);
        list_append(&s->builds, &b->node);

        r = build_check(b, reterr);
        if (r >= 0)
                r = job_new(s->jobs, JOB_BUILD, "build", NULL, NULL, &b->job);
        if (r < 0) {
                build_free(b);
                return r;
        }
        *ret = job_ref(b->job);
        job_set_running(b->job);
        job_set_cancel(b->job, on_cancel, b);
        r = build_begin(b, TAKE_FD(input), reterr);
        if (r < 0) {
                *ret = job_unref(*ret);
                build_fail(b, r, NULL);
        }
        return r;
}
