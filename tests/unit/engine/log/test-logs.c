/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include "engine/log/logs.h"

static void check(const char *driver, const char *opt, const char *words) {
        char *opts[] = { (char *) opt, NULL };
        _cleanup_(error_done) Error e = {};
        int r;

        r = logs_check(driver, opt ? opts : NULL, &e);
        if (words) {
                assert_true(r < 0);
                assert_string_equal(e.text, words);
        } else
                assert_int_equal(r, 0);
}

static void test_check(void **state) {
        check("json-file", NULL, NULL);
        check("json-file", "max-size=10m", NULL);
        check("json-file", "max-size=-1", NULL);
        check("json-file", "max-file=1000", NULL);
        check("json-file", "compress=false", NULL);
        check("json-file", "mode=blocking", NULL);
        check("journald", "tag={{.Name}}", NULL);
        check("none", NULL, NULL);

        check("json-file", "max-size=ten",
                "failed to initialize logging driver: invalid size: 'ten'");
        check("json-file", "max-size=0",
                "failed to initialize logging driver: max-size must be a positive number");
        check("json-file", "max-file=0",
                "failed to initialize logging driver: max-file cannot be less than 1");
        check("json-file", "max-sise=1m", "unknown log opt 'max-sise' for json-file log driver");
        check("json-file", "max-size", "invalid log opt 'max-size', must be KEY=VALUE");
        check("json-file", "compress=true",
                "failed to initialize logging driver: compress cannot be true when max-file is "
                "less than 2 or max-size is not set");
        check("journald", "max-size=1m", "unknown log opt 'max-size' for journald log driver");
        check("journald", "mode=fast", "logger: logging mode not supported: fast");
        check("journald", "mode=non-blocking", NULL);
        check("journald", "max-buffer-size=1m",
                "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
        check("gelf", NULL, "error looking up logging plugin gelf: plugin \"gelf\" not found");

        check("json-file", "max-file=x",
                "failed to initialize logging driver: strconv.Atoi: parsing \"x\": invalid syntax");
        check("json-file", "compress=maybe",
                "failed to initialize logging driver: strconv.ParseBool: parsing \"maybe\": "
                "invalid "
                "syntax");
        check("local", "max-size=ten",
                "failed to initialize logging driver: invalid value for max-size: ten: invalid "
                "size: "
                "'ten'");
        check("local", "max-file=x",
                "failed to initialize logging driver: invalid value for max-file: x: strconv.Atoi: "
                "parsing \"x\": invalid syntax");
        check("local", NULL, NULL);
        check("local", "max-file=3", NULL);
        check("local", "labels=x", "unknown log opt 'labels' for local log driver");
        check("syslog", NULL, NULL);
        check("syslog", "syslog-address=udp://[::1]:5514", NULL);
        check("syslog", "syslog-address=here",
                "syslog-address should be in form proto://address, got here");
        check("syslog", "syslog-address=tcp+tls://a",
                "log opt 'syslog-address=tcp+tls://a' is not supported: syslog over TLS is not "
                "implemented, use a local relay");
        check("syslog", "syslog-tls-skip-verify=true",
                "log opt 'syslog-tls-skip-verify' is not supported: syslog over TLS is not "
                "implemented, use a local relay");
        check("syslog", "syslog-facility=local9", "invalid syslog facility");
        check("syslog", "syslog-facility=23", NULL);
        check("syslog", "syslog-format=rfc5424micro", NULL);
        check("syslog", "syslog-format=x", "Invalid syslog format");
        check("syslog", "cache-max-file=0",
                "failed to initialize logging driver: invalid value for cache-max-file: 0: "
                "cache-max-file cannot be less than 1");
}

static void test_find(void **state) {
        for (const char *const *name = logs_names(); *name; name++) {
                assert_non_null(logs_find(*name));
                assert_string_equal(logs_find(*name)->name, *name);
        }
        assert_null(logs_find("x"));
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_check),
                cmocka_unit_test(test_find) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
