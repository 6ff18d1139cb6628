/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/launch-steps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/vfs.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "service/runtime/sync.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int write_time_offsets(const RuntimeLinux *spec, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int r;

        for (size_t i = 0; i < spec->n_time_offsets; i++) {
                const RuntimeTimeOffset *o = spec->time_offsets + i;

                if (!STR_IN_SET(str_or_empty(o->clock), "monotonic", "boottime"))
                        return error_set(reterr, ERROR_INVALID,
                                "linux.timeOffsets: clock \"%s\" is not known",
                                str_or_empty(o->clock));
                r = str_appendf(
                        &text, "%s %" PRIi64 " %" PRIu32 "\n", o->clock, o->secs, o->nanosecs);
                if (r < 0)
                        return r;
        }
        if (!text)
                return 0;

        r = file_write_kernel("/proc/self/timens_offsets", text);
        return r < 0 ? error_set_errno(reterr, r, "write linux.timeOffsets") : 0;
}

int launch_open_proc(Launch *l, Error *reterr) {
        struct statfs sfs;

        if (l->namespaces.join_fds[NAMESPACE_PID] < 0)
                return 0;
        l->host_proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (l->host_proc_fd < 0 || fstatfs(l->host_proc_fd, &sfs) < 0)
                return error_set_errno(reterr, -errno, "open /proc");
        return sfs.f_type == PROC_SUPER_MAGIC
                     ? 0
                     : error_set(reterr, ERROR_INTERNAL, "what is at /proc is no procfs");
}

int launch_receive_born(Launch *l, Error *reterr) {
        _cleanup_(fd_closep) int pidfd = -EBADF;
        siginfo_t si;
        pid_t pid;
        int r;

        r = sync_receive_pid(l->sync_fd, &pid, reterr);
        if (r < 0)
                return r;
        /* It is our child as well, so the number is its own until we reap it. */
        pidfd = process_pidfd_open(pid);
        if (pidfd < 0)
                return error_set_errno(reterr, pidfd, "open the container's process");
        (void) process_wait(l->pidfd, CGROUP_WAIT_USEC, &si);
        (void) fd_close(l->pidfd);
        l->pidfd = TAKE_FD(pidfd);
        l->pid = pid;

        l->state.pid = (uint32_t) pid;
        r = process_start_time(pid, &l->state.pid_start);
        if (r < 0)
                return error_set_errno(reterr, r, "look at the container's process");
        /* From outside: the new process has no right to. */
        r = process_apply_limits(&l->process, pid, reterr);
        return r < 0 ? r : process_apply_scheduling(&l->process, pid, reterr);
}

int launch_enter_for_children(Launch *l, Error *reterr) {
        if (!namespaces_is_own(&l->namespaces, NAMESPACE_TIME))
                return 0;
        if (l->namespaces.join_fds[NAMESPACE_TIME] >= 0)
                return setns(l->namespaces.join_fds[NAMESPACE_TIME], CLONE_NEWTIME) < 0
                             ? error_set_errno(reterr, -errno, "join the time namespace")
                             : 0;
        if (unshare(CLONE_NEWTIME) < 0)
                return error_set_errno(reterr, -errno, "make a time namespace");
        return write_time_offsets(l->spec.linux_, reterr);
}

int launch_leave_for_children(Launch *l, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;

        if (!namespaces_is_new(&l->namespaces, NAMESPACE_TIME))
                return 0;
        /* "time" is where this process itself is and stays; only its children were sent elsewhere. */
        fd = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
        return fd < 0 || setns(fd, CLONE_NEWTIME) < 0
                     ? error_set_errno(reterr, -errno, "leave the time namespace")
                     : 0;
}

int launch_write_oom_score(Launch *l, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        int r;

        if (l->spec.process->oom_score_adj == JSON_NO_INT)
                return 0;

        r = str_printf(&path, "/proc/%d/oom_score_adj", (int) l->pid);
        if (r >= 0)
                r = str_printf(&text, "%d", l->spec.process->oom_score_adj);
        if (r >= 0) {
                r = file_write_kernel(path, text);
                if (r < 0)
                        return error_set_errno(reterr, r, "set oom_score_adj to %d",
                                l->spec.process->oom_score_adj);
        }
        return r;
}
