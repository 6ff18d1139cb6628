/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>

#include "engine/log/driver.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static void *open_log(const char *path, char *const *opts) {
        void *log;
        LogTarget *t = malloc(sizeof(LogTarget)); /* outlives this call, as the driver wants */

        *t = (LogTarget) { .id = "x", .path = path, .opts = opts };
        assert_ok(log_driver_json_file.open(t, &log));
        free(t); /* all it keeps is what t pointed to */
        return log;
}

static void say(void *log, const char *text) {
        LogMessage m = {
                .stream = LOG_STREAM_STDOUT, .data = text, .size = strlen(text), .time_nsec = 1
        };

        assert_int_equal(log_driver_json_file.write(log, &m), 0);
}

static size_t size_of(const char *path) {
        struct stat st;

        assert_ok(stat(path, &st));
        return (size_t) st.st_size;
}

static char *path_in(void **state, const char *name) {
        char *path;

        assert_ok(str_printf(&path, "%s/%s", (char *) *state, name));
        return path;
}

static void test_write(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log"), *text = NULL;
        void *log = open_log(path, NULL);
        struct stat st;

        say(log, "a\n");
        assert_int_equal(size_of(path), 0); /* gathered */
        assert_ok(log_driver_json_file.flush(log));
        say(log, "b");
        log_driver_json_file.close(log);
        assert_ok(file_read(path, 1000, &text, NULL));
        assert_string_equal(text, "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"1970-01-"
                                  "01T00:00:00.000000001Z\"}\n"
                                  "{\"log\":\"b\",\"stream\":\"stdout\",\"time\":\"1970-01-01T00:"
                                  "00:00.000000001Z\"}\n");
        assert_ok(stat(path, &st));
        assert_int_equal(st.st_mode & 0777, 0640);

        log = open_log(path, NULL); /* the next run goes on in the same file */
        say(log, "c\n");
        log_driver_json_file.close(log);
        assert_true(size_of(path) > strlen(text));
}

static void test_rotation(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log"), *one = path_in(state, "log.1"),
                              *two = path_in(state, "log.2");
        char *opts[] = { (char *) "max-size=1k", (char *) "max-file=2", NULL };
        void *log = open_log(path, opts);

        for (int i = 0; i < 100; i++)
                say(log, "0123456789\n");
        log_driver_json_file.close(log);
        assert_true(size_of(path) < 1024 + 200);
        assert_true(size_of(one) >= 1024 && size_of(one) < 1024 + 200);
        assert_int_equal(access(two, F_OK), -1);
}

static void test_single_file(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log"), *one = path_in(state, "log.1");
        char *opts[] = { (char *) "max-size=1k", (char *) "max-file=1", NULL };
        void *log = open_log(path, opts);

        for (int i = 0; i < 100; i++)
                say(log, "0123456789\n");
        log_driver_json_file.close(log);
        assert_true(size_of(path) < 1024 + 200);
        assert_int_equal(access(one, F_OK), -1);
}

/* A file system that takes no more: here, a limit on the size of files. */
static void test_full(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log"), *text = NULL;
        struct rlimit old, limit;
        void *log = open_log(path, NULL);
        int why = 0;

        say(log, "first\n");
        assert_ok(log_driver_json_file.flush(log));

        assert_ok(getrlimit(RLIMIT_FSIZE, &old));
        limit = (struct rlimit) { .rlim_cur = size_of(path) + 10, .rlim_max = old.rlim_max };
        signal(SIGXFSZ, SIG_IGN);
        assert_ok(setrlimit(RLIMIT_FSIZE, &limit));
        say(log, "lost\n");
        say(log, "lost, too\n");
        assert_int_equal(log_driver_json_file.flush(log), 0);
        assert_int_equal(log_driver_json_file.n_lost(log, &why), 2);
        assert_int_equal(why, EFBIG);
        assert_ok(setrlimit(RLIMIT_FSIZE, &old));

        say(log, "again\n");
        log_driver_json_file.close(log);
        assert_ok(file_read(path, 1000, &text, NULL));
        assert_string_equal(text, "{\"log\":\"first\\n\",\"stream\":\"stdout\",\"time\":\"1970-01-"
                                  "01T00:00:00.000000001Z\"}\n"
                                  "{\"log\":\"again\\n\",\"stream\":\"stdout\",\"time\":\"1970-01-"
                                  "01T00:00:00.000000001Z\"}\n");
}

/* Neither a new file nor more in the old one: what is in the log already stays. */
static void test_full_at_rotation(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log"), *one = path_in(state, "log.1"),
                              *in_one = path_in(state, "log.1/x");
        char *opts[] = { (char *) "max-size=1k", (char *) "max-file=2", NULL };
        void *log = open_log(path, opts);
        struct rlimit old, limit;
        size_t size;

        assert_ok(mkdir(one, 0700)); /* cannot be replaced by a file */
        assert_ok(mkdir(in_one, 0700));
        for (int i = 0; i < 20; i++)
                say(log, "0123456789\n");
        assert_ok(log_driver_json_file.flush(log));
        size = size_of(path);
        assert_true(size > 1024);

        assert_ok(getrlimit(RLIMIT_FSIZE, &old));
        limit = (struct rlimit) { .rlim_cur = size + 10, .rlim_max = old.rlim_max };
        signal(SIGXFSZ, SIG_IGN);
        assert_ok(setrlimit(RLIMIT_FSIZE, &limit));
        say(log, "lost\n");
        assert_int_equal(log_driver_json_file.flush(log), 0);
        assert_ok(setrlimit(RLIMIT_FSIZE, &old));
        assert_int_equal(size_of(path), size);
        log_driver_json_file.close(log);
}

static void test_not_through_a_link(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log"), *target = path_in(state, "target");
        LogTarget t = { .id = "x", .path = path };
        void *log;

        assert_ok(symlink(target, path));
        assert_int_equal(log_driver_json_file.open(&t, &log), -ELOOP);
        assert_int_equal(access(target, F_OK), -1);
}

static void test_reopen(void **state) {
        _cleanup_(freep) char *path = path_in(state, "log"), *moved = path_in(state, "moved");
        void *log = open_log(path, NULL);

        say(log, "a\n");
        assert_ok(rename(path, moved));
        assert_ok(log_driver_json_file.reopen(log));
        assert_true(size_of(moved) > 0);
        assert_int_equal(size_of(path), 0);
        log_driver_json_file.close(log);
}

int main(void) {
#define WITH_FOLDER(test) \
        cmocka_unit_test_setup_teardown(test, test_folder_setup, test_folder_teardown)
        const struct CMUnitTest tests[] = {
                WITH_FOLDER(test_write),
                WITH_FOLDER(test_rotation),
                WITH_FOLDER(test_single_file),
                WITH_FOLDER(test_full),
                WITH_FOLDER(test_full_at_rotation),
                WITH_FOLDER(test_not_through_a_link),
                WITH_FOLDER(test_reopen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
