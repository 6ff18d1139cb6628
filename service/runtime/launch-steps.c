/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/launch-steps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static bool enters(const Launch *l, NamespaceType t) {
        return l->namespaces.join_fds[t] >= 0 ||
               (t == NAMESPACE_TIME && namespaces_is_new(&l->namespaces, t));
}

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

int launch_enter_for_children(Launch *l, Error *reterr) {
        if (enters(l, NAMESPACE_PID) &&
                setns(l->namespaces.join_fds[NAMESPACE_PID], CLONE_NEWPID) < 0)
                return error_set_errno(reterr, -errno, "join the pid namespace");

        if (!enters(l, NAMESPACE_TIME))
                return 0;
        if (l->namespaces.join_fds[NAMESPACE_TIME] >= 0)
                return setns(l->namespaces.join_fds[NAMESPACE_TIME], CLONE_NEWTIME) < 0
                             ? error_set_errno(reterr, -errno, "join the time namespace")
                             : 0;
        if (unshare(CLONE_NEWTIME) < 0)
                return error_set_errno(reterr, -errno, "make a time namespace");
        return write_time_offsets(l->spec.linux_, reterr);
}

static int go_home(const char *path, int flag, const char *name, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, flag) < 0)
                return error_set_errno(reterr, -errno, "leave the %s namespace", name);
        return 0;
}

int launch_leave_for_children(Launch *l, Error *reterr) {
        int r = 0;

        /* "pid" and "time" are where this process itself is and stays; only its children were sent elsewhere. */
        if (enters(l, NAMESPACE_PID))
                r = go_home("/proc/self/ns/pid", CLONE_NEWPID, "pid", reterr);
        if (r >= 0 && namespaces_is_new(&l->namespaces, NAMESPACE_TIME))
                r = go_home("/proc/self/ns/time", CLONE_NEWTIME, "time", reterr);
        return r;
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
