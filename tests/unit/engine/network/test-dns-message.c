/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <string.h>

#include "engine/network/dns-message.h"

#define NAME_WEB "\3WeB\0"
#define HEAD     "\x12\x34\x01\x00\0\1\0\0\0\0\0\0"
#define HEAD_OPT "\x12\x34\x01\x00\0\1\0\0\0\0\0\1"
#define IN_A     "\0\1\0\1"
#define OPT_1232 "\0\0\x29\x04\xd0\0\0\0\0\0\0"

static void test_question(void **state) {
        static const char plain[] = HEAD NAME_WEB IN_A;
        static const char edns[] = HEAD_OPT NAME_WEB IN_A OPT_1232;
        static const char dotted[] = HEAD "\3a.b\0" IN_A;
        static const char pointer[] = HEAD "\xc0\0" IN_A;
        static const char status[] = "\x12\x34\x10\x00\0\1\0\0\0\0\0\0" NAME_WEB IN_A;
        static const char response[] = "\x12\x34\x81\x00\0\1\0\0\0\0\0\0" NAME_WEB IN_A;
        DnsQuestion q;

        assert_int_equal(dns_question_parse(plain, sizeof(plain) - 1, &q), 0);
        assert_string_equal(q.name, "web");
        assert_int_equal(q.id, 0x1234);
        assert_int_equal(q.type, DNS_A);
        assert_int_equal(q.class, 1);
        assert_int_equal(q.end, sizeof(plain) - 1);
        assert_int_equal(q.answer_max, 512);
        assert_false(q.has_edns);

        assert_int_equal(dns_question_parse(edns, sizeof(edns) - 1, &q), 0);
        assert_true(q.has_edns);
        assert_int_equal(q.answer_max, 1232);

        assert_int_equal(dns_question_parse(dotted, sizeof(dotted) - 1, &q), 0);
        assert_string_equal(q.name, ""); /* not our "a.b" */

        assert_int_equal(dns_question_parse(pointer, sizeof(pointer) - 1, &q), DNS_FORMAT_ERROR);
        assert_int_equal(dns_question_parse(plain, sizeof(plain) - 2, &q), DNS_FORMAT_ERROR);
        assert_int_equal(dns_question_parse(status, sizeof(status) - 1, &q), DNS_NOT_IMPLEMENTED);
        assert_int_equal(dns_question_parse(response, sizeof(response) - 1, &q), -EBADMSG);
        assert_int_equal(dns_question_parse(plain, 11, &q), -EBADMSG);
}

static void test_answer(void **state) {
        static const char message[] = HEAD_OPT NAME_WEB IN_A OPT_1232;
        static const char expected[] = "\x12\x34\x85\x80\0\1\0\2\0\0\0\1" NAME_WEB IN_A
                                       "\xc0\x0c\0\1\0\1\0\0\2\x58\0\4\xac\x12\0\2\xc0\x0c\0\1\0\1"
                                       "\0\0\2\x58\0\4\xac\x12\0\3"
                                       "\0\0\x29\x10\0\0\0\0\0\0\0";
        static const char cut[] =
                "\x12\x34\x87\x80\0\1\0\1\0\0\0\1" NAME_WEB IN_A
                "\xc0\x0c\0\1\0\1\0\0\2\x58\0\4\xac\x12\0\2\0\0\x29\x10\0\0\0\0\0\0\0";
        const struct in_addr four[] = { { htonl(0xac120002) }, { htonl(0xac120003) } };
        const DnsAnswer both = { .four = four, .n_four = 2, .ttl = 600 };
        const DnsAnswer none = { .ttl = 600 };
        const DnsAnswer failed = { .code = DNS_SERVER_FAILURE };
        uint8_t out[512];
        DnsQuestion q;
        DnsCode code;

        assert_int_equal(dns_question_parse(message, sizeof(message) - 1, &q), 0);
        assert_int_equal(
                dns_answer_format(message, &q, &both, out, sizeof(out)), sizeof(expected) - 1);
        assert_memory_equal(out, expected, sizeof(expected) - 1);
        assert_int_equal(
                dns_answer_format(message, &q, &both, out, sizeof(cut) + 8), sizeof(cut) - 1);
        assert_memory_equal(out, cut, sizeof(cut) - 1);

        assert_int_equal(dns_answer_format(message, &q, &none, out, sizeof(out)), q.end + 11);
        assert_int_equal(dns_answers(message, &q, out, q.end + 11, &code), 1);
        assert_int_equal(code, DNS_NO_ERROR);
        assert_int_equal(dns_answer_format(message, &q, &failed, out, sizeof(out)), q.end + 11);
        assert_int_equal(dns_answers(message, &q, out, q.end + 11, &code), 1);
        assert_int_equal(code, DNS_SERVER_FAILURE);
}

static void test_pointer(void **state) {
        static const char message[] = HEAD "\1"
                                           "2\7in-addr\4arpa\0\0\x0c\0\1";
        const DnsAnswer a = { .name = "web.net", .ttl = 600 };
        const DnsAnswer empty_label = { .name = "web..net" };
        uint8_t out[512];
        DnsQuestion q;
        ssize_t n;

        assert_int_equal(dns_question_parse(message, sizeof(message) - 1, &q), 0);
        n = dns_answer_format(message, &q, &a, out, sizeof(out));
        assert_int_equal(n, q.end + 12 + 9);
        assert_memory_equal(out + n - 9, "\3web\3net", 9);
        assert_int_equal(dns_answer_format(message, &q, &empty_label, out, sizeof(out)), -EINVAL);
}

/* What somebody else sends is no answer. */
static void test_spoofed(void **state) {
        static const char message[] = HEAD NAME_WEB IN_A;
        static const char good[] = "\x99\x99\x81\x80\0\1\0\0\0\0\0\0"
                                   "\3web\0" IN_A;
        static const char other_name[] = "\x12\x34\x81\x80\0\1\0\0\0\0\0\0"
                                         "\3wex\0" IN_A;
        static const char other_type[] = "\x12\x34\x81\x80\0\1\0\0\0\0\0\0"
                                         "\3web\0"
                                         "\0\x1c\0\1";
        static const char question[] = "\x12\x34\x01\x00\0\1\0\0\0\0\0\0"
                                       "\3web\0" IN_A;
        static const char empty[] = "\x12\x34\x81\x85\0\0\0\0\0\0\0\0";
        DnsQuestion q;
        DnsCode code;

        assert_int_equal(dns_question_parse(message, sizeof(message) - 1, &q), 0);
        assert_int_equal(dns_answers(message, &q, good, sizeof(good) - 1, &code), 1);
        assert_int_equal(dns_answers(message, &q, other_name, sizeof(other_name) - 1, &code), 0);
        assert_int_equal(dns_answers(message, &q, other_type, sizeof(other_type) - 1, &code), 0);
        assert_int_equal(dns_answers(message, &q, question, sizeof(question) - 1, &code), 0);
        assert_int_equal(dns_answers(message, &q, empty, sizeof(empty) - 1, &code), 0);
        assert_int_equal(dns_answers(message, &q, good, sizeof(good) - 2, &code), 0);
}

static void test_reverse(void **state) {
        static const char *const bad[] = { "in-addr.arpa", ".in-addr.arpa", "1.2.3.in-addr.arpa",
                "1.2.3.4.5.in-addr.arpa", "256.0.0.1.in-addr.arpa", "1.2.3.x.in-addr.arpa",
                "01.2.3.4.in-addr.arpa", "1.2.3.4.", "1.ip6.arpa", "1.2.3.4", "" };
        struct in6_addr six, same;
        struct in_addr four;

        assert_int_equal(dns_reverse_parse("2.0.18.172.in-addr.arpa", &four, &six), AF_INET);
        assert_int_equal(four.s_addr, htonl(0xac120002));
        assert_int_equal(
                dns_reverse_parse("f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.a.b.c.d."
                                  "ip6.arpa",
                        &four, &six),
                AF_INET6);
        assert_int_equal(inet_pton(AF_INET6, "dcba:1::f", &same), 1);
        assert_memory_equal(&six, &same, sizeof(six));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(dns_reverse_parse(bad[i], &four, &six), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_question),
                cmocka_unit_test(test_answer),
                cmocka_unit_test(test_pointer),
                cmocka_unit_test(test_spoofed),
                cmocka_unit_test(test_reverse),
        };

        return cmocka_run_group_tests_name("engine/network/dns-message", tests, NULL, NULL);
}
