/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "engine/container/container-again.h"
#include "engine/container/exec.h"
#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/container/start.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define EXIT_FILE     "exit.json"
#define EXIT_FILE_MAX ((size_t) 1024 * 1024)

int container_read_exit(Container *c, MonitorRecord *ret) {
        _cleanup_(fd_closep) int folder = -EBADF;
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};
        char *text = NULL;
        size_t size;
        int r;

        folder = file_open_dir(c->set->run_fd, c->id);
        if (folder < 0)
                return folder;
        r = file_read_at(folder, EXIT_FILE, EXIT_FILE_MAX, &text, &size);
        if (r < 0)
                return r;
        r = json_parse(text, size, EXIT_FILE_MAX, &v, &e);
        free(text);
        if (r < 0)
                return r;
        r = monitor_record_read(v, ret, &e);
        if (r < 0)
                return r;
        return ret->type == MONITOR_EXITED || ret->type == MONITOR_FAILED ? 0 : -EBADMSG;
}

static int64_t run_time(const Container *c) {
        return c->started_ns != CLOCK_NEVER && c->finished_ns > c->started_ns
                     ? c->finished_ns - c->started_ns
                     : 0;
}

static void publish_die(Container *c) {
        _cleanup_(strv_freep) char **more = NULL;
        if (strv_addf(&more, "execDuration=%lld", (long long) (run_time(c) / NSEC_PER_SEC)) < 0 ||
                strv_addf(&more, "exitCode=%lld", (long long) c->exit_code) < 0)
                return;
        container_publish_pairs(c, "die", more);
}

/* The run folder holds the bundle and the exit file: not needed any more once the exit is saved and the
 * monitor gone. */
static void clear_run_folder(Container *c) {
        int r;

        if (c->exit_unsaved)
                return;
        r = containers_clear_run(c->set, c->id);
        if (r < 0)
                (void) log_container_warning(c, r, "Failed to remove the run folder: %m, ignoring");
}

void container_handle_exit(Container *c, const MonitorRecord *record) {
        int r;

        assert(container_is_running(c));

        c->pid = 0;
        c->exit_code = record->exit_code;
        c->oom_killed = c->oom_killed || record->oom_killed;
        c->finished_ns = record->exited_at > 0 ? (int64_t) record->exited_at : clock_realtime_ns();
        c->accounting = record->accounting;
        c->has_accounting = true;
        (void) str_copy(&c->error, str_empty(record->error) ? NULL : record->error);
        if (record->unhealthy_stop)
                c->manually_stopped = c->restart_cancelled = true;
        c->lost = container_lost_free(c->lost);
        c->freezer = container_freezer_free(c->freezer);
        c->follower = container_follower_free(c->follower);
        container_network_close(c);
        container_move(
                c, container_wants_again(c, run_time(c)) ? CONTAINER_RESTARTING : CONTAINER_EXITED);

        /* Saved before anybody hears of it; if that fails the exit file stays for the next start. */
        r = container_save(c);
        if (r < 0)
                (void) log_container_error(c, r, "Failed to save the exit: %m");
        c->exit_unsaved = r < 0;
        if (c->link)
                monitor_link_release(c->link);
        else
                clear_run_folder(c);

        container_execs_end(c);
        publish_die(c);
        container_network_publish(c, "disconnect");
        mount_points_publish(c, /* mounted= */ false);
        mount_points_unmount(c);
        container_logs_finish(c, /* removed= */ false);
        container_stops_finish(c, 0, NULL);
        container_waits_tell(c, /* removed= */ false);

        if (c->remove)
                container_remove_proceed(c);
        else if (c->state == CONTAINER_RESTARTING)
                container_again_arm(c);
        else if (c->state == CONTAINER_EXITED)
                (void) container_auto_remove(c);
}

static void handle_oom(Container *c) {
        if (!c->oom_killed) {
                c->oom_killed = true;
                (void) container_save(c);
        }
        container_publish(c, "oom", NULL, NULL);
}

void container_handle_record(Container *c, const MonitorRecord *record) {
        if (record->type == MONITOR_HELD) {
                container_handle_held(c, record);
                return;
        }
        if (c->start && c->start->phase != START_OLD_SCOPE) {
                container_start_on_record(c, record);
                return;
        }
        if (!container_is_running(c))
                return; /* said again after a re-connection */

        switch (record->type) {
        case MONITOR_STARTED:
                c->pid = record->pid;
                if (record->started_at > 0)
                        c->started_ns = (int64_t) record->started_at;
                return;
        case MONITOR_OOM:
                handle_oom(c);
                return;
        case MONITOR_EXEC_STARTED:
        case MONITOR_EXEC_EXITED:
                container_handle_exec(c, record);
                return;
        case MONITOR_HEALTH:
                container_handle_health(c, record);
                return;
        case MONITOR_DETACHED:
                container_publish(c, record->exec_id ? "exec_detach" : "detach",
                        record->exec_id ? "execID" : NULL, record->exec_id);
                return;
        case MONITOR_EXITED:
                container_handle_exit(c, record);
                return;
        default:
                return;
        }
}

/* Its monitor has closed the connection, which is how a monitor's process ends. */
void container_handle_hangup(Container *c) {
        _cleanup_(monitor_record_done) MonitorRecord record = {};
        bool released = monitor_link_is_released(c->link);

        c->link = monitor_link_free(c->link);
        if (c->start) {
                container_start_on_hangup(c);
                return;
        }
        if (released || !container_is_running(c)) {
                clear_run_folder(c);
                container_expect_end_of_scope(c);
                container_remove_proceed(c);
                return;
        }

        /* Its last words may be in the file; or it is there and only the connection broke. */
        if (container_read_exit(c, &record) >= 0) {
                container_handle_exit(c, &record);
                return;
        }
        if (monitor_link_open(c, &c->link) >= 0)
                return;
        container_lost(c, /* just_now= */ true);
}

void container_handle_scope_gone(Container *c) {
        if (c->lost && container_is_running(c)) {
                container_lost_end(c);
                return;
        }
        if (c->start)
                container_start_on_scope_gone(c);
}
