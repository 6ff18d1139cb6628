/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/channel.h"

#include <errno.h>

#include "lib/base/fd.h"

int channel_send_raw(int fd, const void *data, size_t size, const int *fds, size_t n_fds) {
        assert(data && size > 0);

        if (size > CHANNEL_INLINE_MAX)
                return -EMSGSIZE;
        if (n_fds > CHANNEL_FDS_MAX)
                return -E2BIG;

        return fd_send(fd, data, size, fds, n_fds, 0);
}

ssize_t channel_receive_raw(int fd, void *data, size_t size, int *fds, size_t *ret_n_fds) {
        size_t n_fds = CHANNEL_FDS_MAX;
        ssize_t n;

        assert(data && size > 0);
        assert(!fds || ret_n_fds);

        n = fd_receive(fd, data, size, fds, fds ? &n_fds : NULL, NULL, 0);
        if (n == -EMSGSIZE && !fds)
                return -EPROTO;
        if (n >= 0 && ret_n_fds)
                *ret_n_fds = fds ? n_fds : 0;
        return n;
}

int channel_pair(int ret[2]) {
        return fd_socketpair(SOCK_SEQPACKET, ret);
}
