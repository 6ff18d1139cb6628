/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/inotify.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

#define HOST_FILE     "/etc/resolv.conf"
#define FILE_SIZE_MAX ((size_t) 1024 * 1024)
#define PORT          53
#define SETTLE_USEC   (20 * USEC_PER_MSEC) /* several changes in a row are read once */

#define CHANGES                                                                                \
        (IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MOVE_SELF | \
                IN_DELETE_SELF)

struct HostUpstreams {
        sd_event *event;
        char *path;
        Upstreams list;
        bool stale; /* nothing tells when it changes: look at each question, but not more than once in a while */
        uint64_t read_at;
        /* The folder of the file, and that of what the file is a link to. */
        sd_event_source *watches[2];
        sd_event_source *timer;
};

/* --- text --- */

static int parse_six(const char *s, struct sockaddr_in6 *ret) {
        const char *zone = strchr(s, '%');
        char text[INET6_ADDRSTRLEN];

        if (!zone)
                return inet_pton(AF_INET6, s, &ret->sin6_addr) == 1 ? 0 : -EINVAL;
        if ((size_t) (zone - s) >= sizeof(text) || strlen(zone + 1) >= IF_NAMESIZE)
                return -EINVAL;
        memcpy(text, s, (size_t) (zone - s));
        text[zone - s] = 0;
        if (inet_pton(AF_INET6, text, &ret->sin6_addr) != 1)
                return -EINVAL;
        ret->sin6_scope_id = if_nametoindex(zone + 1);
        return ret->sin6_scope_id > 0 ? 0 : -ENODEV;
}

int upstream_parse(const char *s, Upstream *ret) {
        Upstream u = {};
        int r;

        assert(s);
        assert(ret);

        if (inet_pton(AF_INET, s, &u.address.four.sin_addr) == 1) {
                u.address.four.sin_family = AF_INET;
                u.address.four.sin_port = htons(PORT);
                u.size = sizeof(u.address.four);
        } else {
                r = parse_six(s, &u.address.six);
                if (r < 0)
                        return r;
                u.address.six.sin6_family = AF_INET6;
                u.address.six.sin6_port = htons(PORT);
                u.size = sizeof(u.address.six);
        }
        *ret = u;
        return 0;
}

bool upstream_equal(const Upstream *a, const Upstream *b) {
        const struct sockaddr_in6 *x = &a->address.six, *y = &b->address.six;

        if (a->address.any.sa_family != b->address.any.sa_family)
                return false;
        if (a->address.any.sa_family == AF_INET)
                return a->address.four.sin_addr.s_addr == b->address.four.sin_addr.s_addr &&
                       a->address.four.sin_port == b->address.four.sin_port;
        return memcmp(&x->sin6_addr, &y->sin6_addr, sizeof(x->sin6_addr)) == 0 &&
               x->sin6_port == y->sin6_port && x->sin6_scope_id == y->sin6_scope_id;
}

static void add(Upstreams *l, const char *address) {
        if (l->n < UPSTREAMS_MAX && upstream_parse(address, l->items + l->n) >= 0)
                l->n++;
}

void upstreams_from_list(char *const *addresses, Upstreams *ret) {
        assert(ret);

        ret->n = 0;
        STRV_FOREACH (a, addresses)
                add(ret, *a);
}

int upstreams_from_file(const char *text, Upstreams *ret) {
        _cleanup_(strv_freep) char **lines = NULL;
        int r;

        assert(ret);

        r = strv_split(str_or_empty(text), "\n", /* keep_empty= */ false, &lines);
        if (r < 0)
                return r;
        ret->n = 0;
        STRV_FOREACH (line, lines) {
                _cleanup_(strv_freep) char **words = NULL;

                r = strv_split(*line, " \t\r", /* keep_empty= */ false, &words);
                if (r < 0)
                        return r;
                if (!strv_empty(words) && streq(words[0], "nameserver") && words[1])
                        add(ret, words[1]);
        }
        if (ret->n == 0)
                add(ret, "127.0.0.1");
        return 0;
}

/* --- the host's file --- */

static void watch(HostUpstreams *h);

static void read_file(HostUpstreams *h) {
        _cleanup_(freep) char *text = NULL;
        Upstreams fresh;
        int r;

        h->read_at = clock_monotonic_us();
        r = file_read(h->path, FILE_SIZE_MAX, &text, NULL);
        if (r < 0 && r != -ENOENT) {
                h->stale = true;
                (void) log_warning_errno(r, "Failed to read %s: %m, ignoring", h->path);
                return;
        }
        if (r == -ENOENT)
                h->stale = true;
        r = upstreams_from_file(text, &fresh);
        if (r >= 0)
                h->list = fresh;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        HostUpstreams *h = userdata;

        watch(h); /* before it is read, so that no change is missed */
        read_file(h);
        return 0;
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        HostUpstreams *h = userdata;
        int r;

        if (loop_timer_armed(h->timer))
                return 0;
        r = loop_timer(h->event, SETTLE_USEC, LOOP_TIMER, "resolv-conf", on_settled, h, &h->timer);
        if (r < 0)
                h->stale = true;
        return 0;
}

static int watch_folder_of(HostUpstreams *h, const char *path, sd_event_source **source) {
        _cleanup_(freep) char *folder = NULL;
        const char *slash = strrchr(path, '/');
        int r;

        if (!slash)
                return -EINVAL;
        r = str_copy_n(
                &folder, slash == path ? "/" : path, slash == path ? 1 : (size_t) (slash - path));
        if (r < 0)
                return r;
        return loop_inotify(h->event, folder, CHANGES | IN_ONLYDIR, LOOP_SYSTEM, "resolv-conf",
                on_change, h, source);
}

/* The folders, because the file is replaced rather than written. */
static void watch(HostUpstreams *h) {
        _cleanup_(freep) char *real = NULL;
        int r;

        h->stale = false;
        for (size_t i = 0; i < ARRAY_SIZE(h->watches); i++)
                h->watches[i] = loop_source_free(h->watches[i]);

        r = watch_folder_of(h, h->path, h->watches + 0);
        if (r < 0)
                h->stale = true;
        real = realpath(h->path, NULL);
        if (!real)
                h->stale = true; /* not there, or a link to what is not there yet */
        else if (!streq(real, h->path)) {
                r = watch_folder_of(h, real, h->watches + 1);
                if (r < 0)
                        h->stale = true;
        }
}

int host_upstreams_new(sd_event *e, const char *path, HostUpstreams **ret) {
        _cleanup_(host_upstreams_freep) HostUpstreams *h = NULL;
        int r;

        assert(e);
        assert(ret);

        h = new0(HostUpstreams, 1);
        if (!h)
                return -ENOMEM;
        h->event = sd_event_ref(e);
        r = str_copy(&h->path, path ? path : HOST_FILE);
        if (r < 0)
                return r;
        watch(h);
        read_file(h);
        *ret = TAKE_PTR(h);
        return 0;
}

HostUpstreams *host_upstreams_free(HostUpstreams *h) {
        if (!h)
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(h->watches); i++)
                loop_source_free(h->watches[i]);
        loop_source_free(h->timer);
        sd_event_unref(h->event);
        free(h->path);
        free(h);
        return NULL;
}

const Upstreams *host_upstreams_get(HostUpstreams *h) {
        assert(h);

        if (h->stale && clock_monotonic_us() - h->read_at >= USEC_PER_SEC) {
                watch(h);
                read_file(h);
        }
        return &h->list;
}
