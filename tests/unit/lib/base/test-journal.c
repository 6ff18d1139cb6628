/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A socket of this test's own stands where journald's is, in a mount namespace of its own. */

#include "lib/base/journal.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "tests/unit/test.h"

static int journal = -EBADF;

static int setup(void **state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX,
                .sun_path = "/run/systemd/journal/socket" };

        if (!test_enter_mount_namespace() || mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
                return 0;
        if (file_mkdir_p("/run/systemd/journal", 0755) < 0)
                return -1;

        journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return bind(journal, (struct sockaddr *) &address, sizeof(address));
}

static int teardown(void **state) {
        journal = fd_close(journal);
        return 0;
}

/* The next record as one text, wherever it travelled. */
static char *next_record(size_t *ret_size) {
        _cleanup_(freep) char *data = malloc(1 << 20);
        size_t n_fds = 1;
        char *text;
        ssize_t n;
        int fd;

        n = fd_receive(journal, data, 1 << 20, &fd, &n_fds, NULL, 0);
        assert_true(n >= 0);
        if (n_fds == 1) {
                assert_int_equal(n, 0);
                assert_int_equal(fd_is_sealed(fd), 1);
                assert_ok(file_read_fd(fd, 100 << 20, &text, ret_size));
                (void) fd_close(fd);
                return text;
        }
        *ret_size = (size_t) n;
        return alloc_copy0(data, (size_t) n);
}

static void test_record(void **state) {
        struct iovec fields[2] = { { (void *) "MESSAGE=a\nb", 11 },
                { (void *) "CONTAINER_ID=xyz", 16 } };
        char expected[] = "MESSAGE\n\0\0\0\0\0\0\0\0a\nb\nCONTAINER_ID=xyz\n";
        _cleanup_(freep) char *record = NULL;
        uint64_t length = htole64(3);
        size_t n;

        if (journal < 0)
                skip();

        memcpy(expected + 8, &length, sizeof(length));
        assert_ok(journal_sendv(fields, 2));
        record = next_record(&n);
        assert_int_equal(n, sizeof(expected) - 1);
        assert_memory_equal(record, expected, n);
}

static void test_large(void **state) {
        size_t size = 20 << 20, n;
        _cleanup_(freep) char *message = malloc(size), *record = NULL;
        struct iovec field = { message, size };

        if (journal < 0)
                skip();

        memset(message, 'x', size);
        memcpy(message, "MESSAGE=", 8);
        assert_ok(journal_sendv(&field, 1));
        record = next_record(&n);
        assert_int_equal(n, size + 1);
        assert_memory_equal(record, message, size);
}

/* A program whose stderr is the journal: the line goes there as a record, with its fields. */
static void test_log(void **state) {
        char *extra[] = { (char *) "STREAM=out", NULL };
        _cleanup_(freep) char *record = NULL, *stream = NULL;
        struct stat st;
        size_t n;

        if (journal < 0)
                skip();

        assert_int_equal(fstat(STDERR_FILENO, &st), 0);
        assert_true(asprintf(&stream, "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino) > 0);
        assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
        assert_true(journal_is_stream(STDERR_FILENO));
        log_setup("stauer-test");
        (void) log_struct(LOG_WARNING, -ENOENT,
                &(LogFields) {
                        .object = "container web",
                        .container_id = "abc",
                        .message_id = "0123456789abcdef0123456789abcdef",
                        .extra = extra,
                },
                "Failed: %m, ignoring");
        record = next_record(&n);
        assert_non_null(strstr(record, "PRIORITY=4\n"));
        assert_non_null(strstr(
                record, "\nMESSAGE=container web: Failed: No such file or directory, ignoring\n"));
        assert_non_null(strstr(record, "\nSYSLOG_IDENTIFIER=stauer-test\n"));
        assert_non_null(strstr(record, "\nERRNO=2\n"));
        assert_non_null(strstr(record, "\nMESSAGE_ID=0123456789abcdef0123456789abcdef\n"));
        assert_non_null(strstr(record, "\nCONTAINER_ID=abc\n"));
        assert_non_null(strstr(record, "\nSTREAM=out\n"));
        assert_non_null(strstr(record, "\nCODE_FUNC=test_log\n"));

        assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
        assert_false(journal_is_stream(STDERR_FILENO));
        assert_int_equal(setenv("JOURNAL_STREAM", "nonsense", 1), 0);
        assert_false(journal_is_stream(STDERR_FILENO));
}

static void test_gone(void **state) {
        struct iovec field = { (void *) "MESSAGE=a", 9 };

        if (journal < 0)
                skip();

        assert_int_equal(unlink("/run/systemd/journal/socket"), 0);
        assert_int_equal(journal_sendv(&field, 1), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_record),
                cmocka_unit_test(test_large),
                cmocka_unit_test(test_log),
                cmocka_unit_test(test_gone),
        };

        return cmocka_run_group_tests_name("journal", tests, setup, teardown);
}
