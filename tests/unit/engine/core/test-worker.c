/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>
#include <sys/wait.h>

#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "lib/api/task-spec.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/event/channel.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

/* Workers of this test are forks of it: what one does stands in the task's message. */

typedef struct Bench {
        sd_event *event;
        Jobs *jobs;
        Workers *workers;
        unsigned n_spawned, n_alive, n_alive_max, n_waiting;
        bool refuse;
} Bench;

static void child_main(int channel) {
        _cleanup_(task_spec_done) TaskSpec task = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        int fds[CHANNEL_FDS_MAX];
        size_t n_fds = 0;
        char text[16] = "";

        fields_init(task_spec_fields, &task);
        if (channel_receive(channel, &v, fds, &n_fds) <= 0 ||
                json_read(v, task_spec_fields, &task, NULL) < 0)
                _exit(1);
        if (n_fds > 0 && read(fds[0], text, sizeof(text) - 1) < 0)
                _exit(1);

        if (str_equal(task.message, "die"))
                _exit(3);
        if (str_equal(task.message, "sleep"))
                for (;;)
                        pause();

        _cleanup_(json_unrefp) Json *row = NULL, *result = NULL;
        (void) json_new_object(&row);
        (void) json_set_text(row, "type", "progress");
        (void) json_set_text(row, "status", text);
        (void) channel_send(channel, row, NULL, 0);
        (void) json_write(
                &(TaskResult) { .layer_size = 42,
                        .error_kind =
                                (char *) (str_equal(task.message, "fail") ? "conflict" : NULL),
                        .error = (char *) (str_equal(task.message, "fail") ? "told so" : NULL) },
                task_result_fields, &result);
        (void) json_set_text(result, "type", "result");
        (void) channel_send(channel, result, NULL, 0);
        _exit(0);
}

static int spawn(void *userdata, const char *label, int channel_fd, worker_started_t on_started,
        void *started_userdata) {
        Bench *b = userdata;
        pid_t pid;

        if (b->refuse)
                return -EAGAIN;
        b->n_spawned++;
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                child_main(channel_fd);
        on_started(0, pid, process_pidfd_open(pid), started_userdata);
        return 0;
}

static void bench_open(Bench *b) {
        *b = (Bench) {};
        assert_ok(sd_event_new(&b->event));
        assert_ok(jobs_new(b->event, &b->jobs));
        assert_ok(workers_new(b->event, spawn, b, &b->workers));
}

static void bench_close(Bench *b) {
        workers_free(b->workers);
        jobs_free(b->jobs);
        sd_event_unref(b->event);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
}

typedef struct Outcome {
        Bench *bench;
        Job *job;
        JobWatch *watch;
        int r;
        uint64_t size;
        ErrorKind kind;
        char row[32];
} Outcome;

static int on_result(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        Outcome *o = userdata;

        o->size = result ? result->layer_size : 0;
        return 0;
}

static void on_progress(Job *j, const TaskProgress *p, void *userdata) {
        Outcome *o = userdata;

        (void) snprintf(o->row, sizeof(o->row), "%s", str_or_empty(p->status));
}

static void on_done(Job *j, int r, const Error *e, void *userdata) {
        Outcome *o = userdata;

        o->r = r;
        o->kind = e->kind;
        if (--o->bench->n_waiting == 0)
                assert_ok(sd_event_exit(o->bench->event, 0));
}

static void begin(Bench *b, Outcome *o, const char *message, int fd) {
        TaskSpec task = { .kind = TASK_LAYER_REMOVE,
                .data_root = (char *) "/nowhere",
                .driver = (char *) "vfs",
                .message = (char *) message };
        int fds[] = { fd };

        *o = (Outcome) { .bench = b, .r = 1 };
        b->n_waiting++;
        assert_ok(job_new(b->jobs, JOB_LAYER, "layer", on_result, o, &o->job));
        assert_ok(job_watch(o->job, on_progress, on_done, o, &o->watch));
        assert_ok(worker_start(b->workers, &task, fds, fd >= 0 ? 1 : 0, o->job));
}

static void end(Outcome *o) {
        job_watch_free(o->watch);
        job_unref(o->job);
}

static void test_runs_tasks(void **state) {
        Bench b;
        Outcome good, bad, dead;
        int pair[2];

        bench_open(&b);
        assert_ok(fd_pipe(pair, 0));
        assert_ok(fd_write_string(pair[1], "hello"));
        fd_close(pair[1]);
        begin(&b, &good, "do", pair[0]);
        begin(&b, &bad, "fail", -EBADF);
        begin(&b, &dead, "die", -EBADF);
        assert_int_equal(good.job->state, JOB_QUEUED);
        assert_ok(sd_event_loop(b.event));

        assert_int_equal(good.r, 0);
        assert_int_equal(good.size, 42);
        assert_string_equal(good.row, "hello");
        assert_int_equal(good.job->state, JOB_DONE);
        assert_int_equal(bad.r, -EBUSY);
        assert_int_equal(bad.kind, ERROR_CONFLICT);
        assert_int_equal(dead.kind, ERROR_INTERNAL);
        end(&good);
        end(&bad);
        end(&dead);
        bench_close(&b);
}

static void test_limit_and_cancel(void **state) {
        Outcome o[WORKERS_MAX + 2];
        Bench b;

        bench_open(&b);
        for (size_t i = 0; i < ARRAY_SIZE(o); i++)
                begin(&b, o + i, "sleep", -EBADF);
        assert_ok(sd_event_run(b.event, 1000000));
        assert_int_equal(b.n_spawned, WORKERS_MAX);

        assert_ok(job_cancel(o[ARRAY_SIZE(o) - 1].job)); /* still queued: at once */
        assert_int_equal(o[ARRAY_SIZE(o) - 1].r, -ECANCELED);
        for (size_t i = 0; i < WORKERS_MAX; i++)
                assert_ok(job_cancel(o[i].job));
        while (b.n_spawned < WORKERS_MAX + 1)
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        assert_ok(job_cancel(o[WORKERS_MAX].job));
        assert_ok(sd_event_loop(b.event));
        for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
                assert_int_equal(o[i].job->state, JOB_CANCELLED);
                end(o + i);
        }
        bench_close(&b);
}

static void test_cannot_be_started(void **state) {
        Outcome o;
        Bench b;

        bench_open(&b);
        b.refuse = true;
        begin(&b, &o, "do", -EBADF);
        assert_ok(sd_event_loop(b.event));
        assert_int_equal(o.r, -EAGAIN);
        end(&o);
        bench_close(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_runs_tasks),
                cmocka_unit_test(test_limit_and_cancel),
                cmocka_unit_test(test_cannot_be_started),
        };

        return cmocka_run_group_tests_name("engine/core/worker", tests, NULL, NULL);
}
