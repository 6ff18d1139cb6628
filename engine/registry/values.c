/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define DELAY_MAX 30U /* seconds */

int64_t retry_after_parse(const char *s, int64_t now_ns) {
        struct tm tm = {};
        const char *end;
        uint64_t n;
        int64_t t;
        int r;

        if (str_empty(s))
                return -EINVAL;
        r = parse_u64(s, &n);
        if (r >= 0)
                return n > INT32_MAX ? INT32_MAX : (int64_t) n;
        if (r == -ERANGE)
                return INT32_MAX;

        end = strptime(s, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        if (!end || *end)
                return -EINVAL;
        t = timegm(&tm) - now_ns / NSEC_PER_SEC;
        return t < 0 ? 0 : t > INT32_MAX ? INT32_MAX : t;
}

uint64_t retry_delay(unsigned n) {
        unsigned s = n == 0 ? 1 : n > 5 ? DELAY_MAX : 1U << (n - 1);

        return MIN(s, DELAY_MAX) * USEC_PER_SEC;
}

static const char *read_number(const char *s, uint64_t *ret) {
        size_t n = strspn(s, "0123456789");
        char digits[21];

        if (n == 0 || n >= sizeof(digits))
                return NULL;
        memcpy(digits, s, n);
        digits[n] = '\0';
        return parse_u64(digits, ret) < 0 ? NULL : s + n;
}

int content_range_parse(
        const char *s, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_size) {
        uint64_t first, last, size = UINT64_MAX;

        if (!s || !(s = str_starts_nocase(s, "bytes ")))
                return -EINVAL;
        s = read_number(s + strspn(s, " "), &first);
        if (!s || *s++ != '-' || !(s = read_number(s, &last)) || *s++ != '/')
                return -EINVAL;
        if (streq(s, "*"))
                s++;
        else
                s = read_number(s, &size);
        if (!s || *s || last < first || last >= size)
                return -EINVAL;

        *ret_first = first;
        *ret_last = last;
        *ret_size = size;
        return 0;
}

/* ---- addresses ---- */

static int address_bytes(const struct sockaddr *a, const uint8_t **ret, size_t *ret_n) {
        if (a->sa_family == AF_INET) {
                *ret = (const uint8_t *) &((const struct sockaddr_in *) (const void *) a)->sin_addr;
                *ret_n = 4;
                return 0;
        }
        if (a->sa_family != AF_INET6)
                return -EAFNOSUPPORT;
        *ret = (const uint8_t *) &((const struct sockaddr_in6 *) (const void *) a)->sin6_addr;
        *ret_n = 16;
        return 0;
}

bool network_has(const char *cidr, const struct sockaddr *address) {
        char net[INET6_ADDRSTRLEN];
        uint8_t base[16], width = 128;
        const char *slash = strchr(cidr, '/');
        const uint8_t *bytes;
        unsigned bits;
        size_t n;

        if (!slash || (size_t) (slash - cidr) >= sizeof(net) ||
                parse_unsigned(slash + 1, &bits) < 0 || address_bytes(address, &bytes, &n) < 0)
                return false;
        memcpy(net, cidr, (size_t) (slash - cidr));
        net[slash - cidr] = '\0';

        width = n == 4 ? 32 : 128;
        if (inet_pton(address->sa_family, net, base) != 1 || bits > width)
                return false;
        if (memcmp(base, bytes, bits / 8) != 0)
                return false;
        return bits % 8 == 0 || ((base[bits / 8] ^ bytes[bits / 8]) >> (8 - bits % 8)) == 0;
}

static bool address_parse(const char *host, struct sockaddr_storage *ret) {
        struct sockaddr_in *in = (void *) ret;
        struct sockaddr_in6 *in6 = (void *) ret;

        *ret = (struct sockaddr_storage) {};
        if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                return true;
        }
        if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
                in6->sin6_family = AF_INET6;
                return true;
        }
        return false;
}

static bool word_fits(
        const char *word, const char *host, unsigned port, const struct sockaddr_storage *address) {
        _cleanup_(freep) char *name = NULL;
        const char *colon, *rest;
        unsigned n;

        if (streq(word, "*"))
                return true;
        if (address && network_has(word, (const struct sockaddr *) address))
                return true;

        /* name:port, but not an IPv6 address */
        colon = strrchr(word, ':');
        if (colon && strchr(word, ':') == colon) {
                if (parse_unsigned(colon + 1, &n) < 0 || n != port)
                        return false;
                if (str_copy_n(&name, word, (size_t) (colon - word)) < 0)
                        return false;
                word = name;
        }
        if (strcasecmp(word, host) == 0)
                return true;
        if (address)
                return false;

        if (word[0] == '*' && word[1] == '.')
                word++;
        if (strlen(host) <= strlen(word))
                return false;
        rest = host + strlen(host) - strlen(word);
        if (strcasecmp(rest, word) != 0)
                return false;
        return word[0] == '.' || rest[-1] == '.';
}

bool no_proxy_fits(const char *no_proxy, const char *host, unsigned port) {
        _cleanup_(strv_freep) char **words = NULL;
        struct sockaddr_storage address;
        bool numeric = address_parse(host, &address);

        if (strcasecmp(host, "localhost") == 0 || str_ends(host, ".localhost") ||
                (numeric && (network_has("127.0.0.0/8", (struct sockaddr *) &address) ||
                                    network_has("::1/128", (struct sockaddr *) &address))))
                return true;
        if (str_empty(no_proxy) ||
                strv_split(no_proxy, ", \t", /* keep_empty= */ false, &words) < 0)
                return false;

        STRV_FOREACH (w, words)
                if (word_fits(*w, host, port, numeric ? &address : NULL))
                        return true;
        return false;
}

bool insecure_names(char *const *insecure, const char *host_port) {
        STRV_FOREACH (i, insecure)
                if (!strchr(*i, '/') && strcasecmp(*i, host_port) == 0)
                        return true;
        return false;
}
