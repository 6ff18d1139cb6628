/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/ports.h"

#include <arpa/inet.h>
#include <string.h>

#include "engine/network/port-hold.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/hashmap.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Taken Taken;

struct Taken {
        Taken *next; /* of the same number and protocol: other addresses */
        PortMapping mapping;
        int fd;
};

struct Ports {
        Hashmap *by_number; /* key(), first of the Taken */
        uint16_t last_chosen;
};

/* One binding, parsed. */
typedef struct Binding {
        int protocol;
        uint16_t port;
        uint16_t first, last; /* of the host; 0: any that is free */
        int family;           /* AF_UNSPEC: every address of both */
        PortMapping host;     /* .family and .host only */
} Binding;

typedef struct Result {
        PortMapping *mappings;
        size_t n, n_allocated;
} Result;

int ports_new(Ports **ret) {
        Ports *p;

        p = new0(Ports, 1);
        if (!p)
                return -ENOMEM;
        *ret = p;
        return 0;
}

static void taken_free_all(Taken *t) {
        while (t) {
                Taken *next = t->next;

                (void) fd_close(t->fd);
                free(t);
                t = next;
        }
}

Ports *ports_free(Ports *p) {
        if (!p)
                return NULL;
        hashmap_free_with(p->by_number, taken_free_all);
        free(p);
        return NULL;
}

static const void *key(const PortMapping *m) {
        return UINT_TO_PTR((unsigned) m->protocol << 16 | m->host_port);
}

static bool same_host(const PortMapping *a, const PortMapping *b) {
        return a->family == b->family &&
               (a->family == AF_INET ? a->host.address4.s_addr == b->host.address4.s_addr
                                     : IN6_ARE_ADDR_EQUAL(&a->host.address6, &b->host.address6));
}

static bool is_taken(const Ports *p, const PortMapping *m) {
        for (Taken *t = hashmap_get(p->by_number, key(m)); t; t = t->next)
                if (t->mapping.family == m->family &&
                        (same_host(&t->mapping, m) || port_mapping_is_any(&t->mapping) ||
                                port_mapping_is_any(m)))
                        return true;
        return false;
}

/* Takes fd in any case. */
static int remember(Ports *p, const PortMapping *m, int fd) {
        _cleanup_(fd_closep) int own = fd;
        Taken *t, *first;
        int r;

        t = new0(Taken, 1);
        if (!t)
                return -ENOMEM;
        t->mapping = *m;
        first = hashmap_get(p->by_number, key(m));
        if (first) {
                t->next = first->next;
                first->next = t;
        } else {
                r = hashmap_ensure_put(&p->by_number, HASHMAP_POINTER, key(m), t);
                if (r < 0) {
                        free(t);
                        return r;
                }
        }
        t->fd = TAKE_FD(own);
        return 0;
}

static void forget(Ports *p, const PortMapping *m) {
        Taken *first = hashmap_get(p->by_number, key(m)), *t = first, *before = NULL;

        while (t && !same_host(&t->mapping, m)) {
                before = t;
                t = t->next;
        }
        if (!t)
                return;
        if (before)
                before->next = t->next;
        else if (t->next)
                (void) hashmap_set(p->by_number, key(m), t->next, NULL);
        else
                (void) hashmap_remove(p->by_number, key(m));
        (void) fd_close(t->fd);
        free(t);
}

void ports_release(Ports *p, const PortMapping *m, size_t n) {
        assert(p);

        for (size_t i = 0; i < n; i++)
                if (m[i].host_port != 0)
                        forget(p, m + i);
}

int ports_adopt(Ports *p, const PortMapping *m, size_t n) {
        char text[PORT_MAPPING_TEXT_SIZE];
        int fd, r;

        assert(p);

        for (size_t i = 0; i < n; i++) {
                if (m[i].host_port == 0)
                        continue;
                fd = port_hold(m + i);
                if (fd < 0 && fd != -EPROTONOSUPPORT)
                        (void) log_warning_errno(fd,
                                "Published port %s cannot be held against other programs, "
                                "ignoring: %m",
                                port_mapping_format(m + i, text));
                r = remember(p, m + i, fd < 0 ? -EBADF : fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "", "0": any; "80"; "80-90". */
static int parse_host_port(const char *text, Binding *b) {
        const char *dash = strchr(str_or_empty(text), '-');
        _cleanup_(freep) char *left = NULL;
        uint32_t first = 0, last = 0;
        int r = 0;

        if (str_empty(text))
                return 0;
        if (str_copy_n(&left, text, dash ? (size_t) (dash - text) : strlen(text)) < 0)
                return -ENOMEM;
        r = parse_u32(left, &first);
        if (r >= 0)
                r = dash ? parse_u32(dash + 1, &last) : (last = first, 0);
        if (r < 0 || last < first || last > UINT16_MAX || (dash && first == 0))
                return -EINVAL;
        b->first = (uint16_t) first;
        b->last = (uint16_t) last;
        return 0;
}

static int parse_host_ip(const char *text, Binding *b) {
        b->family = AF_UNSPEC;
        if (str_empty(text))
                return 0;
        b->family = strchr(text, ':') ? AF_INET6 : AF_INET;
        return inet_pton(b->family, text, &b->host.host) == 1 ? 0 : -EINVAL;
}

static int binding_parse(const char *port, const PortBinding *from, const char *default_ip,
        Binding *ret, Error *reterr) {
        const char *ip = str_empty(from->host_ip) ? default_ip : from->host_ip;
        int r;

        *ret = (Binding) {};
        r = port_parse(port, &ret->port, &ret->protocol);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID, "invalid port specification: \"%s\"", port);
        r = parse_host_port(from->host_port, ret);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return error_set(reterr, ERROR_INVALID, "invalid port specification: \"%s\"",
                        from->host_port);
        if (parse_host_ip(ip, ret) < 0)
                return error_set(
                        reterr, ERROR_INVALID, "invalid IP address in port binding: \"%s\"", ip);
        return 0;
}

/* Each binding that is asked for, in order. found: < 0 ends it. */
typedef int (*binding_found_t)(const Binding *b, void *userdata, Error *reterr);

static bool is_bound(const PortsWish *w, const char *port) {
        for (size_t i = 0; i < w->n_bindings; i++)
                if (streq(w->bindings[i].port, port) && w->bindings[i].n_bindings > 0)
                        return true;
        return false;
}

static int each_binding(const PortsWish *w, binding_found_t found, void *userdata, Error *reterr) {
        static const PortBinding any = {};
        Binding b;
        int r;

        for (size_t i = 0; i < w->n_bindings; i++)
                for (size_t k = 0; k < w->bindings[i].n_bindings; k++) {
                        r = binding_parse(w->bindings[i].port, w->bindings[i].bindings + k,
                                w->default_ip, &b, reterr);
                        if (r >= 0)
                                r = found(&b, userdata, reterr);
                        if (r < 0)
                                return r;
                }
        if (!w->publish_all)
                return 0;
        STRV_FOREACH (port, w->exposed) {
                if (is_bound(w, *port))
                        continue;
                r = binding_parse(*port, &any, w->default_ip, &b, reterr);
                if (r >= 0)
                        r = found(&b, userdata, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int found_nothing(const Binding *b, void *userdata, Error *reterr) {
        return 0;
}

int ports_check(const PortsWish *w, Error *reterr) {
        uint16_t port;
        int protocol;

        assert(w);

        for (size_t i = 0; i < w->n_bindings; i++)
                if (port_parse(w->bindings[i].port, &port, &protocol) < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid port specification: \"%s\"", w->bindings[i].port);
        return each_binding(w, found_nothing, NULL, reterr);
}

typedef struct Reservation {
        Ports *ports;
        const PortsWish *wish;
        PortRange range;
        bool range_known;
        Result result;
} Reservation;

/* What one binding becomes: one mapping for each family that it means and the container has. */
static size_t mappings_of(const PortsWish *w, const Binding *b, PortMapping ret[static 2]) {
        size_t n = 0;

        for (int i = 0; i < 2; i++) {
                int family = i == 0 ? AF_INET : AF_INET6;

                if (!(i == 0 ? w->has4 : w->has6) ||
                        (b->family != AF_UNSPEC && b->family != family))
                        continue;
                ret[n++] = (PortMapping) {
                        .protocol = b->protocol,
                        .family = family,
                        .host = b->host.host,
                        .port = b->port,
                };
        }
        return n;
}

static bool is_routed(const PortsWish *w, const PortMapping *m) {
        return m->family == AF_INET ? w->routed4 : w->routed6;
}

/* Takes one number in every family; -EEXIST: a container has it; what bind() said. ret_problem: which one it was. */
static int take_number(Ports *p, const PortsWish *w, PortMapping *m, size_t n, uint16_t number,
        size_t *ret_problem) {
        int fd = -EBADF, r = 0;
        size_t done;

        for (size_t i = 0; i < n; i++)
                m[i].host_port = is_routed(w, m + i) ? 0 : number;
        for (size_t i = 0; i < n; i++)
                if (m[i].host_port != 0 && is_taken(p, m + i)) {
                        *ret_problem = i;
                        return -EEXIST;
                }
        for (done = 0; done < n; done++) {
                if (m[done].host_port == 0)
                        continue;
                fd = port_hold(m + done);
                r = fd < 0 && fd != -EPROTONOSUPPORT ? fd
                                                     : remember(p, m + done, fd < 0 ? -EBADF : fd);
                if (r < 0)
                        break;
        }
        if (r < 0) {
                ports_release(p, m, done);
                *ret_problem = done;
        }
        return r;
}

static int choose_number(Reservation *v, PortMapping *m, size_t n, size_t *ret_problem) {
        unsigned size, number;
        int r;

        if (!v->range_known)
                port_range_read(&v->range);
        v->range_known = true;
        size = (unsigned) (v->range.last - v->range.first) + 1;
        number = v->ports->last_chosen;
        for (unsigned i = 0; i < size; i++) {
                number++;
                if (number < v->range.first || number > v->range.last)
                        number = v->range.first;
                if (v->range.reserved[number / 8] & (1U << (number % 8)))
                        continue;
                r = take_number(v->ports, v->wish, m, n, (uint16_t) number, ret_problem);
                if (r == -EEXIST || r == -EADDRINUSE)
                        continue;
                if (r >= 0)
                        v->ports->last_chosen = (uint16_t) number;
                return r;
        }
        return -EAGAIN;
}

static int take_binding(
        Reservation *v, const Binding *b, PortMapping *m, size_t n, size_t *ret_problem) {
        int r = -EAGAIN;

        if (b->first == 0)
                return choose_number(v, m, n, ret_problem);
        for (unsigned i = b->first; i <= b->last; i++) {
                r = take_number(v->ports, v->wish, m, n, (uint16_t) i, ret_problem);
                if (r != -EEXIST && r != -EADDRINUSE)
                        break;
        }
        return r < 0 && b->last > b->first && (r == -EEXIST || r == -EADDRINUSE) ? -EAGAIN : r;
}

/* What clients look for, as Go says it. */
static const char *bind_problem(int r) {
        switch (r) {
        case -EADDRINUSE:
                return "address already in use";
        case -EADDRNOTAVAIL:
                return "cannot assign requested address";
        case -EACCES:
                return "permission denied";
        default:
                return strerror(-r);
        }
}

static int say(int r, const PortMapping *m, Error *reterr) {
        bool is_six = m->family == AF_INET6;
        char ip[INET6_ADDRSTRLEN];

        (void) port_mapping_host_ip(m, ip);
        if (r == -EEXIST)
                return error_set(reterr, ERROR_INTERNAL,
                        "Bind for %s%s%s:%u failed: port is already allocated", is_six ? "[" : "",
                        ip, is_six ? "]" : "", m->host_port);
        if (r == -EAGAIN)
                return error_set(reterr, ERROR_INTERNAL, "all ports are allocated");
        if (r == -ENOMEM)
                return r;
        return error_set(reterr, ERROR_INTERNAL, "failed to bind host port %s%s%s:%u/%s: %s",
                is_six ? "[" : "", ip, is_six ? "]" : "", m->host_port,
                port_protocol_name(m->protocol), bind_problem(r));
}

static int reserve_binding(const Binding *b, void *userdata, Error *reterr) {
        Reservation *v = userdata;
        size_t n, problem = 0;
        PortMapping *m;
        int r;

        r = array_grow(&v->result.mappings, &v->result.n_allocated, v->result.n + 2);
        if (r < 0)
                return r;
        m = v->result.mappings + v->result.n;
        n = mappings_of(v->wish, b, m);
        if (n == 0)
                return 0;
        r = take_binding(v, b, m, n, &problem);
        if (r < 0)
                return say(r, m + problem, reterr);
        v->result.n += n;
        return 0;
}

int ports_reserve(Ports *p, const PortsWish *w, PortMapping **ret, size_t *ret_n, Error *reterr) {
        Reservation v = { .ports = p, .wish = w };
        int r;

        assert(p);
        assert(w);
        assert(ret);
        assert(ret_n);

        r = each_binding(w, reserve_binding, &v, reterr);
        if (r < 0) {
                ports_release(p, v.result.mappings, v.result.n);
                free(v.result.mappings);
                return r;
        }
        *ret = v.result.mappings;
        *ret_n = v.result.n;
        return 0;
}
