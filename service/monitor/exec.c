/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/exec.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/users.h"
#include "lib/json/json.h"
#include "service/monitor/exec-process.h"
#include "service/monitor/monitor.h"
#include "service/monitor/runtime-call.h"
#include "service/monitor/runtime-error.h"

#define CONFIG_MAX ((size_t) 16 * 1024 * 1024)

/* A runtime that does not come back is killed. Counted in steps, of which a container that was frozen meanwhile loses one. */
#define DEADLINE_TICK_USEC (10 * USEC_PER_SEC)
#define DEADLINE_TICKS     3U

static char *file_name(const Exec *x, const char *suffix) {
        char *name = NULL;

        (void) str_printf(&name, "exec-%s%s", x->id, suffix);
        return name;
}

static void remove_files(const Exec *x) {
        static const char *const suffixes[] = { RUNTIME_EXEC_PROCESS, RUNTIME_EXEC_PID,
                RUNTIME_EXEC_LOG };

        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
                _cleanup_(freep) char *name = file_name(x, suffixes[i]);

                if (name)
                        (void) file_unlink(x->monitor->run_fd, name);
        }
}

int exec_new(Monitor *m, const char *id, ExecSpec *spec, Exec **ret) {
        Exec *x;
        int r;

        x = new0(Exec, 1);
        if (!x)
                return -ENOMEM;
        x->monitor = m;
        x->pidfd = -EBADF;
        r = str_copy(&x->id, id);
        if (r < 0) {
                free(x);
                return r;
        }
        x->spec = TAKE_STRUCT(*spec);
        list_append(&m->execs, &x->node);
        *ret = x;
        return 0;
}

Exec *exec_free(Exec *x) {
        if (!x)
                return NULL;
        if (x->on_forget)
                x->on_forget(x);
        list_remove(&x->node);
        poller_timer_stop(&x->monitor->poller, &x->deadline);
        x->pidfd = fd_close(x->pidfd);
        exec_spec_done(&x->spec);
        free(x->id);
        free(x->error);
        free(x);
        return NULL;
}

Exec *exec_find(Monitor *m, const char *id) {
        Exec *x;

        LIST_FOREACH (x, &m->execs, node)
                if (streq(x->id, id))
                        return x;
        return NULL;
}

int exec_kill(Exec *x, int sig) {
        return x->pidfd < 0 ? -ESRCH : process_kill(x->pidfd, sig);
}

/* --- start ------------------------------------------------------------------------------------ */

/* As the image is now: /etc/passwd may have changed since the start. */
static int resolve_user(Monitor *m, const char *text, UserIdentity *ret, Error *reterr) {
        _cleanup_(fd_closep) int root_fd = file_open_dir(m->bundle_fd, "rootfs");
        _cleanup_(freep) char *words = NULL;
        int r;

        if (root_fd < 0)
                return error_set_errno(reterr, root_fd, "Cannot open the root file system");
        r = users_resolve(root_fd, text, m->spec.group_add, ret, &words);
        if (r < 0)
                return words ? error_set(reterr, ERROR_INVALID, "%s", words)
                             : error_set_errno(reterr, r, "unable to find user %s", text);
        return 0;
}

static int write_process(Exec *x, char *const *capabilities, Error *reterr) {
        _cleanup_(user_identity_done) UserIdentity user = {};
        _cleanup_(json_unrefp) Json *config = NULL;
        _cleanup_(freep) char *text = NULL, *process = NULL, *name = NULL;
        Monitor *m = x->monitor;
        const char *wanted = str_empty(x->spec.user) ? m->spec.user : x->spec.user;
        size_t size;
        int r;

        r = resolve_user(m, str_or_empty(wanted), &user, reterr);
        if (r < 0)
                return r;
        r = file_read_at(m->bundle_fd, "config.json", CONFIG_MAX, &text, &size);
        if (r >= 0)
                r = json_parse(text, size, CONFIG_MAX, &config, NULL);
        if (r >= 0)
                r = exec_process_make(
                        config, &x->spec, &user, capabilities, m->home_added, &process);
        name = file_name(x, RUNTIME_EXEC_PROCESS);
        if (r >= 0 && !name)
                r = -ENOMEM;
        if (r >= 0)
                r = file_write_atomic_string(m->run_fd, name, process, 0600, 0);
        return r < 0 ? error_set_errno(reterr, r, "Cannot write the process to run") : 0;
}

static void on_deadline(void *userdata) {
        Exec *x = userdata;

        if (++x->n_ticks < DEADLINE_TICKS) {
                poller_timer(&x->monitor->poller, &x->deadline, DEADLINE_TICK_USEC, on_deadline, x);
                return;
        }
        x->overdue = true;
        (void) kill(x->runtime_pid, SIGKILL); /* our child, not reaped: execs_on_reaped() goes on */
}

int exec_start(Exec *x, char *const *capabilities, const char *cgroup,
        const int stdio_fds[static 3], Error *reterr) {
        _cleanup_(freep) char *name = file_name(x, "");
        char console[RUNTIME_CONSOLE_NAME_SIZE];
        Monitor *m = x->monitor;
        int r;

        if (!name)
                return -ENOMEM;
        if (m->state != MONITOR_STATE_RUNNING)
                return error_set(
                        reterr, ERROR_NOT_RUNNING, "container %s is not running", m->spec.id);
        r = write_process(x, capabilities, reterr);
        if (r < 0)
                return r;
        runtime_console_name(x->id, console);
        r = runtime_exec(&m->spec, m->runtime_fd, name, cgroup, x->spec.tty ? console : NULL,
                stdio_fds, &x->runtime_pid);
        if (r < 0) {
                remove_files(x);
                return error_set_errno(reterr, r, "Cannot run the OCI runtime %s", m->spec.runtime);
        }
        poller_timer(&m->poller, &x->deadline, DEADLINE_TICK_USEC, on_deadline, x);
        return 0;
}

/* --- its life --------------------------------------------------------------------------------- */

static void exec_end(Exec *x, int exit_code) {
        x->exit_code = exit_code;
        x->ended_at = (uint64_t) clock_realtime_ns();
        x->ended = true;
        x->pid = 0;
        x->pidfd = fd_close(x->pidfd);
        x->on_ended(x);
}

/* The runtime could not start it: docker's words and exit code. */
static void exec_failed(Exec *x, const siginfo_t *si) {
        _cleanup_(freep) char *log = file_name(x, RUNTIME_EXEC_LOG), *text = NULL;
        ErrorKind kind;
        int code;

        if (x->overdue)
                (void) str_printf(&text, "%s did not start it in time, and was killed",
                        x->monitor->spec.runtime);
        else if (log)
                (void) runtime_read_error(x->monitor->run_fd, log, &text);
        remove_files(x);
        if (!text)
                (void) str_printf(&text, "%s ended with status %d and said nothing",
                        x->monitor->spec.runtime, process_exit_code(si));
        code = runtime_error_exit_code(str_or_empty(text), &kind);
        (void) str_printf(&x->error, "OCI runtime exec failed: %s", str_or_empty(text));
        exec_end(x, code == 127 ? 127 : 126);
}

static void exec_started(Exec *x) {
        _cleanup_(freep) char *name = file_name(x, RUNTIME_EXEC_PID);
        const siginfo_t *early;
        pid_t pid = 0;
        int r;

        r = name ? runtime_read_pid(x->monitor->run_fd, name, &pid) : -ENOMEM;
        remove_files(x);
        if (r < 0) {
                (void) str_printf(&x->error, "%s did not say which process it started",
                        x->monitor->spec.runtime);
                exec_end(x, 126);
                return;
        }

        x->started_at = (uint64_t) clock_realtime_ns();
        x->pid = pid;
        early = monitor_reaped_early(x->monitor, pid);
        if (!early) {
                x->pidfd = process_pidfd_open(pid);
                if (x->pidfd < 0)
                        (void) monitor_log(x->monitor, LOG_WARNING, x->pidfd,
                                "Failed to hold process %d: %m", (int) pid);
        }
        x->on_started(x);
        if (early)
                exec_end(x, process_exit_code(early));
}

bool execs_on_reaped(Monitor *m, const siginfo_t *si) {
        Exec *x;

        LIST_FOREACH (x, &m->execs, node) {
                if (x->runtime_pid == si->si_pid) {
                        x->runtime_pid = 0;
                        poller_timer_stop(&m->poller, &x->deadline);
                        if (process_exit_code(si) == 0)
                                exec_started(x);
                        else
                                exec_failed(x, si);
                        return true;
                }
                if (x->pid == si->si_pid) {
                        exec_end(x, process_exit_code(si));
                        return true;
                }
        }
        return false;
}

bool execs_are_starting(const Monitor *m) {
        const Exec *x;

        LIST_FOREACH (x, &m->execs, node)
                if (x->runtime_pid != 0)
                        return true;
        return false;
}

/* --- what the daemon hears ---------------------------------------------------------------------- */

void exec_tell(Exec *x) {
        MonitorRecord record = {
                .type = x->ended ? MONITOR_EXEC_EXITED : MONITOR_EXEC_STARTED,
                .exec_id = x->id,
                .exec = (ExecSpec *) &x->spec,
                .probe = x->probe,
                .unheard = x->ended && !x->heard,
                .pid = x->pid,
                .exit_code = x->exit_code,
                .started_at = x->started_at,
                .exited_at = x->ended_at,
                .error = x->error,
                .accounting = ACCOUNTING_NULL,
        };

        if (x->started_at == 0 && !x->ended)
                return;
        control_send(&x->monitor->control, &record);
        x->heard = x->heard || (x->ended && x->monitor->control.fd >= 0);
}

void execs_tell(Monitor *m) {
        Exec *x;

        LIST_FOREACH (x, &m->execs, node)
                if (!x->probe)
                        exec_tell(x);
}

/* --- those of the daemon ------------------------------------------------------------------------ */

void execs_forget_old(Monitor *m) {
        unsigned n = 0;
        Exec *x;

        LIST_FOREACH (x, &m->execs, node)
                n += x->ended;
        LIST_FOREACH_SAFE (x, &m->execs, node) {
                if (n <= EXECS_ENDED_MAX)
                        return;
                if (x->ended && !x->userdata) {
                        exec_free(x);
                        n--;
                }
        }
}

int execs_check(Monitor *m, const char *id, const ExecSpec *spec, Error *reterr) {
        unsigned n = 0;
        Exec *x;

        if (!id || !ident_is_valid(id) || !spec || !spec->cmd || !spec->cmd[0])
                return error_set(reterr, ERROR_INVALID, "The exec is incomplete");
        LIST_FOREACH (x, &m->execs, node)
                n += !x->ended;
        if (n >= EXECS_MAX)
                return error_set(reterr, ERROR_TOO_LARGE,
                        "%u processes were started in container %s by exec already", n, m->spec.id);
        return exec_find(m, id) ? error_set(reterr, ERROR_EXISTS, "exec %s is there already", id)
                                : 0;
}

void execs_done(Monitor *m) {
        Exec *x;

        LIST_FOREACH_SAFE (x, &m->execs, node)
                exec_free(x);
}
