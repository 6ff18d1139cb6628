/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <time.h>

#include "engine/log/syslog-format.h"
#include "lib/base/alloc.h"

static void check_message(SyslogFormat format, LogStream stream, const char *expected) {
        const SyslogSender s = {
                .format = format, .facility = 3, .hostname = "harbour", .tag = "web", .pid = 42
        };
        const LogMessage m = { .stream = stream,
                .time_nsec = UINT64_C(1700000000123456789),
                .data = "hello\n",
                .size = 6 };
        _cleanup_(buffer_done) Buffer b = {};

        assert_ok(syslog_message_write(&b, &s, &m));
        assert_string_equal(buffer_string(&b), expected);
}

static void test_messages(void **state) {
        assert_int_equal(setenv("TZ", "UTC", 1), 0);
        tzset();
        check_message(SYSLOG_UNIX, LOG_STREAM_STDOUT, "<30>Nov 14 22:13:20 web[42]: hello");
        check_message(
                SYSLOG_RFC3164, LOG_STREAM_STDERR, "<27>Nov 14 22:13:20 harbour web[42]: hello");
        check_message(SYSLOG_RFC5424, LOG_STREAM_STDOUT,
                "<30>1 2023-11-14T22:13:20Z harbour web 42 web - hello");
        assert_int_equal(setenv("TZ", "XST-5:30", 1), 0);
        tzset();
        check_message(SYSLOG_RFC5424_MICRO, LOG_STREAM_STDOUT,
                "<30>1 2023-11-15T03:43:20.123456+05:30 harbour web 42 web - hello");
}

static void check_address(
        const char *s, int result, SyslogTransport transport, const char *host, const char *port) {
        _cleanup_(freep) char *h = NULL, *p = NULL;
        SyslogTransport t;

        assert_int_equal(syslog_address_parse(s, &t, &h, &p), result);
        if (result < 0)
                return;
        assert_int_equal(t, transport);
        assert_string_equal(h, host);
        assert_string_equal(p, port);
}

static void test_addresses(void **state) {
        check_address("udp://a", 0, SYSLOG_UDP, "a", "514");
        check_address("tcp://10.0.0.1:1514", 0, SYSLOG_TCP, "10.0.0.1", "1514");
        check_address("tcp://[fe80::1]:1", 0, SYSLOG_TCP, "fe80::1", "1");
        check_address("udp://[::1]", 0, SYSLOG_UDP, "::1", "514");
        check_address("unix:///dev/log", 0, SYSLOG_LOCAL, "/dev/log", "");
        check_address("unixgram:///x", 0, SYSLOG_LOCAL_DATAGRAM, "/x", "");
        check_address("tcp+tls://a", -EPROTONOSUPPORT, 0, NULL, NULL);
        for (const char *const *bad = (const char *const[]) { "a", "http://a", "udp://", "udp://:1",
                     "udp://a:", "udp://a:0", "udp://a:70000", "udp://::1", "udp://[::1",
                     "udp://[::1]x", "unix://x", NULL };
                *bad; bad++)
                check_address(*bad, -EINVAL, 0, NULL, NULL);
}

static void test_words(void **state) {
        unsigned n;

        assert_ok(syslog_facility_parse(NULL, &n));
        assert_int_equal(n, 3);
        assert_ok(syslog_facility_parse("local7", &n));
        assert_int_equal(n, 23);
        assert_ok(syslog_facility_parse("5", &n));
        assert_int_equal(n, 5);
        assert_int_equal(syslog_facility_parse("24", &n), -EINVAL);
        assert_int_equal(syslog_facility_parse("x", &n), -EINVAL);
        assert_int_equal(syslog_format_from_string(NULL), SYSLOG_UNIX);
        assert_int_equal(syslog_format_from_string("rfc5424"), SYSLOG_RFC5424);
        assert_true(syslog_format_from_string("x") < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages),
                cmocka_unit_test(test_addresses), cmocka_unit_test(test_words) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
