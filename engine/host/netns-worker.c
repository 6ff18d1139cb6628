/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "engine/host/launcher.h"
#include "engine/host/netns-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
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
#define BACK_OFF_USEC (200 * USEC_PER_MSEC)
#define FAILURES_MAX  3U /* workers in a row, until those who wait are told */

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
        netns_pool_kick(p);
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
        netns_take_finish(t, 0, ns, NULL);
}

static void on_made(NetnsPool *p, Netns *ns) {
        list_append(&p->ready, &container_of(ns, Entry, netns)->node);
        p->n_ready++;
        p->n_failures = 0;
        netns_pool_kick(p);
}

static void on_failed(NetnsPool *p, NetnsTake *t, const TaskProgress *row) {
        int r = row->current > 0 && row->current < 4096 ? -(int) row->current : -EIO;

        if (t) {
                if (r == -ENOENT)
                        netns_remove_later(p, t->id);
                netns_take_fail(t, r, str_or(row->status, "open the namespace"));
                return;
        }

        t = list_first(&p->waiting, NetnsTake, node);
        if (t)
                netns_take_fail(t, r, str_or(row->status, "make a namespace"));
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
                netns_remove_later(p, row.id);
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
        netns_pool_wait(p, BACK_OFF_USEC);
}

/* The worker is gone; r < 0: not as it should. */
static void worker_over(NetnsPool *p, int r) {
        NetnsTake *t;
        Removal *q;

        p->child = child_free(p->child);
        p->channel_fd = fd_close(p->channel_fd);

        /* Namespaces that it may have half made are nobody's; pins that it may have left are to be taken off still. */
        STRV_FOREACH (id, p->task.netns_make)
                netns_remove_later(p, *id);
        if (r < 0)
                (void) strv_add_all(&p->remove, p->task.netns_remove);
        task_spec_done(&p->task);
        p->task = (TaskSpec) {};

        while ((t = list_first(&p->asked, NetnsTake, node)))
                netns_take_fail(t, r < 0 ? r : -EIO, "open the namespace");
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
                        netns_take_fail(t, r, "make a namespace");
        }
        netns_pool_kick(p);
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
                (strv_empty(p->remove) ||
                        (!p->quiet && strv_length(p->remove) < NETNS_REMOVE_MANY)))
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

void netns_worker_start(NetnsPool *p) {
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

void netns_worker_forget(NetnsPool *p) {
        Removal *q;

        if (p->spawning)
                launcher_forget(p->launcher, p->tag);
        p->child = child_free(p->child);
        p->channel_fd = fd_close(p->channel_fd);
        task_spec_done(&p->task);
        while ((q = list_first(&p->removals, Removal, node)))
                removal_free(q);
}
