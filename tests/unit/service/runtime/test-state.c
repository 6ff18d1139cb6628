/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/state.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "tests/unit/test.h"

static void test_ids(void **state) {
        static const char *const good[] = { "a", "n1.lab.11.0.-1", "x_y+z-1", "0123456789abcdef" };
        static const char *const bad[] = { "", ".", "..", ".seccomp", "-x", "a/b", "../x", "a b",
                "a\n", "\xc3\xa4", "a\xc3\xa4" };
        char longest[300];

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(state_id_is_valid(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(state_id_is_valid(bad[i]));
        memset(longest, 'a', sizeof(longest));
        longest[256] = 0;
        assert_false(state_id_is_valid(longest));
        longest[255] = 0;
        assert_true(state_id_is_valid(longest));
}

static void test_life(void **state) {
        _cleanup_(fd_closep) int root_fd = state_root_open(*state, false, NULL);
        State s = { .dir_fd = -EBADF }, t = { .dir_fd = -EBADF };
        _cleanup_(error_done) Error e = {};
        StateStatus status;

        assert_ok(state_create(root_fd, "one", &s, NULL));
        assert_int_equal(state_create(root_fd, "one", &t, &e), -EEXIST);
        assert_string_equal(e.text, "container with given ID already exists: one");
        error_done(&e);

        /* Nothing is written yet: it is being made. */
        assert_ok(state_load(root_fd, "one", false, &t, NULL));
        assert_ok(state_status(&t, &status, NULL));
        assert_int_equal(status, STATE_CREATING);
        state_done(&t);

        assert_ok(str_copy(&s.bundle, "/bundle"));
        s.pid = (uint32_t) getpid();
        assert_ok(process_start_time(getpid(), &s.pid_start));
        assert_ok(state_save(&s, NULL));
        state_unlock(&s);
        assert_ok(state_load(root_fd, "one", true, &t, NULL));
        assert_string_equal(t.bundle, "/bundle");
        assert_int_equal(t.pid, getpid());
        assert_int_equal(t.pid_start, s.pid_start);
        assert_ok(state_status(&t, &status, NULL));
        assert_int_equal(status, STATE_RUNNING);
        assert_ok(fd_close(state_pidfd(&t)) == -EBADF ? 0 : -1);

        /* Another process with the same number. */
        t.pid_start++;
        assert_ok(state_status(&t, &status, NULL));
        assert_int_equal(status, STATE_STOPPED);
        assert_int_equal(state_pidfd(&t), -ESRCH);
        state_done(&t);

        assert_ok(state_remove(root_fd, &s, NULL));
        assert_int_equal(state_load(root_fd, "one", false, &t, &e), -ENOENT);
        assert_string_equal(e.text, "container does not exist: one");
        state_done(&s);
}

static void *stay(void *argument) {
        int *pipe_fds = argument;
        pid_t tid = (pid_t) syscall(SYS_gettid);

        if (write(pipe_fds[1], &tid, sizeof(tid)) == sizeof(tid))
                (void) pause();
        return NULL;
}

/* A program whose first thread has ended is running all the same; and the number of a thread is no process of ours. */
static void test_threads(void **state) {
        State s = { .dir_fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
        int pipe_fds[2], pidfd;
        StateStatus status;
        pthread_t thread;
        siginfo_t si;
        pid_t tid;

        assert_ok(fd_pipe(pipe_fds, 0));
        s.pid = (uint32_t) fork();
        if (s.pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) pthread_create(&thread, NULL, stay, pipe_fds);
                (void) syscall(SYS_exit, 0);
        }
        assert_ok(process_start_time((pid_t) s.pid, &s.pid_start));
        assert_ok(fd_read_exact(pipe_fds[0], &tid, sizeof(tid)));
        (void) usleep(100000); /* the first thread ends */

        assert_ok(state_status(&s, &status, NULL));
        assert_int_equal(status, STATE_RUNNING);
        pidfd = state_pidfd(&s);
        assert_true(pidfd >= 0);

        State other = { .pid = (uint32_t) tid, .pid_start = 1, .dir_fd = s.dir_fd };
        assert_int_equal(state_pidfd(&other), -ESRCH);
        assert_ok(state_status(&other, &status, NULL));
        assert_int_equal(status, STATE_STOPPED);

        assert_ok(process_kill(pidfd, SIGKILL));
        assert_int_equal(fd_wait(pidfd, POLLIN, 10000000), 1);
        assert_ok(state_status(&s, &status, NULL)); /* not reaped, but gone */
        assert_int_equal(status, STATE_STOPPED);
        assert_int_equal(process_wait(pidfd, UINT64_MAX, &si), 1);
        assert_int_equal(state_pidfd(&s), -ESRCH);
        (void) fd_close(pidfd);
        (void) fd_close(s.dir_fd);
        fd_close_many(pipe_fds, 2);
}

static void test_document(void **state) {
        char *annotations[] = { "a", "b", NULL };
        State s = { .id = (char *) "x",
                .bundle = (char *) "/b",
                .pid = 7,
                .annotations = annotations,
                .dir_fd = -EBADF };
        _cleanup_(freep) char *text = NULL;

        assert_ok(state_document(&s, STATE_CREATED, false, &text));
        assert_string_equal(text, "{\"ociVersion\":\"1.2.0\",\"id\":\"x\",\"status\":\"created\","
                                  "\"pid\":7,\"bundle\":\"/b\","
                                  "\"annotations\":{\"a\":\"b\"}}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ids),
                cmocka_unit_test_setup_teardown(test_life, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_threads, test_folder_setup, test_folder_teardown),
                cmocka_unit_test(test_document),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
