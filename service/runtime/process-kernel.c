/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/mounts.h"
#include "service/runtime/process.h"
#include "service/runtime/seccomp.h"

static int write_proc(Mounts *m, const char *name, const char *text) {
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = beneath_open(m->proc_fd, name, O_WRONLY | O_NOFOLLOW | O_NOCTTY, 0, 0);
        if (fd < 0)
                return fd;
        return fd_write_string(fd, text);
}

static int apply_label(const Process *p, Mounts *m, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!str_empty(p->spec->apparmor_profile)) {
                r = str_printf(&text, "exec %s", p->spec->apparmor_profile);
                if (r < 0)
                        return r;
                r = write_proc(m, "thread-self/attr/apparmor/exec", text);
                if (r == -ENOENT)
                        r = write_proc(m, "thread-self/attr/exec", text);
                if (r < 0)
                        return error_set_errno(reterr, r, "set the AppArmor profile \"%s\"",
                                p->spec->apparmor_profile);
        }
        if (!str_empty(p->spec->selinux_label)) {
                r = write_proc(m, "thread-self/attr/exec", p->spec->selinux_label);
                if (r < 0)
                        return error_set_errno(
                                reterr, r, "set the SELinux label \"%s\"", p->spec->selinux_label);
        }

        return 0;
}

int process_apply_proc(const Process *p, Mounts *m, Error *reterr) {
        /* In a user namespace the file is not ours to write, the parent does it. */
        bool score = p->spec->oom_score_adj != JSON_NO_INT && !m->own_user_namespace;
        int r;

        if (!score && str_empty(p->spec->apparmor_profile) && str_empty(p->spec->selinux_label))
                return 0;
        r = mounts_trusted_proc(m, reterr);
        if (r < 0)
                return r;

        if (score) {
                char text[16];

                (void) snprintf(text, sizeof(text), "%d", p->spec->oom_score_adj);
                r = write_proc(m, "self/oom_score_adj", text);
                if (r < 0)
                        return error_set_errno(
                                reterr, r, "set oom_score_adj to %d", p->spec->oom_score_adj);
        }

        return apply_label(p, m, reterr);
}

int process_join_keyring(const char *id, Error *reterr) {
        _cleanup_(freep) char *name = NULL;
        int r;

        r = str_printf(&name, "_ses.%s", id);
        if (r < 0)
                return r;
        /* ENOSYS: a kernel without keyrings; EPERM: whoever runs us forbids them, to the container as well. */
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0 && errno != ENOSYS &&
                errno != EPERM)
                return error_set_errno(reterr, -errno, "make a session keyring");
        return 0;
}

int process_apply_personality(const RuntimePersonality *p, Error *reterr) {
        unsigned long persona;

        if (!p)
                return 0;
        if (str_equal(p->domain, "LINUX"))
                persona = PER_LINUX;
        else if (str_equal(p->domain, "LINUX32"))
                persona = PER_LINUX32;
        else
                return error_set(reterr, ERROR_INVALID, "personality \"%s\" is not known",
                        str_or_empty(p->domain));

        return personality(persona) < 0 ? error_set_errno(reterr, -errno, "set the personality")
                                        : 0;
}

int process_apply_no_new_privileges(const Process *p, Error *reterr) {
        if (!p->spec->no_new_privileges)
                return 0;
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
                     ? error_set_errno(reterr, -errno, "set no_new_privs")
                     : 0;
}

static int install_filter(const SeccompFilter *filter, Error *reterr) {
        int r;

        r = seccomp_filter_install(filter);
        return r < 0 ? error_set_errno(reterr, r, "install the seccomp filter") : 0;
}

/* A filter may be installed with CAP_SYS_ADMIN or with no_new_privs: without the latter it comes before the capabilities go, and the
 * profile has to allow capset() and execve(), nothing else. */
int process_restrict(const Process *p, const SeccompFilter *filter, Error *reterr) {
        bool late = p->spec->no_new_privileges;
        int r;

        r = late ? 0 : capabilities_raise(&p->capabilities);
        if (r >= 0 && !late)
                r = install_filter(filter, reterr);
        if (r >= 0)
                r = process_apply_capabilities(p, reterr);
        if (r >= 0 && late)
                r = install_filter(filter, reterr);
        return r;
}

/* By number. */
static const char *const policy_table[] = {
        [SCHED_OTHER] = "SCHED_OTHER",
        [SCHED_FIFO] = "SCHED_FIFO",
        [SCHED_RR] = "SCHED_RR",
        [SCHED_BATCH] = "SCHED_BATCH",
        [SCHED_IDLE] = "SCHED_IDLE",
        [6] = "SCHED_DEADLINE",
};

static const struct {
        const char *name;
        uint64_t flag;
} scheduler_flags[] = {
        { "SCHED_FLAG_RESET_ON_FORK", 0x01 },
        { "SCHED_FLAG_RECLAIM", 0x02 },
        { "SCHED_FLAG_DL_OVERRUN", 0x04 },
        { "SCHED_FLAG_KEEP_POLICY", 0x08 },
        { "SCHED_FLAG_KEEP_PARAMS", 0x10 },
        { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
        { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
};

/* The C library has it since 2.41 only, and the kernel's header does not go together with <sched.h>. */
struct scheduler_attributes {
        uint32_t size;
        uint32_t sched_policy;
        uint64_t sched_flags;
        int32_t sched_nice;
        uint32_t sched_priority;
        uint64_t sched_runtime;
        uint64_t sched_deadline;
        uint64_t sched_period;
        uint32_t sched_util_min;
        uint32_t sched_util_max;
};

static int apply_scheduler(const RuntimeScheduler *s, pid_t pid, Error *reterr) {
        struct scheduler_attributes attr = {
                .size = sizeof(attr),
                .sched_nice = s->nice,
                .sched_priority = (uint32_t) s->priority,
                .sched_runtime = s->runtime,
                .sched_deadline = s->deadline,
                .sched_period = s->period,
        };
        int policy =
                str_table_find(policy_table, ARRAY_SIZE(policy_table), str_or_empty(s->policy));

        if (policy < 0)
                return error_set(reterr, ERROR_INVALID, "scheduler policy \"%s\" is not known",
                        str_or_empty(s->policy));
        attr.sched_policy = (uint32_t) policy;

        STRV_FOREACH (name, s->flags) {
                bool found = false;

                for (size_t i = 0; i < ARRAY_SIZE(scheduler_flags); i++)
                        if (streq(*name, scheduler_flags[i].name)) {
                                attr.sched_flags |= scheduler_flags[i].flag;
                                found = true;
                        }
                if (!found)
                        return error_set(
                                reterr, ERROR_INVALID, "scheduler flag \"%s\" is not known", *name);
        }

        if (syscall(SYS_sched_setattr, pid, &attr, 0) < 0)
                return error_set_errno(reterr, -errno, "set the scheduler");
        return 0;
}

int process_apply_scheduling(const Process *p, pid_t pid, Error *reterr) {
        static const char *const classes[] = {
                [IOPRIO_CLASS_RT] = "IOPRIO_CLASS_RT",
                [IOPRIO_CLASS_BE] = "IOPRIO_CLASS_BE",
                [IOPRIO_CLASS_IDLE] = "IOPRIO_CLASS_IDLE",
        };
        const RuntimeIOPriority *io = p->spec->io_priority;
        int r;

        if (p->spec->scheduler) {
                r = apply_scheduler(p->spec->scheduler, pid, reterr);
                if (r < 0)
                        return r;
        }
        if (io) {
                int class = str_table_find(classes, ARRAY_SIZE(classes), str_or_empty(io->class));

                if (class < 0 || io->priority < 0 || io->priority > 7)
                        return error_set(reterr, ERROR_INVALID, "ioPriority %s %d is not known",
                                str_or_empty(io->class), io->priority);
                if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid,
                            IOPRIO_PRIO_VALUE(class, io->priority)) < 0)
                        return error_set_errno(reterr, -errno, "set the I/O priority");
        }

        return 0;
}
