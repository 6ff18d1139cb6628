/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/session.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "engine/registry/endpoint.h"
#include "engine/registry/exchange.h"
#include "engine/registry/trust.h"
#include "engine/registry/values.h"
#include "lib/api/fetch-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define ADDRESSES_MAX 16U

/* ---- names ---- */

static int look_up(const char *host, struct addrinfo **ret, Error *reterr) {
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
        int k;

        k = getaddrinfo(host, NULL, &hints, ret);
        if (k == EAI_NONAME || k == EAI_FAMILY || k == EAI_NODATA) {
                /* a host without any address but the loopback's */
                const struct addrinfo plain = { .ai_socktype = SOCK_STREAM };

                k = getaddrinfo(host, NULL, &plain, ret);
        }
        if (k == 0)
                return 0;
        if (k == EAI_MEMORY)
                return -ENOMEM;
        return error_set(reterr, ERROR_INTERNAL, "dial tcp: lookup %s: %s", host, gai_strerror(k));
}

static int format_addresses(
        const char *host, unsigned port, const struct addrinfo *list, char **ret) {
        _cleanup_(freep) char *s = NULL;
        unsigned n = 0;
        int r;

        r = str_printf(&s, "%s:%u:", host, port);
        for (; r >= 0 && list && n < ADDRESSES_MAX; list = list->ai_next) {
                char text[NI_MAXHOST];

                if (getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof(text), NULL, 0,
                            NI_NUMERICHOST) != 0)
                        continue;
                r = strchr(text, ':') ? str_appendf(&s, "%s[%s]", n ? "," : "", text)
                                      : str_appendf(&s, "%s%s", n ? "," : "", text);
                n++;
        }
        if (r >= 0)
                *ret = TAKE_PTR(s);
        return r;
}

/* Every name is looked up once: the library finds the answer in its cache and never begins a thread for it. */
static int session_resolve(
        Session *s, const char *host, unsigned port, const char **ret, Error *reterr) {
        _cleanup_(freep) char *key = NULL, *line = NULL;
        struct addrinfo *list = NULL;
        const char *known;
        uint8_t address[16];
        int r;

        *ret = NULL;
        if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
                return 0;
        if (str_printf(&key, "%s:%u", host, port) < 0)
                return -ENOMEM;
        known = hashmap_get(s->names, key);
        if (!known) {
                r = look_up(host, &list, reterr);
                if (r < 0)
                        return r;
                r = format_addresses(host, port, list, &line);
                freeaddrinfo(list);
                if (r >= 0)
                        r = hashmap_ensure_put(&s->names, HASHMAP_STRING_COPY, key, line);
                if (r < 0)
                        return r;
                known = TAKE_PTR(line);
        }
        *ret = known;
        return 0;
}

/* ---- who is insecure ---- */

static bool any_network_has(const Session *s, const struct addrinfo *list) {
        for (; list; list = list->ai_next) {
                if (network_has("127.0.0.0/8", list->ai_addr) ||
                        network_has("::1/128", list->ai_addr))
                        return true;
                STRV_FOREACH (i, s->spec->insecure)
                        if (network_has(*i, list->ai_addr))
                                return true;
        }
        return false;
}

static int is_insecure(const char *host_port, void *userdata) {
        _cleanup_(freep) char *url = NULL;
        _cleanup_(url_done) Url u = {};
        struct addrinfo *list = NULL;
        Session *s = userdata;
        bool insecure;
        int r;

        if (insecure_names(s->spec->insecure, host_port))
                return 1;
        if (str_printf(&url, "https://%s/", host_port) < 0)
                return -ENOMEM;
        r = url_parse(url, &u);
        if (r >= 0)
                r = look_up(u.host, &list, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* behind a proxy, or nowhere: the request will tell */
        insecure = any_network_has(s, list);
        freeaddrinfo(list);
        return insecure;
}

/* ---- the session ---- */

static void *free_line(void *line) {
        return mfree(line);
}

int session_new(sd_event *e, FetchSpec *spec, Session **ret, Error *reterr) {
        _cleanup_(session_freep) Session *s = NULL;
        size_t n = 0;
        int r;

        assert(e);
        assert(spec);
        assert(ret);

        s = new0(Session, 1);
        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(e);
        list_init(&s->exchanges);
        s->spec = new0(FetchSpec, 1);
        if (!s->spec)
                return -ENOMEM;
        *s->spec = *spec;
        *spec = (FetchSpec) {};

        r = http_pool_new(e, &s->pool);
        if (r >= 0)
                r = endpoints_new(s->spec, is_insecure, s, &s->endpoints, &n, reterr);
        if (r < 0)
                return r;
        s->trusts = new0(Trust, n);
        if (!s->trusts) {
                endpoints_free(s->endpoints, n);
                s->endpoints = NULL;
                return -ENOMEM;
        }
        for (size_t i = 0; i < n; i++)
                s->trusts[i] = (Trust) { .ca_fd = -EBADF, .cert_fd = -EBADF, .key_fd = -EBADF };
        s->n_endpoints = n;
        for (size_t i = 0; i < n; i++) {
                if (!s->endpoints[i].plain)
                        r = trust_load(s->spec->certs_dir, s->endpoints[i].host_port, s->trusts + i,
                                reterr);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(s);
        return 0;
}

Session *session_free(Session *s) {
        Exchange *x;

        if (!s)
                return NULL;

        while ((x = list_first(&s->exchanges, Exchange, node)))
                exchange_free(x);
        for (size_t i = 0; s->trusts && i < s->n_endpoints; i++)
                trust_done(s->trusts + i);
        free(s->trusts);
        endpoints_free(s->endpoints, s->n_endpoints);
        hashmap_free_with(s->names, free_line);
        http_pool_free(s->pool);
        sd_event_unref(s->event);
        if (s->spec)
                fetch_spec_done(s->spec);
        free(s->spec);
        return mfree(s);
}

/* Go's rule, which is Docker's: by the scheme of the URL; a proxy without a scheme speaks http, without a port it is at 80 or 443. */
static int session_proxy(const Session *s, const Url *u, char **ret) {
        const char *proxy = streq(u->scheme, "https") ? s->spec->https_proxy : s->spec->http_proxy;

        if (str_empty(proxy) || no_proxy_fits(s->spec->no_proxy, u->host, u->port))
                return 0;
        return strstr(proxy, "://") ? str_copy(ret, proxy) : str_printf(ret, "http://%s", proxy);
}

int session_transfer(Session *s, size_t endpoint, bool with_cert, TransferSpec *spec,
        const TransferOps *ops, void *userdata, Transfer **ret, Error *reterr) {
        const RegistryEndpoint *e = s->endpoints + endpoint;
        const Trust *t = s->trusts + endpoint;
        _cleanup_(url_done) Url u = {}, p = {};
        _cleanup_(freep) char *proxy = NULL;
        int r;

        r = url_parse(spec->url, &u);
        if (r >= 0)
                r = session_proxy(s, &u, &proxy);
        if (r >= 0 && proxy)
                r = url_parse(proxy, &p);
        if (r < 0)
                return r;
        r = session_resolve(
                s, proxy ? p.host : u.host, proxy ? p.port : u.port, &spec->resolve, reterr);
        if (r < 0)
                return r;

        spec->proxy = proxy;
        spec->proxy_port = proxy ? p.port : 0;
        spec->user_agent = s->spec->user_agent;
        spec->insecure = e->insecure;
        spec->ca_file = t->ca_fd >= 0 ? t->ca : NULL;
        if (with_cert && t->cert_fd >= 0) {
                spec->cert_file = t->cert;
                spec->key_file = t->key;
        }
        r = transfer_start(s->pool, spec, ops, userdata, ret);
        spec->proxy = NULL;
        return r;
}
