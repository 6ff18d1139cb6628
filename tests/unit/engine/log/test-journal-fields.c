/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/log/journal-fields.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void check_name(const char *from, const char *to) {
        _cleanup_(freep) char *name = NULL;

        assert_ok(journal_field_name(from, strlen(from), &name));
        if (to)
                assert_string_equal(name, to);
        else
                assert_null(name);
}

static void test_names(void **state) {
        check_name("com.example/team-x", "COM_EXAMPLE_TEAM_X");
        check_name("_TRUSTED", "TRUSTED");
        check_name("1.2.x", "X");
        check_name("a=b", "A_B");
        check_name("\xc3\xa4"
                   "a",
                "A");
        check_name("...", NULL);
        check_name("", NULL);
        check_name("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                   "aaaaaa",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

static bool has(char *const *l, const char *s) {
        return strv_contains(l, s);
}

static void test_fixed(void **state) {
        char *fields[] = { (char *) "MESSAGE=fake", (char *) "priority=0", (char *) "tag=T",
                (char *) "team=a\nb", NULL };
        LogTarget t = { .id = ID, .name = "web", .image = "busybox", .fields = fields };
        JournalFields f = {};

        assert_ok(journal_fields_make(&t, &f));
        assert_true(has(f.fixed, "CONTAINER_ID=0123456789ab"));
        assert_true(has(f.fixed, "CONTAINER_ID_FULL=" ID));
        assert_true(has(f.fixed, "CONTAINER_NAME=web"));
        assert_true(has(f.fixed, "CONTAINER_TAG=T"));
        assert_true(has(f.fixed, "SYSLOG_IDENTIFIER=T"));
        assert_true(has(f.fixed, "IMAGE_NAME=busybox"));
        assert_true(has(f.fixed, "TEAM=a\nb"));
        for (size_t i = 0; i < f.n_fixed; i++) {
                assert_null(
                        str_starts(f.fixed[i], "MESSAGE=")); /* a label cannot be one of these */
                assert_null(str_starts(f.fixed[i], "PRIORITY="));
        }
        journal_fields_done(&f);

        t.fields = NULL;
        assert_ok(journal_fields_make(&t, &f));
        assert_true(has(f.fixed, "CONTAINER_TAG=0123456789ab"));
        journal_fields_done(&f);
}

static bool line_has(const JournalLine *l, const char *s) {
        for (size_t i = 0; i < l->n_iov; i++)
                if (l->iov[i].iov_len == strlen(s) && memcmp(l->iov[i].iov_base, s, strlen(s)) == 0)
                        return true;
        return false;
}

static void make(const JournalFields *f, JournalPartial *p, const LogMessage *m, uint64_t ordinal,
        char *buffer, JournalLine *l) {
        journal_partial_begin(p, m);
        journal_line_make(f, m, p, ordinal, buffer, l);
        journal_partial_step(p, m);
}

static void test_lines(void **state) {
        LogTarget t = { .id = ID };
        LogMessage m = { .stream = LOG_STREAM_STDERR, .data = "oops\n", .size = 5, .time_nsec = 5 };
        JournalFields f = {};
        JournalPartial p = {};
        JournalLine l;
        char buffer[64], id[100];

        assert_ok(journal_fields_make(&t, &f));
        make(&f, &p, &m, 7, buffer, &l);
        assert_true(line_has(&l, "MESSAGE=oops"));
        assert_true(line_has(&l, "PRIORITY=3"));
        assert_true(line_has(&l, "SYSLOG_TIMESTAMP=1970-01-01T00:00:00.000000005Z"));
        assert_true(line_has(&l, "CONTAINER_LOG_ORDINAL=7"));
        assert_int_equal(l.n_iov, f.n_fixed + 4);

        m = (LogMessage) { .stream = LOG_STREAM_STDOUT, .data = "aa", .size = 2, .partial = true };
        make(&f, &p, &m, 8, buffer, &l);
        assert_true(line_has(&l, "MESSAGE=aa"));
        assert_true(line_has(&l, "PRIORITY=6"));
        assert_true(line_has(&l, "CONTAINER_PARTIAL_MESSAGE=true"));
        assert_true(line_has(&l, "CONTAINER_PARTIAL_LAST=false"));
        assert_true(line_has(&l, "CONTAINER_PARTIAL_ORDINAL=1"));
        (void) snprintf(id, sizeof(id), "%s", l.partial_id);

        m = (LogMessage) { .stream = LOG_STREAM_STDOUT, .data = "\n", .size = 1 };
        make(&f, &p, &m, 9, buffer, &l);
        assert_true(line_has(&l, "MESSAGE="));
        assert_false(line_has(&l, "CONTAINER_PARTIAL_MESSAGE=true"));
        assert_true(line_has(&l, "CONTAINER_PARTIAL_LAST=true"));
        assert_true(line_has(&l, "CONTAINER_PARTIAL_ORDINAL=2"));
        assert_string_equal(id, l.partial_id);

        m = (LogMessage) { .stream = LOG_STREAM_STDOUT, .data = "x\n", .size = 2 };
        make(&f, &p, &m, 10, buffer, &l);
        assert_int_equal(l.n_iov, f.n_fixed + 4);
        journal_fields_done(&f);
}

static void test_many_labels(void **state) {
        _cleanup_(strv_freep) char **labels = NULL;
        LogTarget t = { .id = ID };
        LogMessage m = { .stream = LOG_STREAM_STDOUT, .data = "x", .size = 1, .partial = true };
        JournalPartial p = {};
        JournalFields f = {};
        JournalLine l;
        char buffer[64];

        for (int i = 0; i < 1000; i++)
                assert_ok(strv_addf(&labels, "label%d=x", i));
        t.fields = labels;
        assert_ok(journal_fields_make(&t, &f));
        assert_true(f.n_fixed <= JOURNAL_FIELDS_FIXED_MAX);
        make(&f, &p, &m, 1, buffer, &l);
        assert_true(l.n_iov <= ARRAY_SIZE(l.iov));
        journal_fields_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_fixed),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_many_labels),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
