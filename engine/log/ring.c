/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/ring.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/log/logs.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

struct LogRing {
        const LogDriver *driver;
        void *driver_state;
        uint64_t max;   /* bytes of messages, as Docker counts */
        uint64_t used;  /* the same, of what waits */
        Buffer waiting; /* Head, data; Head, data; … */
        uint64_t n_dropped;
};

typedef struct Head {
        uint64_t time_nsec;
        uint32_t size;
        uint8_t stream;
        bool partial;
} Head;

int log_ring_check(char *const *opts, Error *reterr) {
        const char *mode = logs_option(opts, "mode"), *size = logs_option(opts, "max-buffer-size");
        uint64_t n;

        if (!STR_IN_SET(str_or_empty(mode), "", "blocking", "non-blocking"))
                return error_set(
                        reterr, ERROR_INVALID, "logger: logging mode not supported: %s", mode);
        if (!size)
                return 0;
        if (!str_equal(mode, "non-blocking"))
                return error_set(reterr, ERROR_INVALID,
                        "logger: max-buffer-size option is only supported with "
                        "'mode=non-blocking'");
        if (parse_size(size, &n) < 0 || n > LOG_RING_SIZE_MAX)
                return error_set(reterr, ERROR_INVALID,
                        "error parsing option max-buffer-size: invalid size: '%s'", size);
        return 0;
}

int log_ring_new(char *const *opts, const LogDriver *driver, void *driver_state, LogRing **ret) {
        const char *size = logs_option(opts, "max-buffer-size");
        LogRing *r;

        assert(driver);
        assert(ret);

        *ret = NULL;
        if (!str_equal(logs_option(opts, "mode"), "non-blocking"))
                return 0;
        r = new0(LogRing, 1);
        if (!r)
                return -ENOMEM;
        r->driver = driver;
        r->driver_state = driver_state;
        if (!size || parse_size(size, &r->max) < 0 || r->max == 0)
                r->max = LOG_RING_SIZE_DEFAULT;
        *ret = r;
        return 0;
}

LogRing *log_ring_free(LogRing *r) {
        if (!r)
                return NULL;
        buffer_done(&r->waiting);
        free(r);
        return NULL;
}

static int keep(LogRing *r, const LogMessage *m) {
        const Head head = {
                .time_nsec = m->time_nsec,
                .size = (uint32_t) m->size,
                .stream = (uint8_t) m->stream,
                .partial = m->partial,
        };
        char *to;
        int k;

        /* One that is larger than all room there is is kept when it is alone, as Docker does. */
        if (r->used > 0 && r->used + m->size > r->max)
                return -ENOBUFS;
        k = buffer_reserve(&r->waiting, sizeof(head) + m->size, &to);
        if (k < 0)
                return k;
        memcpy(to, &head, sizeof(head));
        memcpy(to + sizeof(head), m->data, m->size);
        buffer_commit(&r->waiting, sizeof(head) + m->size);
        r->used += m->size;
        return 0;
}

void log_ring_write(LogRing *r, const LogMessage *m) {
        if (buffer_empty(&r->waiting) && r->driver->write(r->driver_state, m) != -EAGAIN)
                return;
        if (keep(r, m) < 0)
                r->n_dropped++;
}

int log_ring_flush(LogRing *r) {
        while (!buffer_empty(&r->waiting)) {
                const char *at = buffer_head(&r->waiting);
                Head head;
                int k;

                memcpy(&head, at, sizeof(head));
                k = r->driver->write(r->driver_state, &(const LogMessage) {
                                                              .stream = (LogStream) head.stream,
                                                              .time_nsec = head.time_nsec,
                                                              .data = at + sizeof(head),
                                                              .size = head.size,
                                                              .partial = head.partial,
                                                      });
                if (k == -EAGAIN)
                        return k;
                buffer_consume(&r->waiting, sizeof(head) + head.size);
                r->used -= head.size;
        }
        buffer_done(&r->waiting); /* a burst is over: its memory goes back */
        return 0;
}

uint64_t log_ring_n_dropped(const LogRing *r) {
        return r->n_dropped;
}
