/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/terminal.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/base/fd.h"

int terminal_listen(int dir_fd, const char *name, Error *reterr) {
        int fd;

        fd = fd_listen_at(dir_fd, name, SOCK_STREAM | SOCK_NONBLOCK, 0600, 1);
        return fd < 0 ? error_set_errno(reterr, fd, "Cannot make the console socket") : fd;
}

int terminal_receive(int listen_fd, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char name[4096]; /* of the terminal, which nobody needs */
        int master = -EBADF;
        size_t n = 1;
        ssize_t k;

        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "The runtime did not send a terminal");
        k = fd_receive(fd, name, sizeof(name), &master, &n, NULL, MSG_DONTWAIT);
        if (k <= 0 || n != 1)
                return error_set_errno(
                        reterr, k < 0 ? (int) k : -ENOTTY, "The runtime sent no terminal");
        return master;
}
