/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/core/job.h"
#include "lib/api/task-spec.h"
#include "lib/event/loop.h"

typedef struct Seen {
        unsigned n_results, n_rows, n_done, n_added, n_removed, n_cancels;
        int r;
        int make_it_fail;
        ErrorKind kind;
        char order[64];
        JobWatch *watch;
        sd_event *event;
} Seen;

static void note(Seen *s, const char *what) {
        (void) strncat(s->order, what, sizeof(s->order) - strlen(s->order) - 1);
}

static int on_result(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        Seen *s = userdata;

        s->n_results++;
        note(s, "result ");
        if (r >= 0 && s->make_it_fail < 0)
                return error_set(reterr, ERROR_CONFLICT, "could not be saved");
        return 0;
}

static void on_progress(Job *j, const TaskProgress *p, void *userdata) {
        ((Seen *) userdata)->n_rows++;
}

static void on_done(Job *j, int r, const Error *e, void *userdata) {
        Seen *s = userdata;

        s->n_done++;
        s->r = r;
        s->kind = e->kind;
        note(s, "done ");
        if (s->watch)
                s->watch = job_watch_free(s->watch);
        if (s->event)
                assert_ok(sd_event_exit(s->event, 0));
}

static void on_changed(Job *j, bool added, void *userdata) {
        Seen *s = userdata;

        if (added)
                s->n_added++;
        else {
                s->n_removed++;
                note(s, "removed ");
        }
}

static int on_cancel(Job *j, void *userdata) {
        ((Seen *) userdata)->n_cancels++;
        job_finish(j, NULL, -ECANCELED, NULL);
        return 0;
}

static void test_finishes_in_order(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(jobs_freep) Jobs *jobs = NULL;
        Seen s = {};
        Job *j;

        assert_ok(sd_event_new(&e));
        assert_ok(jobs_new(e, &jobs));
        assert_ok(jobs_watch(jobs, on_changed, &s));
        assert_ok(job_new(jobs, JOB_LOAD, "load", on_result, &s, &j));
        assert_int_equal(j->state, JOB_QUEUED);
        assert_ptr_equal(jobs_find(jobs, j->id), j);
        assert_ptr_equal(jobs_next(jobs, NULL), j);
        assert_null(jobs_next(jobs, j));
        assert_ok(job_watch(j, on_progress, on_done, &s, &s.watch));

        job_set_running(j);
        job_add_progress(
                j, &(TaskProgress) {
                           .id = (char *) "a", .status = (char *) "x", .current = 1, .total = 4 });
        assert_string_equal(j->status, "x");
        assert_true(j->progress > 0.24 && j->progress < 0.26);
        job_add_progress(j, &(TaskProgress) { .id = (char *) "b", .current = 3, .total = 4 });
        assert_true(j->progress > 0.49 && j->progress < 0.51);
        job_add_progress(j, &(TaskProgress) { .stream = (char *) "no row" });

        job_finish(j, &(TaskResult) {}, 0, NULL);
        assert_int_equal(j->state, JOB_DONE);
        assert_true(j->progress == 1);
        assert_string_equal(s.order, "result done removed ");
        assert_int_equal(s.n_rows, 3);
        assert_int_equal(s.n_added, 1);
        assert_null(j->jobs);
        assert_null(jobs_next(jobs, NULL));
        job_unref(j);
}

static void test_handler_makes_it_fail(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(jobs_freep) Jobs *jobs = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        Seen s = { .make_it_fail = -1 };

        assert_ok(sd_event_new(&e));
        assert_ok(jobs_new(e, &jobs));
        assert_ok(job_new(jobs, JOB_IMPORT, "import", on_result, &s, &j));
        assert_ok(job_watch(j, NULL, on_done, &s, &s.watch));
        job_finish(j, &(TaskResult) {}, 0, NULL);
        assert_int_equal(j->state, JOB_FAILED);
        assert_int_equal(s.r, -EBUSY);
        assert_int_equal(s.kind, ERROR_CONFLICT);
}

static void test_cancel(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(jobs_freep) Jobs *jobs = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        Seen s = {};

        assert_ok(sd_event_new(&e));
        assert_ok(jobs_new(e, &jobs));
        assert_ok(job_new(jobs, JOB_LAYER, "layer", NULL, NULL, &j));
        assert_ok(job_watch(j, NULL, on_done, &s, &s.watch));
        job_set_cancel(j, on_cancel, &s);
        assert_ok(job_cancel(j));
        assert_ok(job_cancel(j)); /* has ended already */
        assert_int_equal(s.n_cancels, 1);
        assert_int_equal(j->state, JOB_CANCELLED);
        assert_int_equal(s.kind, ERROR_CANCELLED);
}

static void test_late_watch(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(jobs_freep) Jobs *jobs = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        Seen s = {};

        assert_ok(sd_event_new(&e));
        assert_ok(jobs_new(e, &jobs));
        assert_ok(job_new(jobs, JOB_LOAD, "load", NULL, NULL, &j));
        job_finish(j, NULL, -EIO, NULL);
        s.event = e;
        assert_ok(job_watch(j, NULL, on_done, &s, &s.watch));
        assert_int_equal(s.n_done, 0);
        assert_ok(sd_event_loop(e));
        assert_int_equal(s.n_done, 1);
        assert_int_equal(s.r, -EIO);
}

static void test_engine_ends(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        Jobs *jobs;
        Seen s = {};
        Job *j;

        assert_ok(sd_event_new(&e));
        assert_ok(jobs_new(e, &jobs));
        assert_ok(job_new(jobs, JOB_LOAD, "load", on_result, &s, &j));
        jobs_free(jobs);
        assert_int_equal(j->state, JOB_CANCELLED);
        assert_int_equal(s.n_results, 1);
        job_unref(j);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_finishes_in_order),
                cmocka_unit_test(test_handler_makes_it_fail),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_late_watch),
                cmocka_unit_test(test_engine_ends),
        };

        return cmocka_run_group_tests_name("engine/core/job", tests, NULL, NULL);
}
