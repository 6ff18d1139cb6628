/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/forwarding.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define CONF6 "/proc/sys/net/ipv6/conf"

static void keep_router_advertisements(void) {
        _cleanup_(strv_freep) char **links = NULL;

        if (file_list(AT_FDCWD, CONF6, /* hidden= */ false, &links) < 0)
                return;
        STRV_FOREACH (link, links) {
                _cleanup_(freep) char *path = path_join(CONF6, *link, "accept_ra"), *value = NULL;
                int r;

                if (!path || file_read_line(path, &value) < 0 || !streq(value, "1"))
                        continue;
                r = file_write_kernel(path, "2");
                if (r < 0)
                        (void) log_warning_errno(
                                r, "Failed to let %s listen to routers on: %m, ignoring", *link);
        }
}

int forwarding_enable(int family, const char *note) {
        const char *path =
                family == AF_INET6 ? CONF6 "/all/forwarding" : "/proc/sys/net/ipv4/ip_forward";
        _cleanup_(freep) char *value = NULL;
        int fd, r;

        r = file_read_line(path, &value);
        if (r == -ENOENT && family == AF_INET6)
                return 0;
        if (r < 0)
                return r;
        if (!streq(value, "0"))
                return 0;

        if (family == AF_INET6)
                keep_router_advertisements();
        fd = open(note, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        (void) fd_close(fd);
        r = file_write_kernel(path, "1");
        return r < 0 ? r : 1;
}

bool forwarding_was_off(const char *note) {
        return file_exists_at(AT_FDCWD, note) > 0;
}
