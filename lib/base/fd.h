/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* File descriptors and unix sockets. No fd is -EBADF; every fd made here is close-on-exec. */

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/macro.h"

#define FD_PASS_MAX 32U /* the most fds that one message of ours carries */

int fd_close(int fd); /* keeps errno, accepts -EBADF; returns -EBADF: fd = fd_close(fd); */
static inline void fd_closep(int *fd) {
        (void) fd_close(*fd);
}
void fd_close_many(int *fds, size_t n); /* closes all and sets them to -EBADF */
int fd_close_from(int first);           /* close_range(first, ~0) */
/* Everything in [first, ~0] becomes close-on-exec (rule R4): the first act of a child. */
int fd_cloexec_from(int first);

int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd, bool on);
int fd_dup(int fd);                      /* new fd >= 3, close-on-exec; negative errno */
int fd_pipe(int ret[2], int flags);      /* O_CLOEXEC is added */
int fd_socketpair(int type, int ret[2]); /* AF_UNIX; SOCK_CLOEXEC is added */
int fd_open_null(void);                  /* /dev/null, read and write */

/* Blocking loops over short reads, short writes and EINTR. */
ssize_t fd_read_full(int fd, void *data, size_t size); /* what was there until end of file */
int fd_read_exact(int fd, void *data, size_t size);    /* -ENODATA when it ends earlier */
int fd_write_full(int fd, const void *data, size_t size);
int fd_write_string(int fd, const char *s);
int fd_pwrite_full(int fd, const void *data, size_t size, uint64_t offset);
/* Waits until one of the poll() events; 1 ready, 0 time-out. timeout_usec UINT64_MAX: for ever. */
int fd_wait(int fd, int events, uint64_t timeout_usec);

/* A descriptor of the same file with other flags, through /proc/self/fd; -ELOOP is never
 * followed out of a root. */
int fd_reopen(int fd, int flags);
/* /proc/self/fd/N as text, for calls that have no *at() form. */
#define FD_PATH_SIZE (STRLEN("/proc/self/fd/-2147483648") + 1)
const char *fd_path(int fd, char buffer[static FD_PATH_SIZE]);
int fd_verify_directory(int fd); /* 0 or -ENOTDIR */
int fd_verify_regular(int fd);   /* 0, -EISDIR, -ELOOP or -EBADFD */

/* Memory as a file. fd_memfd_sealed(): holds data, nobody can change it any more, offset 0. */
int fd_memfd(const char *name);
int fd_memfd_sealed(const char *name, const void *data, size_t size);
int fd_seal(int fd); /* no more writing, growing, shrinking, sealing */
/* 1 yes, 0 no: what came from another process is read only if nobody can change it. */
int fd_is_sealed(int fd);

/* One message with fds over a unix socket. Sends all or nothing; negative errno. flags: MSG_*;
 * MSG_NOSIGNAL is added. */
int fd_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds, int flags);
int fd_sendv(
        int socket, const struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds, int flags);
/* One message: its size, or 0 when the other side is gone. Up to *n_fds fds are stored
 * (close-on-exec), the others are closed and the answer is -EMSGSIZE, as it is when size was too
 * small; *n_fds is how many came. ret_creds (or NULL) gets SCM_CREDENTIALS when SO_PASSCRED is
 * set and they came, else pid 0, uid and gid -1. */
ssize_t fd_receive(int socket, void *data, size_t size, int *fds, size_t *n_fds,
        struct ucred *ret_creds, int flags);

/* Who connected, as the kernel noted then (rule R10). */
int fd_peer_credentials(int socket, struct ucred *ret);
int fd_peer_pidfd(int socket); /* SO_PEERPIDFD; -EOPNOTSUPP before Linux 6.5 */
int fd_peer_groups(int socket, gid_t **ret, size_t *ret_n);

/* Unix sockets under a folder fd: the path may be longer than sun_path. type: SOCK_STREAM or
 * SOCK_SEQPACKET, with SOCK_NONBLOCK if wished. fd_listen_at() replaces a stale socket of the
 * same name; mode is set before anybody can connect. */
int fd_listen_at(int dir_fd, const char *name, int type, mode_t mode, int backlog);
int fd_connect_at(int dir_fd, const char *name, int type);
