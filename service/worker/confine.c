/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/macro.h"

/* Owners, modes, devices, file capabilities, trusted.overlay.* (that is what SYS_ADMIN is for). */
#define CAPABILITIES_KEPT                                                        \
        (UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_DAC_OVERRIDE |            \
                UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_FOWNER | \
                UINT64_C(1) << CAP_FSETID | UINT64_C(1) << CAP_MKNOD |           \
                UINT64_C(1) << CAP_SETFCAP | UINT64_C(1) << CAP_SYS_ADMIN)

/* setns(), mount(), and links inside of what it makes. */
#define CAPABILITIES_NETNS (UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_NET_ADMIN)

static int confine_capabilities(uint64_t kept) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = {};

        for (int i = 0; i <= CAP_LAST_CAP; i++)
                if (!(kept >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EINVAL)
                        return -errno;

        for (int i = 0; i < 2; i++)
                data[i].permitted = data[i].effective = (uint32_t) (kept >> 32 * i);

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int confine(int empty_dir_fd) {
        assert(empty_dir_fd >= 0);

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;

        if (geteuid() != 0)
                return 0;

        if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
                return errno == EPERM
                             ? 0
                             : -errno; /* root without power, as in a container: as good as any user */
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;

        if (fchdir(empty_dir_fd) < 0 || chroot(".") < 0)
                return -errno;

        return confine_capabilities(CAPABILITIES_KEPT);
}

int confine_netns(void) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;

        return geteuid() == 0 ? confine_capabilities(CAPABILITIES_NETNS) : 0;
}
