/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/resolver.h"

#include <errno.h>
#include <sys/epoll.h>

#include "engine/network/resolver-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/hashmap.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/event/fd-store.h"
#include "lib/event/loop.h"

#define NAME_TTL_SEC 600U
#define CLASS_IN     1U

/* One that came over UDP and is on its way to an upstream server. */
typedef struct Question {
        Seat *seat;
        ListNode by_seat;
        struct sockaddr_in from;
        Forward *forward;
} Question;

static Question *question_free(Question *q) {
        if (!q)
                return NULL;
        if (q->forward)
                q->seat->n_forwards--;
        forward_free(q->forward);
        list_remove(&q->by_seat);
        free(q);
        return NULL;
}
DEFINE_CLEANUP(Question *, question_free);

/* --- what we know --- */

static int answer_address(Seat *s, const DnsQuestion *q, DnsAnswer *a) {
        NameAnswer *found = &s->resolver->found;

        if (name_table_find(s->resolver->names, s->container_id, q->name, found) <= 0)
                return 0;
        /* The name is ours: of no other type is there anything. */
        if (q->type == DNS_A || q->type == DNS_ANY) {
                a->four = found->four;
                a->n_four = found->n_four;
        }
        if (q->type == DNS_AAAA || q->type == DNS_ANY) {
                a->six = found->six;
                a->n_six = found->n_six;
        }
        return 1;
}

static int answer_reverse(
        Seat *s, const DnsQuestion *q, char name[static DNS_NAME_MAX + 1], DnsAnswer *a) {
        union {
                struct in_addr four;
                struct in6_addr six;
        } address;
        int family;

        family = dns_reverse_parse(q->name, &address.four, &address.six);
        if (family == 0 || name_table_find_address(s->resolver->names, s->container_id, family,
                                   &address, name, DNS_NAME_MAX + 1) <= 0)
                return 0;
        a->name = name;
        return 1;
}

static size_t answer_max(const DnsQuestion *q, bool over_tcp) {
        return over_tcp ? DNS_MESSAGE_MAX : q->answer_max;
}

int seat_answer(Seat *s, const uint8_t *message, size_t size, bool over_tcp, DnsQuestion *ret,
        size_t *ret_size) {
        DnsAnswer a = { .code = DNS_NO_ERROR, .ttl = NAME_TTL_SEC };
        char name[DNS_NAME_MAX + 1];
        ssize_t n;
        int r;

        r = dns_question_parse(message, size, ret);
        if (r < 0)
                return r;
        if (r > 0)
                a.code = (DnsCode) r;
        else if (ret->class != CLASS_IN)
                return 0;
        else if (ret->type == DNS_PTR)
                r = answer_reverse(s, ret, name, &a);
        else
                r = answer_address(s, ret, &a);
        if (r == 0)
                return 0;

        n = dns_answer_format(message, ret, &a, s->resolver->out, answer_max(ret, over_tcp));
        if (n < 0) /* a name that DNS cannot carry is not known to it */
                return 0;
        *ret_size = (size_t) n;
        return 1;
}

size_t seat_refuse(Seat *s, const DnsQuestion *q, const uint8_t *message) {
        const DnsAnswer failed = { .code = DNS_SERVER_FAILURE };

        return (size_t) dns_answer_format(
                message, q, &failed, s->resolver->out, sizeof(s->resolver->out));
}

int seat_forward(Seat *s, const DnsQuestion *q, const uint8_t *message, size_t size, bool over_tcp,
        forward_done_t done, void *userdata, Forward **ret) {
        Resolver *r = s->resolver;
        int k;

        /* Asking on its behalf would lead a container out of an internal network (CVE-2024-29018). */
        if (!name_table_leads_outside(r->names, s->container_id))
                return -ENETUNREACH;
        if (s->n_forwards >= SEAT_FORWARDS_MAX)
                return -EBUSY;
        k = forward_new(r->forwarder, s->dns.n > 0 ? &s->dns : host_upstreams_get(r->host), q,
                message, size, over_tcp, done, userdata, ret);
        if (k >= 0)
                s->n_forwards++;
        return k;
}

/* --- over UDP --- */

/* Who does not read his answers loses them. */
static void send_answer(
        const Seat *s, const struct sockaddr_in *to, const uint8_t *answer, size_t size) {
        (void) sendto(s->udp_fd, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const void *) to,
                sizeof(*to));
}

static void on_forwarded(const uint8_t *answer, size_t size, void *userdata) {
        Question *q = userdata;

        q->forward = NULL;
        q->seat->n_forwards--;
        send_answer(q->seat, &q->from, answer, size);
        question_free(q);
}

static int forward_question(Seat *s, const DnsQuestion *question, const uint8_t *message,
        size_t size, const struct sockaddr_in *from) {
        _cleanup_(question_freep) Question *q = NULL;
        int r;

        q = new0(Question, 1);
        if (!q)
                return -ENOMEM;
        q->seat = s;
        q->from = *from;
        r = seat_forward(
                s, question, message, size, /* over_tcp= */ false, on_forwarded, q, &q->forward);
        if (r < 0)
                return r;
        list_append(&s->questions, &TAKE_PTR(q)->by_seat);
        return 0;
}

/* One in a turn: then everybody else has his. */
static int on_udp(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Seat *s = userdata;
        Resolver *r = s->resolver;
        struct sockaddr_in from;
        socklen_t from_size = sizeof(from);
        DnsQuestion q;
        size_t size = 0;
        ssize_t n;
        int k;

        n = recvfrom(fd, r->in, sizeof(r->in), MSG_DONTWAIT, (struct sockaddr *) &from, &from_size);
        if (n < 0 || from_size != sizeof(from) || from.sin_family != AF_INET)
                return 0; /* also what the kernel tells of a client that has gone */

        k = seat_answer(s, r->in, (size_t) n, /* over_tcp= */ false, &q, &size);
        if (k < 0)
                return 0;
        if (k == 0) {
                if (forward_question(s, &q, r->in, (size_t) n, &from) >= 0)
                        return 0;
                size = seat_refuse(s, &q, r->in);
        }
        send_answer(s, &from, r->out, size);
        return 0;
}

/* --- seats --- */

static Seat *seat_free(Seat *s) {
        Question *q;

        if (!s)
                return NULL;
        while ((q = list_first(&s->questions, Question, by_seat)))
                question_free(q);
        seat_drop_clients(s);
        loop_source_free(s->udp_io);
        loop_source_free(s->tcp_io);
        fd_close(s->udp_fd);
        fd_close(s->tcp_fd);
        free(s->keep_name);
        free(s->container_id);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Seat *, seat_free);

static int open_seat(Seat *s) {
        int r;

        r = loop_io(s->resolver->event, s->udp_fd, EPOLLIN, LOOP_NAMES, "names-udp", on_udp, s,
                &s->udp_io);
        if (r < 0)
                return r;
        r = sd_event_source_set_ratelimit(s->udp_io, SEAT_RATE_USEC, SEAT_RATE_BURST);
        return r < 0 ? r : seat_listen(s);
}

static void keep(const Seat *s, const char *name) {
        const int fds[] = { s->udp_fd, s->tcp_fd };
        int r;

        r = fd_store_put(s->resolver->store, name, fds, ARRAY_SIZE(fds));
        if (r < 0) /* they are made again after a crash, which takes longer */
                (void) log_debug_errno(r,
                        "Failed to keep the sockets of container %s: %m, ignoring",
                        s->container_id);
}

int resolver_serve(Resolver *r, const char *container_id, int udp_fd, int tcp_fd,
        const char *keep_name, char *const *dns) {
        _cleanup_(fd_closep) int udp = udp_fd, tcp = tcp_fd;
        _cleanup_(seat_freep) Seat *s = NULL;
        Seat *old;
        int k;

        assert(r);
        assert(container_id);

        old = hashmap_get(r->seats, container_id);
        if (old) {
                upstreams_from_list(dns, &old->dns);
                return 0;
        }
        if (udp < 0 || tcp < 0)
                return -EBADF;

        s = new0(Seat, 1);
        if (!s)
                return -ENOMEM;
        s->resolver = r;
        s->udp_fd = TAKE_FD(udp);
        s->tcp_fd = TAKE_FD(tcp);
        list_init(&s->questions);
        list_init(&s->clients);
        upstreams_from_list(dns, &s->dns);
        k = str_copy(&s->container_id, container_id);
        if (k >= 0)
                k = str_copy(&s->keep_name, keep_name);
        if (k >= 0)
                k = open_seat(s);
        if (k >= 0)
                k = hashmap_put(r->seats, s->container_id, s);
        if (k < 0)
                return k;
        if (keep_name && r->store && !fd_store_has(r->store, keep_name))
                keep(s, keep_name);
        s = NULL; /* the map's */
        return 0;
}

bool resolver_serves(const Resolver *r, const char *container_id) {
        return hashmap_contains(r->seats, container_id);
}

void resolver_leave(Resolver *r, const char *container_id) {
        Seat *s;

        assert(r);
        assert(container_id);

        s = hashmap_remove(r->seats, container_id);
        if (s && s->keep_name && r->store)
                fd_store_remove(r->store, s->keep_name);
        seat_free(s);
}

void resolver_take_kept(Resolver *r, const char *keep_name, int *ret_udp_fd, int *ret_tcp_fd) {
        int fds[2] = { -EBADF, -EBADF };
        bool both = false;

        assert(r);
        assert(keep_name);

        *ret_udp_fd = *ret_tcp_fd = -EBADF;
        if (!r->store)
                return;
        if (fd_store_take(r->store, keep_name, fds, ARRAY_SIZE(fds)) == ARRAY_SIZE(fds))
                for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                        socklen_t size = sizeof(int);
                        int type = 0;

                        (void) getsockopt(fds[i], SOL_SOCKET, SO_TYPE, &type, &size);
                        if (type == SOCK_DGRAM && *ret_udp_fd < 0)
                                *ret_udp_fd = TAKE_FD(fds[i]);
                        else if (type == SOCK_STREAM && *ret_tcp_fd < 0)
                                *ret_tcp_fd = TAKE_FD(fds[i]);
                }
        both = *ret_udp_fd >= 0 && *ret_tcp_fd >= 0;
        fd_close_many(fds, ARRAY_SIZE(fds));
        if (both)
                return;
        *ret_udp_fd = fd_close(*ret_udp_fd);
        *ret_tcp_fd = fd_close(*ret_tcp_fd);
        fd_store_remove(r->store, keep_name);
}

/* --- the whole --- */

int resolver_add_leg(Resolver *r, const ResolverLeg *leg) {
        return name_table_add(r->names, leg);
}

void resolver_remove_leg(Resolver *r, const char *endpoint_id) {
        name_table_remove(r->names, endpoint_id);
}

int resolver_new(sd_event *e, FdStore *store, const char *resolv_conf, Resolver **ret) {
        _cleanup_(resolver_freep) Resolver *r = NULL;
        int k;

        assert(e);
        assert(ret);

        r = new0(Resolver, 1);
        if (!r)
                return -ENOMEM;
        r->event = sd_event_ref(e);
        r->store = store;
        r->seats = hashmap_new(HASHMAP_STRING);
        if (!r->seats)
                return -ENOMEM;
        k = name_table_new(&r->names);
        if (k >= 0)
                k = forwarder_new(e, &r->forwarder);
        if (k >= 0)
                k = host_upstreams_new(e, resolv_conf, &r->host);
        if (k < 0)
                return k;
        *ret = TAKE_PTR(r);
        return 0;
}

Resolver *resolver_free(Resolver *r) {
        if (!r)
                return NULL;
        hashmap_free_with(r->seats, seat_free);
        forwarder_free(r->forwarder);
        host_upstreams_free(r->host);
        name_table_free(r->names);
        sd_event_unref(r->event);
        free(r);
        return NULL;
}
