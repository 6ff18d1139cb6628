/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/health.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/monitor/accounting.h"
#include "service/monitor/exec.h"
#include "service/monitor/monitor.h"

#define PROBE_CGROUP \
        "health" /* below the container's: what a probe has started can be ended as one */

static void health_on_next(void *userdata);

/* --- what is found ------------------------------------------------------------------------------ */

int health_note(HealthState *s, HealthProbe *probe, bool counts, int retries) {
        const char *before = s->status, *now = before;

        if (s->n_log == HEALTH_LOG_MAX) {
                free(s->log[0].output);
                memmove(s->log, s->log + 1, (HEALTH_LOG_MAX - 1) * sizeof(s->log[0]));
                s->n_log--;
        }
        s->log[s->n_log++] = *probe;

        if (probe->exit_code == 0) {
                s->failing_streak = 0;
                now = "healthy";
        } else if (counts) {
                s->failing_streak++;
                if (s->failing_streak >= retries)
                        now = "unhealthy";
        }
        *probe = (HealthProbe) {};
        if (str_equal(before, now))
                return 0;
        return str_copy(&s->status, now) < 0 ? 0 : 1;
}

void health_tell(Monitor *m) {
        MonitorRecord record = {
                .type = MONITOR_HEALTH,
                .health = &m->health.state,
                .accounting = ACCOUNTING_NULL,
        };

        if (m->health.started)
                control_send(&m->control, &record);
}

/* A restart is the daemon's: it hears of the state, now or when it comes back. */
static void act(Monitor *m) {
        const char *what = str_or_empty(m->spec.health->on_unhealthy);

        (void) monitor_log(m, LOG_NOTICE, 0, "Container %s is unhealthy (on-unhealthy: %s)",
                m->spec.name, str_empty(what) ? "none" : what);
        if (streq(what, "kill"))
                (void) process_kill(m->pidfd, SIGKILL);
        else if (streq(what, "stop")) {
                m->health.stops = true;
                monitor_stop(m, /* everybody= */ false);
        }
}

static bool is_over(const Health *h) {
        return !h->in_period || clock_monotonic_us() >= h->period_end;
}

static void note(Monitor *m, int exit_code, char *output) {
        Health *h = &m->health;
        HealthProbe probe = {
                .start = h->probe_start,
                .end = clock_realtime_ns(),
                .exit_code = exit_code,
                .output = output,
        };
        bool changed;

        changed = health_note(&h->state, &probe, is_over(h), m->spec.health->retries) > 0;
        if (exit_code == 0)
                h->in_period = false;
        health_tell(m);
        if (changed && streq(h->state.status, "unhealthy"))
                act(m);
}

/* --- when ----------------------------------------------------------------------------------------- */

static uint64_t interval(const Monitor *m) {
        const MonitorHealth *spec = m->spec.health;

        return is_over(&m->health) ? spec->interval_usec : spec->start_interval_usec;
}

static void plan_next(Monitor *m) {
        poller_timer(&m->poller, &m->health.timer, interval(m), health_on_next, m);
}

static bool is_frozen(const Monitor *m) {
        _cleanup_(freep) char *text = NULL;

        return m->cgroup.fd >= 0 &&
               file_read_at(m->cgroup.fd, "cgroup.events", 4096, &text, NULL) >= 0 &&
               accounting_find(text, "frozen") == 1;
}

/* --- a probe ---------------------------------------------------------------------------------------- */

static void take_output(Health *h) {
        char rest[4096];

        for (;;) {
                bool full = h->n_output == sizeof(h->output);
                ssize_t n = read(h->output_fd, full ? rest : h->output + h->n_output,
                        full ? sizeof(rest) : sizeof(h->output) - h->n_output);

                if (n <= 0)
                        return;
                if (full)
                        h->output_cut = true;
                else
                        h->n_output += (size_t) n;
        }
}

/* One pipe full at a time: a probe that writes for ever must not keep us busy. */
static void on_output(void *userdata, uint32_t events) {
        Monitor *m = userdata;
        Health *h = &m->health;

        take_output(h);
        if (events & EPOLLHUP)
                poller_unwatch(&m->poller, &h->output_watch);
}

static void close_output(Monitor *m) {
        poller_unwatch(&m->poller, &m->health.output_watch);
        m->health.output_fd = fd_close(m->health.output_fd);
}

static char *output_text(Health *h) {
        char *text = NULL;

        (void) str_printf(
                &text, "%.*s%s", (int) h->n_output, h->output, h->output_cut ? "..." : "");
        return text;
}

static void remove_cgroup(const Monitor *m) {
        if (m->cgroup.fd >= 0)
                (void) unlinkat(
                        m->cgroup.fd, PROBE_CGROUP, AT_REMOVEDIR); /* EBUSY: it left a daemon */
}

static void on_started(Exec *x) {
        exec_tell(x);
}

static void on_ended(Exec *x) {
        Monitor *m = x->monitor;
        Health *h = &m->health;

        exec_tell(x);
        h->probe = NULL;
        if (m->state == MONITOR_STATE_RUNNING && !h->probe_timed_out) {
                take_output(h);
                note(m, x->exit_code, x->error ? strdup(x->error) : output_text(h));
        }
        close_output(m);
        remove_cgroup(m);
        exec_free(x);
        if (m->state == MONITOR_STATE_RUNNING)
                plan_next(m);
}

static void kill_probe(Monitor *m) {
        Exec *x = m->health.probe;

        if (m->cgroup.fd < 0 ||
                file_write_kernel_at(m->cgroup.fd, PROBE_CGROUP "/cgroup.kill", "1") < 0)
                (void) exec_kill(x, SIGKILL);
        if (x->runtime_pid > 0)
                (void) kill(x->runtime_pid, SIGKILL); /* ours and not reaped */
}

/* As Go writes a duration: 30s, 1m30s, 1h0m0s, 500ms. */
static char *span_text(uint64_t usec) {
        uint64_t seconds = usec / USEC_PER_SEC;
        char *text = NULL;

        if (seconds == 0)
                (void) str_printf(&text, "%gms", (double) usec / (double) USEC_PER_MSEC);
        else if (seconds < 60)
                (void) str_printf(&text, "%gs", (double) usec / (double) USEC_PER_SEC);
        else if (seconds < 3600)
                (void) str_printf(&text, "%" PRIu64 "m%" PRIu64 "s", seconds / 60, seconds % 60);
        else
                (void) str_printf(&text, "%" PRIu64 "h%" PRIu64 "m%" PRIu64 "s", seconds / 3600,
                        seconds / 60 % 60, seconds % 60);
        return text;
}

static void health_on_timeout(void *userdata) {
        _cleanup_(freep) char *span = NULL;
        Monitor *m = userdata;
        Health *h = &m->health;
        char *text = NULL;

        if (!h->probe)
                return;
        if (is_frozen(m)) { /* its time does not pass */
                poller_timer(
                        &m->poller, &h->timer, m->spec.health->timeout_usec, health_on_timeout, m);
                return;
        }
        kill_probe(m);
        if (!h->probe_timed_out) {
                h->probe_timed_out = true;
                span = span_text(m->spec.health->timeout_usec);
                (void) str_printf(&text, "Health check exceeded timeout (%s)", str_or_empty(span));
                note(m, -1, text);
        }
}

static int make_fds(Health *h, int ret[static 3]) {
        int pair[2], r;

        ret[0] = fd_open_null();
        if (ret[0] < 0)
                return ret[0];
        r = fd_pipe(pair, 0);
        if (r < 0)
                return r;
        h->output_fd = pair[0];
        ret[1] = pair[1];
        ret[2] = fd_dup(pair[1]);
        if (ret[2] < 0)
                return ret[2];
        return fd_set_nonblock(h->output_fd, true);
}

static const char *make_cgroup(const Monitor *m) {
        if (m->cgroup.fd < 0 || (mkdirat(m->cgroup.fd, PROBE_CGROUP, 0755) < 0 && errno != EEXIST))
                return NULL;
        return PROBE_CGROUP;
}

static int begin(Monitor *m, Error *reterr) {
        Health *h = &m->health;
        int fds[3] = { -EBADF, -EBADF, -EBADF }, r;
        char id[IDENT_SIZE];
        ExecSpec spec = { .attach_stdout = true, .attach_stderr = true };

        h->probe_start = clock_realtime_ns();
        h->probe_timed_out = h->output_cut = false;
        h->n_output = 0;
        (void) ident_random(id);
        r = strv_set(&spec.cmd, m->spec.health->command);
        if (r >= 0)
                r = make_fds(h, fds);
        if (r >= 0)
                r = poller_watch(&m->poller, &h->output_watch, h->output_fd, EPOLLIN, on_output, m);
        if (r >= 0)
                r = exec_new(m, id, &spec, &h->probe);
        if (r >= 0) {
                h->probe->probe = true;
                h->probe->on_started = on_started;
                h->probe->on_ended = on_ended;
                r = exec_start(h->probe, NULL, make_cgroup(m), fds, reterr);
                if (r < 0)
                        h->probe = exec_free(h->probe);
        }
        fd_close_many(fds, ARRAY_SIZE(fds));
        exec_spec_done(&spec);
        return r;
}

static void health_on_next(void *userdata) {
        _cleanup_(error_done) Error e = {};
        Monitor *m = userdata;
        int r;

        if (m->state != MONITOR_STATE_RUNNING || m->health.probe)
                return;
        if (is_frozen(m)) {
                plan_next(m);
                return;
        }
        r = begin(m, &e);
        if (r < 0) {
                close_output(m);
                note(m, -1, strdup(error_text(&e, r)));
                if (m->state == MONITOR_STATE_RUNNING)
                        plan_next(m);
                return;
        }
        poller_timer(
                &m->poller, &m->health.timer, m->spec.health->timeout_usec, health_on_timeout, m);
}

/* --- its life ----------------------------------------------------------------------------------------- */

void health_start(Monitor *m) {
        Health *h = &m->health;

        if (!m->spec.health)
                return;
        h->state.log = new0(HealthProbe, HEALTH_LOG_MAX);
        if (!h->state.log || str_copy(&h->state.status, "starting") < 0)
                return;
        h->started = true;
        h->in_period = m->spec.health->start_period_usec > 0;
        h->period_end = clock_monotonic_us() + m->spec.health->start_period_usec;
        health_tell(m);
        plan_next(m);
}

void health_stop(Monitor *m) {
        poller_timer_stop(&m->poller, &m->health.timer);
}

void health_done(Monitor *m) {
        health_stop(m);
        close_output(m);
        health_state_done(&m->health.state);
}
