/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/api/monitor-spec.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

static int read_record(const char *text, MonitorRecord *ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;

        assert_int_equal(json_parse(text, strlen(text), JSON_SIZE_MAX, &v, NULL), 0);
        return monitor_record_read(v, ret, reterr);
}

static void test_exited(void **state) {
        static const char text[] = "{\"type\":\"exited\",\"exit_code\":137,\"oom_killed\":true,"
                                   "\"exited_at\":1700000000000000000,"
                                   "\"accounting\":{\"cpu_usage_nsec\":0,\"pids_peak\":3}}";
        _cleanup_(monitor_record_done) MonitorRecord r = {};
        _cleanup_(freep) char *written = NULL;

        assert_int_equal(read_record(text, &r, NULL), 0);
        assert_int_equal(r.type, MONITOR_EXITED);
        assert_int_equal(r.exit_code, 137);
        assert_true(r.exited_at == UINT64_C(1700000000000000000));
        assert_int_equal(r.accounting.cpu_usage_nsec, 0);
        assert_true(r.accounting.memory_peak == UINT64_MAX);

        assert_int_equal(json_write_text(&r, monitor_record_fields, &written), 0);
        assert_string_equal(written, text);
}

static void test_bad_records(void **state) {
        static const struct {
                const char *text, *error;
        } rows[] = {
                { "{}", "type: is missing" },
                { "[]", "expected an object" },
                { "{\"type\":\"gone\"}", "type: expected one of \"ready\", \"started\", "
                                         "\"failed\", \"exited\", \"oom\", \"exec-started\", "
                                         "\"exec-exited\", \"health\", \"detached\", "
                                         "\"held\", \"reply\"" },
                { "{\"type\":\"exited\",\"exit_code\":\"1\"}", "exit_code: expected an integer" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(monitor_record_done) MonitorRecord r = {};
                _cleanup_(error_done) Error e = {};

                assert_int_equal(read_record(rows[i].text, &r, &e), -EBADMSG);
                assert_string_equal(e.text, rows[i].error);
        }
}

static void test_monitor_spec(void **state) {
        static const char text[] =
                "{\"version\":1,\"id\":\"i\",\"run_dir\":\"/r\",\"bundle_dir\":\"/b\","
                "\"rootfs\":{\"type\":\"overlay\",\"options\":\"lowerdir=a:b\"},\"config\":{\"x\":["
                "1]},"
                "\"binds\":[{\"source\":\"/s\",\"create\":true}],\"devices\":[{\"path_on_host\":\"/"
                "dev/x\"}],"
                "\"runtime\":\"/usr/bin/crun\",\"log_opts\":[\"max-size=10m\"],"
                "\"stop_timeout_usec\":18446744073709551615,\"stop_signal\":15}";
        _cleanup_(monitor_spec_done) MonitorSpec s = {};
        _cleanup_(freep) char *written = NULL;
        _cleanup_(error_done) Error e = {};

        if (json_read_text(text, strlen(text), monitor_spec_fields, &s, 0, &e) < 0)
                fail_msg("%s", e.text);
        assert_true(s.binds[0].create);
        assert_int_equal(json_write_text(&s, monitor_spec_fields, &written), 0);
        assert_string_equal(written, text);
}

static void test_commands(void **state) {
        MonitorCommand c = { .type = MONITOR_KILL, .serial = 7, .signal = 9, .all = true };
        _cleanup_(freep) char *written = NULL;

        assert_int_equal(json_write_text(&c, monitor_command_fields, &written), 0);
        assert_string_equal(written, "{\"type\":\"kill\",\"serial\":7,\"signal\":9,\"all\":true}");
        c.type = _MONITOR_COMMAND_MAX;
        assert_int_equal(json_write_text(&c, monitor_command_fields, &written), -EINVAL);
}

static void test_tasks(void **state) {
        static const char spec[] =
                "{\"kind\":\"import\",\"data_root\":\"/d\",\"tags\":[\"a\"],\"quiet\":true}";
        static const char result[] = "{\"images\":[{\"id\":\"x\",\"manifest\":\"y\",\"tags\":["
                                     "\"t\"]}],\"layer_size\":5}";
        _cleanup_(freep) char *written = NULL, *again = NULL;
        _cleanup_(task_result_done) TaskResult r = {};
        _cleanup_(task_spec_done) TaskSpec t = {};

        assert_int_equal(json_read_text(spec, strlen(spec), task_spec_fields, &t, 0, NULL), 0);
        assert_int_equal(t.kind, TASK_IMPORT);
        assert_int_equal(json_write_text(&t, task_spec_fields, &written), 0);
        assert_string_equal(written, spec);
        assert_string_equal(task_kind_to_string(t.kind), "import");
        assert_null(task_kind_to_string(_TASK_KIND_MAX));

        assert_int_equal(
                json_read_text(result, strlen(result), task_result_fields, &r, 0, NULL), 0);
        assert_int_equal(json_write_text(&r, task_result_fields, &again), 0);
        assert_string_equal(again, result);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exited),
                cmocka_unit_test(test_bad_records),
                cmocka_unit_test(test_monitor_spec),
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_tasks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
