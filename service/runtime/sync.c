/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/sync.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"

typedef struct SyncMessage {
        uint32_t type;
        int32_t error;
        uint32_t kind;
        char text[4096];
} SyncMessage;

#define SYNC_HEAD offsetof(SyncMessage, text)

int sync_send(int fd, SyncType type) {
        SyncMessage m;

        memset(&m, 0, SYNC_HEAD);
        m.type = type;
        return fd_send(fd, &m, SYNC_HEAD, NULL, 0, 0);
}

int sync_send_pid(int fd, pid_t pid) {
        SyncMessage m;

        memset(&m, 0, SYNC_HEAD);
        m.type = SYNC_PID;
        m.error = pid;
        return fd_send(fd, &m, SYNC_HEAD, NULL, 0, 0);
}

void sync_send_error(int fd, int r, const Error *e) {
        const char *text = error_text((Error *) e, r);
        SyncMessage m;
        size_t n;

        memset(&m, 0, SYNC_HEAD);
        m.type = SYNC_ERROR;
        m.error = r;
        m.kind = error_is_set((Error *) e) ? e->kind : ERROR_INTERNAL;
        n = strnlen(text, sizeof(m.text));
        memcpy(m.text, text, n);
        (void) fd_send(fd, &m, SYNC_HEAD + n, NULL, 0, 0);
}

/* 0: the other side is gone. */
static int receive(int fd, SyncMessage *ret, Error *reterr) {
        ssize_t n;

        n = fd_receive(fd, ret, sizeof(*ret), NULL, NULL, NULL, 0);
        if (n == 0 || n == -ECONNRESET)
                return 0;
        if (n < 0)
                return (int) n;
        if ((size_t) n < SYNC_HEAD || ret->type >= _SYNC_TYPE_MAX)
                return -EBADMSG;

        if (ret->type == SYNC_ERROR) {
                ErrorKind kind = ret->kind > ERROR_NONE && ret->kind < _ERROR_KIND_MAX
                                       ? (ErrorKind) ret->kind
                                       : ERROR_INTERNAL;

                (void) error_set(reterr, kind, "%.*s", (int) ((size_t) n - SYNC_HEAD), ret->text);
                return ret->error < 0 ? ret->error : -EIO;
        }
        return 1;
}

int sync_receive(int fd, SyncType type, Error *reterr) {
        SyncMessage m;
        int r;

        r = receive(fd, &m, reterr);
        if (r < 0)
                return r;
        if (r == 0)
                return -EPIPE;

        return m.type == type ? 0 : -EBADMSG;
}

int sync_receive_pid(int fd, pid_t *ret, Error *reterr) {
        SyncMessage m;
        int r;

        r = receive(fd, &m, reterr);
        if (r < 0)
                return r;
        if (r == 0)
                return -EPIPE;
        if (m.type != SYNC_PID || m.error <= 0)
                return -EBADMSG;

        *ret = m.error;
        return 0;
}

int sync_receive_end(int fd, Error *reterr) {
        SyncMessage m;
        int r;

        r = receive(fd, &m, reterr);
        return r > 0 ? -EBADMSG : r;
}
