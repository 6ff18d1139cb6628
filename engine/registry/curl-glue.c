/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/curl-glue.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

#define CONNECT_SECONDS 30L
#define SLOW_BYTES      64L /* a second, for so many seconds: then it counts as broken */
#define SLOW_SECONDS    45L
#define BUFFER_SIZE     (256L * 1024)

struct HttpPool {
        sd_event *event;
        CURLM *multi;
        sd_event_source *timer;
};

struct Transfer {
        HttpPool *curl;
        CURL *easy;
        struct curl_slist *headers, *resolve;
        const TransferOps *ops;
        void *userdata;
        int stopped; /* what on_data() said */
        char words[CURL_ERROR_SIZE];
};

/* ---- multi ---- */

static void transfer_done(Transfer *t, CURLcode code) {
        _cleanup_(error_done) Error e = {};
        int r = 0;

        if (t->stopped < 0)
                r = t->stopped;
        else if (code != CURLE_OK) {
                r = code == CURLE_OUT_OF_MEMORY      ? -ENOMEM
                  : code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT
                  : code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                                    code == CURLE_SSL_CERTPROBLEM
                          ? -EKEYREJECTED
                  : code == CURLE_SSL_CONNECT_ERROR ? -EPROTO
                  : code == CURLE_COULDNT_CONNECT   ? -ECONNREFUSED
                                                    : -ECONNRESET;
                (void) error_set(&e, error_kind_from_errno(r), "%s",
                        t->words[0] ? t->words : curl_easy_strerror(code));
        }
        t->ops->on_done(t, r, &e, t->userdata);
}

static void curl_reap(HttpPool *c) {
        CURLMsg *m;
        int left;

        while ((m = curl_multi_info_read(c->multi, &left))) {
                CURLcode code = m->data.result;
                Transfer *t = NULL;

                if (m->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **) &t);
                (void) curl_multi_remove_handle(c->multi, t->easy);
                transfer_done(t, code);
        }
}

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        HttpPool *c = userdata;
        int mask = 0, running;

        if (revents & (EPOLLIN | EPOLLHUP))
                mask |= CURL_CSELECT_IN;
        if (revents & EPOLLOUT)
                mask |= CURL_CSELECT_OUT;
        if (revents & EPOLLERR)
                mask |= CURL_CSELECT_ERR;
        (void) curl_multi_socket_action(c->multi, fd, mask, &running);
        curl_reap(c);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        HttpPool *c = userdata;
        int running;

        (void) curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        curl_reap(c);
        return 0;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *socket_data) {
        static const uint32_t events[] = {
                [CURL_POLL_NONE] = 0,
                [CURL_POLL_IN] = EPOLLIN,
                [CURL_POLL_OUT] = EPOLLOUT,
                [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
        };
        sd_event_source *source = socket_data;
        HttpPool *c = userdata;

        if (what == CURL_POLL_REMOVE) {
                loop_source_free(source);
                (void) curl_multi_assign(c->multi, fd, NULL);
                return 0;
        }
        if (source)
                return sd_event_source_set_io_events(source, events[what]) < 0 ? -1 : 0;
        if (loop_io(c->event, fd, events[what], LOOP_STREAM, "registry", on_socket, c, &source) < 0)
                return -1;
        (void) curl_multi_assign(c->multi, fd, source);
        return 0;
}

static int watch_timer(CURLM *multi, long ms, void *userdata) {
        HttpPool *c = userdata;

        if (ms < 0) {
                (void) loop_timer_stop(c->timer);
                return 0;
        }
        return loop_timer(c->event, (uint64_t) ms * USEC_PER_MSEC, LOOP_STREAM, "registry-timer",
                       on_timer, c, &c->timer) < 0
                     ? -1
                     : 0;
}

int http_pool_new(sd_event *e, HttpPool **ret) {
        _cleanup_(http_pool_freep) HttpPool *c = NULL;

        assert(e);
        assert(ret);

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
                return -ENOMEM;
        c = new0(HttpPool, 1);
        if (!c)
                return -ENOMEM;
        c->event = sd_event_ref(e);
        c->multi = curl_multi_init();
        if (!c->multi)
                return -ENOMEM;
        (void) curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
        (void) curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
        (void) curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, watch_timer);
        (void) curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);

        *ret = TAKE_PTR(c);
        return 0;
}

HttpPool *http_pool_free(HttpPool *c) {
        if (!c)
                return NULL;

        if (c->multi)
                (void) curl_multi_cleanup(c->multi);
        loop_source_free(c->timer);
        sd_event_unref(c->event);
        free(c);
        curl_global_cleanup();
        return NULL;
}

/* ---- one transfer ---- */

static size_t on_body(char *data, size_t one, size_t size, void *userdata) {
        Transfer *t = userdata;
        ssize_t n;

        n = t->ops->on_data(t, data, size, t->userdata);
        if (n == -EAGAIN)
                return CURL_WRITEFUNC_PAUSE;
        if (n < 0) {
                t->stopped = (int) n;
                return size + 1; /* the end of it */
        }
        return size;
}

#define SET(option, value) (curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

static bool transfer_set_trust(Transfer *t, const TransferSpec *s) {
        return SET(CURLOPT_SSL_VERIFYPEER, s->insecure ? 0L : 1L) &&
               SET(CURLOPT_SSL_VERIFYHOST, s->insecure ? 0L : 2L) &&
               SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2) &&
               (!s->ca_file || SET(CURLOPT_CAINFO, s->ca_file)) &&
               (!s->cert_file ||
                       (SET(CURLOPT_SSLCERT, s->cert_file) && SET(CURLOPT_SSLKEY, s->key_file)));
}

static bool transfer_set(Transfer *t, const TransferSpec *s) {
        return SET(CURLOPT_PRIVATE, t) && SET(CURLOPT_ERRORBUFFER, t->words) &&
               SET(CURLOPT_URL, s->url) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
               SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) && SET(CURLOPT_NOSIGNAL, 1L) &&
               SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1) &&
               SET(CURLOPT_BUFFERSIZE, BUFFER_SIZE) &&
               SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) &&
               SET(CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES) &&
               SET(CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS) &&
               SET(CURLOPT_TIMEOUT_MS, (long) s->timeout_ms) &&
               SET(CURLOPT_PROXY, str_or_empty(s->proxy)) && SET(CURLOPT_NOPROXY, "") &&
               (s->proxy_port == 0 || SET(CURLOPT_PROXYPORT, (long) s->proxy_port)) &&
               SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, t) &&
               SET(CURLOPT_HTTPHEADER, t->headers) && SET(CURLOPT_RESOLVE, t->resolve) &&
               (!s->user_agent || SET(CURLOPT_USERAGENT, s->user_agent)) &&
               (!s->post || SET(CURLOPT_COPYPOSTFIELDS, s->post)) && transfer_set_trust(t, s);
}

static int list_add(struct curl_slist **l, const char *s) {
        struct curl_slist *p = curl_slist_append(*l, s);

        if (!p)
                return -ENOMEM;
        *l = p;
        return 0;
}

int transfer_start(HttpPool *c, const TransferSpec *spec, const TransferOps *ops, void *userdata,
        Transfer **ret) {
        Transfer *t;
        int r = 0;

        assert(c);
        assert(spec && spec->url);
        assert(ops);
        assert(ret);

        t = new0(Transfer, 1);
        if (!t)
                return -ENOMEM;
        t->curl = c;
        t->ops = ops;
        t->userdata = userdata;

        for (char *const *h = spec->headers; h && *h && r >= 0; h++)
                r = list_add(&t->headers, *h);
        if (r >= 0 && spec->resolve)
                r = list_add(&t->resolve, spec->resolve);
        t->easy = r >= 0 ? curl_easy_init() : NULL;
        if (!t->easy || !transfer_set(t, spec) ||
                curl_multi_add_handle(c->multi, t->easy) != CURLM_OK) {
                transfer_free(t);
                return -ENOMEM;
        }

        *ret = t;
        return 0;
}

Transfer *transfer_free(Transfer *t) {
        if (!t)
                return NULL;

        if (t->easy) {
                (void) curl_multi_remove_handle(t->curl->multi, t->easy);
                curl_easy_cleanup(t->easy);
        }
        for (struct curl_slist *h = t->headers; h; h = h->next) /* a secret may be in there */
                explicit_bzero(h->data, strlen(h->data));
        curl_slist_free_all(t->headers);
        curl_slist_free_all(t->resolve);
        return mfree(t);
}

void transfer_continue(Transfer *t) {
        (void) curl_easy_pause(t->easy, CURLPAUSE_CONT);
}

unsigned transfer_status(const Transfer *t) {
        long status = 0;

        (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        return (unsigned) status;
}

const char *transfer_header(Transfer *t, const char *name, size_t i) {
        struct curl_header *h;

        return curl_easy_header(t->easy, name, i, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value
                                                                                     : NULL;
}

/* ---- URLs ---- */

static void curlu_cleanup(CURLU **u) {
        curl_url_cleanup(*u);
}

static int part(CURLU *u, CURLUPart what, unsigned flags, char **ret) {
        char *text;
        int r;

        if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
                return -EINVAL;
        r = str_copy(ret, text);
        curl_free(text);
        return r;
}

int url_join(const char *base, const char *location, char **ret) {
        _cleanup_(curlu_cleanup) CURLU *u = curl_url();
        _cleanup_(freep) char *scheme = NULL, *user = NULL, *url = NULL;
        int r;

        if (!u)
                return -ENOMEM;
        if (str_has_control(location) ||
                (base && curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK) ||
                curl_url_set(u, CURLUPART_URL, location, CURLU_URLENCODE) != CURLUE_OK)
                return -EINVAL;
        if (part(u, CURLUPART_USER, 0, &user) >= 0)
                return -EINVAL;
        (void) curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);

        r = part(u, CURLUPART_SCHEME, 0, &scheme);
        if (r >= 0 && !STR_IN_SET(scheme, "http", "https"))
                r = -EINVAL;
        if (r >= 0)
                r = part(u, CURLUPART_URL, 0, &url);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(url);
        return 0;
}

void url_done(Url *u) {
        free(u->scheme);
        free(u->host);
        *u = (Url) {};
}

int url_parse(const char *url, Url *ret) {
        _cleanup_(curlu_cleanup) CURLU *u = curl_url();
        _cleanup_(freep) char *port = NULL;
        _cleanup_(url_done) Url x = {};
        size_t n;
        int r;

        if (!u)
                return -ENOMEM;
        if (curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
                return -EINVAL;
        r = part(u, CURLUPART_SCHEME, 0, &x.scheme);
        if (r >= 0)
                r = part(u, CURLUPART_HOST, 0, &x.host);
        if (r >= 0)
                r = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port);
        if (r < 0)
                return r;
        x.port = (unsigned) strtoul(port, NULL, 10);
        n = strlen(x.host);
        if (n > 2 && x.host[0] == '[') {
                memmove(x.host, x.host + 1, n - 2);
                x.host[n - 2] = '\0';
        }
        *ret = x;
        x = (Url) {};
        return 0;
}

bool url_same_origin(const Url *a, const Url *b) {
        return strcasecmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
               a->port == b->port;
}

static int add_pairs(const char *const *pairs, char separator, char **s) {
        for (; pairs[0]; pairs += 2) {
                char *value;
                int r;

                if (!pairs[1])
                        continue;
                value = curl_easy_escape(NULL, pairs[1], 0);
                if (!value)
                        return -ENOMEM;
                r = separator ? str_appendf(s, "%c%s=%s", separator, pairs[0], value)
                              : str_appendf(s, "%s=%s", pairs[0], value);
                curl_free(value);
                if (r < 0)
                        return r;
                separator = '&';
        }
        return 0;
}

int url_query(const char *url, const char *const *pairs, char **ret) {
        _cleanup_(freep) char *s = NULL;
        int r;

        r = str_copy(&s, url);
        if (r >= 0)
                r = add_pairs(pairs, strchr(url, '?') ? '&' : '?', &s);
        if (r >= 0)
                *ret = TAKE_PTR(s);
        return r;
}

int url_form(const char *const *pairs, char **ret) {
        _cleanup_(freep) char *s = NULL;
        int r;

        r = add_pairs(pairs, '\0', &s);
        if (r >= 0)
                *ret = TAKE_PTR(s);
        return r;
}
