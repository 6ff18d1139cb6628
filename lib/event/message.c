/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/json/json.h"

#define MESSAGE_INLINE 'J'
#define MESSAGE_MEMORY 'M'

void message_done(Message *m) {
        if (!m)
                return;

        free(m->text);
        (void) fd_close(m->memory_fd);
        *m = (Message) { .memory_fd = -EBADF };
}

int message_pack(const Json *record, Message *ret) {
        _cleanup_(message_done) Message m = { .memory_fd = -EBADF };
        int r;

        assert(record);
        assert(ret);

        r = json_print(record, JSON_COMPACT, &m.text);
        if (r < 0)
                return r;

        m.size = strlen(m.text);
        if (m.size > CHANNEL_RECORD_MAX)
                return -EMSGSIZE;
        if (m.size > CHANNEL_INLINE_MAX) {
                m.memory_fd = fd_memfd_sealed("record", m.text, m.size);
                if (m.memory_fd < 0)
                        return m.memory_fd;
                m.text = mfree(m.text);
        }

        *ret = m;
        m = (Message) { .memory_fd = -EBADF };
        return 0;
}

int message_send(const Message *m, int fd, const int *fds, size_t n_fds, int flags) {
        char kind = m->text ? MESSAGE_INLINE : MESSAGE_MEMORY;
        uint64_t size = m->size;
        struct iovec iov[2] = { { &kind, 1 }, { m->text, m->size } };
        int all[MESSAGE_FDS_MAX];

        assert(fds || n_fds == 0);

        if (n_fds > CHANNEL_FDS_MAX)
                return -E2BIG;
        if (m->text)
                return fd_sendv(fd, iov, 2, fds, n_fds, flags);

        all[0] = m->memory_fd;
        for (size_t i = 0; i < n_fds; i++)
                all[i + 1] = fds[i];
        iov[1] = (struct iovec) { &size, sizeof(size) };
        return fd_sendv(fd, iov, 2, all, n_fds + 1, flags);
}

/* Only what nobody can change any more is read. */
static int read_memory(int fd, uint64_t size, Json **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t n;
        int r;

        if (size > CHANNEL_RECORD_MAX)
                return -EMSGSIZE;

        r = fd_is_sealed(fd);
        if (r <= 0)
                return r < 0 ? r : -EPROTO;

        r = file_read_fd(fd, CHANNEL_RECORD_MAX, &text, &n);
        if (r < 0)
                return r;
        if (n != size)
                return -EPROTO;

        return json_parse(text, n, CHANNEL_RECORD_MAX, ret, NULL);
}

int message_receive(int fd, char *buffer, int flags, Json **ret, int *fds, size_t *ret_n_fds) {
        uint64_t size;
        ssize_t n;
        int r;

        assert(buffer);
        assert(ret);
        assert(fds);
        assert(ret_n_fds);

        *ret_n_fds = MESSAGE_FDS_MAX;
        n = fd_receive(fd, buffer, MESSAGE_SIZE_MAX, fds, ret_n_fds, NULL, flags);
        if (n <= 0) {
                fd_close_many(fds, n == 0 ? *ret_n_fds : 0);
                *ret_n_fds = 0;
                return n == -EMSGSIZE ? -EPROTO : (int) n;
        }

        switch (buffer[0]) {
        case MESSAGE_INLINE:
                if (*ret_n_fds > CHANNEL_FDS_MAX)
                        return -EPROTO;
                r = json_parse(buffer + 1, (size_t) n - 1, CHANNEL_INLINE_MAX, ret, NULL);
                break;
        case MESSAGE_MEMORY:
                if ((size_t) n != 1 + sizeof(size) || *ret_n_fds == 0)
                        return -EPROTO;
                memcpy(&size, buffer + 1, sizeof(size));
                r = read_memory(fds[0], size, ret);
                (void) fd_close(fds[0]);
                (*ret_n_fds)--;
                memmove(fds, fds + 1, *ret_n_fds * sizeof(int));
                break;
        default:
                return -EPROTO;
        }
        if (r == -ENOMEM)
                return r;
        return r < 0 ? -EBADMSG : 1;
}

int channel_send(int fd, const Json *record, const int *fds, size_t n_fds) {
        _cleanup_(message_done) Message m = { .memory_fd = -EBADF };
        int r;

        r = message_pack(record, &m);
        if (r < 0)
                return r;

        return message_send(&m, fd, fds, n_fds, 0);
}

int channel_receive(int fd, Json **ret, int *fds, size_t *ret_n_fds) {
        _cleanup_(json_unrefp) Json *record = NULL;
        _cleanup_(freep) char *buffer = NULL;
        int all[MESSAGE_FDS_MAX], r;
        size_t n;

        assert(ret);
        assert(!fds || ret_n_fds);

        buffer = malloc(MESSAGE_SIZE_MAX);
        if (!buffer)
                return -ENOMEM;

        r = message_receive(fd, buffer, 0, &record, all, &n);
        if (r > 0 && n > 0 && !fds)
                r = -EPROTO;
        if (r <= 0) {
                fd_close_many(all, n);
                return r;
        }

        if (fds)
                memcpy(fds, all, n * sizeof(int));
        if (ret_n_fds)
                *ret_n_fds = n;
        *ret = TAKE_PTR(record);
        return 1;
}
