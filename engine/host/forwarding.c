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

static const char *switch_path(int family) {
        return family == AF_INET6 ? CONF6 "/all/forwarding" : "/proc/sys/net/ipv4/ip_forward";
}

int forwarding_is_on(int family) {
        _cleanup_(freep) char *value = NULL;
        int r;

        r = file_read_line(switch_path(family), &value);
        if (r == -ENOENT && family == AF_INET6)
                return 1;
        return r < 0 ? r : !streq(value, "0");
}

int forwarding_enable(int family, const char *note) {
        int fd, r;

        r = forwarding_is_on(family);
        if (r != 0)
                return r < 0 ? r : 0;

        if (family == AF_INET6)
                keep_router_advertisements();
        fd = open(note, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        (void) fd_close(fd);
        return file_write_kernel(switch_path(family), "1");
}

bool forwarding_was_off(const char *note) {
        return file_exists_at(AT_FDCWD, note) > 0;
}
