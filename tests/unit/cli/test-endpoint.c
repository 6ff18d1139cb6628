/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/endpoint.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "tests/unit/test.h"

static Endpoint parse(const char *text, bool tls) {
        _cleanup_(error_done) Error e = {};
        Endpoint endpoint = {};

        assert_ok(endpoint_parse(text, tls, &endpoint, &e));
        return endpoint;
}

static void test_unix(void **state) {
        _cleanup_(endpoint_done) Endpoint a = parse("unix:///x/y.sock", false),
                                          b = parse("", false), c = parse("unix://", true);

        assert_int_equal(a.scheme, ENDPOINT_UNIX);
        assert_string_equal(a.host, "/x/y.sock");
        assert_string_equal(a.shown, "unix:///x/y.sock");
        assert_string_equal(b.shown, ENDPOINT_DEFAULT);
        assert_string_equal(c.host, "/run/docker.sock");
        assert_false(c.tls);
}

static void test_tcp(void **state) {
        _cleanup_(endpoint_done) Endpoint a = parse("tcp://host", false), b = parse("host:1", true),
                                          c = parse("tcp://[::1]:5", false),
                                          d = parse("tcp://", true);

        assert_string_equal(a.shown, "tcp://host:2375");
        assert_string_equal(b.shown, "tcp://host:1");
        assert_true(b.tls);
        assert_string_equal(c.host, "::1");
        assert_string_equal(c.shown, "tcp://[::1]:5");
        assert_string_equal(d.shown, "tcp://127.0.0.1:2376");
}

static void ssh(const char *text, const char *command) {
        _cleanup_(endpoint_done) Endpoint e = parse(text, false);
        _cleanup_(strv_freep) char **argv = NULL;
        _cleanup_(freep) char *line = NULL;

        assert_int_equal(e.scheme, ENDPOINT_SSH);
        assert_string_equal(e.shown, text);
        assert_ok(endpoint_ssh_command(&e, &argv));
        line = strv_join(argv, " ");
        assert_string_equal(line, command);
}

static void test_ssh(void **state) {
        ssh("ssh://host", "ssh -o ConnectTimeout=30 -T -- host docker system dial-stdio");
        ssh("ssh://me@host:22/run/a b.sock",
                "ssh -o ConnectTimeout=30 -T -l me -p 22 -- host docker -H "
                "'unix:///run/a b.sock' system dial-stdio");
}

static void refused(const char *text, const char *word) {
        _cleanup_(error_done) Error e = {};
        Endpoint endpoint = {};

        assert_int_equal(endpoint_parse(text, false, &endpoint, &e), -EINVAL);
        assert_non_null(strstr(e.text, word));
}

static void test_refused(void **state) {
        refused("foo://x", "invalid bind address format: foo://x");
        refused("tcp://host:99999", "host:99999");
        refused("tcp://[::1", "[::1");
        refused("a:b:c", "a:b:c");
        refused("ssh://-oProxyCommand=x", "ProxyCommand"); /* an option for ssh */
        refused("ssh://-l@host", "-l@host");
        refused("ssh://me:secret@host", "me:secret");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unix),
                cmocka_unit_test(test_tcp),
                cmocka_unit_test(test_ssh),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
