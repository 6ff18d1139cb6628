/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/dns-message.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/base/str.h"

#define FLAG_RESPONSE  0x8000U
#define FLAG_OPCODE    0x7800U
#define FLAG_AUTHORITY 0x0400U
#define FLAG_CUT       0x0200U
#define FLAG_RECURSE   0x0100U /* asked for */
#define FLAG_RECURSES  0x0080U /* at hand */
#define FLAG_CHECKED   0x0010U /* "checking disabled", goes back as it came */
#define FLAG_CODE      0x000fU

#define LABEL_MAX     63U
#define OPT_SIZE      11U
#define RECORD_SIZE   12U     /* without its data; the owner is a pointer to the question */
#define OWNER_POINTER 0xc00cU /* the name at offset 12 */

/* A message that grows; full as soon as something did not fit. */
typedef struct Writer {
        uint8_t *data;
        size_t size;
        size_t max;
} Writer;

static bool put(Writer *w, const void *data, size_t size) {
        if (size > w->max - w->size)
                return false;
        memcpy(w->data + w->size, data, size);
        w->size += size;
        return true;
}

static bool put16(Writer *w, uint16_t value) {
        uint16_t n = htons(value);

        return put(w, &n, sizeof(n));
}

static bool put32(Writer *w, uint32_t value) {
        uint32_t n = htonl(value);

        return put(w, &n, sizeof(n));
}

static uint16_t get16(const void *data, size_t at) {
        uint16_t n;

        memcpy(&n, (const uint8_t *) data + at, sizeof(n));
        return ntohs(n);
}

uint16_t dns_id(const void *message) {
        return get16(message, 0);
}

void dns_set_id(void *message, uint16_t id) {
        id = htons(id);
        memcpy(message, &id, sizeof(id));
}

/* Labels as text. A name with bytes in it that no name of ours has, or with a dot inside of a label, becomes empty. */
static void name_to_text(const uint8_t *wire, char ret[static DNS_NAME_MAX + 1]) {
        size_t n = 0;

        while (*wire > 0) {
                if (n > 0)
                        ret[n++] = '.';
                for (size_t i = 1; i <= *wire; i++) {
                        unsigned char c = wire[i];

                        if (c <= 0x20 || c >= 0x7f || c == '.') {
                                ret[0] = 0;
                                return;
                        }
                        ret[n++] = (char) tolower(c);
                }
                wire += *wire + 1;
        }
        ret[n] = 0;
}

static int name_to_wire(const char *name, uint8_t ret[static NS_MAXCDNAME], size_t *ret_size) {
        size_t size = 0;

        while (*name) {
                size_t n = strcspn(name, ".");

                if (n == 0 || n > LABEL_MAX || size + n + 2 > NS_MAXCDNAME)
                        return -EINVAL;
                ret[size++] = (uint8_t) n;
                memcpy(ret + size, name, n);
                size += n;
                name += n + (name[n] == '.');
        }
        ret[size++] = 0;
        *ret_size = size;
        return 0;
}

/* What the sender takes over UDP, if he says so. */
static void find_edns(ns_msg *m, DnsQuestion *q) {
        unsigned n = ns_msg_count(*m, ns_s_ar);

        for (unsigned i = 0; i < n; i++) {
                ns_rr record;

                if (ns_parserr(m, ns_s_ar, (int) i, &record) < 0)
                        return;
                if (ns_rr_type(record) != ns_t_opt)
                        continue;
                q->has_edns = true;
                q->answer_max = CLAMP((size_t) ns_rr_class(record), (size_t) DNS_PLAIN_MAX,
                        (size_t) DNS_EDNS_MAX);
                return;
        }
}

static size_t wire_size(const uint8_t *wire) {
        size_t n = 0;

        while (wire[n] > 0)
                n += wire[n] + 1U;
        return n + 1;
}

/* The one question, which is written in full: a pointer would lead out of it. */
static bool read_question(const uint8_t *message, size_t size, DnsQuestion *q) {
        uint8_t wire[NS_MAXCDNAME];
        int n;

        n = ns_name_unpack(message, message + size, message + DNS_HEADER_SIZE, wire, sizeof(wire));
        if (n <= 0 || DNS_HEADER_SIZE + (size_t) n + 4 > size || wire_size(wire) != (size_t) n)
                return false;
        q->end = DNS_HEADER_SIZE + (size_t) n + 4;
        q->type = get16(message, q->end - 4);
        q->class = get16(message, q->end - 2);
        name_to_text(wire, q->name);
        return true;
}

static int fail(DnsQuestion *q, DnsCode code) {
        q->end = DNS_HEADER_SIZE;
        q->has_edns = false;
        return code;
}

int dns_question_parse(const void *message, size_t size, DnsQuestion *ret) {
        ns_msg m;

        assert(message || size == 0);
        assert(ret);

        if (size < DNS_HEADER_SIZE || size > DNS_MESSAGE_MAX)
                return -EBADMSG;
        *ret = (DnsQuestion) {
                .id = dns_id(message),
                .flags = get16(message, 2),
                .answer_max = DNS_PLAIN_MAX,
        };
        if (ret->flags & FLAG_RESPONSE)
                return -EBADMSG;
        if (ret->flags & FLAG_OPCODE)
                return fail(ret, DNS_NOT_IMPLEMENTED);
        if (ns_initparse(message, (int) size, &m) < 0 || ns_msg_count(m, ns_s_qd) != 1 ||
                ns_msg_count(m, ns_s_an) != 0 || !read_question(message, size, ret))
                return fail(ret, DNS_FORMAT_ERROR);
        find_edns(&m, ret);
        return 0;
}

static bool put_record(Writer *w, uint16_t type, uint32_t ttl, const void *data, size_t size) {
        if (RECORD_SIZE + size > w->max - w->size)
                return false;
        return put16(w, OWNER_POINTER) && put16(w, type) && put16(w, ns_c_in) && put32(w, ttl) &&
               put16(w, (uint16_t) size) && put(w, data, size);
}

/* How many records; cut when that is not all. */
static uint16_t put_records(
        Writer *w, const DnsAnswer *a, const uint8_t *name, size_t name_size, bool *ret_cut) {
        uint16_t n = 0;

        *ret_cut = true;
        for (size_t i = 0; i < a->n_four; i++, n++)
                if (!put_record(w, DNS_A, a->ttl, a->four + i, sizeof(*a->four)))
                        return n;
        for (size_t i = 0; i < a->n_six; i++, n++)
                if (!put_record(w, DNS_AAAA, a->ttl, a->six + i, sizeof(*a->six)))
                        return n;
        if (name_size > 0) {
                if (!put_record(w, DNS_PTR, a->ttl, name, name_size))
                        return n;
                n++;
        }
        *ret_cut = false;
        return n;
}

static void put_edns(Writer *w) {
        static const uint8_t root = 0;

        (void) (put(w, &root, 1) && put16(w, ns_t_opt) && put16(w, DNS_EDNS_MAX) && put32(w, 0) &&
                put16(w, 0));
}

ssize_t dns_answer_format(
        const void *message, const DnsQuestion *q, const DnsAnswer *a, void *ret, size_t max) {
        size_t reserved = q->has_edns ? OPT_SIZE : 0, name_size = 0;
        uint8_t name[NS_MAXCDNAME];
        Writer w = { .data = ret };
        uint16_t flags, n;
        bool cut;

        assert(message);
        assert(q->end >= DNS_HEADER_SIZE);
        assert(max >= q->end + reserved);

        if (a->name && name_to_wire(a->name, name, &name_size) < 0)
                return -EINVAL;

        /* The head is filled in at the end. */
        w.max = MIN(max, (size_t) DNS_MESSAGE_MAX) - reserved;
        (void) put(&w, message, q->end);
        n = put_records(&w, a, name, name_size, &cut);
        w.max += reserved;
        if (q->has_edns)
                put_edns(&w);

        flags = (uint16_t) (FLAG_RESPONSE | FLAG_RECURSES |
                            (q->flags & (FLAG_OPCODE | FLAG_RECURSE | FLAG_CHECKED)) |
                            (a->code & FLAG_CODE));
        if (cut)
                flags |= FLAG_CUT;
        if (a->code == DNS_NO_ERROR)
                flags |= FLAG_AUTHORITY;
        const uint16_t head[] = {
                htons(q->id),
                htons(flags),
                htons(q->end > DNS_HEADER_SIZE),
                htons(n),
                0,
                htons(q->has_edns),
        };
        memcpy(ret, head, sizeof(head));
        return (ssize_t) w.size;
}

int dns_answers(const void *message, const DnsQuestion *q, const void *answer, size_t size,
        DnsCode *ret_code) {
        const uint8_t *ours = message, *theirs = answer;
        uint16_t flags;

        if (size < q->end || q->end <= DNS_HEADER_SIZE)
                return 0;
        flags = get16(theirs, 2);
        if (!(flags & FLAG_RESPONSE) || (flags & FLAG_OPCODE) || get16(theirs, 4) != 1)
                return 0;
        /* Lengths of labels are below the letters. */
        for (size_t i = DNS_HEADER_SIZE; i < q->end - 4; i++)
                if (tolower(ours[i]) != tolower(theirs[i]))
                        return 0;
        if (memcmp(ours + q->end - 4, theirs + q->end - 4, 4) != 0)
                return 0;
        *ret_code = (DnsCode) (flags & FLAG_CODE);
        return 1;
}

static bool reverse_four(const char *name, size_t size, struct in_addr *ret) {
        uint8_t bytes[4];

        for (size_t i = ARRAY_SIZE(bytes); i-- > 0;) {
                unsigned value = 0;
                size_t n = 0;

                for (; n < size && isdigit((unsigned char) name[n]) && n < 3; n++)
                        value = value * 10 + (unsigned) (name[n] - '0');
                if (n == 0 || value > 255 || (n > 1 && name[0] == '0'))
                        return false;
                bytes[i] = (uint8_t) value;
                if (i > 0) {
                        if (n >= size || name[n] != '.')
                                return false;
                        n++;
                }
                name += n;
                size -= n;
        }
        memcpy(ret, bytes, sizeof(bytes));
        return size == 0;
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool reverse_six(const char *name, size_t size, struct in6_addr *ret) {
        if (size != 4 * sizeof(ret->s6_addr) - 1)
                return false;
        for (size_t i = 0; i < sizeof(ret->s6_addr); i++) {
                const char *p =
                        name + size - 4 * i - 3; /* "low.high", the last pair is the first byte */
                int low = hex_digit(p[0]), high = hex_digit(p[2]);

                if (low < 0 || high < 0 || p[1] != '.' || (i > 0 && p[3] != '.'))
                        return false;
                ret->s6_addr[i] = (uint8_t) (high << 4 | low);
        }
        return true;
}

int dns_reverse_parse(const char *name, struct in_addr *ret_four, struct in6_addr *ret_six) {
        const char *end;

        end = str_ends(name, ".in-addr.arpa");
        if (end)
                return reverse_four(name, (size_t) (end - name), ret_four) ? AF_INET : 0;
        end = str_ends(name, ".ip6.arpa");
        if (end)
                return reverse_six(name, (size_t) (end - name), ret_six) ? AF_INET6 : 0;
        return 0;
}
