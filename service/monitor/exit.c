/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/exit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/json/fields.h"
#include "service/monitor/accounting.h"
#include "service/monitor/monitor.h"

#define EMPTY_TIMEOUT_USEC (30 * USEC_PER_SEC) /* a process that hangs in the kernel does not die */
#define DRAIN_TIMEOUT_USEC (10 * USEC_PER_SEC)

int exit_write_file(Monitor *m) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = json_write_text(&m->record, monitor_record_fields, &text);
        /* the run folder is memory: after a power cut there is neither container nor file, so nothing is synced */
        if (r >= 0)
                r = file_write_atomic_string(m->run_fd, "exit.json", text, 0600, 0);
        /* a folder that is gone was taken away by a daemon that gave this run up: nobody looks there any more */
        m->unsaved = r < 0 && r != -ENOENT;
        return r;
}

static void exit_on_drained(void *userdata) {
        Monitor *m = userdata;
        int r;

        accounting_read(m->cgroup.fd, &m->record.accounting);
        m->record.oom_killed =
                m->record.accounting.oom_kills != UINT64_MAX && m->record.accounting.oom_kills > 0;
        monitor_leave_volumes(m);
        m->record.type = MONITOR_EXITED;
        m->record.unhealthy_stop = m->health.stops;

        r = exit_write_file(m);
        if (r < 0)
                monitor_log(m, LOG_ERR, r,
                        "Failed to write the exit file: %m, telling the daemon only");
        r = control_tell(&m->control, &m->record);
        if (r < 0)
                monitor_log(m, LOG_ERR, r, "Failed to tell the exit: %m");
        monitor_ended(m);
}

static void exit_empty(Monitor *m) {
        poller_unwatch(&m->poller, &m->cgroup_watch);
        poller_timer_stop(&m->poller, &m->deadline);
        stdio_drain(&m->stdio, DRAIN_TIMEOUT_USEC, exit_on_drained, m);
}

static void exit_on_cgroup(void *userdata, uint32_t events) {
        Monitor *m = userdata;

        if (container_cgroup_is_populated(&m->cgroup) <= 0)
                exit_empty(m);
}

static void exit_on_deadline(void *userdata) {
        Monitor *m = userdata;

        monitor_log(m, LOG_WARNING, 0,
                "Processes of the container do not die: the figures of container %s are those of "
                "now",
                m->spec.name);
        exit_empty(m);
}

/* Without a pid namespace of its own (or with processes that joined the cgroup from outside) others may outlive the first one. */
static void exit_kill_others(Monitor *m) {
        int r;

        if (m->cgroup.fd < 0 || container_cgroup_is_populated(&m->cgroup) <= 0) {
                exit_empty(m);
                return;
        }
        r = container_cgroup_kill(&m->cgroup);
        if (r < 0)
                monitor_log(m, LOG_WARNING, r,
                        "Failed to kill what is left of container %s: %m, waiting for it",
                        m->spec.name);
        poller_timer(&m->poller, &m->deadline, EMPTY_TIMEOUT_USEC, exit_on_deadline, m);
        r = poller_watch(
                &m->poller, &m->cgroup_watch, m->cgroup.events_fd, EPOLLPRI, exit_on_cgroup, m);
        if (r < 0 || container_cgroup_is_populated(&m->cgroup) <= 0)
                exit_empty(m);
}

void exit_begin(Monitor *m, const siginfo_t *si) {
        m->record.exit_code = process_exit_code(si);
        m->record.exited_at = (uint64_t) clock_realtime_ns();
        m->state = MONITOR_STATE_ENDING;
        m->pid = 0;
        m->pidfd = fd_close(m->pidfd);
        poller_timer_stop(&m->poller, &m->stop_timer);
        poller_unwatch(&m->poller, &m->memory_watch);
        health_stop(m);
        exit_kill_others(m);
}
