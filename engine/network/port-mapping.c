/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published ports as text. Pure. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "engine/network/ports.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

static const struct {
        int protocol;
        const char *name;
} protocols[] = {
        { IPPROTO_TCP, "tcp" },
        { IPPROTO_UDP, "udp" },
        { IPPROTO_SCTP, "sctp" },
};

const char *port_protocol_name(int protocol) {
        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
                if (protocols[i].protocol == protocol)
                        return protocols[i].name;
        return NULL;
}

static int protocol_from_name(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
                if (streq(protocols[i].name, name))
                        return protocols[i].protocol;
        return -EINVAL;
}

static int number_parse(const char *text, size_t n, unsigned least, uint16_t *ret) {
        char copy[sizeof("65535")];
        uint32_t value;

        if (n == 0 || n >= sizeof(copy))
                return -EINVAL;
        memcpy(copy, text, n);
        copy[n] = 0;
        if (parse_u32(copy, &value) < 0 || value < least || value > UINT16_MAX)
                return -EINVAL;
        *ret = (uint16_t) value;
        return 0;
}

int port_parse(const char *text, uint16_t *ret_port, int *ret_protocol) {
        const char *slash;
        uint16_t port;
        int protocol, r;

        assert(text);
        assert(ret_port);
        assert(ret_protocol);

        slash = strchr(text, '/');
        protocol = slash ? protocol_from_name(slash + 1) : IPPROTO_TCP;
        if (protocol < 0)
                return protocol;
        r = number_parse(text, slash ? (size_t) (slash - text) : strlen(text), 1, &port);
        if (r < 0)
                return r;
        *ret_port = port;
        *ret_protocol = protocol;
        return 0;
}

bool port_mapping_is_any(const PortMapping *m) {
        return m->family == AF_INET ? m->host.address4.s_addr == 0
                                    : IN6_IS_ADDR_UNSPECIFIED(&m->host.address6);
}

const char *port_mapping_host_ip(const PortMapping *m, char ret[static INET6_ADDRSTRLEN]) {
        return inet_ntop(m->family, &m->host, ret, INET6_ADDRSTRLEN);
}

const char *port_mapping_format(const PortMapping *m, char ret[static PORT_MAPPING_TEXT_SIZE]) {
        char ip[INET6_ADDRSTRLEN];

        (void) snprintf(ret, PORT_MAPPING_TEXT_SIZE,
                m->family == AF_INET6 ? "[%s]:%u->%u/%s" : "%s:%u->%u/%s",
                port_mapping_host_ip(m, ip), m->host_port, m->port,
                port_protocol_name(m->protocol));
        return ret;
}

int port_mapping_parse(const char *text, PortMapping *ret) {
        PortMapping m = { .family = AF_INET };
        char ip[INET6_ADDRSTRLEN];
        const char *begin = text, *end, *arrow;
        int r;

        assert(text);
        assert(ret);

        if (*text == '[') {
                m.family = AF_INET6;
                begin++;
        }
        end = strchr(begin, m.family == AF_INET6 ? ']' : ':');
        if (!end || (size_t) (end - begin) >= sizeof(ip))
                return -EINVAL;
        memcpy(ip, begin, (size_t) (end - begin));
        ip[end - begin] = 0;
        if (inet_pton(m.family, ip, &m.host) != 1)
                return -EINVAL;

        if (m.family == AF_INET6)
                end++;
        arrow = strstr(end, "->");
        if (*end != ':' || !arrow)
                return -EINVAL;
        r = number_parse(end + 1, (size_t) (arrow - end) - 1, 0, &m.host_port);
        if (r >= 0)
                r = strchr(arrow, '/') ? port_parse(arrow + 2, &m.port, &m.protocol) : -EINVAL;
        if (r < 0)
                return r;
        *ret = m;
        return 0;
}

int port_mappings_write(const PortMapping *m, size_t n, Json **ret) {
        _cleanup_(json_unrefp) Json *list = NULL;
        char text[PORT_MAPPING_TEXT_SIZE];
        int r;

        assert(ret);

        r = json_new_list(&list);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = json_append_text(list, port_mapping_format(m + i, text));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}

int port_mappings_read(Json *v, PortMapping **ret, size_t *ret_n, Error *reterr) {
        _cleanup_(freep) PortMapping *m = NULL;
        size_t n = json_count(v);
        const char *text;

        assert(ret);
        assert(ret_n);

        m = new0(PortMapping, MAX(n, (size_t) 1));
        if (!m)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                text = json_to_text(json_at(v, i));
                if (!text || port_mapping_parse(text, m + i) < 0)
                        return error_set(reterr, ERROR_INVALID, "published port %zu: \"%s\"", i,
                                str_or(text, "(no text)"));
        }
        *ret = TAKE_PTR(m);
        *ret_n = n;
        return 0;
}
