/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/journal.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define JOURNAL_SOCKET     "/run/systemd/journal/socket"
#define JOURNAL_FIELDS_MAX 256U
#define JOURNAL_SEND_SIZE  (8 * 1024 * 1024)

static int journal_fd = -EBADF;

static int journal_open(void) {
        static const int size = JOURNAL_SEND_SIZE;
        int fd;

        if (journal_fd >= 0)
                return journal_fd;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        /* Large records go in one piece when the kernel lets us; else in a memfd. */
        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
                (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));

        journal_fd = fd;
        return fd;
}

static int journal_send_memfd(
        int fd, const struct sockaddr_un *address, const struct msghdr *message) {
        _cleanup_(fd_closep) int memory = -EBADF;
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct msghdr m = {
                .msg_name = (void *) address,
                .msg_namelen = sizeof(*address),
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        int r;

        memory = fd_memfd("journal-record");
        if (memory < 0)
                return memory;

        for (size_t i = 0; i < message->msg_iovlen; i++) {
                r = fd_write_full(
                        memory, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
                if (r < 0)
                        return r;
        }
        r = fd_seal(memory);
        if (r < 0)
                return r;

        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &memory, sizeof(int));

        return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int journal_sendv(const struct iovec *fields, size_t n) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX,
                .sun_path = JOURNAL_SOCKET };
        static char newline[] = "\n";
        uint64_t lengths[JOURNAL_FIELDS_MAX];
        struct iovec parts[JOURNAL_FIELDS_MAX * 5];
        struct msghdr message = {
                .msg_name = (void *) &address,
                .msg_namelen = sizeof(address),
                .msg_iov = parts,
        };
        size_t k = 0;
        int fd;

        assert(fields || n == 0);

        if (n > JOURNAL_FIELDS_MAX)
                return -E2BIG;

        for (size_t i = 0; i < n; i++) {
                char *base = fields[i].iov_base, *equals;
                size_t key, value;

                equals = memchr(base, '=', fields[i].iov_len);
                if (!equals || equals == base)
                        return -EINVAL;
                key = (size_t) (equals - base);
                value = fields[i].iov_len - key - 1;

                if (!memchr(equals + 1, '\n', value))
                        parts[k++] = fields[i];
                else {
                        /* A value of several lines: key, newline, 64-bit length, value. */
                        lengths[i] = htole64(value);
                        parts[k++] = (struct iovec) { base, key };
                        parts[k++] = (struct iovec) { newline, 1 };
                        parts[k++] = (struct iovec) { &lengths[i], sizeof(lengths[i]) };
                        parts[k++] = (struct iovec) { equals + 1, value };
                }
                parts[k++] = (struct iovec) { newline, 1 };
        }
        message.msg_iovlen = k;

        fd = journal_open();
        if (fd < 0)
                return fd;

        if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
                return 0;
        if (errno != EMSGSIZE && errno != ENOBUFS)
                return -errno;

        return journal_send_memfd(fd, &address, &message);
}

bool journal_is_stream(int fd) {
        _cleanup_(freep) char *device = NULL, *inode = NULL;
        uint64_t dev, ino;
        const char *stream;
        struct stat st;

        stream = getenv("JOURNAL_STREAM");
        if (!stream || str_split_pair(stream, ':', &device, &inode) < 0)
                return false;
        if (parse_u64(device, &dev) < 0 || parse_u64(inode, &ino) < 0 || fstat(fd, &st) < 0)
                return false;

        return st.st_dev == dev && st.st_ino == ino;
}
