/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/host/netns-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

#define QUIET_USEC   (500 * USEC_PER_MSEC)
#define TIMEOUT_USEC (30 * USEC_PER_SEC)

/* --- one namespace ------------------------------------------------------------------------------------------------------------------------ */

Netns *netns_free(Netns *ns) {
        Entry *e;

        if (!ns)
                return NULL;

        e = container_of(ns, Entry, netns);
        list_remove(&e->node);
        netlink_free(ns->inside);
        fd_close(ns->fd);
        fd_close(ns->dns_udp_fd);
        fd_close(ns->dns_tcp_fd);
        fd_close(ns->ipv6_fd);
        free(ns->path);
        free(e);
        return NULL;
}
DEFINE_CLEANUP(Netns *, netns_free);

/* What came with the worker's row; takes fds. */
int netns_new(NetnsPool *p, const char *id, int *fds, size_t n_fds, Netns **ret) {
        _cleanup_(netns_freep) Netns *ns = NULL;
        char name[IDENT_SHORT_SIZE];
        Entry *e;
        int r;

        if (!ident_is_valid(id) || n_fds <= TASK_NETNS_FD_IPV6 || n_fds > _TASK_NETNS_FD_MAX)
                return -EPROTO;

        e = new0(Entry, 1);
        if (!e)
                return -ENOMEM;
        ns = &e->netns;
        *ns = (Netns) {
                .fd = -EBADF, .dns_udp_fd = -EBADF, .dns_tcp_fd = -EBADF, .ipv6_fd = -EBADF
        };
        strcpy(ns->id, id);
        ns->path = path_join(p->folder, ident_short(id, name));
        if (!ns->path)
                return -ENOMEM;

        r = netlink_new(p->event, TAKE_FD(fds[TASK_NETNS_FD_ROUTE]), &ns->inside);
        if (r < 0)
                return r;
        ns->fd = TAKE_FD(fds[TASK_NETNS_FD_NAMESPACE]);
        ns->ipv6_fd = TAKE_FD(fds[TASK_NETNS_FD_IPV6]);
        if (n_fds == _TASK_NETNS_FD_MAX) {
                ns->dns_udp_fd = TAKE_FD(fds[TASK_NETNS_FD_DNS_UDP]);
                ns->dns_tcp_fd = TAKE_FD(fds[TASK_NETNS_FD_DNS_TCP]);
        }
        *ret = TAKE_PTR(ns);
        return 0;
}

int netns_allow_ipv6(Netns *ns, bool allow) {
        assert(ns);

        return pwrite(ns->ipv6_fd, allow ? "0" : "1", 1, 0) < 0 ? -errno : 0;
}

/* --- who waits ------------------------------------------------------------------------------------------------------------------------------ */

NetnsTake *netns_take_free(NetnsTake *t) {
        if (!t)
                return NULL;

        list_remove(&t->node);
        loop_source_free(t->timer);
        fd_close(t->dns_udp_fd);
        fd_close(t->dns_tcp_fd);
        free(t);
        return NULL;
}

/* Takes ns. */
void netns_take_finish(NetnsTake *t, int r, Netns *ns, const Error *e) {
        netns_taken_t taken = t->taken;
        void *userdata = t->userdata;

        netns_take_free(t);
        taken(r, ns, e, userdata);
}

void netns_take_fail(NetnsTake *t, int r, const char *step) {
        _cleanup_(error_done) Error e = {};

        (void) error_set_errno(&e, r, "Failed to %s for the container's network", step);
        netns_take_finish(t, r, NULL, &e);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        netns_take_fail(userdata, -ETIMEDOUT, "get a namespace");
        return 0;
}

static int take_new(NetnsPool *p, netns_taken_t taken, void *userdata, NetnsTake **ret) {
        NetnsTake *t = new0(NetnsTake, 1);

        if (!t)
                return -ENOMEM;
        t->pool = p;
        t->taken = taken;
        t->userdata = userdata;
        t->dns_udp_fd = t->dns_tcp_fd = -EBADF;
        *ret = t;
        return 0;
}

void netns_pool_kick(NetnsPool *p) {
        if (p->turn)
                (void) sd_event_source_set_enabled(p->turn, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        NetnsPool *p = userdata;

        p->backs_off = false;
        p->quiet = true;
        netns_worker_start(p);
        return 0;
}

void netns_pool_wait(NetnsPool *p, uint64_t usec) {
        (void) loop_timer(p->event, usec, LOOP_TIMER, "netns-pool", on_timer, p, &p->timer);
}

static void pool_stir(NetnsPool *p) {
        p->quiet = false;
        if (!p->backs_off)
                netns_pool_wait(p, QUIET_USEC);
}

int netns_pool_take(NetnsPool *p, netns_taken_t taken, void *userdata, NetnsTake **ret) {
        _cleanup_(netns_take_freep) NetnsTake *t = NULL;
        int r;

        assert(p);
        assert(taken);

        r = take_new(p, taken, userdata, &t);
        if (r < 0)
                return r;
        r = loop_timer(p->event, TIMEOUT_USEC, LOOP_TIMER, "netns-take", on_timeout, t, &t->timer);
        if (r < 0)
                return r;
        if (ret)
                *ret = t;
        list_append(&p->waiting, &TAKE_PTR(t)->node);
        pool_stir(p);
        netns_pool_kick(p);
        return 0;
}

int netns_pool_adopt(NetnsPool *p, const char *id, int dns_udp_fd, int dns_tcp_fd,
        netns_taken_t taken, void *userdata, NetnsTake **ret) {
        _cleanup_(fd_closep) int udp = dns_udp_fd, tcp = dns_tcp_fd;
        char name[IDENT_SHORT_SIZE];
        NetnsTake *t;
        int r;

        assert(p);
        assert(taken);

        if (!ident_is_valid(id))
                return -EINVAL;
        r = take_new(p, taken, userdata, &t);
        if (r < 0)
                return r;
        strcpy(t->id, id);
        t->dns_udp_fd = TAKE_FD(udp);
        t->dns_tcp_fd = TAKE_FD(tcp);
        if (ret)
                *ret = t;
        strv_remove(p->remove, ident_short(id, name)); /* swept as nobody's a moment ago */
        list_append(&p->adopting, &t->node);
        netns_pool_kick(p);
        return 0;
}

void netns_remove_later(NetnsPool *p, const char *id) {
        char name[IDENT_SHORT_SIZE];

        if (strv_add(&p->remove, ident_short(id, name)) < 0)
                (void) log_warning_errno(-ENOMEM,
                        "Failed to note that network namespace %s is not used any more: %m, "
                        "ignoring",
                        id);
        pool_stir(p);
        if (strv_length(p->remove) >= NETNS_REMOVE_MANY)
                netns_pool_kick(p);
}

void netns_pool_remove(NetnsPool *p, const char *id) {
        assert(p);

        if (ident_is_valid(id))
                netns_remove_later(p, id);
}

void netns_pool_give_back(NetnsPool *p, Netns *ns) {
        assert(p);

        if (!ns)
                return;
        ns->dns_udp_fd = fd_close(ns->dns_udp_fd);
        ns->dns_tcp_fd = fd_close(ns->dns_tcp_fd);
        list_append(&p->given, &container_of(ns, Entry, netns)->node);
        netns_remove_later(p, ns->id);
}

static int on_turn(sd_event_source *source, void *userdata) {
        NetnsPool *p = userdata;
        NetnsTake *t;
        Entry *e;

        while ((t = list_first(&p->waiting, NetnsTake, node)) &&
                (e = list_first(&p->ready, Entry, node))) {
                list_remove(&e->node);
                p->n_ready--;
                netns_take_finish(t, 0, &e->netns, NULL);
        }
        netns_worker_start(p);
        return 0;
}

/* --- the pool ----------------------------------------------------------------------------------------------------------------------------------- */

int netns_pool_new(sd_event *e, Launcher *launcher, const char *run_root, NetnsPool **ret) {
        _cleanup_(netns_pool_freep) NetnsPool *p = NULL;
        int r;

        assert(e);
        assert(launcher);
        assert(ret);

        p = new0(NetnsPool, 1);
        if (!p)
                return -ENOMEM;
        p->event = sd_event_ref(e);
        p->launcher = launcher;
        p->channel_fd = -EBADF;
        list_init(&p->ready);
        list_init(&p->given);
        list_init(&p->removals);
        list_init(&p->waiting);
        list_init(&p->adopting);
        list_init(&p->asked);
        p->folder = path_join(run_root, "netns");
        if (!p->folder)
                return -ENOMEM;
        r = loop_defer(e, LOOP_SYSTEM, "netns-pool", on_turn, p, &p->turn);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(p);
        return 0;
}

NetnsPool *netns_pool_free(NetnsPool *p) {
        NetnsTake *t;
        Entry *e;

        if (!p)
                return NULL;

        netns_worker_forget(p);
        while ((t = list_first(&p->waiting, NetnsTake, node)) ||
                (t = list_first(&p->adopting, NetnsTake, node)) ||
                (t = list_first(&p->asked, NetnsTake, node)))
                netns_take_free(t);
        while ((e = list_first(&p->ready, Entry, node)) || (e = list_first(&p->given, Entry, node)))
                netns_free(&e->netns);
        strv_free(p->remove);
        loop_source_free(p->turn);
        loop_source_free(p->timer);
        free(p->folder);
        sd_event_unref(p->event);
        free(p);
        return NULL;
}

static bool is_adopted(NetnsPool *p, const char *name) {
        NetnsTake *t;

        LIST_FOREACH (t, &p->adopting, node)
                if (strncmp(t->id, name, IDENT_SHORT_LENGTH) == 0)
                        return true;
        return false;
}

/* What an earlier daemon has left and no container has. */
static int sweep(NetnsPool *p) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = file_list(AT_FDCWD, p->folder, /* hidden= */ false, &names);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        STRV_FOREACH (name, names) {
                if (is_adopted(p, *name))
                        continue;
                r = strv_add(&p->remove, *name);
                if (r < 0)
                        return r;
        }
        return 0;
}

int netns_pool_start(NetnsPool *p) {
        int r;

        assert(p);
        assert(!p->started);

        p->started = true;
        r = sweep(p);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to look for network namespaces of an earlier run: %m, ignoring");
        netns_pool_kick(p);
        return 0;
}
