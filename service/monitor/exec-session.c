/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/exec-session.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "service/monitor/container-stdio.h"
#include "service/monitor/exec.h"
#include "service/monitor/monitor.h"
#include "service/monitor/runtime-call.h"
#include "service/monitor/terminal.h"

#define DRAIN_TIMEOUT_USEC (2 * USEC_PER_SEC)
#define EXIT_NOT_STARTED   126

typedef struct Session {
        Monitor *monitor;
        Exec *exec;
        Stdio stdio;
        int console_fd; /* with a terminal, until the runtime has sent it */
        char console_name[RUNTIME_CONSOLE_NAME_SIZE];
} Session;

static void close_console(Session *s) {
        if (s->console_fd < 0)
                return;
        s->console_fd = fd_close(s->console_fd);
        (void) file_unlink(s->monitor->run_fd, s->console_name);
}

static Session *session_free(Session *s) {
        if (!s)
                return NULL;
        stdio_done(&s->stdio);
        close_console(s);
        return mfree(s);
}

static void session_forget(Exec *x) {
        Session *s = TAKE_PTR(x->userdata);

        session_free(s);
}

static void on_idle(void *userdata) {
        Session *s = userdata;

        s->exec->userdata = NULL;
        session_free(s);
}

static void on_drained(void *userdata) {
        Session *s = userdata;

        exec_tell(s->exec);
        execs_forget_old(s->exec->monitor);
        stdio_end_clients(&s->stdio, on_idle, s);
}

static void on_ended(Exec *x) {
        Session *s = x->userdata;

        if (x->error) {
                attach_write(&s->stdio.clients, LOG_STREAM_STDOUT, x->error, strlen(x->error));
                attach_write(&s->stdio.clients, LOG_STREAM_STDOUT, "\r\n", 2);
        }
        if (x->started_at == 0) /* what its pipe holds are the runtime's words */
                on_drained(s);
        else
                stdio_drain(&s->stdio, DRAIN_TIMEOUT_USEC, on_drained, s);
}

static int take_terminal(Exec *x) {
        Session *s = x->userdata;
        _cleanup_(error_done) Error e = {};
        int r;

        if (s->console_fd < 0)
                return 0;
        r = terminal_receive(s->console_fd, &e);
        if (r >= 0)
                r = stdio_set_terminal(&s->stdio, r);
        close_console(s);
        if (r < 0)
                return monitor_log(
                        x->monitor, LOG_ERR, r, "An exec has no terminal: %s", error_text(&e, r));
        if (x->spec.n_console_size == 2)
                (void) stdio_resize(&s->stdio, x->spec.console_size[0], x->spec.console_size[1]);
        return 0;
}

static void on_started(Exec *x) {
        Session *s = x->userdata;

        (void) take_terminal(x);
        (void) stdio_start(&s->stdio);
        exec_tell(x);
}

static void on_detach(void *userdata) {
        Session *s = userdata;
        const MonitorRecord detached = {
                .type = MONITOR_DETACHED, .exec_id = s->exec->id, .accounting = ACCOUNTING_NULL
        };

        control_send(&s->exec->monitor->control, &detached);
}

static int add_client(Session *s, const MonitorCommand *c, int *fds, size_t n_fds, Error *reterr) {
        AttachRequest request = {
                .in = c->exec->attach_stdin,
                .out = c->exec->attach_stdout,
                .err = c->exec->attach_stderr,
                .framing = c->framed ? STREAM_FRAMES : STREAM_BARE,
        };

        return n_fds < 1 ? 0
                         : stdio_attach_client(
                                   &s->stdio, &request, c->exec->detach_keys, fds, n_fds, reterr);
}

/* Streams, and the socket for the terminal. Who has no client gets no input: nobody could ever end it. */
static int session_open(Session *s, Monitor *m, const MonitorCommand *c, bool has_client,
        int ret_fds[static 3], Error *reterr) {
        int r;

        r = stdio_open(&s->stdio, has_client && c->exec->attach_stdin, /* once= */ true,
                c->exec->tty, ret_fds);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot make the streams of the exec");
        if (!c->exec->tty)
                return 0;
        runtime_console_name(c->exec_id, s->console_name);
        r = s->console_fd = terminal_listen(m->run_fd, s->console_name, reterr);
        if (r < 0)
                fd_close_many(ret_fds, 3);
        return r < 0 ? r : 0;
}

/* A client that is there is told, as text in its stream, and the daemon before that stream ends: its answer comes after it. */
static void tell_failure(Session *s, Monitor *m, const MonitorCommand *c, const Error *e, int r) {
        const char *text = error_text(e, r);
        const MonitorRecord ended = {
                .type = MONITOR_EXEC_EXITED,
                .exec_id = c->exec_id,
                .exit_code = EXIT_NOT_STARTED,
                .exited_at = (uint64_t) clock_realtime_ns(),
                .error = (char *) text,
                .accounting = ACCOUNTING_NULL,
        };

        control_send(&m->control, &ended);
        attach_write(&s->stdio.clients, LOG_STREAM_STDOUT, text, strlen(text));
        attach_write(&s->stdio.clients, LOG_STREAM_STDOUT, "\r\n", 2);
}

int exec_session_begin(Monitor *m, const MonitorCommand *c, int *fds, size_t n_fds, Error *reterr) {
        int stdio_fds[3] = { -EBADF, -EBADF, -EBADF }, r;
        Session *s;
        Exec *x;

        r = execs_check(m, c->exec_id, c->exec, reterr);
        if (r < 0)
                return r;
        s = new0(Session, 1);
        if (!s)
                return -ENOMEM;
        s->monitor = m;
        s->console_fd = -EBADF;
        stdio_init_plain(&s->stdio, &m->poller);
        s->stdio.on_detach = on_detach;
        s->stdio.clients_userdata = s;
        s->stdio.clients.terminal = c->exec->tty;

        r = add_client(s, c, fds, n_fds, reterr);
        if (r >= 0)
                r = session_open(s, m, c, n_fds > 0, stdio_fds, reterr);
        if (r >= 0)
                r = exec_new(m, c->exec_id, c->exec, &x);
        if (r < 0) {
                fd_close_many(stdio_fds, ARRAY_SIZE(stdio_fds));
                tell_failure(s, m, c, reterr, r);
                session_free(s);
                return r;
        }
        s->exec = x;
        x->userdata = s;
        x->on_started = on_started;
        x->on_ended = on_ended;
        x->on_forget = session_forget;
        r = exec_start(x, c->capabilities, NULL, stdio_fds, reterr);
        fd_close_many(stdio_fds, ARRAY_SIZE(stdio_fds));
        if (r < 0) {
                tell_failure(s, m, c, reterr, r);
                exec_free(x);
        }
        return r;
}

int exec_session_resize(Monitor *m, const MonitorCommand *c, Error *reterr) {
        Exec *x = exec_find(m, c->exec_id);
        Session *s = x && !x->probe ? x->userdata : NULL;
        int r;

        if (!s || x->pid == 0)
                return error_set(reterr, ERROR_NOT_RUNNING, "exec %s is not running", c->exec_id);
        r = stdio_resize(&s->stdio, c->height, c->width);
        return r < 0 && r != -ENOTTY ? error_set_errno(reterr, r, "Cannot resize the terminal") : 0;
}
