/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -p and --expose: docker's grammar of ports. Pure. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli/run-values.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

typedef struct PortRange {
        unsigned first, last;
} PortRange;

static int port_parse(const char *s, size_t n, unsigned *ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int64_t port;
        int r;

        r = str_copy_n(&text, s, n);
        if (r < 0)
                return r;
        /* decimal only, unlike the other numbers */
        if (n == 0 || strspn(text, "0123456789") != n)
                return error_set(reterr, ERROR_INVALID,
                        "strconv.ParseUint: parsing \"%s\": invalid syntax", text);
        if (parse_i64(text, &port) < 0 || port > UINT16_MAX)
                return error_set(reterr, ERROR_INVALID,
                        "strconv.ParseUint: parsing \"%s\": value out of range", text);
        *ret = (unsigned) port;
        return 0;
}

static int range_parse(const char *s, PortRange *ret, Error *reterr) {
        const char *dash = strchr(s, '-');
        PortRange range;
        int r;

        if (!*s)
                return error_set(reterr, ERROR_INVALID, "empty string specified for ports");
        r = port_parse(s, dash ? (size_t) (dash - s) : strlen(s), &range.first, reterr);
        range.last = range.first;
        if (r >= 0 && dash)
                r = port_parse(dash + 1, strlen(dash + 1), &range.last, reterr);
        if (r < 0)
                return r;
        if (range.last < range.first)
                return error_set(reterr, ERROR_INVALID, "invalid range specified for port: %s", s);
        *ret = range;
        return 0;
}

/* "80-90/udp" → "80-90" and "udp"; tcp when nothing is said. */
static int split_protocol(const char *s, char **ret_ports, char **ret_protocol) {
        const char *slash = strchr(s, '/');
        int r;

        r = str_copy_n(ret_ports, s, slash ? (size_t) (slash - s) : strlen(s));
        if (r >= 0)
                r = str_copy(ret_protocol, slash && slash[1] ? slash + 1 : "tcp");
        return r;
}

static int expose(ContainerSpec *spec, const char *port) {
        return strv_contains(spec->config.exposed_ports, port)
                     ? 0
                     : strv_add(&spec->config.exposed_ports, port);
}

static PortBindings *bindings_of(HostConfig *h, const char *port) {
        size_t allocated = h->n_port_bindings;

        for (size_t i = 0; i < h->n_port_bindings; i++)
                if (streq(h->port_bindings[i].port, port))
                        return h->port_bindings + i;
        if (array_grow(&h->port_bindings, &allocated, h->n_port_bindings + 1) < 0)
                return NULL;
        h->port_bindings[h->n_port_bindings] = (PortBindings) {};
        if (str_copy(&h->port_bindings[h->n_port_bindings].port, port) < 0)
                return NULL;
        return h->port_bindings + h->n_port_bindings++;
}

static int bind_port(ContainerSpec *spec, const char *port, const char *ip, const char *host_port) {
        PortBindings *b = bindings_of(&spec->host, port);
        size_t allocated;
        PortBinding *one;
        int r;

        if (!b)
                return -ENOMEM;
        allocated = b->n_bindings;
        r = array_grow(&b->bindings, &allocated, b->n_bindings + 1);
        if (r < 0)
                return r;
        one = b->bindings + b->n_bindings++;
        *one = (PortBinding) {};
        r = str_copy(&one->host_ip, ip);
        return r < 0 ? r : str_copy(&one->host_port, host_port);
}

int run_to_exposed(const char *value, void *field, Error *reterr) {
        _cleanup_(freep) char *ports = NULL, *protocol = NULL;
        _cleanup_(error_done) Error e = {};
        PortRange range;
        int r;

        if (strchr(value, ':'))
                return error_set(
                        reterr, ERROR_INVALID, "invalid port format for --expose: %s", value);
        r = split_protocol(value, &ports, &protocol);
        if (r < 0)
                return r;
        r = range_parse(ports, &range, &e);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid range format for --expose: %s, error: %s", value,
                        error_text(&e, r));

        for (unsigned port = range.first; r >= 0 && port <= range.last; port++) {
                _cleanup_(freep) char *text = NULL;

                r = str_printf(&text, "%u/%s", port, protocol);
                if (r >= 0)
                        r = expose(field, text);
        }
        return r;
}

/* "published=80,target=90,protocol=udp" → "80:90/udp" */
static int long_form(const char *value, char **ret, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL, **pairs = NULL;
        int r;

        r = strv_split(value, ",", /* keep_empty= */ true, &words);
        STRV_FOREACH (word, words) {
                const char *equals = strchr(*word, '=');

                if (!equals || equals == *word)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid publish opts format (should be name=value but got '%s')",
                                *word);
                if (r >= 0)
                        r = run_pair_add(&pairs, *word);
        }
        if (r < 0)
                return r;
        return str_printf(ret, "%s:%s/%s", str_or_empty(pairs_get(pairs, "published")),
                str_or_empty(pairs_get(pairs, "target")),
                str_or(pairs_get(pairs, "protocol"), "tcp"));
}

/* "[ip:][host:]port", cut from behind since an ip may have colons. */
static int split_published(char *s, const char **ret_ip, const char **ret_host, const char **ret) {
        char *colon = strrchr(s, ':');

        *ret_ip = *ret_host = "";
        *ret = colon ? colon + 1 : s;
        if (!colon)
                return 0;
        *colon = '\0';
        colon = strrchr(s, ':');
        *ret_host = colon ? colon + 1 : s;
        if (!colon)
                return 0;
        *colon = '\0';
        *ret_ip = s;
        if (s[0] == '[') {
                size_t n = strlen(s);

                if (s[n - 1] != ']')
                        return -EINVAL;
                s[n - 1] = '\0';
                *ret_ip = s + 1;
        }
        return 0;
}

static bool is_ip(const char *s) {
        struct in6_addr a;

        return inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1;
}

static int publish_range(ContainerSpec *spec, const char *ip, bool has_host, PortRange host,
        PortRange inside, const char *protocol) {
        bool choice = inside.first == inside.last && host.first != host.last;
        int r = 0;

        for (unsigned i = 0; r >= 0 && i <= inside.last - inside.first; i++) {
                char port[32], host_port[32] = "";

                (void) snprintf(port, sizeof port, "%u/%s", inside.first + i, protocol);
                if (has_host && choice)
                        (void) snprintf(
                                host_port, sizeof host_port, "%u-%u", host.first, host.last);
                else if (has_host)
                        (void) snprintf(host_port, sizeof host_port, "%u", host.first + i);
                r = expose(spec, port);
                if (r >= 0)
                        r = bind_port(spec, port, ip, host_port);
        }
        return r;
}

int run_to_published(const char *value, void *field, Error *reterr) {
        _cleanup_(freep) char *standard = NULL, *words = NULL, *protocol = NULL;
        const char *ip, *host_text, *inside_text;
        PortRange host = {}, inside;
        int r;

        r = strchr(value, '=') ? long_form(value, &standard, reterr) : str_copy(&standard, value);
        if (r >= 0)
                r = split_protocol(standard, &words, &protocol);
        if (r < 0)
                return r;
        str_lower(protocol);

        r = split_published(words, &ip, &host_text, &inside_text);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID, "invalid IP address %s", ip);
        if (!*inside_text)
                return error_set(reterr, ERROR_INVALID, "no port specified: %s<empty>", standard);
        if (!STR_IN_SET(protocol, "tcp", "udp", "sctp"))
                return error_set(reterr, ERROR_INVALID, "invalid proto: %s", protocol);
        if (*ip && !is_ip(ip))
                return error_set(reterr, ERROR_INVALID, "invalid IP address: %s", ip);
        if (range_parse(inside_text, &inside, NULL) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid containerPort: %s", inside_text);
        if (*host_text && range_parse(host_text, &host, NULL) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid hostPort: %s", host_text);
        if (*host_text && inside.first != inside.last &&
                inside.last - inside.first != host.last - host.first)
                return error_set(reterr, ERROR_INVALID,
                        "invalid ranges specified for container and host Ports: %s and %s",
                        inside_text, host_text);

        return publish_range(field, ip, *host_text, host, inside, protocol);
}
