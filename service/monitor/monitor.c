/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/monitor-internal.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/monitor/exec.h"
#include "service/monitor/exit.h"
#include "service/monitor/join.h"
#include "service/monitor/runtime-call.h"
#include "service/monitor/runtime-error.h"
#include "service/monitor/terminal.h"
#include "service/rootfs/rootfs.h"

#define ABANDONED_USEC       (30 * USEC_PER_SEC) /* ready, and no daemon came to say go */
#define RUNTIME_TIMEOUT_USEC (2 * USEC_PER_MINUTE)
#define TAKEN_TIMEOUT_USEC   (5 * USEC_PER_SEC)

int monitor_log(const Monitor *m, int level, int r, const char *format, ...) {
        char text[1024];
        va_list ap;

        if (level > log_get_max_level())
                return r;
        errno = r < 0 ? -r : 0; /* for %m */
        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        return log_struct(level, r,
                &((LogFields) {
                        .container_id = m->spec.id,
                        .container_name = m->spec.name,
                        .image_name = m->spec.image,
                }),
                "%s", text);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void monitor_on_over(void *userdata) {
        Monitor *m = userdata;

        if ((m->unsaved && !m->control.finished && exit_write_file(m) < 0) || !m->clients_done)
                poller_timer(&m->poller, &m->deadline, TAKEN_TIMEOUT_USEC, monitor_on_over, m);
        else
                poller_stop(&m->poller);
}

/* The runtime's delete and the daemon's taking: whichever is last ends us. A daemon that has never come may be on its way; one that went has
 * the exit file, if there is one. */
static void monitor_check_over(Monitor *m) {
        if (m->state == MONITOR_STATE_OVER && m->runtime_pid == 0 && m->was_linked &&
                m->clients_done && (m->control.finished || (m->control.fd < 0 && !m->unsaved)))
                poller_stop(&m->poller);
}

static void monitor_on_clients_done(void *userdata) {
        Monitor *m = userdata;

        m->clients_done = true;
        monitor_check_over(m);
}

void monitor_ended(Monitor *m) {
        int r;

        m->state = MONITOR_STATE_OVER;
        stdio_end_clients(&m->stdio, monitor_on_clients_done, m);
        control_hold(&m->control);
        if (m->runtime_called) {
                r = runtime_delete(&m->spec, m->runtime_fd, &m->runtime_pid);
                if (r < 0)
                        monitor_log(m, LOG_WARNING, r, "Failed to call %s: %m, ignoring",
                                m->spec.runtime);
        }
        poller_timer(&m->poller, &m->deadline, TAKEN_TIMEOUT_USEC, monitor_on_over, m);
        monitor_check_over(m);
}

/* The start failed. text is the sentence for the user. */
static void monitor_fail(Monitor *m, int exit_code, ErrorKind kind, const char *text) {
        int r;

        monitor_leave_volumes(m);
        m->record = (MonitorRecord) {
                .type = MONITOR_FAILED,
                .exit_code = exit_code,
                .exited_at = (uint64_t) clock_realtime_ns(),
                .accounting = ACCOUNTING_NULL,
                .error_kind = strdup(error_kind_to_string(kind)),
                .error = strdup(text),
        };
        r = exit_write_file(m);
        if (r < 0)
                monitor_log(m, LOG_ERR, r,
                        "Failed to write the exit file: %m, telling the daemon only");
        (void) control_tell(&m->control, &m->record);
        monitor_ended(m);
}

static void monitor_fail_error(Monitor *m, int r, const Error *e) {
        monitor_fail(
                m, 128, error_is_set(e) ? e->kind : error_kind_from_errno(r), error_text(e, r));
}

/* --- signals ---------------------------------------------------------------------------------- */

static void monitor_on_stop_timer(void *userdata) {
        Monitor *m = userdata;

        if (m->pid == 0)
                return;
        if (m->cgroup.fd < 0 || container_cgroup_kill(&m->cgroup) < 0)
                (void) process_kill(m->pidfd, SIGKILL);
}

/* systemd stops the scope (everything in it has got the signal, then), or somebody means us. */
void monitor_stop(Monitor *m, bool everybody) {
        m->stopping = true;
        switch (m->state) {
        case MONITOR_STATE_READY:
                monitor_fail(
                        m, 128, ERROR_CANCELLED, "The container was stopped before it had started");
                break;
        case MONITOR_STATE_RUNNING:
                if (m->stop_timer.on_elapsed)
                        break; /* under way already */
                if (!everybody || m->spec.stop_signal != SIGTERM)
                        (void) process_kill(m->pidfd, m->spec.stop_signal);
                if (m->spec.stop_timeout_usec != UINT64_MAX)
                        poller_timer(&m->poller, &m->stop_timer, m->spec.stop_timeout_usec,
                                monitor_on_stop_timer, m);
                break;
        case MONITOR_STATE_OVER:
                if (m->unsaved)
                        poller_stop(&m->poller); /* nobody is going to take it any more */
                break;
        default:
                break; /* STARTING: when it runs */
        }
}

/* --- start ------------------------------------------------------------------------------------ */

static void monitor_on_memory(void *userdata, uint32_t events) {
        Monitor *m = userdata;
        uint64_t n = container_cgroup_oom_kills(&m->cgroup);

        if (n == UINT64_MAX) {
                poller_unwatch(&m->poller, &m->memory_watch);
                return;
        }
        if (n > m->n_oom_kills) {
                MonitorRecord oom = {
                        .type = MONITOR_OOM, .accounting = ACCOUNTING_NULL, .oom_killed = true
                };

                m->record.oom_killed = true; /* for the daemon that connects later */
                (void) control_tell(&m->control, &m->record);
                control_send(&m->control, &oom);
        }
        m->n_oom_kills = n;
}

const siginfo_t *monitor_reaped_early(const Monitor *m, pid_t pid) {
        for (size_t i = 0; i < MIN(m->n_reaped, MONITOR_REAPED_MAX); i++)
                if (m->reaped[i].si_pid == pid)
                        return m->reaped + i;
        return NULL;
}

static void monitor_started(Monitor *m, pid_t pid) {
        const siginfo_t *found = monitor_reaped_early(m, pid);
        siginfo_t early = found ? *found : (siginfo_t) {};
        int r;

        m->n_reaped = 0;
        if (early.si_pid == 0) {
                m->pidfd = process_pidfd_open(pid);
                if (m->pidfd < 0) {
                        monitor_fail(m, 128, ERROR_INTERNAL,
                                "The runtime named a first process that does not exist");
                        return;
                }
        }

        if (m->spec.terminal) {
                _cleanup_(error_done) Error e = {};

                r = terminal_receive(m->console_fd, &e);
                if (r >= 0)
                        r = stdio_set_terminal(&m->stdio, r);
                if (r < 0) {
                        monitor_fail_error(m, r, &e);
                        return;
                }
                m->console_fd = fd_close(m->console_fd);
                (void) file_unlink(m->run_fd, CONSOLE_NAME);
        }

        m->pid = pid;
        m->state = MONITOR_STATE_RUNNING;
        m->record = (MonitorRecord) {
                .type = MONITOR_STARTED,
                .pid = pid,
                .started_at = (uint64_t) clock_realtime_ns(),
                .accounting = ACCOUNTING_NULL,
        };
        (void) control_tell(&m->control, &m->record);

        r = stdio_start(&m->stdio);
        if (r < 0)
                monitor_log(m, LOG_ERR, r, "Failed to read the container's output: %m");
        if (m->cgroup.memory_fd >= 0) {
                m->n_oom_kills = 0;
                (void) poller_watch(&m->poller, &m->memory_watch, m->cgroup.memory_fd, EPOLLPRI,
                        monitor_on_memory, m);
                monitor_on_memory(m, 0);
        }

        if (early.si_pid == 0)
                health_start(m);
        if (early.si_pid != 0)
                exit_begin(m, &early);
        else if (m->stopping)
                monitor_stop(m, /* everybody= */ false);
        (void) malloc_trim(0);
}

/* The runtime could not start it: its own words are the best explanation. */
static void monitor_start_failed(Monitor *m, const siginfo_t *si) {
        _cleanup_(freep) char *text = NULL, *sentence = NULL;
        ErrorKind kind;
        int code;

        (void) runtime_read_error(m->run_fd, NULL, &text);
        if (!text)
                text = stdio_take_text(&m->stdio);
        if (!text)
                (void) str_printf(&text, "%s ended with status %d and said nothing",
                        m->spec.runtime, process_exit_code(si));
        code = runtime_error_exit_code(str_or_empty(text), &kind);
        (void) runtime_error_sentence(str_or_empty(text), &sentence);
        monitor_fail(m, code, kind, str_or(sentence, "OCI runtime create failed"));
}

static void monitor_on_runtime_end(Monitor *m, const siginfo_t *si) {
        pid_t pid;
        int r;

        m->runtime_pid = 0;
        if (m->state == MONITOR_STATE_OVER) {
                monitor_check_over(m);
                return;
        }

        poller_timer_stop(&m->poller, &m->deadline);
        if (process_exit_code(si) != 0) {
                monitor_start_failed(m, si);
                return;
        }
        r = runtime_read_pid(m->run_fd, NULL, &pid);
        if (r < 0) {
                _cleanup_(error_done) Error e = {};

                (void) error_set_errno(
                        &e, r, "%s did not say which process it started", m->spec.runtime);
                monitor_fail_error(m, r, &e);
                return;
        }
        monitor_started(m, pid);
}

static void monitor_on_runtime_deadline(void *userdata) {
        Monitor *m = userdata;

        monitor_log(m, LOG_ERR, 0, "The runtime of container %s does not answer, killing it",
                m->spec.name);
        if (m->runtime_pid > 0)
                (void) kill(m->runtime_pid,
                        SIGKILL); /* ours and not reaped, so the number is its own */
}

static int monitor_start(Monitor *m, Error *reterr) {
        int fds[3] = { -EBADF, -EBADF, -EBADF }, r;

        r = container_cgroup_open(m->spec.id, &m->cgroup, reterr);
        if (r < 0)
                return r;
        if (r == 0)
                monitor_log(m, LOG_WARNING, 0,
                        "Container %s has no scope of its own: nothing is limited and nothing is "
                        "counted",
                        m->spec.name);

        r = join_prepare(&m->spec, reterr);
        if (r < 0)
                return r;
        r = bundle_write(&m->bundle, m->cgroup.path, m->bundle_fd);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot write the bundle");
        m->home_added = m->bundle.home_added;
        bundle_done(&m->bundle);

        r = stdio_open(&m->stdio, m->spec.open_stdin, m->spec.stdin_once, m->spec.terminal, fds);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Cannot make the pipes for standard input and output");
        if (m->spec.terminal) {
                r = m->console_fd = terminal_listen(m->run_fd, CONSOLE_NAME, reterr);
                if (r < 0) {
                        fd_close_many(fds, ARRAY_SIZE(fds));
                        return r;
                }
        }
        m->runtime_called = true;
        r = runtime_run(&m->spec, m->runtime_fd, fds, &m->runtime_pid);
        fd_close_many(fds, ARRAY_SIZE(fds));
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot run the OCI runtime %s", m->spec.runtime);
        return 0;
}

void monitor_go(Monitor *m) {
        _cleanup_(error_done) Error e = {};
        int r;

        if (m->state != MONITOR_STATE_READY)
                return;
        m->state = MONITOR_STATE_STARTING;
        poller_timer(
                &m->poller, &m->deadline, RUNTIME_TIMEOUT_USEC, monitor_on_runtime_deadline, m);
        r = monitor_start(m, &e);
        if (r < 0)
                monitor_fail_error(m, r, &e);
}

/* --- what the poller brings --------------------------------------------------------------------- */

static void monitor_on_reaped(Monitor *m, const siginfo_t *si) {
        if (stdio_reaped(&m->stdio, si))
                return;
        if (si->si_pid == m->runtime_pid)
                monitor_on_runtime_end(m, si);
        else if (m->pid != 0 && si->si_pid == m->pid)
                exit_begin(m, si);
        else if (!execs_on_reaped(m, si) &&
                 (m->state == MONITOR_STATE_STARTING || execs_are_starting(m))) {
                m->reaped[m->n_reaped++ % MONITOR_REAPED_MAX] = *si;
                return;
        }
        /* Nobody is asked for any more: a pid may come again. */
        if (m->state != MONITOR_STATE_STARTING && !execs_are_starting(m))
                m->n_reaped = 0;
}

static void monitor_on_children(Monitor *m) {
        for (;;) {
                siginfo_t si = {};

                if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG) < 0 || si.si_pid == 0)
                        return;
                monitor_on_reaped(m, &si);
        }
}

/* Every signal but KILL and STOP comes here: `systemctl kill -s USR1` means the container, and reaches us as well. */
static void monitor_on_signal(void *userdata, uint32_t events) {
        Monitor *m = userdata;
        struct signalfd_siginfo si;

        while (read(m->signal_fd, &si, sizeof(si)) == sizeof(si))
                switch (si.ssi_signo) {
                case SIGCHLD:
                        monitor_on_children(m);
                        break;
                case SIGTERM:
                        monitor_stop(m, /* everybody= */ si.ssi_pid == 1 && m->cgroup.fd >= 0);
                        break;
                }
}

/* A start under way ends with the daemon that wanted it: nothing has run yet, so there is nothing to tell. */
static void monitor_on_abandoned(void *userdata) {
        Monitor *m = userdata;

        if (m->state != MONITOR_STATE_READY)
                return;
        monitor_log(m, LOG_NOTICE, 0,
                "The daemon went away before container %s had started, ending", m->spec.name);
        poller_stop(&m->poller);
}

static void monitor_on_link(bool linked, void *userdata) {
        Monitor *m = userdata;

        m->was_linked = m->was_linked || linked;
        attach_drop_held(&m->stdio.clients);
        if (linked) {
                execs_tell(m);
                health_tell(m);
        }
        if (m->state == MONITOR_STATE_READY && linked)
                poller_timer_stop(&m->poller, &m->deadline);
        else if (m->state == MONITOR_STATE_READY)
                monitor_on_abandoned(m);
        else if (!linked)
                monitor_check_over(m); /* the daemon has taken the exit */
}

/* --- the whole ----------------------------------------------------------------------------------- */

static int monitor_catch_signals(Monitor *m) {
        sigset_t all;

        sigfillset(&all);
        if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
                return -errno;
        m->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
        if (m->signal_fd < 0)
                return -errno;
        return poller_watch(
                &m->poller, &m->signal_watch, m->signal_fd, EPOLLIN, monitor_on_signal, m);
}

int monitor_init(Monitor *m, const char *id, int spec_fd, int listen_fd) {
        int r;

        *m = (Monitor) {
                .cgroup = CONTAINER_CGROUP_NONE,
                .run_fd = -EBADF,
                .bundle_fd = -EBADF,
                .root_fd = -EBADF,
                .runtime_fd = -EBADF,
                .console_fd = -EBADF,
                .signal_fd = -EBADF,
                .pidfd = -EBADF,
                .record.accounting = ACCOUNTING_NULL,
                .health.output_fd = -EBADF,
        };
        list_init(&m->execs);
        r = poller_init(&m->poller);
        if (r >= 0)
                r = monitor_catch_signals(m);
        if (r >= 0)
                r = control_init(
                        &m->control, &m->poller, listen_fd, monitor_on_command, monitor_on_link, m);
        if (r >= 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                r = -errno;
        if (r < 0)
                return log_error_errno(r, "Failed to set up: %m");

        r = monitor_load_spec(m, id, spec_fd);
        (void) fd_close(spec_fd);
        return r < 0 ? r : monitor_open_run(m);
}

int monitor_run(Monitor *m) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = monitor_prepare(m, &e);
        if (r < 0)
                monitor_fail_error(m, r, &e);
        else {
                m->state = MONITOR_STATE_READY;
                m->record.type = MONITOR_READY;
                r = control_tell(&m->control, &m->record);
                m->record.device_rules = strv_free(m->record.device_rules);
                if (r < 0)
                        return r;
                poller_timer(&m->poller, &m->deadline, ABANDONED_USEC, monitor_on_abandoned, m);
        }
        r = poller_run(&m->poller);
        join_done(&m->spec);
        rootfs_unmount(
                m->spec.bundle_dir); /* before our sockets close: who hears that we are gone may remove the layer */
        return r;
}

void monitor_done(Monitor *m) {
        poller_timer_stop(&m->poller, &m->deadline);
        poller_timer_stop(&m->poller, &m->stop_timer);
        poller_unwatch(&m->poller, &m->signal_watch);
        poller_unwatch(&m->poller, &m->cgroup_watch);
        poller_unwatch(&m->poller, &m->memory_watch);
        health_done(m);
        execs_done(m);
        stdio_done(&m->stdio);
        control_done(&m->control);
        monitor_leave_volumes(m);
        container_cgroup_done(&m->cgroup);
        bundle_done(&m->bundle);
        m->run_fd = fd_close(m->run_fd);
        m->bundle_fd = fd_close(m->bundle_fd);
        m->root_fd = fd_close(m->root_fd);
        m->runtime_fd = fd_close(m->runtime_fd);
        m->console_fd = fd_close(m->console_fd);
        m->signal_fd = fd_close(m->signal_fd);
        m->pidfd = fd_close(m->pidfd);
        poller_done(&m->poller);
        monitor_record_done(&m->record);
        monitor_spec_done(&m->spec);
}
