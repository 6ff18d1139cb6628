/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/fd.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "tests/unit/test.h"

static void test_pass(void **state) {
        int pair[2], fds[3] = { 0, 1, 2 }, got[4];
        struct ucred creds;
        char data[8];
        size_t n;

        assert_ok(fd_socketpair(SOCK_SEQPACKET | SOCK_NONBLOCK, pair));
        assert_ok(fd_send(pair[0], "abc", 3, fds, 3, 0));
        n = 4;
        assert_int_equal(fd_receive(pair[1], data, sizeof(data), got, &n, &creds, 0), 3);
        assert_int_equal(n, 3);
        assert_int_equal(creds.pid, 0);
        for (size_t i = 0; i < n; i++)
                assert_true(fcntl(got[i], F_GETFD) & FD_CLOEXEC);
        fd_close_many(got, n);
        assert_int_equal(got[0], -EBADF);

        /* More than we want: refused, nothing leaks. */
        assert_ok(fd_send(pair[0], "abc", 3, fds, 3, 0));
        n = 2;
        assert_int_equal(fd_receive(pair[1], data, sizeof(data), got, &n, NULL, 0), -EMSGSIZE);
        assert_ok(fd_send(pair[0], "abc", 3, fds, 1, 0));
        assert_int_equal(fd_receive(pair[1], data, sizeof(data), NULL, NULL, NULL, 0), -EMSGSIZE);
        assert_ok(fd_send(pair[0], "123456789", 9, NULL, 0, 0));
        assert_int_equal(fd_receive(pair[1], data, sizeof(data), NULL, NULL, NULL, 0), -EMSGSIZE);
        assert_int_equal(fd_receive(pair[1], data, sizeof(data), NULL, NULL, NULL, 0), -EAGAIN);

        pair[0] = fd_close(pair[0]);
        assert_int_equal(fd_receive(pair[1], data, sizeof(data), NULL, NULL, NULL, 0), 0);
        assert_int_equal(fd_send(pair[1], "x", 1, NULL, 0, 0), -EPIPE);
        fd_close_many(pair, 2);
}

static void test_credentials(void **state) {
        static const int on = 1;
        struct ucred creds;
        gid_t *groups;
        int pair[2];
        char c;
        size_t n;

        assert_ok(fd_socketpair(SOCK_STREAM, pair));
        assert_ok(fd_peer_credentials(pair[0], &creds));
        assert_int_equal(creds.pid, getpid());
        assert_int_equal(creds.uid, geteuid());
        assert_ok(fd_peer_groups(pair[0], &groups, &n));
        free(groups);

        assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
        assert_ok(fd_send(pair[0], "x", 1, NULL, 0, 0));
        assert_int_equal(fd_receive(pair[1], &c, 1, NULL, NULL, &creds, 0), 1);
        assert_int_equal(creds.pid, getpid());
        fd_close_many(pair, 2);
}

static void test_memfd(void **state) {
        _cleanup_(fd_closep) int sealed = fd_memfd_sealed("t", "hello", 5),
                                 open_one = fd_memfd("t");
        char text[6] = "";

        assert_int_equal(fd_is_sealed(sealed), 1);
        assert_int_equal(fd_is_sealed(open_one), 0);
        assert_int_equal(fd_is_sealed(STDERR_FILENO), 0);
        assert_int_equal(fd_read_full(sealed, text, 6), 5);
        assert_string_equal(text, "hello");
        assert_int_equal(fd_write_full(sealed, "x", 1), -EPERM);
        assert_int_equal(ftruncate(sealed, 0), -1);
}

static void test_wait(void **state) {
        uint64_t start = clock_monotonic_us();
        int p[2];

        assert_ok(fd_pipe(p, 0));
        assert_int_equal(fd_wait(p[0], POLLIN, 20000), 0);
        assert_true(clock_monotonic_us() - start >= 20000);
        assert_ok(fd_write_string(p[1], "x"));
        assert_int_equal(fd_wait(p[0], POLLIN, USEC_INFINITE), 1);
        fd_close_many(p, 2);
        assert_int_equal(fd_wait(1000, POLLIN, 0), -EBADF);
}

static void test_listen(void **state) {
        _cleanup_(fd_closep) int dir = test_folder_open(state), deep = -EBADF, listener = -EBADF,
                                 client = -EBADF;
        char name[101];
        struct stat st;

        /* The path is far longer than sun_path. */
        memset(name, 'd', 100);
        name[100] = 0;
        deep = file_mkdir_open(dir, name, 0700);
        assert_true(deep >= 0);
        assert_int_equal(fd_connect_at(deep, "s", SOCK_SEQPACKET), -ENOENT);
        listener = fd_listen_at(deep, "s", SOCK_SEQPACKET, 0660, 8);
        assert_true(listener >= 0);
        assert_int_equal(fstatat(deep, "s", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0660);
        client = fd_connect_at(deep, "s", SOCK_SEQPACKET);
        assert_true(client >= 0);
        client = fd_close(client);

        /* A stale one is replaced, anything else is not. */
        listener = fd_close(listener);
        listener = fd_listen_at(deep, "s", SOCK_SEQPACKET, 0600, 8);
        assert_true(listener >= 0);
        assert_ok(file_write_atomic_string(deep, "file", "", 0600, 0));
        assert_int_equal(fd_listen_at(deep, "file", SOCK_SEQPACKET, 0600, 8), -EEXIST);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pass),
                cmocka_unit_test(test_credentials),
                cmocka_unit_test(test_memfd),
                cmocka_unit_test(test_wait),
                cmocka_unit_test_setup_teardown(
                        test_listen, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("fd", tests, NULL, NULL);
}
