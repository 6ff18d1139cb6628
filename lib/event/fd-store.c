/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/fd-store.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

/* All names come back in one variable, and the kernel takes none of more than 128 KiB: with more, the service could not start. */
#define NAMES_SIZE_MAX ((size_t) 120 * 1024)

typedef struct Stored Stored;
typedef struct StoreMessage StoreMessage;

/* What lies under one name. */
struct Stored {
        char *name;
        size_t n;      /* fds in systemd's store */
        int *came;     /* back to us, and not taken yet */
        size_t n_came; /* of them */
        size_t n_allocated;
};

/* For systemd, not sent yet. */
struct StoreMessage {
        ListNode by_age;
        char *text;
        int fds[FD_STORE_FDS_MAX];
        size_t n_fds;
};

struct FdStore {
        sd_event *event;
        int socket; /* connected to systemd; -EBADF: there is none */
        sd_event_source *source;
        Hashmap *by_name;
        List waiting;
        size_t n_fds;
        size_t names_size;
};

static StoreMessage *message_free(StoreMessage *m) {
        if (!m)
                return NULL;
        list_remove(&m->by_age);
        fd_close_many(m->fds, m->n_fds);
        free(m->text);
        free(m);
        return NULL;
}
DEFINE_CLEANUP(StoreMessage *, message_free);

static Stored *stored_free(Stored *d) {
        if (!d)
                return NULL;
        fd_close_many(d->came, d->n_came);
        free(d->came);
        free(d->name);
        free(d);
        return NULL;
}
DEFINE_CLEANUP(Stored *, stored_free);

static bool name_is_valid(const char *name) {
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

        return n > 0 && n <= FD_STORE_NAME_MAX && !name[n];
}

/* The socket is connected so that the loop hears when systemd has read what there was. */
static int connect_systemd(int *ret) {
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        size_t size = path ? strlen(path) : 0;

        if (size < 2 || size >= sizeof(a.sun_path) || (path[0] != '/' && path[0] != '@'))
                return 0;
        memcpy(a.sun_path, path, size);
        if (path[0] == '@')
                a.sun_path[0] = 0;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *) &a,
                    (socklen_t) (offsetof(struct sockaddr_un, sun_path) + size +
                                 (path[0] == '/'))) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 1;
}

int fd_store_new(sd_event *e, FdStore **ret) {
        _cleanup_(fd_store_freep) FdStore *s = NULL;
        int r;

        assert(e);
        assert(ret);

        s = new0(FdStore, 1);
        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(e);
        s->socket = -EBADF;
        list_init(&s->waiting);
        s->by_name = hashmap_new(HASHMAP_STRING);
        if (!s->by_name)
                return -ENOMEM;
        r = connect_systemd(&s->socket);
        if (r < 0)
                (void) log_debug_errno(r, "No fd store: %m, ignoring");

        *ret = TAKE_PTR(s);
        return 0;
}

FdStore *fd_store_free(FdStore *s) {
        StoreMessage *m;

        if (!s)
                return NULL;
        loop_source_free(s->source);
        while ((m = list_first(&s->waiting, StoreMessage, by_age)))
                message_free(m);
        hashmap_free_with(s->by_name, stored_free);
        fd_close(s->socket);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}

/* 1 sent or given up, 0 systemd is too busy. */
static int send_message(FdStore *s, const StoreMessage *m) {
        int r;

        r = fd_send(s->socket, m->text, strlen(m->text), m->fds, m->n_fds, MSG_DONTWAIT);
        if (r == -EAGAIN)
                return 0;
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to change systemd's store of descriptors: %m, ignoring");
        return 1;
}

static int on_writable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        FdStore *s = userdata;
        StoreMessage *m;

        while ((m = list_first(&s->waiting, StoreMessage, by_age))) {
                if (send_message(s, m) == 0)
                        return 0;
                message_free(m);
        }
        s->source = loop_source_free(s->source);
        return 0;
}

static int queue_message(FdStore *s, StoreMessage *message) {
        _cleanup_(message_freep) StoreMessage *m = message;
        int r;

        if (list_empty(&s->waiting) && send_message(s, m) > 0)
                return 0;
        if (!s->source) {
                r = loop_io(s->event, s->socket, EPOLLOUT, LOOP_SYSTEM, "fd-store", on_writable, s,
                        &s->source);
                if (r < 0)
                        return r;
        }
        list_append(&s->waiting, &TAKE_PTR(m)->by_age);
        return 0;
}

static int find_or_make(FdStore *s, const char *name, Stored **ret) {
        _cleanup_(stored_freep) Stored *d = NULL;
        int r;

        *ret = hashmap_get(s->by_name, name);
        if (*ret)
                return 0;
        d = new0(Stored, 1);
        if (!d)
                return -ENOMEM;
        r = str_copy(&d->name, name);
        if (r < 0)
                return r;
        r = hashmap_put(s->by_name, d->name, d);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

static void count(FdStore *s, Stored *d, size_t n) {
        d->n += n;
        s->n_fds += n;
        s->names_size += n * (strlen(d->name) + 1);
}

int fd_store_inherit(FdStore *s, const char *name, int fd) {
        _cleanup_(fd_closep) int taken = fd;
        Stored *d;
        int r;

        assert(s);
        assert(name);

        r = find_or_make(s, name, &d);
        if (r < 0)
                return r;
        r = array_grow(&d->came, &d->n_allocated, d->n_came + 1);
        if (r < 0)
                return r;
        d->came[d->n_came++] = TAKE_FD(taken);
        count(s, d, 1);
        return 0;
}

size_t fd_store_take(FdStore *s, const char *name, int *fds, size_t max) {
        Stored *d;
        size_t n;

        assert(s);
        assert(name);
        assert(fds || max == 0);

        d = hashmap_get(s->by_name, name);
        if (!d)
                return 0;
        n = MIN(d->n_came, max);
        for (size_t i = 0; i < n; i++)
                fds[i] = TAKE_FD(d->came[i]);
        fd_close_many(d->came, d->n_came);
        d->n_came = 0;
        return n;
}

bool fd_store_has(const FdStore *s, const char *name) {
        return hashmap_contains(s->by_name, name);
}

int fd_store_untaken(const FdStore *s, const char *prefix, char ***ret) {
        _cleanup_(strv_freep) char **l = NULL;
        Stored *d;

        assert(s);
        assert(prefix);
        assert(ret);

        HASHMAP_FOREACH (d, s->by_name) {
                int r;

                if (d->n_came == 0 || !str_starts(d->name, prefix))
                        continue;
                r = strv_add(&l, d->name);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(l);
        return 0;
}

void fd_store_sweep(FdStore *s) {
        Stored *d;

        assert(s);

        HASHMAP_FOREACH (d, s->by_name)
                if (d->n_came > 0)
                        fd_store_remove(s, d->name);
}

/* At most as many as one message carries. */
static int put_some(FdStore *s, const char *name, const int *fds, size_t n) {
        _cleanup_(message_freep) StoreMessage *m = NULL;
        int r;

        m = new0(StoreMessage, 1);
        if (!m)
                return -ENOMEM;
        r = str_printf(&m->text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        if (r < 0)
                return r;
        for (; m->n_fds < n; m->n_fds++) {
                m->fds[m->n_fds] = fd_dup(fds[m->n_fds]);
                if (m->fds[m->n_fds] < 0)
                        return m->fds[m->n_fds];
        }
        return queue_message(s, TAKE_PTR(m));
}

int fd_store_put(FdStore *s, const char *name, const int *fds, size_t n) {
        Stored *d;
        int r;

        assert(s);
        assert(name);
        assert(fds);

        if (!name_is_valid(name) || n == 0 || n > FD_STORE_FDS_MAX)
                return -EINVAL;
        if (s->socket < 0)
                return 0;
        if (s->n_fds + n > FD_STORE_MAX || s->names_size + n * (strlen(name) + 1) > NAMES_SIZE_MAX)
                return -ENOSPC;
        r = find_or_make(s, name, &d);
        if (r < 0)
                return r;
        r = put_some(s, name, fds, n);
        if (r < 0) {
                if (d->n == 0) {
                        (void) hashmap_remove(s->by_name, name);
                        stored_free(d);
                }
                return r;
        }
        count(s, d, n);
        return 1;
}

void fd_store_remove(FdStore *s, const char *name) {
        _cleanup_(message_freep) StoreMessage *m = NULL;
        Stored *d;
        int r = -ENOMEM;

        assert(s);
        assert(name);

        d = hashmap_get(s->by_name, name);
        if (!d)
                return;

        if (s->socket >= 0) {
                m = new0(StoreMessage, 1);
                if (m)
                        r = str_printf(&m->text, "FDSTOREREMOVE=1\nFDNAME=%s", d->name);
                if (r >= 0)
                        r = queue_message(s, TAKE_PTR(m));
                if (r < 0) /* The next process gets it back and sweeps it. */
                        (void) log_warning_errno(
                                r, "Failed to forget the descriptors \"%s\": %m, ignoring", name);
        }

        s->n_fds -= d->n;
        s->names_size -= d->n * (strlen(d->name) + 1);
        (void) hashmap_remove(s->by_name, d->name);
        stored_free(d);
}
