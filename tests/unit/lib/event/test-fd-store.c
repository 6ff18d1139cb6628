/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/fd-store.h"

#include <string.h>
#include <sys/un.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"
#include "tests/unit/test.h"

/* A systemd that reads when it is told to. */
static int open_systemd(void **state) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int fd;

        (void) snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", (const char *) *state);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        assert_return_code(bind(fd, (struct sockaddr *) &a, sizeof(a)), errno);
        assert_return_code(setenv("NOTIFY_SOCKET", a.sun_path, 1), errno);
        return fd;
}

static void assert_message(int fd, const char *expected, size_t n_expected) {
        size_t n_fds = FD_STORE_FDS_MAX;
        int fds[FD_STORE_FDS_MAX];
        char text[256] = "";

        assert_true(fd_receive(fd, text, sizeof(text) - 1, fds, &n_fds, NULL, 0) > 0);
        assert_string_equal(text, expected);
        assert_int_equal(n_fds, n_expected);
        fd_close_many(fds, n_fds);
}

static void test_put(void **state) {
        _cleanup_(fd_closep) int systemd = open_systemd(state);
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(fd_store_freep) FdStore *s = NULL;
        int pair[2] = { STDIN_FILENO, STDOUT_FILENO };

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(fd_store_new(e, &s));
        assert_int_equal(fd_store_put(s, "n1", pair, 2), 1);
        assert_message(systemd, "FDSTORE=1\nFDPOLL=0\nFDNAME=n1", 2);
        assert_int_equal(fd_store_put(s, "n1", pair, 1), 1);
        assert_message(systemd, "FDSTORE=1\nFDPOLL=0\nFDNAME=n1", 1);
        fd_store_remove(s, "n1");
        assert_message(systemd, "FDSTOREREMOVE=1\nFDNAME=n1", 0);
        fd_store_remove(s, "n1"); /* nothing is said twice */

        assert_int_equal(fd_store_put(s, "A:b", pair, 1), -EINVAL);
        assert_int_equal(fd_store_put(s, "", pair, 1), -EINVAL);
        assert_int_equal(fd_store_put(s, "a.very-long-name-of-a-socket", pair, 1), -EINVAL);
        assert_int_equal(fd_store_put(s, "n", pair, 0), -EINVAL);
        assert_true(recv(systemd, pair, 1, 0) < 0 && errno == EAGAIN);
}

/* systemd does not read for a while: nobody waits, nothing is lost, and the order stays. */
static void test_busy(void **state) {
        _cleanup_(fd_closep) int systemd = open_systemd(state);
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(fd_store_freep) FdStore *s = NULL;
        char name[16], expected[64];
        int one = STDIN_FILENO;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(fd_store_new(e, &s));
        for (unsigned i = 0; i < 1000; i++) {
                (void) snprintf(name, sizeof(name), "n%u", i);
                assert_int_equal(fd_store_put(s, name, &one, 1), 1);
        }
        fd_store_remove(s, "n999");
        for (unsigned i = 0; i < 1000; i++) {
                (void) snprintf(expected, sizeof(expected), "FDSTORE=1\nFDPOLL=0\nFDNAME=n%u", i);
                assert_message(systemd, expected, 1);
                assert_ok(sd_event_run(e, 0));
        }
        assert_ok(sd_event_run(e, 0));
        assert_message(systemd, "FDSTOREREMOVE=1\nFDNAME=n999", 0);
}

static void test_take(void **state) {
        _cleanup_(fd_closep) int systemd = open_systemd(state);
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(fd_store_freep) FdStore *s = NULL;
        int fds[4];

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(fd_store_new(e, &s));
        assert_ok(fd_store_inherit(s, "n1", fd_dup(STDIN_FILENO)));
        assert_ok(fd_store_inherit(s, "n1", fd_dup(STDIN_FILENO)));
        assert_ok(fd_store_inherit(s, "n2", fd_dup(STDIN_FILENO)));
        assert_ok(fd_store_inherit(s, "p3", fd_dup(STDIN_FILENO)));
        assert_int_equal(fd_store_take(s, "n0", fds, 4), 0);
        assert_int_equal(fd_store_take(s, "n1", fds, 4), 2);
        fd_close_many(fds, 2);
        assert_int_equal(fd_store_take(s, "n1", fds, 4), 0);

        assert_ok(fd_store_untaken(s, "n", &names));
        assert_int_equal(strv_length(names), 1);
        assert_string_equal(names[0], "n2");
        fd_store_sweep(s);
        assert_message(systemd, "FDSTOREREMOVE=1\nFDNAME=n2", 0);
        assert_message(systemd, "FDSTOREREMOVE=1\nFDNAME=p3", 0);
        fd_store_remove(s, "n1"); /* taken ones are still stored */
        assert_message(systemd, "FDSTOREREMOVE=1\nFDNAME=n1", 0);
}

/* All the names fit into one variable of an environment: else the service could not start any more. */
static void test_full(void **state) {
        _cleanup_(fd_closep) _unused_ int systemd = open_systemd(state);
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(fd_store_freep) FdStore *s = NULL;
        size_t size = 0;
        char name[32];
        int r = 1;

        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(fd_store_new(e, &s));
        for (unsigned i = 0; i < 8000; i++) {
                (void) snprintf(name, sizeof(name), "name-of-24-letters-%05u", i);
                r = fd_store_inherit(s, name, -EBADF);
                assert_ok(r);
                size += strlen(name) + 1;
                if (size > (size_t) 128 * 1024)
                        break;
        }
        assert_int_equal(fd_store_put(s, "n", &(int) { STDIN_FILENO }, 1), -ENOSPC);
}

static void test_without_systemd(void **state) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        _cleanup_(fd_store_freep) FdStore *s = NULL;

        assert_return_code(unsetenv("NOTIFY_SOCKET"), errno);
        assert_ok(loop_new(/* watchdog= */ false, &e));
        assert_ok(fd_store_new(e, &s));
        assert_int_equal(fd_store_put(s, "n1", &(int) { STDIN_FILENO }, 1), 0);
        fd_store_remove(s, "n1");
        fd_store_sweep(s);
}

#define TEST(function) \
        cmocka_unit_test_setup_teardown(function, test_folder_setup, test_folder_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_put),
                TEST(test_busy),
                TEST(test_take),
                TEST(test_full),
                TEST(test_without_systemd),
        };

        return cmocka_run_group_tests_name("lib/event/fd-store", tests, NULL, NULL);
}
