/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/process.h"
#include "service/runtime/seccomp.h"

/* What is called from the filter on until the program is executed: here, in child.c and enter-child.c, sync.c. Hooks that run
 * in the container are under the filter anyway. */
static const struct {
        int number;
        uint64_t args[6];
} still_needed[] = {
        { SYS_capset, {} },
        { SYS_clone, { CLONE_PARENT | SIGCHLD } },
        { SYS_sendmsg, {} },
        { SYS_recvmsg, {} },
        { SYS_setsid, {} },
        { SYS_ioctl, { STDIN_FILENO, TIOCSCTTY } },
        { SYS_prctl, { PR_SET_PDEATHSIG, SIGKILL } },
        { SYS_accept4, {} },
        { SYS_close, {} },
        { SYS_execve, {} },
        { SYS_exit_group, {} },
};

static bool works_under(const SeccompFilter *filter) {
        for (size_t i = 0; i < ARRAY_SIZE(still_needed); i++)
                if (!seccomp_filter_allows(filter, still_needed[i].number, still_needed[i].args))
                        return false;
        return true;
}

/* With no_new_privs the filter needs no privilege and may come last. Without, CAP_SYS_ADMIN would have to be kept for it; only
 * a profile that forbids what we still do makes us keep that one. */
int process_restrict_before_birth(
        const Process *p, const SeccompFilter *filter, bool *ret_filtered, Error *reterr) {
        CapabilitySets s = p->capabilities;
        bool early = !p->spec->no_new_privileges && works_under(filter);
        int r;

        r = early ? process_restrict(p, filter, reterr) : 0;
        if (r < 0)
                return r;
        if (!early) {
                if (!p->spec->no_new_privileges)
                        s.effective = s.permitted |= UINT64_C(1) << CAP_SYS_ADMIN;
                r = capabilities_raise(&s);
                if (r >= 0)
                        r = capabilities_apply(&s);
                if (r < 0)
                        return error_set_errno(reterr, r, "reduce the capabilities");
        }

        *ret_filtered = early;
        return 0;
}

pid_t process_birth(void) {
        /* Not clone3(): profiles that allow clone() for processes forbid that one, as its flags are behind a pointer. */
#ifdef __s390x__
        return (pid_t) syscall(SYS_clone, 0, CLONE_PARENT | SIGCHLD, 0, 0, 0);
#else
        return (pid_t) syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
#endif
}

int process_close_others(int first, int a, int b) {
        int low = a < b ? a : b, high = a < b ? b : a;

        if (low < first)
                low = high;
        if ((low > first && close_range((unsigned) first, (unsigned) low - 1, 0) < 0) ||
                (high > low + 1 && close_range((unsigned) low + 1, (unsigned) high - 1, 0) < 0) ||
                close_range((unsigned) high + 1, ~0U, 0) < 0)
                return -errno;
        return 0;
}
