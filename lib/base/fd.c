/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/fd.h"

#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                /* EINTR included: on Linux the descriptor is gone whatever close() says. */
                (void) close(fd);
                errno = saved;
        }
        return -EBADF;
}

void fd_close_many(int *fds, size_t n) {
        assert(fds || n == 0);

        for (size_t i = 0; i < n; i++)
                fds[i] = fd_close(fds[i]);
}

int fd_close_from(int first) {
        assert(first >= 0);

        return close_range((unsigned) first, ~0U, 0) < 0 ? -errno : 0;
}

int fd_cloexec_from(int first) {
        assert(first >= 0);

        return close_range((unsigned) first, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

static int fd_change(int fd, int get, int set, int flag, bool on) {
        int old, wanted;

        old = fcntl(fd, get);
        if (old < 0)
                return -errno;

        wanted = on ? old | flag : old & ~flag;
        if (wanted != old && fcntl(fd, set, wanted) < 0)
                return -errno;
        return 0;
}

int fd_set_cloexec(int fd, bool on) {
        return fd_change(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int fd_set_nonblock(int fd, bool on) {
        return fd_change(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_dup(int fd) {
        int copy;

        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return copy < 0 ? -errno : copy;
}

int fd_pipe(int ret[2], int flags) {
        int fds[2];

        assert(ret);

        if (pipe2(fds, flags | O_CLOEXEC) < 0)
                return -errno;

        ret[0] = fds[0];
        ret[1] = fds[1];
        return 0;
}

int fd_socketpair(int type, int ret[2]) {
        int fds[2];

        assert(ret);

        if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;

        ret[0] = fds[0];
        ret[1] = fds[1];
        return 0;
}

int fd_open_null(void) {
        int fd;

        fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

ssize_t fd_read_full(int fd, void *data, size_t size) {
        char *p = data;
        size_t n = 0;

        assert(data || size == 0);

        while (n < size) {
                ssize_t k = read(fd, p + n, size - n);

                if (k < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (k == 0)
                        break;
                n += (size_t) k;
        }
        return (ssize_t) n;
}

int fd_read_exact(int fd, void *data, size_t size) {
        ssize_t n;

        n = fd_read_full(fd, data, size);
        if (n < 0)
                return (int) n;
        return (size_t) n == size ? 0 : -ENODATA;
}

int fd_write_full(int fd, const void *data, size_t size) {
        const char *p = data;

        assert(data || size == 0);

        while (size > 0) {
                ssize_t k = write(fd, p, size);

                if (k < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                p += k;
                size -= (size_t) k;
        }
        return 0;
}

int fd_write_string(int fd, const char *s) {
        assert(s);

        return fd_write_full(fd, s, __builtin_strlen(s));
}

int fd_pwrite_full(int fd, const void *data, size_t size, uint64_t offset) {
        const char *p = data;

        assert(data || size == 0);

        while (size > 0) {
                ssize_t k = pwrite(fd, p, size, (off_t) offset);

                if (k < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                p += k;
                offset += (uint64_t) k;
                size -= (size_t) k;
        }
        return 0;
}

int fd_wait(int fd, int events, uint64_t timeout_usec) {
        struct pollfd p = { .fd = fd, .events = (short) events };
        uint64_t end = usec_add(clock_monotonic_us(), timeout_usec);

        assert(fd >= 0);

        for (;;) {
                struct timespec ts, *timeout = NULL;
                int r;

                if (timeout_usec != USEC_INFINITE) {
                        uint64_t now = clock_monotonic_us(), left = now < end ? end - now : 0;

                        ts = (struct timespec) {
                                .tv_sec = (time_t) (left / USEC_PER_SEC),
                                .tv_nsec = (long) (left % USEC_PER_SEC) * NSEC_PER_USEC,
                        };
                        timeout = &ts;
                }

                r = ppoll(&p, 1, timeout, NULL);
                if (r > 0)
                        return p.revents & POLLNVAL ? -EBADF : 1;
                if (r == 0)
                        return 0;
                if (errno != EINTR)
                        return -errno;
        }
}

const char *fd_path(int fd, char buffer[static FD_PATH_SIZE]) {
        (void) snprintf(buffer, FD_PATH_SIZE, "/proc/self/fd/%i", fd);
        return buffer;
}

int fd_reopen(int fd, int flags) {
        char path[FD_PATH_SIZE];
        int copy;

        /* A folder can be opened anew without a trusted /proc. */
        if (FLAGS_SET(flags, O_DIRECTORY))
                copy = openat(fd, ".", flags | O_CLOEXEC);
        else
                copy = open(fd_path(fd, path), (flags & ~O_NOFOLLOW) | O_CLOEXEC);
        return copy < 0 ? -errno : copy;
}

int fd_verify_directory(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int fd_verify_regular(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISREG(st.st_mode))
                return 0;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        return S_ISLNK(st.st_mode) ? -ELOOP : -EBADFD;
}

int fd_memfd(const char *name) {
        int fd;

        assert(name);

        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : fd;
}

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int fd_seal(int fd) {
        return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

int fd_is_sealed(int fd) {
        int seals;

        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0)
                return errno == EINVAL ? 0 : -errno;
        return FLAGS_SET(seals, SEALS);
}

int fd_memfd_sealed(const char *name, const void *data, size_t size) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        fd = fd_memfd(name);
        if (fd < 0)
                return fd;

        r = fd_pwrite_full(fd, data, size, 0);
        if (r < 0)
                return r;

        r = fd_seal(fd);
        if (r < 0)
                return r;

        return TAKE_FD(fd);
}
