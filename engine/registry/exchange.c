/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "engine/registry/endpoint.h"
#include "engine/registry/session.h"
#include "engine/registry/values.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"
#include "lib/oci/image-spec.h"

#define REDIRECTS_MAX    8U
#define WORDS_MAX        ((size_t) 64 * 1024)
#define PROGRESS_BYTES   (UINT64_C(256) << 10) /* so many new bytes: the attempts count anew */
#define SOON_USEC        (200 * USEC_PER_MSEC) /* a transfer that broke on its way goes on at once */
#define RETRY_AFTER_MAX  120                   /* seconds; who says more is taken for a no */
#define DOCUMENT_TIME_MS (UINT64_C(120) * 1000)
#define TAGS_PAGE        "1000"

/* ---- where ---- */

static int exchange_home(Exchange *x) {
        const RegistryEndpoint *e = x->session->endpoints + x->endpoint;
        const char *path = x->session->spec->path;
        _cleanup_(freep) char *tags = NULL;
        char *url = NULL;
        int r;

        switch ((FetchKind) x->request.kind) {
        case FETCH_MANIFEST:
                r = str_printf(&url, "%s/v2/%s/manifests/%s", e->base, path, x->request.name);
                break;
        case FETCH_BLOB:
                r = str_printf(&url, "%s/v2/%s/blobs/%s", e->base, path, x->request.name);
                break;
        default:
                r = str_printf(&tags, "%s/v2/%s/tags/list", e->base, path);
                if (r >= 0)
                        r = url_query(tags,
                                (const char *const[]) { "n", TAGS_PAGE, "last",
                                        str_empty(x->request.name) ? NULL : x->request.name, NULL },
                                &url);
        }
        if (r < 0)
                return r;
        free(x->url);
        x->url = url;
        x->away = false;
        x->redirects = 0;
        return 0;
}

/* ---- the bytes ---- */

static void exchange_judge(Exchange *x);

static int on_writable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Exchange *x = userdata;
        ssize_t n;

        n = buffer_write_fd(&x->rest, fd);
        if (n == -EAGAIN || n == -EINTR)
                return 0;
        if (n < 0) { /* nobody wants it any more */
                exchange_fail(x, (int) n);
                return 0;
        }
        if (!buffer_empty(&x->rest))
                return 0;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (x->ended)
                exchange_judge(x);
        else if (x->transfer)
                transfer_continue(x->transfer);
        return 0;
}

static int exchange_wait_writable(Exchange *x) {
        if (x->writable)
                return sd_event_source_set_enabled(x->writable, SD_EVENT_ON);
        return loop_io(x->session->event, x->fd, EPOLLOUT, LOOP_STREAM, "registry-out", on_writable,
                x, &x->writable);
}

static int exchange_write(Exchange *x, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(x->fd, data, size);
                int r;

                if (n >= 0) {
                        data += n;
                        size -= (size_t) n;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                r = buffer_append(&x->rest, data, size);
                return r < 0 ? r : exchange_wait_writable(x);
        }
        return 0;
}

/* The head has come: from which byte on is this? */
static int exchange_begin(Exchange *x) {
        unsigned status = transfer_status(x->transfer);
        uint64_t first, last, size;

        x->begun = true;
        x->skip = 0;
        if (status == 200)
                x->skip = x->written; /* it does not know of ranges */
        else if (status == 206) {
                const char *range = transfer_header(x->transfer, "content-range", 0);

                if (content_range_parse(range, &first, &last, &size) < 0 || first != x->written ||
                        (x->request.size >= 0 && size != UINT64_MAX &&
                                size != (uint64_t) x->request.size))
                        return error_set(&x->error, ERROR_INVALID,
                                "%s: the registry sends other bytes than were asked for",
                                x->request.name);
        }
        return 0;
}

static ssize_t on_data(Transfer *t, const void *data, size_t size, void *userdata) {
        unsigned status = transfer_status(t);
        Exchange *x = userdata;
        const char *p = data;
        size_t n = size, skip;
        uint64_t max;
        int r;

        if (status / 100 != 2) {
                if (buffer_size(&x->words) + size <= WORDS_MAX)
                        (void) buffer_append(&x->words, data, size);
                return (ssize_t) size;
        }
        if (!buffer_empty(&x->rest))
                return -EAGAIN;
        if (!x->begun) {
                r = exchange_begin(x);
                if (r < 0)
                        return r;
        }

        skip = (size_t) MIN(x->skip, (uint64_t) n);
        x->skip -= skip;
        p += skip;
        n -= skip;

        max = x->request.size >= 0 ? (uint64_t) x->request.size : x->request.max;
        if (n > max - x->written)
                return error_set(&x->error, ERROR_TOO_LARGE,
                        "%s: the registry sends more than the %llu bytes that %s", x->request.name,
                        (unsigned long long) max,
                        x->request.size >= 0 ? "were announced" : "are allowed");
        r = exchange_write(x, p, n);
        if (r < 0)
                return r;
        x->written += n;
        return (ssize_t) size;
}

/* ---- the end of an attempt ---- */

void exchange_fail(Exchange *x, int r) {
        const ExchangeOps *ops = x->ops;

        ops->on_answer(x, NULL, r, &x->error, x->userdata);
        exchange_free(x);
}

/* A document begins anew, for behind a tag may be another one by now; a blob goes on, for its digest is known. */
static int exchange_restart(Exchange *x) {
        if (x->request.kind != FETCH_BLOB && x->written > 0) {
                if (ftruncate(x->fd, 0) < 0 || lseek(x->fd, 0, SEEK_SET) < 0)
                        return -errno;
                x->written = x->mark = 0;
        }
        return exchange_home(x);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Exchange *x = userdata;
        int r;

        r = exchange_restart(x);
        if (r >= 0)
                r = exchange_send(x);
        if (r < 0)
                exchange_fail(x, r);
        return 0;
}

void exchange_next(Exchange *x, int r, bool answered) {
        Session *s = x->session;

        answered = answered || s->endpoints[x->endpoint].answered;
        while (x->endpoint + 1 < s->n_endpoints &&
                endpoint_may_follow(
                        s->endpoints + x->endpoint, s->endpoints + x->endpoint + 1, answered)) {
                int k;

                x->endpoint++;
                x->attempts = x->proofs = 0;
                error_done(&x->error);
                k = exchange_restart(x);
                if (k >= 0)
                        k = exchange_send(x);
                if (k >= 0)
                        return;
                r = k;
                answered = false;
        }
        exchange_fail(x, r);
}

/* What has been wrong may pass. */
void exchange_again(Exchange *x, uint64_t usec, int r) {
        bool moved = x->written > x->mark;

        if (x->written - x->mark >= PROGRESS_BYTES)
                x->attempts = x->proofs = 0;
        x->mark = x->written;
        x->attempts++;
        if (x->attempts >= MAX(x->session->spec->attempts, 1U)) {
                exchange_next(x, r, /* answered= */ false);
                return;
        }
        error_done(&x->error);
        if (usec == 0)
                usec = moved ? SOON_USEC : retry_delay(x->attempts);
        if (usec >= USEC_PER_SEC && x->ops->on_note) {
                _cleanup_(freep) char *text = NULL;

                if (str_printf(&text, "Retrying in %llu second%s",
                            (unsigned long long) (usec / USEC_PER_SEC),
                            usec / USEC_PER_SEC == 1 ? "" : "s") >= 0)
                        x->ops->on_note(x, text, x->userdata);
        }
        r = loop_timer(
                x->session->event, usec, LOOP_TIMER, "registry-retry", on_timer, x, &x->timer);
        if (r < 0)
                exchange_fail(x, r);
}

static void exchange_answer(Exchange *x) {
        _cleanup_(freep) char *type = NULL;
        const char *digest, *said;
        FetchAnswer a = { .id = x->request.id };

        said = transfer_header(x->transfer, "content-type", 0);
        if (said && str_copy_n(&type, said, strcspn(said, "; \t")) >= 0)
                a.media_type = type;
        a.more = transfer_header(x->transfer, "link", 0) != NULL;
        digest = transfer_header(x->transfer, "docker-content-digest", 0);
        if (digest && digest_is_valid(digest))
                a.digest = (char *) digest;

        x->session->current = x->endpoint;
        x->ops->on_answer(x, &a, 0, NULL, x->userdata);
        exchange_free(x);
}

static void exchange_follow(Exchange *x) {
        const RegistryEndpoint *e = x->session->endpoints + x->endpoint;
        const char *location = transfer_header(x->transfer, "location", 0);
        _cleanup_(url_done) Url from = {}, to = {}, home = {};
        _cleanup_(freep) char *url = NULL;
        int r = -EINVAL;

        if (location && x->redirects < REDIRECTS_MAX)
                r = url_join(x->url, location, &url);
        if (r >= 0)
                r = url_parse(x->url, &from);
        if (r >= 0)
                r = url_parse(url, &to);
        if (r >= 0)
                r = url_parse(e->base, &home);
        if (r < 0) {
                r = error_set(&x->error, ERROR_INTERNAL,
                        "%s: the registry's redirect leads nowhere", x->request.name);
                exchange_next(x, r, /* answered= */ true);
                return;
        }
        if (streq(from.scheme, "https") && streq(to.scheme, "http") && !e->insecure) {
                r = error_set(&x->error, ERROR_INTERNAL,
                        "%s: the registry's redirect leads to a host without TLS", x->request.name);
                exchange_next(x, r, /* answered= */ true);
                return;
        }

        x->redirects++;
        x->away = x->away || !url_same_origin(&to, &home);
        free(x->url);
        x->url = TAKE_PTR(url);
        r = exchange_send(x);
        if (r < 0)
                exchange_fail(x, r);
}

static void exchange_judge_status(Exchange *x, unsigned status) {
        uint64_t wait = 0;
        int r;

        if (status == 401 && !x->away) {
                exchange_prove(x);
                return;
        }
        if (status == 429 || status == 408 || status >= 500) {
                int64_t n = retry_after_parse(
                        transfer_header(x->transfer, "retry-after", 0), clock_realtime_ns());

                r = exchange_refusal(x, status);
                if (n > RETRY_AFTER_MAX)
                        exchange_next(x, r, /* answered= */ true);
                else {
                        if (n > 0)
                                wait = (uint64_t) n * USEC_PER_SEC;
                        exchange_again(x, wait, r);
                }
                return;
        }
        /* What a redirect has led to may have been valid for a while only. */
        r = exchange_refusal(x, status);
        if (x->away && status >= 400 && status < 500)
                exchange_again(x, 0, r);
        else
                exchange_next(x, r, /* answered= */ true);
}

static void exchange_judge(Exchange *x) {
        unsigned status = transfer_status(x->transfer);
        int r = x->result;

        if (r == -EPIPE || r == -ENOMEM || r == -EFBIG || r == -EINVAL) {
                exchange_fail(x, r); /* ours, or a lie: not better the next time */
                return;
        }
        if (r >= 0 && status / 100 == 3) {
                exchange_follow(x);
                return;
        }
        if (r >= 0 && status / 100 != 2) {
                exchange_judge_status(x, status);
                return;
        }
        if (r >= 0 && x->request.size >= 0 && x->written < (uint64_t) x->request.size)
                r = error_set(&x->error, ERROR_INTERNAL, "%s: the registry sent %llu of %lld bytes",
                        x->request.name, (unsigned long long) x->written,
                        (long long) x->request.size);
        if (r >= 0) {
                exchange_answer(x);
                return;
        }

        if (!error_is_set(&x->error))
                (void) error_set_errno(&x->error, r, "Get \"%s\"", x->url);
        /* A name, a port or a certificate that is wrong stays so; what broke on its way may go well. */
        if (status == 0 && x->written == 0 &&
                (r == -ECONNREFUSED || r == -EKEYREJECTED || r == -EPROTO))
                exchange_next(x, r, /* answered= */ false);
        else if (status == 0 && x->session->endpoints[x->endpoint].insecure &&
                 !x->session->endpoints[x->endpoint].plain)
                exchange_next(x, r, /* answered= */ false); /* does not speak TLS */
        else
                exchange_again(x, 0, r);
}

static void on_done(Transfer *t, int r, const Error *e, void *userdata) {
        Exchange *x = userdata;

        x->ended = true;
        x->result = r;
        if (transfer_status(t) != 0)
                x->session->endpoints[x->endpoint].answered = true;
        if (r < 0 && !error_is_set(&x->error)) {
                _cleanup_(url_done) Url u = {};

                /* never the query: what signs an URL is in there */
                if (url_parse(x->url, &u) >= 0)
                        (void) error_set(&x->error, ERROR_INTERNAL, "Get \"%s://%s:%u/v2/\": %s",
                                u.scheme, u.host, u.port, error_text(e, r));
        }
        if (buffer_empty(&x->rest))
                exchange_judge(x);
}

/* ---- asking ---- */

static int exchange_headers(Exchange *x, char ***ret) {
        static const char *const manifests = MEDIA_OCI_INDEX
                ", " MEDIA_DOCKER_LIST ", " MEDIA_OCI_MANIFEST ", " MEDIA_DOCKER_MANIFEST;
        const RegistryEndpoint *e = x->session->endpoints + x->endpoint;
        int r = 0;

        if (x->request.kind == FETCH_MANIFEST)
                r = strv_addf(ret, "Accept: %s, */*;q=0.1", manifests);
        if (r >= 0 && x->written > 0)
                r = strv_addf(ret, "Range: bytes=%llu-", (unsigned long long) x->written);
        if (r >= 0 && e->authorization && !x->away)
                r = strv_addf(ret, "Authorization: %s", e->authorization);
        return r;
}

static char **headers_erase(char **l) {
        STRV_FOREACH (s, l)
                explicit_bzero(*s, strlen(*s));
        return strv_free(l);
}
DEFINE_CLEANUP(char **, headers_erase);

static const TransferOps exchange_transfer_ops = { on_data, on_done };

int exchange_send(Exchange *x) {
        _cleanup_(headers_erasep) char **headers = NULL;
        TransferSpec spec = {};
        int r;

        x->transfer = transfer_free(x->transfer);
        x->ended = x->begun = false;
        x->result = 0;
        buffer_reset(&x->words);

        r = exchange_headers(x, &headers);
        if (r < 0)
                return r;
        spec.url = x->url;
        spec.headers = headers;
        if (x->request.kind != FETCH_BLOB)
                spec.timeout_ms = DOCUMENT_TIME_MS;
        return session_transfer(x->session, x->endpoint, !x->away, &spec, &exchange_transfer_ops, x,
                &x->transfer, &x->error);
}

static int on_first(sd_event_source *source, uint64_t usec, void *userdata) {
        Exchange *x = userdata;
        int r;

        r = exchange_send(x);
        if (r < 0)
                exchange_next(x, r, /* answered= */ false);
        return 0;
}

int exchange_start(
        Session *s, FetchRequest *request, int fd, const ExchangeOps *ops, void *userdata) {
        Exchange *x;
        int r;

        assert(s);
        assert(request);
        assert(ops);

        x = new0(Exchange, 1);
        if (!x) {
                fd_close(fd);
                return -ENOMEM;
        }
        x->session = s;
        x->request = *request;
        *request = (FetchRequest) {};
        x->fd = fd;
        x->ops = ops;
        x->userdata = userdata;
        x->endpoint = s->current;
        list_append(&s->exchanges, &x->node);

        (void) fd_set_nonblock(fd, true);
        r = exchange_home(x);
        if (r >= 0) /* from the loop: its end is never told from inside of this call */
                r = loop_timer(s->event, 0, LOOP_STREAM, "registry-first", on_first, x, &x->timer);
        if (r < 0) {
                *request = x->request;
                x->request = (FetchRequest) {};
                exchange_free(x);
        }
        return r;
}

Exchange *exchange_free(Exchange *x) {
        if (!x)
                return NULL;

        list_remove(&x->node);
        loop_source_free(x->timer);
        loop_source_free(x->writable);
        transfer_free(x->transfer);
        transfer_free(x->token);
        buffer_done(&x->rest);
        buffer_done(&x->words);
        error_done(&x->error);
        fetch_request_done(&x->request);
        fd_close(x->fd);
        free(x->url);
        return mfree(x);
}
