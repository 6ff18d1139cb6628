/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon asks of a monitor. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "lib/base/process.h"
#include "lib/base/str.h"
#include "service/monitor/exec.h"
#include "service/monitor/exec-session.h"
#include "service/monitor/monitor-internal.h"

static int monitor_kill(Monitor *m, int64_t sig, bool all, Error *reterr) {
        if (sig < 0 || sig > SIGRTMAX)
                return error_set(reterr, ERROR_INVALID, "Invalid signal: %" PRIi64, sig);
        if (m->pid == 0)
                return error_set(
                        reterr, ERROR_NOT_RUNNING, "container %s is not running", m->spec.id);
        if (all && m->cgroup.fd >= 0)
                return container_cgroup_signal(&m->cgroup, (int) sig);
        return process_kill(m->pidfd, (int) sig);
}

static int monitor_kill_exec(Monitor *m, const MonitorCommand *c, Error *reterr) {
        Exec *x = c->exec_id ? exec_find(m, c->exec_id) : NULL;

        if (!x || x->pid == 0)
                return error_set(reterr, ERROR_NOT_RUNNING, "exec %s is not running",
                        str_or_empty(c->exec_id));
        if (c->signal < 0 || c->signal > SIGRTMAX)
                return error_set(reterr, ERROR_INVALID, "Invalid signal: %" PRIi64, c->signal);
        return exec_kill(x, (int) c->signal);
}

void monitor_on_detach(void *userdata) {
        const MonitorRecord detached = { .type = MONITOR_DETACHED, .accounting = ACCOUNTING_NULL };
        Monitor *m = userdata;

        control_send(&m->control, &detached);
}

/* The daemon reads the log for it, up to where it begins here. */
static void monitor_tell_held(Monitor *m, uint64_t hold) {
        MonitorRecord held = { .type = MONITOR_HELD, .hold = hold, .accounting = ACCOUNTING_NULL };
        LogPlace place;

        if (stdio_hold(&m->stdio, hold, &place) < 0)
                return; /* it is gone already */
        held.log_inode = place.inode;
        held.log_offset = place.offset;
        held.log_ordinal = place.ordinal;
        held.log_epoch = (char *) place.epoch;
        control_send(&m->control, &held);
}

static int monitor_attach(
        Monitor *m, const MonitorCommand *c, int *fds, size_t n_fds, Error *reterr) {
        AttachRequest request = {
                .in = c->attach_stdin,
                .out = c->attach_stdout,
                .err = c->attach_stderr,
                .framing = c->websocket == 0 ? c->raw ? STREAM_BARE : STREAM_FRAMES
                         : c->websocket == 1 ? STREAM_WEBSOCKET_TEXT
                                             : STREAM_WEBSOCKET,
                .hold = c->hold,
        };
        int r;

        if (n_fds < 1)
                return error_set(reterr, ERROR_INVALID, "Nobody to attach");
        r = stdio_attach_client(&m->stdio, &request, c->detach_keys, fds, n_fds, reterr);
        if (r >= 0 && c->hold != 0)
                monitor_tell_held(m, c->hold);
        return r;
}

static int monitor_resize(Monitor *m, const MonitorCommand *c, Error *reterr) {
        int r;

        if (m->pid == 0)
                return error_set(
                        reterr, ERROR_NOT_RUNNING, "container %s is not running", m->spec.id);
        r = stdio_resize(&m->stdio, c->height, c->width);
        if (r == -ENOTTY)
                return 0; /* there is no terminal: nothing to do, as Docker has it */
        return r < 0 ? error_set_errno(reterr, r, "Cannot resize the terminal") : 0;
}

int monitor_on_command(
        const MonitorCommand *c, int *fds, size_t n_fds, void *userdata, Error *reterr) {
        Monitor *m = userdata;
        int r;

        switch (c->type) {
        case MONITOR_GO:
                monitor_go(m);
                return 0;
        case MONITOR_KILL:
                return monitor_kill(m, c->signal, c->all, reterr);
        case MONITOR_REOPEN_LOGS:
                r = stdio_reopen(&m->stdio);
                return r < 0 ? error_set_errno(reterr, r, "Cannot open the log again") : 0;
        case MONITOR_LIMIT_TASKS:
                r = container_cgroup_limit_tasks(&m->cgroup, c->limit);
                return r < 0 ? error_set_errno(reterr, r, "Cannot limit the tasks") : 0;
        case MONITOR_EXEC:
                return exec_session_begin(m, c, fds, n_fds, reterr);
        case MONITOR_EXEC_KILL:
                return monitor_kill_exec(m, c, reterr);
        case MONITOR_ATTACH:
                return monitor_attach(m, c, fds, n_fds, reterr);
        case MONITOR_RELEASE:
                attach_release(&m->stdio.clients, c->hold);
                return 0;
        case MONITOR_RESIZE:
                return c->exec_id ? exec_session_resize(m, c, reterr)
                                  : monitor_resize(m, c, reterr);
        default:
                return error_set(
                        reterr, ERROR_NOT_IMPLEMENTED, "The monitor does not know this command");
        }
}
