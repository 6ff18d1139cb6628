/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/state.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
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
        char letter;

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
        assert_ok(process_look(getpid(), &letter, &s.pid_start));
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
                cmocka_unit_test(test_document),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
