/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/netlink.h"

#include <errno.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "engine/host/netlink-call.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

#define TIMEOUT_USEC  (10 * USEC_PER_SEC)
#define MESSAGES_TURN 64U /* until others of the loop have theirs */

/* --- one call --------------------------------------------------------------------------------------------------------------------------- */

/* It leaves the queue. The answer that may still come is nobody's: the next message has another number. */
static void call_unqueue(NetlinkCall *c) {
        Netlink *n = c->netlink;

        if (n && c->is_parked)
                n->remover.forget(c, n->remover.userdata);
        else if (n && list_first(&n->calls, NetlinkCall, node) == c) {
                n->waits = false;
                n->asks = NULL;
                (void) loop_timer_stop(n->timer);
        }
        list_remove(&c->node);
        c->is_parked = false;
        c->netlink = NULL;
}

NetlinkCall *netlink_call_free(NetlinkCall *c) {
        if (!c)
                return NULL;

        call_unqueue(c);
        list_remove(&c->by_then);
        if (c->holder)
                *c->holder = NULL;
        netlink_batch_free(c->batch);
        netlink_batch_free(c->then_batch);
        netlink_batch_free(c->undo);
        error_done(&c->error);
        free(c);
        return NULL;
}

/* Goes on with b on n, in front of others if it was its turn there. */
static void call_move(NetlinkCall *c, Netlink *n, NetlinkBatch *b) {
        bool stays = c->netlink == n;

        call_unqueue(c);
        netlink_batch_free(c->batch);
        c->batch = b;
        c->netlink = n;
        c->n_known = 0;
        c->deadline_usec = 0;
        if (stays)
                list_prepend(&n->calls, &c->node);
        else
                list_append(&n->calls, &c->node);
        if (!n->waits)
                (void) sd_event_source_set_enabled(n->turn, SD_EVENT_ON);
}

/* 1 still there, 0 freed by the callback. */
static int call_finish(Netlink *n, NetlinkCall *c) {
        bool freed = false, *outer = n->ret_freed;
        _cleanup_(error_done) Error e = TAKE_STRUCT(c->error);
        netlink_done_t done = c->done;
        void *userdata = c->userdata;
        int r = c->result;

        netlink_call_free(c);
        if (!done)
                return 1;

        n->ret_freed = &freed;
        done(r, &e, userdata);
        if (freed) {
                if (outer)
                        *outer = true;
                return 0;
        }
        n->ret_freed = outer;
        return 1;
}

/* All steps of its batch are done. Answers as call_finish(). */
static int call_go_on(Netlink *n, NetlinkCall *c) {
        if (c->result < 0 || !c->then_batch)
                return call_finish(n, c);

        list_remove(&c->by_then);
        call_move(c, c->then_netlink, TAKE_PTR(c->then_batch));
        return 1;
}

static int call_fail(Netlink *n, NetlinkCall *c, int r, const NetlinkStep *s) {
        if (c->result < 0) /* the undoing: whatever it is, the first error is told */
                return call_finish(n, c);

        c->result = r;
        (void) error_set_errno(&c->error, r, "Failed to %s%s%s",
                s ? s->what : "configure the network", str_empty(n->words) ? "" : ": ", n->words);
        n->words[0] = 0;
        if (!c->undo || c->n_done == 0)
                return call_finish(n, c);

        list_remove(&c->by_then);
        call_move(c, c->undo_netlink, TAKE_PTR(c->undo));
        return 1;
}

static int known_index(const NetlinkCall *c, const char *name) {
        for (unsigned i = 0; i < c->n_known; i++)
                if (streq(c->known[i].name, name))
                        return c->known[i].ifindex;
        return 0;
}

/* Sends what comes next: the question for a link's index, or the step. */
static int call_send(Netlink *n, NetlinkCall *c, NetlinkStep *s) {
        if (c->deadline_usec == 0)
                c->deadline_usec = usec_add(clock_monotonic_us(), TIMEOUT_USEC);

        for (unsigned i = 0; i < s->n_refs; i++) {
                int ifindex = known_index(c, s->refs[i].name);

                if (ifindex == 0)
                        return netlink_ask(n, s->refs + i);
                memcpy((char *) nlmsg_hdr(s->message) + s->refs[i].offset, &ifindex,
                        sizeof(ifindex));
                s->ifindex = ifindex;
        }
        return netlink_send(n, s->message);
}

/* The answer to what was sent is complete. 1: go on, 0: the Netlink is gone. */
static int call_answered(Netlink *n, NetlinkCall *c, NetlinkStep *s) {
        bool asked = n->asks;
        int r = n->answer;

        n->waits = false;
        n->asks = NULL;
        if (r < 0 && r != s->fine[0] && r != s->fine[1])
                return call_fail(n, c, r, s);
        if (asked && r >= 0)
                return 1; /* the same step again, which knows more now */

        if (s->renames)
                c->n_known = 0;
        c->n_done++;
        netlink_step_free(s);
        return 1;
}

/* Others go on meanwhile. */
static int call_park(Netlink *n, NetlinkCall *c, NetlinkStep *s) {
        int r;

        r = n->remover.remove(s->value, c, n->remover.userdata);
        if (r < 0)
                return call_fail(n, c, r, s);
        list_remove(&c->node);
        list_append(&n->parked, &c->node);
        c->is_parked = true;
        return 1;
}

void netlink_removed(NetlinkCall *c, int r) {
        Netlink *n = c->netlink;
        NetlinkStep *s = list_first(&c->batch->steps, NetlinkStep, node);

        assert(c->is_parked);

        c->is_parked = false;
        list_remove(&c->node);
        list_append(&n->calls, &c->node);
        if (r < 0 && r != s->fine[0]) {
                n->words[0] = 0;
                (void) call_fail(n, c, r, s);
                return;
        }
        c->n_known = 0;
        c->n_done++;
        netlink_step_free(s);
        if (!n->waits)
                (void) sd_event_source_set_enabled(n->turn, SD_EVENT_ON);
}

/* --- turns of the loop ------------------------------------------------------------------------------------------------------------------- */

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata);

static void wait_for_answer(Netlink *n, NetlinkCall *c) {
        uint64_t now = clock_monotonic_us();

        (void) sd_event_source_set_enabled(n->io, SD_EVENT_ON);
        (void) sd_event_source_set_enabled(n->turn, SD_EVENT_OFF);
        if (!loop_timer_armed(n->timer))
                (void) loop_timer(n->event, c->deadline_usec > now ? c->deadline_usec - now : 0,
                        LOOP_TIMER, "netlink-timeout", on_timeout, n, &n->timer);
}

/* 1: something was done, there may be more; 0: the Netlink is gone; -EAGAIN: waits. */
static int netlink_step(Netlink *n) {
        NetlinkCall *c = list_first(&n->calls, NetlinkCall, node);
        NetlinkStep *s = list_first(&c->batch->steps, NetlinkStep, node);
        int r;

        if (c->batch->failure < 0)
                return call_fail(n, c, c->batch->failure, NULL);
        if (!s)
                return call_go_on(n, c);

        if (!s->message) {
                n->words[0] = 0;
                n->answer = file_write_kernel(s->sysctl, s->value);
                return call_answered(n, c, s);
        }
        if (s->removes && n->remover.remove)
                return call_park(n, c, s);
        if (!n->waits) {
                r = call_send(n, c, s);
                if (r == -EAGAIN || r == -ENOBUFS) {
                        wait_for_answer(n, c);
                        return -EAGAIN;
                }
                return r < 0 ? call_fail(n, c, r, s) : 1;
        }

        r = netlink_receive(n, c, s);
        if (r == -EAGAIN) {
                wait_for_answer(n, c);
                return r;
        }
        if (r == 0 || r == -EINTR)
                return 1;
        if (r < 0)
                n->answer = r;
        return call_answered(n, c, s);
}

static void netlink_turn(Netlink *n) {
        for (unsigned i = 0; i < MESSAGES_TURN; i++) {
                int r;

                if (list_empty(&n->calls)) {
                        (void) sd_event_source_set_enabled(n->io, SD_EVENT_OFF);
                        (void) sd_event_source_set_enabled(n->turn, SD_EVENT_OFF);
                        (void) loop_timer_stop(n->timer);
                        return;
                }
                r = netlink_step(n);
                if (r <= 0)
                        return; /* gone, or an event goes on */
        }
        (void) sd_event_source_set_enabled(n->turn, SD_EVENT_ON);
}

static int on_turn(sd_event_source *source, void *userdata) {
        netlink_turn(userdata);
        return 0;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        netlink_turn(userdata);
        return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Netlink *n = userdata;
        NetlinkCall *c = list_first(&n->calls, NetlinkCall, node);

        if (c && call_fail(n, c, -ETIMEDOUT, list_first(&c->batch->steps, NetlinkStep, node)) > 0)
                netlink_turn(n);
        return 0;
}

/* --- the object --------------------------------------------------------------------------------------------------------------------------- */

int netlink_new(sd_event *e, int fd, Netlink **ret) {
        _cleanup_(fd_closep) int taken = fd;
        _cleanup_(netlink_freep) Netlink *n = NULL;
        int r;

        assert(e);
        assert(ret);

        if (taken < 0)
                taken = netlink_socket_open();
        if (taken < 0)
                return taken;
        netlink_socket_prepare(taken);

        n = new0(Netlink, 1);
        if (!n)
                return -ENOMEM;
        n->event = sd_event_ref(e);
        n->fd = TAKE_FD(taken);
        list_init(&n->calls);
        list_init(&n->expected);
        list_init(&n->parked);

        r = loop_io(e, n->fd, EPOLLIN, LOOP_SYSTEM, "netlink", on_io, n, &n->io);
        if (r >= 0)
                r = sd_event_source_set_enabled(n->io, SD_EVENT_OFF);
        if (r >= 0)
                r = loop_defer(e, LOOP_SYSTEM, "netlink-turn", on_turn, n, &n->turn);
        if (r >= 0)
                r = sd_event_source_set_enabled(n->turn, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(n);
        return 0;
}

Netlink *netlink_free(Netlink *n) {
        NetlinkCall *c;

        if (!n)
                return NULL;

        if (n->ret_freed)
                *n->ret_freed = true;
        while ((c = list_first(&n->calls, NetlinkCall, node)))
                netlink_call_free(c);
        while ((c = list_first(&n->parked, NetlinkCall, node)))
                netlink_call_free(c);
        while ((c = list_first(&n->expected, NetlinkCall, by_then)))
                netlink_call_free(c);
        loop_source_free(n->io);
        loop_source_free(n->turn);
        loop_source_free(n->timer);
        (void) fd_close(n->fd);
        sd_event_unref(n->event);
        free(n);
        return NULL;
}

void netlink_set_remover(Netlink *n, const NetlinkRemover *remover) {
        assert(n);
        assert(list_empty(&n->parked));

        n->remover = remover ? *remover : (NetlinkRemover) {};
}

int netlink_fd(const Netlink *n) {
        return n->fd;
}

int netlink_run_plan(
        const NetlinkPlan *p, netlink_done_t done, void *userdata, NetlinkCall **holder) {
        NetlinkCall *c;
        int r = 0;

        assert(p && p->netlink);
        assert(!p->then_batch || p->then_netlink);

        c = p->batch ? new0(NetlinkCall, 1) : NULL;
        if (c && !p->netlink->waits)
                r = sd_event_source_set_enabled(p->netlink->turn, SD_EVENT_ON);
        if (!c || r < 0) {
                netlink_batch_free(p->batch);
                netlink_batch_free(p->then_batch);
                netlink_batch_free(p->undo);
                r = c ? r : -ENOMEM;
                free(c);
                return r;
        }

        c->netlink = p->netlink;
        c->batch = p->batch;
        c->undo = p->undo;
        c->undo_netlink = p->undo_netlink ? p->undo_netlink : p->netlink;
        c->done = done;
        c->userdata = userdata;
        list_append(&p->netlink->calls, &c->node);
        if (p->then_batch) {
                c->then_netlink = p->then_netlink;
                c->then_batch = p->then_batch;
                list_append(&p->then_netlink->expected, &c->by_then);
        }
        c->holder = holder;
        if (holder)
                *holder = c;
        return 0;
}

int netlink_run(
        Netlink *n, NetlinkBatch *b, netlink_done_t done, void *userdata, NetlinkCall **holder) {
        NetlinkPlan p = { .netlink = n, .batch = b };

        return netlink_run_plan(&p, done, userdata, holder);
}
