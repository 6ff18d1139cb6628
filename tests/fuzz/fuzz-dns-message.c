/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "engine/network/dns-message.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What we answer is an answer to the question, whatever the question was, and never longer than allowed. */
static void answer(const uint8_t *data, const DnsQuestion *q, size_t max, size_t n_addresses) {
        static const struct in_addr four[64];
        static const struct in6_addr six[64];
        const DnsAnswer a = {
                .four = four,
                .n_four = n_addresses,
                .six = six,
                .n_six = n_addresses,
                .name = n_addresses == 1 ? "web.net" : NULL,
                .ttl = 600,
        };
        static uint8_t out[DNS_MESSAGE_MAX];
        DnsQuestion again;
        DnsCode code;
        ssize_t n;

        n = dns_answer_format(data, q, &a, out, max);
        assert(n >= (ssize_t) q->end && (size_t) n <= max);
        assert(dns_id(out) == q->id);
        if (q->end > DNS_HEADER_SIZE) {
                assert(dns_answers(data, q, out, (size_t) n, &code) == 1);
                assert(code == DNS_NO_ERROR);
        }
        assert(dns_question_parse(out, (size_t) n, &again) == -EBADMSG); /* no loop */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct in6_addr six;
        struct in_addr four;
        DnsQuestion q;
        DnsCode code;
        int r;

        r = dns_question_parse(data, size, &q);
        if (r < 0) {
                assert(r == -EBADMSG);
                return 0;
        }
        assert(q.end <= size && q.end >= DNS_HEADER_SIZE);
        assert(strlen(q.name) <= DNS_NAME_MAX);
        assert(q.answer_max >= DNS_PLAIN_MAX && q.answer_max <= DNS_EDNS_MAX);
        assert(str_is_ascii_printable(q.name));

        (void) dns_reverse_parse(q.name, &four, &six);
        (void) dns_answers(data, &q, data, size, &code);
        answer(data, &q, q.answer_max, 0);
        answer(data, &q, q.answer_max, 1);
        answer(data, &q, q.answer_max, 64);
        answer(data, &q, DNS_MESSAGE_MAX, 64);
        return 0;
}
