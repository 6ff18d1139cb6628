/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/self.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/mountinfo.h"
#include "lib/base/str.h"

/* Executed by descriptor (the kernel then calls us /dev/fd/N), and from a mount that is read-only. A caller that starts many of us
 * may keep such a copy itself and execute that; then the second start is saved. */
static int is_protected(int exe_fd) {
        const char *name = (const char *) getauxval(AT_EXECFN);
        struct statvfs sv;

        if (!name || !str_starts(name, "/dev/fd/"))
                return 0;
        if (fstatvfs(exe_fd, &sv) < 0)
                return -errno;
        return sv.f_flag & ST_RDONLY ? 1 : -EROFS;
}

int self_protect(char **argv, Error *reterr) {
        _cleanup_(fd_closep) int exe_fd = -EBADF, copy_fd = -EBADF;
        int r;

        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "protect this process");

        exe_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
        if (exe_fd < 0)
                return error_set_errno(reterr, -errno, "open this program");
        r = is_protected(exe_fd);
        if (r > 0)
                return 0;
        if (r < 0)
                return error_set_errno(
                        reterr, r, "this program was executed by descriptor from a writable mount");

        copy_fd = mount_clone(exe_fd, /* recursive= */ false);
        if (copy_fd < 0)
                return error_set_errno(reterr, copy_fd, "copy the mount of this program");
        r = mount_change(copy_fd, MOUNT_ATTR_RDONLY, 0, MS_PRIVATE, /* recursive= */ false);
        if (r < 0)
                return error_set_errno(reterr, r, "make the copy of this program read-only");

        (void) execveat(copy_fd, "", argv, environ, AT_EMPTY_PATH);
        return error_set_errno(reterr, -errno, "execute the copy of this program");
}
