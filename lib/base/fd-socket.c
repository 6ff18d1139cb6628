/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/fd.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/alloc.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

int fd_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds, int flags) {
        struct iovec iov = { (void *) data, size };

        return fd_sendv(socket, &iov, 1, fds, n_fds, flags);
}

int fd_sendv(int socket, const struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds,
        int flags) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(FD_PASS_MAX * sizeof(int))];
        } control;
        struct msghdr message = { .msg_iov = (struct iovec *) iov, .msg_iovlen = n_iov };
        size_t total = 0;
        ssize_t n;

        assert(iov && n_iov > 0);
        assert(fds || n_fds == 0);

        if (n_fds > FD_PASS_MAX)
                return -E2BIG;

        for (size_t i = 0; i < n_iov; i++)
                total += iov[i].iov_len;

        if (n_fds > 0) {
                memset(&control, 0, sizeof(control));
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
        }

        do
                n = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        /* On a stream the fds went with the first byte; the rest has to follow. */
        if ((size_t) n < total) {
                size_t done = (size_t) n;

                for (size_t i = 0; i < n_iov; i++) {
                        size_t skip = MIN(done, iov[i].iov_len);
                        int r;

                        done -= skip;
                        r = fd_write_full(
                                socket, (char *) iov[i].iov_base + skip, iov[i].iov_len - skip);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

ssize_t fd_receive(int socket, void *data, size_t size, int *fds, size_t *n_fds,
        struct ucred *ret_creds, int flags) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(FD_PASS_MAX * sizeof(int)) +
                           CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct iovec iov = { data, size };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        struct ucred creds = { .pid = 0, .uid = (uid_t) -1, .gid = (gid_t) -1 };
        size_t room, stored = 0;
        bool too_many = false;
        ssize_t n;

        assert(data || size == 0);
        assert(fds || !n_fds);

        room = n_fds ? *n_fds : 0;

        do
                n = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_RIGHTS) {
                        for (size_t i = 0, k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i < k;
                                i++) {
                                int fd;

                                memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                                if (stored < room)
                                        fds[stored++] = fd;
                                else {
                                        (void) fd_close(fd);
                                        too_many = true;
                                }
                        }
                } else if (c->cmsg_type == SCM_CREDENTIALS &&
                           c->cmsg_len == CMSG_LEN(sizeof(creds)))
                        memcpy(&creds, CMSG_DATA(c), sizeof(creds));
        }

        if (too_many || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
                fd_close_many(fds, stored);
                return -EMSGSIZE;
        }

        if (n_fds)
                *n_fds = stored;
        if (ret_creds)
                *ret_creds = creds;
        return n;
}

int fd_peer_credentials(int socket, struct ucred *ret) {
        struct ucred creds;
        socklen_t size = sizeof(creds);

        assert(ret);

        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &creds, &size) < 0)
                return -errno;
        if (size != sizeof(creds) || creds.uid == (uid_t) -1 || creds.gid == (gid_t) -1)
                return -ENODATA;

        *ret = creds;
        return 0;
}

int fd_peer_pidfd(int socket) {
        socklen_t size = sizeof(int);
        int pidfd;

        if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0)
                return errno == ENOPROTOOPT ? -EOPNOTSUPP : -errno;

        return pidfd;
}

int fd_peer_groups(int socket, gid_t **ret, size_t *ret_n) {
        _cleanup_(freep) gid_t *groups = NULL;
        socklen_t size = 64 * sizeof(gid_t);

        assert(ret);
        assert(ret_n);

        /* The kernel says how much room it needs when ours is too small. */
        for (unsigned i = 0; i < 3; i++) {
                free(groups);
                groups = malloc(size ? size : 1);
                if (!groups)
                        return -ENOMEM;

                if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) >= 0) {
                        *ret = TAKE_PTR(groups);
                        *ret_n = size / sizeof(gid_t);
                        return 0;
                }
                if (errno != ERANGE)
                        return -errno;
        }
        return -ERANGE;
}

/* The name behind a folder fd fits into sun_path however long the folder's path is. */
static int socket_address(int dir_fd, const char *name, struct sockaddr_un *ret) {
        int n;

        assert(name);

        *ret = (struct sockaddr_un) { .sun_family = AF_UNIX };
        if (dir_fd == AT_FDCWD)
                n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", name);
        else
                n = snprintf(
                        ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%i/%s", dir_fd, name);
        return n < 0 || (size_t) n >= sizeof(ret->sun_path) ? -ENAMETOOLONG : 0;
}

int fd_listen_at(int dir_fd, const char *name, int type, mode_t mode, int backlog) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct sockaddr_un address;
        struct stat st;
        int r;

        r = socket_address(dir_fd, name, &address);
        if (r < 0)
                return r;

        fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) >= 0) {
                if (!S_ISSOCK(st.st_mode))
                        return -EEXIST;
                if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
                        return -errno;
        }

        /* The mode of the inode at bind() is the socket's own mode: nobody connects before it is
         * right. */
        if (fchmod(fd, mode) < 0)
                return -errno;
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        if (fchmodat(dir_fd, name, mode, 0) < 0 || listen(fd, backlog) < 0) {
                r = -errno;
                (void) unlinkat(dir_fd, name, 0);
                return r;
        }
        return TAKE_FD(fd);
}

int fd_connect_at(int dir_fd, const char *name, int type) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct sockaddr_un address;
        int r;

        r = socket_address(dir_fd, name, &address);
        if (r < 0)
                return r;

        fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        while (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                if (errno != EINTR)
                        return -errno;

        return TAKE_FD(fd);
}
