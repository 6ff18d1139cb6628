/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/host/launcher.h"
#include "engine/host/netlink.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/channel.h"
#include "lib/event/child.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

#define POOL_SIZE     4U  /* ready ones, when nothing goes on */
#define POOL_LOW      1U  /* at so few it is filled in the middle of the work of others */
#define WORKER_MAKES  16U /* that one worker makes; others may be waiting for their removal */
#define REMOVE_MANY   64U /* pins that do not wait for a quiet moment */
#define QUIET_USEC    (500 * USEC_PER_MSEC)
#define BACK_OFF_USEC (200 * USEC_PER_MSEC)
#define TIMEOUT_USEC  (30 * USEC_PER_SEC)
#define FAILURES_MAX  3U /* workers in a row, until those who wait are told */

struct NetnsTake {
        ListNode node; /* .waiting, .adopting or .asked of the pool */
        NetnsPool *pool;
        netns_taken_t taken;
        void *userdata;
        sd_event_source *timer;
        char id[IDENT_SIZE]; /* adopted ones */
        int dns_udp_fd, dns_tcp_fd;
};

/* A link of the host that goes. */
typedef struct Removal {
        ListNode node; /* .removals of the pool */
        char name[NETLINK_NAME_SIZE];
        NetlinkCall *call; /* NULL: forgotten */
        bool asked;
} Removal;

typedef struct Entry {
        Netns netns;
        ListNode node; /* .ready or .given of the pool, or in none */
} Entry;

struct NetnsPool {
        sd_event *event;
        Launcher *launcher;
        char *folder;
        bool started;
        bool quiet; /* nothing was taken or given back for a while */
        List ready;
        unsigned n_ready;
        List given;    /* back; closed when they are unpinned */
        List waiting;  /* for one from the pool */
        List adopting; /* not yet asked of a worker */
        List asked;    /* the worker opens them */
        char **remove;
        List removals;
        unsigned n_failures;

        /* the worker that runs, if any */
        uint64_t tag;
        bool spawning;
        int channel_fd; /* until the child is there */
        Child *child;
        TaskSpec task;
        bool has_result;

        sd_event_source *turn;
        sd_event_source *timer; /* quiet, or the end of a back-off */
        bool backs_off;
};

static int on_turn(sd_event_source *source, void *userdata);
static void pool_work(NetnsPool *p);

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
static int netns_new(NetnsPool *p, const char *id, int *fds, size_t n_fds, Netns **ret) {
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
static void take_finish(NetnsTake *t, int r, Netns *ns, const Error *e) {
        netns_taken_t taken = t->taken;
        void *userdata = t->userdata;

        netns_take_free(t);
        taken(r, ns, e, userdata);
}

static void take_fail(NetnsTake *t, int r, const char *step) {
        _cleanup_(error_done) Error e = {};

        (void) error_set_errno(&e, r, "Failed to %s for the container's network", step);
        take_finish(t, r, NULL, &e);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        take_fail(userdata, -ETIMEDOUT, "get a namespace");
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

static void pool_kick(NetnsPool *p) {
        if (p->turn)
                (void) sd_event_source_set_enabled(p->turn, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        NetnsPool *p = userdata;

        p->backs_off = false;
        p->quiet = true;
        pool_work(p);
        return 0;
}

static void pool_stir(NetnsPool *p) {
        p->quiet = false;
        if (!p->backs_off)
                (void) loop_timer(
                        p->event, QUIET_USEC, LOOP_IDLE, "netns-pool", on_timer, p, &p->timer);
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
        pool_kick(p);
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
        pool_kick(p);
        return 0;
}

static void remove_later(NetnsPool *p, const char *id) {
        char name[IDENT_SHORT_SIZE];

        if (strv_add(&p->remove, ident_short(id, name)) < 0)
                (void) log_warning_errno(-ENOMEM,
                        "Failed to note that network namespace %s is not used any more: %m, "
                        "ignoring",
                        id);
        pool_stir(p);
        if (strv_length(p->remove) >= REMOVE_MANY)
                pool_kick(p);
}

void netns_pool_remove(NetnsPool *p, const char *id) {
        assert(p);

        if (ident_is_valid(id))
                remove_later(p, id);
}

void netns_pool_give_back(NetnsPool *p, Netns *ns) {
        assert(p);

        if (!ns)
                return;
        ns->dns_udp_fd = fd_close(ns->dns_udp_fd);
        ns->dns_tcp_fd = fd_close(ns->dns_tcp_fd);
        list_append(&p->given, &container_of(ns, Entry, netns)->node);
        remove_later(p, ns->id);
}

/* --- links of the host ---------------------------------------------------------------------- */

static Removal *removal_free(Removal *q) {
        list_remove(&q->node);
        free(q);
        return NULL;
}

static void removal_finish(Removal *q, int r) {
        NetlinkCall *call = q->call;

        removal_free(q);
        if (call)
                netlink_removed(call, r);
}

static int on_remove(const char *name, NetlinkCall *call, void *userdata) {
        NetnsPool *p = userdata;
        Removal *q = new0(Removal, 1);

        if (!q)
                return -ENOMEM;
        strcpy(q->name, name);
        q->call = call;
        list_append(&p->removals, &q->node);
        pool_kick(p);
        return 0;
}

static void on_forget(NetlinkCall *call, void *userdata) {
        NetnsPool *p = userdata;
        Removal *q;

        LIST_FOREACH (q, &p->removals, node)
                if (q->call == call)
                        q->call = NULL;
}

void netns_pool_serve(NetnsPool *p, Netlink *n) {
        const NetlinkRemover remover = { on_remove, on_forget, p };

        netlink_set_remover(n, &remover);
}

static Removal *find_removal(NetnsPool *p, const char *name) {
        Removal *q;

        LIST_FOREACH (q, &p->removals, node)
                if (q->asked && streq(q->name, name))
                        return q;
        return NULL;
}

/* --- the worker's rows -------------------------------------------------------------------------------------------------------------------------- */

static NetnsTake *find_asked(NetnsPool *p, const char *id) {
        NetnsTake *t;

        LIST_FOREACH (t, &p->asked, node)
                if (streq(t->id, id))
                        return t;
        return NULL;
}

static void on_opened(NetnsPool *p, NetnsTake *t, Netns *ns) {
        if (ns->dns_udp_fd < 0)
                ns->dns_udp_fd = TAKE_FD(t->dns_udp_fd);
        if (ns->dns_tcp_fd < 0)
                ns->dns_tcp_fd = TAKE_FD(t->dns_tcp_fd);
        take_finish(t, 0, ns, NULL);
}

static void on_made(NetnsPool *p, Netns *ns) {
        list_append(&p->ready, &container_of(ns, Entry, netns)->node);
        p->n_ready++;
        p->n_failures = 0;
        pool_kick(p);
}

static void on_failed(NetnsPool *p, NetnsTake *t, const TaskProgress *row) {
        int r = row->current > 0 && row->current < 4096 ? -(int) row->current : -EIO;

        if (t) {
                if (r == -ENOENT)
                        remove_later(p, t->id);
                take_fail(t, r, str_or(row->status, "open the namespace"));
                return;
        }

        t = list_first(&p->waiting, NetnsTake, node);
        if (t)
                take_fail(t, r, str_or(row->status, "make a namespace"));
        else
                (void) log_warning_errno(r,
                        "Failed to prepare a network namespace (%s): %m, ignoring",
                        str_or(row->status, "?"));
}

static int on_row(NetnsPool *p, Json *record, int *fds, size_t n_fds) {
        _cleanup_(task_progress_done) TaskProgress row = {};
        _cleanup_(error_done) Error e = {};
        NetnsTake *t;
        Removal *q;
        Netns *ns;
        int r;

        r = json_read(record, task_progress_fields, &row, &e);
        if (r < 0)
                return r;
        if (!row.id)
                return -EPROTO;
        q = find_removal(p, row.id);
        if (q) {
                removal_finish(q, -(int) MIN(row.current, (uint64_t) 4095));
                return 0;
        }

        t = find_asked(p, row.id);
        if (row.current != 0) {
                strv_remove(p->task.netns_make, row.id);
                on_failed(p, t, &row);
                return 0;
        }
        if (!t && strv_remove(p->task.netns_make, row.id) == 0)
                return 0; /* whoever wanted to adopt it has gone */

        r = netns_new(p, row.id, fds, n_fds, &ns);
        if (r < 0) {
                remove_later(p, row.id);
                return r;
        }
        if (t)
                on_opened(p, t, ns);
        else
                on_made(p, ns);
        return 0;
}

static int on_record(Child *c, Json *record, int *fds, size_t n_fds, void *userdata) {
        _cleanup_(task_result_done) TaskResult result = {};
        _cleanup_(error_done) Error e = {};
        NetnsPool *p = userdata;
        int r;

        if (str_equal(json_get_text(record, "type"), "progress"))
                return on_row(p, record, fds, n_fds);

        r = json_read(record, task_result_fields, &result, &e);
        if (r < 0)
                return r;
        p->has_result = str_empty(result.error_kind);
        if (!p->has_result)
                (void) log_warning(
                        "A worker for network namespaces failed: %s", str_or_empty(result.error));
        return 0;
}

/* --- starting and ending it ------------------------------------------------------------------------------------------------------------------- */

static bool pool_is_busy(const NetnsPool *p) {
        return p->spawning || p->child;
}

static void pool_back_off(NetnsPool *p) {
        p->backs_off = true;
        (void) loop_timer(
                p->event, BACK_OFF_USEC, LOOP_TIMER, "netns-pool", on_timer, p, &p->timer);
}

/* The worker is gone; r < 0: not as it should. */
static void worker_over(NetnsPool *p, int r) {
        NetnsTake *t;
        Removal *q;

        p->child = child_free(p->child);
        p->channel_fd = fd_close(p->channel_fd);

        /* Namespaces that it may have half made are nobody's; pins that it may have left are to be taken off still. */
        STRV_FOREACH (id, p->task.netns_make)
                remove_later(p, *id);
        if (r < 0)
                (void) strv_add_all(&p->remove, p->task.netns_remove);
        task_spec_done(&p->task);
        p->task = (TaskSpec) {};

        while ((t = list_first(&p->asked, NetnsTake, node)))
                take_fail(t, r < 0 ? r : -EIO, "open the namespace");
        while ((q = list_first(&p->removals, Removal, node)) && q->asked) /* those stand first */
                removal_finish(q, r < 0 ? r : -EIO);

        if (r >= 0)
                p->n_failures = 0;
        else if (++p->n_failures < FAILURES_MAX)
                pool_back_off(p);
        else {
                p->n_failures = 0;
                pool_back_off(p);
                while ((t = list_first(&p->waiting, NetnsTake, node)))
                        take_fail(t, r, "make a namespace");
        }
        pool_kick(p);
}

static void on_exit_(Child *c, const siginfo_t *si, void *userdata) {
        NetnsPool *p = userdata;

        if (!p->has_result)
                (void) log_warning("A worker for network namespaces ended before its time.");
        worker_over(p, p->has_result ? 0 : -EIO);
}

static const ChildOps child_ops = {
        .name = "netns-worker",
        .on_record = on_record,
        .on_exit = on_exit_,
};

static void on_started(int r, int pid, int pidfd, void *userdata) {
        _cleanup_(json_unrefp) Json *record = NULL;
        NetnsPool *p = userdata;

        p->spawning = false;
        if (r >= 0)
                r = child_adopt(
                        p->event, pid, pidfd, TAKE_FD(p->channel_fd), &child_ops, p, &p->child);
        if (r >= 0)
                r = json_write(&p->task, task_spec_fields, &record);
        if (r >= 0)
                r = json_set_text(record, "type", "task");
        if (r >= 0)
                r = child_send(p->child, record, NULL, 0);
        if (r >= 0)
                return;

        (void) log_warning_errno(r, "Failed to start a worker for network namespaces: %m");
        if (p->child)
                (void) child_kill(p->child, SIGKILL);
        worker_over(p, r);
}

static int add_makes(NetnsPool *p, unsigned n) {
        char id[IDENT_SIZE];
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++)
                r = strv_add(&p->task.netns_make, ident_random(id));
        return r;
}

static unsigned count_makes(const NetnsPool *p) {
        unsigned n_waiting = 0;
        NetnsTake *t;

        LIST_FOREACH (t, &p->waiting, node)
                n_waiting++;
        if (n_waiting == 0 && p->n_ready > POOL_LOW && (!p->quiet || p->n_ready >= POOL_SIZE))
                return 0;
        return MIN(n_waiting + POOL_SIZE - MIN(p->n_ready, POOL_SIZE), WORKER_MAKES);
}

/* What is to be done next, as a task; 0: nothing. */
static int fill_task(NetnsPool *p) {
        NetnsTake *t;
        Removal *q;
        Entry *e;
        unsigned n;
        int r;

        n = count_makes(p);
        if (n == 0 && list_empty(&p->adopting) && list_empty(&p->removals) &&
                (strv_empty(p->remove) || (!p->quiet && strv_length(p->remove) < REMOVE_MANY)))
                return 0;

        p->task = (TaskSpec) { .kind = TASK_NETNS };
        r = str_copy(&p->task.data_root, "");
        if (r >= 0)
                r = str_copy(&p->task.path, p->folder);
        if (r >= 0)
                r = add_makes(p, n);
        while (r >= 0 && (t = list_first(&p->adopting, NetnsTake, node))) {
                bool kept = t->dns_udp_fd >= 0 && t->dns_tcp_fd >= 0;

                r = strv_add(kept ? &p->task.netns_open : &p->task.netns_renew, t->id);
                if (r < 0)
                        break;
                list_remove(&t->node);
                list_append(&p->asked, &t->node);
        }
        LIST_FOREACH (q, &p->removals, node) {
                if (r >= 0)
                        r = strv_add(&p->task.links_remove, q->name);
                q->asked = true;
        }
        if (r < 0)
                return r;
        p->task.netns_remove = TAKE_PTR(p->remove);
        while ((e = list_first(&p->given, Entry, node)))
                netns_free(&e->netns);
        return 1;
}

static void pool_work(NetnsPool *p) {
        _cleanup_(fd_closep) int theirs = -EBADF;
        int pair[2], r;

        if (!p->started || p->backs_off || pool_is_busy(p))
                return;

        r = fill_task(p);
        if (r == 0)
                return;
        p->has_result = false;
        if (r >= 0)
                r = channel_pair(pair);
        if (r >= 0) {
                p->channel_fd = pair[0];
                theirs = pair[1];
                r = launcher_start(
                        p->launcher, LAUNCHER_WORKER, "netns", &theirs, 1, on_started, p, &p->tag);
        }
        if (r < 0) {
                (void) log_warning_errno(r, "Failed to start a worker for network namespaces: %m");
                worker_over(p, r);
                return;
        }
        p->spawning = true;
}

static int on_turn(sd_event_source *source, void *userdata) {
        NetnsPool *p = userdata;
        NetnsTake *t;
        Entry *e;

        while ((t = list_first(&p->waiting, NetnsTake, node)) &&
                (e = list_first(&p->ready, Entry, node))) {
                list_remove(&e->node);
                p->n_ready--;
                take_finish(t, 0, &e->netns, NULL);
        }
        pool_work(p);
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
        Removal *q;
        Entry *e;

        if (!p)
                return NULL;

        if (p->spawning)
                launcher_forget(p->launcher, p->tag);
        child_free(p->child);
        fd_close(p->channel_fd);
        task_spec_done(&p->task);
        while ((t = list_first(&p->waiting, NetnsTake, node)) ||
                (t = list_first(&p->adopting, NetnsTake, node)) ||
                (t = list_first(&p->asked, NetnsTake, node)))
                netns_take_free(t);
        while ((e = list_first(&p->ready, Entry, node)) || (e = list_first(&p->given, Entry, node)))
                netns_free(&e->netns);
        while ((q = list_first(&p->removals, Removal, node)))
                removal_free(q);
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
        pool_kick(p);
        return 0;
}
