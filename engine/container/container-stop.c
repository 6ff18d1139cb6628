/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>

#include "engine/container/container-again.h"
#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "engine/host/units.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"

#define STOP_TIMEOUT_SEC      10
#define STOP_UNHEARD_SEC      2 /* the first signal did not get through */
#define STOP_START_SEC        2 /* for a start under way: then it is given up */
#define KILL_TIMEOUT_SEC      10
#define KILL_UNIT_TIMEOUT_SEC 2

/* A ladder: the wished signal, KILL by the monitor, KILL by systemd, giving up. */
typedef enum StopStage {
        STOP_WAITS, /* for a start under way */
        STOP_THAWS, /* it is paused: a signal would not be seen */
        STOP_SIGNALLED,
        STOP_KILLED,
        STOP_UNIT_KILLED,
} StopStage;

typedef struct ContainerStop {
        ListNode node;
        Container *container;
        Pending *pending;
        StopStage stage;
        int signal;
        int64_t timeout_sec; /* < 0: for ever */
        bool is_kill;        /* no "stop" event, other words when it fails */
        sd_event_source *timer;
        UnitCall *thaw;
} ContainerStop;

static void stop_begin(ContainerStop *s);
static void stop_kill(ContainerStop *s);

static ContainerStop *stop_free(ContainerStop *s) {
        if (!s)
                return NULL;

        list_remove(&s->node);
        monitor_link_forget(s->container->link, s);
        loop_source_free(s->timer);
        unit_call_free(s->thaw);
        pending_unref(s->pending);
        free(s);
        return NULL;
}

static void stop_finish(ContainerStop *s, int r, const Error *e) {
        Pending *p = pending_ref(s->pending);

        stop_free(s);
        pending_answer(r, e, p);
}

static int signal_number(const char *text, int otherwise, int *ret, Error *reterr) {
        if (str_empty(text)) {
                *ret = otherwise;
                return 0;
        }
        if (parse_signal(text, ret) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid signal: %s", text);
        return 0;
}

static int stop_new(
        Container *c, int signal, int64_t timeout_sec, Pending *p, ContainerStop **ret) {
        ContainerStop *s;

        s = new0(ContainerStop, 1);
        if (!s)
                return -ENOMEM;
        s->container = c;
        s->signal = signal;
        s->timeout_sec = timeout_sec;
        s->pending = pending_ref(p);
        list_append(&c->stops, &s->node);
        *ret = s;
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(error_done) Error e = {};
        ContainerStop *s = userdata;
        Container *c = s->container;
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        switch (s->stage) {
        case STOP_WAITS: /* the start hangs: its end is that of all who wait for it */
                container_note_signal(c, s->signal);
                container_start_cancel(c);
                return 0;

        case STOP_SIGNALLED:
                stop_kill(s);
                return 0;

        case STOP_KILLED:
                s->stage = STOP_UNIT_KILLED;
                r = units_kill(c->set->units, container_scope(c, scope), SIGKILL, NULL, NULL, NULL);
                if (r < 0)
                        (void) log_container_warning(
                                c, r, "Failed to kill the scope: %m, ignoring");
                r = loop_timer(c->set->event, KILL_UNIT_TIMEOUT_SEC * USEC_PER_SEC, LOOP_TIMER,
                        "container-stop", on_timer, s, &s->timer);
                if (r >= 0)
                        return 0;
                _fallthrough_;

        default:
                r = error_set(&e, ERROR_INTERNAL,
                        "cannot %s container: %s: tried to kill container, but did not receive an "
                        "exit event",
                        s->is_kill ? "kill" : "stop", c->id);
                stop_finish(s, r, &e);
                return 0;
        }
}

static void stop_arm(ContainerStop *s, int64_t sec) {
        _cleanup_(error_done) Error e = {};
        int r;

        if (sec < 0) {
                (void) loop_timer_stop(s->timer);
                return;
        }
        r = loop_timer(s->container->set->event, (uint64_t) sec * USEC_PER_SEC, LOOP_TIMER,
                "container-stop", on_timer, s, &s->timer);
        if (r < 0) {
                error_set_errno(&e, r, "Failed to wait for container %s", s->container->id);
                stop_finish(s, r, &e);
        }
}

static void publish_kill(Container *c, int signal) {
        char text[16];

        (void) snprintf(text, sizeof(text), "%d", signal);
        container_publish(c, "kill", "signal", text);
}

static void on_signalled(int r, const Error *e, void *userdata) {
        ContainerStop *s = userdata;

        if (r >= 0 || s->stage != STOP_SIGNALLED || s->timeout_sec <= STOP_UNHEARD_SEC)
                return;
        stop_arm(s, STOP_UNHEARD_SEC);
}

static int send_kill(Container *c, int signal, bool all, monitor_reply_t reply, void *userdata) {
        MonitorCommand command = { .type = MONITOR_KILL, .signal = signal, .all = all };

        if (!c->link)
                return -ENOTCONN;
        return monitor_link_command(c->link, &command, reply, userdata);
}

static void stop_kill(ContainerStop *s) {
        Container *c = s->container;
        int r;

        s->stage = STOP_KILLED;
        r = send_kill(c, SIGKILL, /* all= */ true, on_signalled, s);
        if (r >= 0)
                publish_kill(c, SIGKILL);
        stop_arm(s, r < 0 ? 0 : KILL_TIMEOUT_SEC);
}

static void on_thawed(int r, const Error *e, void *userdata) {
        ContainerStop *s = userdata;
        Container *c = s->container;

        s->thaw = NULL;
        if (r >= 0) {
                container_set_paused(c, false);
                stop_begin(s);
                return;
        }
        /* KILL reaches a frozen one, too. */
        (void) log_container_warning(c, r, "Failed to thaw it: %s, killing it", error_text(e, r));
        s->stage = STOP_KILLED;
        stop_arm(s, 0);
}

/* 1: goes on when it is thawed. */
static int stop_thaw(ContainerStop *s) {
        Container *c = s->container;
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        if (c->state != CONTAINER_PAUSED || s->stage == STOP_THAWS)
                return 0;
        s->stage = STOP_THAWS;
        r = units_freeze(c->set->units, container_scope(c, scope), /* freeze= */ false, on_thawed,
                s, &s->thaw);
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to thaw it: %m, ignoring");
        return r < 0 ? 0 : 1;
}

static void stop_begin(ContainerStop *s) {
        Container *c = s->container;
        int r;

        (void) loop_timer_stop(s->timer);
        container_note_signal(c, s->signal);
        if (stop_thaw(s) > 0)
                return;
        if (s->signal == SIGKILL) {
                stop_kill(s);
                return;
        }

        s->stage = STOP_SIGNALLED;
        r = send_kill(c, s->signal, /* all= */ false, on_signalled, s);
        if (r >= 0)
                publish_kill(c, s->signal);
        stop_arm(s, r < 0 ? 0 : s->timeout_sec);
}

/* Between two runs there is nothing to signal: it does not go on. */
static void stop_pause(Container *c) {
        c->manually_stopped = true;
        container_again_cancel(c);
        container_publish(c, "stop", NULL, NULL);
}

int container_stop(
        Container *c, int64_t timeout_sec, const char *signal, Pending *p, Error *reterr) {
        int number, otherwise = SIGTERM, r;
        ContainerStop *s;

        assert(c);
        assert(p);

        (void) signal_number(c->spec.config.stop_signal, SIGTERM, &otherwise, NULL);
        r = signal_number(signal, otherwise, &number, reterr);
        if (r < 0)
                return r;
        if (c->state == CONTAINER_RESTARTING) {
                stop_pause(c);
                pending_complete(p, 0, NULL, NULL);
                return 0;
        }
        if (!container_is_running(c) && c->state != CONTAINER_STARTING)
                return error_set(
                        reterr, ERROR_NOT_MODIFIED, "Container %s is already stopped", c->id);

        if (timeout_sec == CONTAINER_TIMEOUT_DEFAULT)
                timeout_sec = c->spec.config.stop_timeout == JSON_NO_INT
                                    ? STOP_TIMEOUT_SEC
                                    : c->spec.config.stop_timeout;
        timeout_sec = CLAMP(timeout_sec, INT64_C(-1), INT64_C(1) << 31);

        r = stop_new(c, number, timeout_sec, p, &s);
        if (r < 0)
                return r;
        if (container_is_running(c))
                stop_begin(s);
        else
                stop_arm(s, STOP_START_SEC);
        return 0;
}

static int kill_to_exit(Container *c, Pending *p) {
        ContainerStop *s;
        int r;

        r = stop_new(c, SIGKILL, 0, p, &s);
        if (r < 0)
                return r;
        s->is_kill = true;
        if (container_is_running(c))
                stop_begin(s);
        else
                stop_arm(s, STOP_START_SEC);
        return 0;
}

/* Any other signal: done when the monitor has sent it. */
typedef struct KillWait {
        Container *container;
        Pending *pending;
        int signal;
} KillWait;

static void on_killed(int r, const Error *e, void *userdata) {
        KillWait *w = userdata;

        if (r >= 0)
                publish_kill(w->container, w->signal);
        pending_answer(r, e, w->pending);
        free(w);
}

/* Its monitor is frozen, too: what would end it thaws it as Docker does, the rest waits there. */
static int kill_paused(Container *c, int number, Pending *p, Error *reterr) {
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        r = send_kill(c, number, /* all= */ false, NULL, NULL);
        if (r >= 0 && c->restart_cancelled)
                r = units_freeze(c->set->units, container_scope(c, scope), /* freeze= */ false,
                        NULL, NULL, NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot kill container: %s", c->name);
        publish_kill(c, number);
        pending_complete(p, 0, NULL, NULL);
        return 0;
}

int container_kill(Container *c, const char *signal, Pending *p, Error *reterr) {
        KillWait *w;
        int number, r;

        assert(c);
        assert(p);

        r = signal_number(signal, SIGKILL, &number, reterr);
        if (r < 0)
                return r;
        if (c->state == CONTAINER_RESTARTING) {
                stop_pause(c);
                pending_complete(p, 0, NULL, NULL);
                return 0;
        }
        if (!container_is_running(c) && !(c->state == CONTAINER_STARTING && number == SIGKILL))
                return error_set(reterr, ERROR_CONFLICT,
                        "cannot kill container: %s: container %s is not running", c->name, c->id);
        if (number == SIGKILL)
                return kill_to_exit(c, p);
        container_note_signal(c, number);
        if (c->state == CONTAINER_PAUSED)
                return kill_paused(c, number, p, reterr);

        w = new0(KillWait, 1);
        if (!w)
                return -ENOMEM;
        w->container = c;
        w->pending = pending_ref(p);
        w->signal = number;
        r = send_kill(c, number, /* all= */ false, on_killed, w);
        if (r < 0) {
                pending_unref(w->pending);
                free(w);
                return error_set_errno(reterr, r, "cannot kill container: %s", c->name);
        }
        return 0;
}

/* A start has ended, well or not. */
void container_stops_proceed(Container *c) {
        ContainerStop *s;

        if (!container_is_running(c)) {
                container_stops_finish(c, 0, NULL);
                return;
        }
        /* Each may end in stop_begin() when there is no memory for its timer. */
        LIST_FOREACH_SAFE (s, &c->stops, node)
                if (s->stage == STOP_WAITS)
                        stop_begin(s);
}

/* As if by docker stop, whether it has ended by now or not: the policy rests until somebody starts it. */
void container_handle_scope_stopped(Container *c) {
        int r;

        (void) log_container_debug(c, 0, "Somebody has stopped its scope");
        switch (c->state) {
        case CONTAINER_STARTING:
        case CONTAINER_RUNNING:
        case CONTAINER_PAUSED:
                c->scope_stopped = true;
                container_note_signal(c, SIGKILL);
                return;

        case CONTAINER_RESTARTING: /* we heard of the exit first */
                if (c->restart_count > 0)
                        c->restart_count--;
                stop_pause(c);
                return;

        case CONTAINER_EXITED:
                c->manually_stopped = c->restart_cancelled = true;
                r = container_save(c);
                if (r < 0)
                        (void) log_container_warning(
                                c, r, "Failed to save that it was stopped: %m, ignoring");
                container_publish(c, "stop", NULL, NULL);
                return;

        default:
                return;
        }
}

/* Its end was wished, and by more than a kill. */
static bool was_stopped(const Container *c) {
        ContainerStop *s;

        if (c->scope_stopped)
                return true;
        LIST_FOREACH (s, &c->stops, node)
                if (!s->is_kill && s->stage != STOP_WAITS)
                        return true;
        return false;
}

void container_stops_finish(Container *c, int r, const Error *e) {
        ContainerStop *s;

        if (r >= 0 && !c->set->ending && was_stopped(c))
                container_publish(c, "stop", NULL, NULL);
        c->scope_stopped = false;
        while ((s = list_first(&c->stops, ContainerStop, node))) {
                if (c->set->ending)
                        stop_free(s);
                else
                        stop_finish(s, r, e);
        }
}
