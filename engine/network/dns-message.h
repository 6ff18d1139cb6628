/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* DNS messages: reads a question, makes an answer, compares what came back. Pure. The C library's parser (<arpa/nameser.h>) is seen
 * by dns-message.c only. */

#include <netinet/in.h>
#include <sys/types.h>

#include "lib/base/macro.h"

#define DNS_HEADER_SIZE 12U
#define DNS_NAME_MAX    255U   /* as text, too: every label costs a byte there and a dot here */
#define DNS_MESSAGE_MAX 65535U /* over TCP */
#define DNS_PLAIN_MAX   512U   /* over UDP for who says nothing else */
#define DNS_EDNS_MAX    4096U  /* what we send and take over UDP */

typedef enum DnsType {
        DNS_A = 1,
        DNS_PTR = 12,
        DNS_AAAA = 28,
        DNS_ANY = 255,
} DnsType;

typedef enum DnsCode {
        DNS_NO_ERROR = 0,
        DNS_FORMAT_ERROR = 1,
        DNS_SERVER_FAILURE = 2,
        DNS_NOT_IMPLEMENTED = 4,
        DNS_REFUSED = 5,
} DnsCode;

typedef struct DnsQuestion DnsQuestion;
typedef struct DnsAnswer DnsAnswer;

struct DnsQuestion {
        uint16_t id;
        uint16_t flags;    /* as they came */
        uint16_t type;     /* DnsType, or any other */
        uint16_t class;    /* 1: internet */
        size_t end;        /* where the question ends in the message */
        bool has_edns;     /* it carries an OPT record … */
        size_t answer_max; /* … and so takes that much over UDP */
        char name[DNS_NAME_MAX +
                  1]; /* lower case, no dot at the end; "" for the root and for what no name of ours can be */
};

/* What to say. No address and no name with DNS_NO_ERROR: there is such a name, but nothing of that type. */
struct DnsAnswer {
        DnsCode code;
        const struct in_addr *four; /* an A record each */
        size_t n_four;
        const struct in6_addr *six; /* an AAAA record each */
        size_t n_six;
        const char *name; /* one PTR record */
        uint32_t ttl;     /* seconds */
};

/* 0 one question; a DnsCode > 0: tell that to whoever asked (ret has what dns_answer_format() needs); -EBADMSG: no question at all, and no
 * answer to it. */
int dns_question_parse(const void *message, size_t size, DnsQuestion *ret);

/* The answer to the question of message into ret (room for max bytes); its size. What does not fit is left out, and the answer marked as cut.
 * max is at least the size of the question and an OPT record. A name that DNS cannot carry is -EINVAL. */
ssize_t dns_answer_format(
        const void *message, const DnsQuestion *q, const DnsAnswer *a, void *ret, size_t max);

/* 1 it answers the question (also with another id), 0 not. ret_code: what it says. */
int dns_answers(const void *message, const DnsQuestion *q, const void *answer, size_t size,
        DnsCode *ret_code);

/* "4.3.2.1.in-addr.arpa" and its like for IPv6: AF_INET, AF_INET6, or 0 for other names. */
int dns_reverse_parse(const char *name, struct in_addr *ret_four, struct in6_addr *ret_six);

/* The id of a message of at least two bytes. */
uint16_t dns_id(const void *message);
void dns_set_id(void *message, uint16_t id);
