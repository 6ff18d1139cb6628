/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/endpoint.h"

#include <errno.h>
#include <string.h>

#include "lib/api/fetch-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/reference.h"

#define HUB_HOST "registry-1.docker.io"

static void endpoint_done(RegistryEndpoint *e) {
        free(e->base);
        free(e->host_port);
        if (e->authorization)
                alloc_erase_free(e->authorization, strlen(e->authorization));
}

void endpoints_free(RegistryEndpoint *list, size_t n) {
        for (size_t i = 0; list && i < n; i++)
                endpoint_done(list + i);
        free(list);
}

typedef struct List {
        RegistryEndpoint *list;
        size_t n, n_allocated;
} List;

static void list_done(List *l) {
        endpoints_free(l->list, l->n);
}

static int add(List *l, const char *base, size_t base_size, const char *host_port,
        const RegistryEndpoint *how) {
        RegistryEndpoint *e;
        int r;

        if (l->n >= ENDPOINTS_MAX)
                return -E2BIG;
        r = array_grow(&l->list, &l->n_allocated, l->n + 1);
        if (r < 0)
                return r;
        e = l->list + l->n;
        *e = *how;
        l->n++;
        r = str_copy_n(&e->base, base, base_size);
        return r < 0 ? r : str_copy(&e->host_port, host_port);
}

/* http://mirror, https://mirror:5000/path/ */
static int add_mirror(
        List *l, const char *url, endpoint_insecure_t is_insecure, void *userdata, Error *reterr) {
        _cleanup_(freep) char *host_port = NULL;
        RegistryEndpoint how = { .mirror = true };
        const char *host = str_starts(url, "https://");
        size_t n = strlen(url);
        int r;

        if (!host) {
                host = str_starts(url, "http://");
                how.plain = true;
        }
        if (!host || strpbrk(host, "@?#") || strcspn(host, "/") == 0)
                return error_set(reterr, ERROR_INVALID, "invalid mirror: \"%s\"", url);
        while (n > 0 && url[n - 1] == '/')
                n--;

        r = str_copy_n(&host_port, host, strcspn(host, "/"));
        if (r >= 0)
                r = is_insecure(host_port, userdata);
        if (r < 0)
                return r;
        how.insecure = how.plain || r > 0;
        return add(l, url, n, host_port, &how);
}

static int add_registry(
        List *l, const char *domain, endpoint_insecure_t is_insecure, void *userdata) {
        bool hub = streq(domain, REFERENCE_DOMAIN_DEFAULT);
        _cleanup_(freep) char *tls = NULL, *plain = NULL;
        int insecure = 0, r;

        if (str_printf(&tls, "https://%s", hub ? HUB_HOST : domain) < 0 ||
                str_printf(&plain, "http://%s", domain) < 0)
                return -ENOMEM;
        if (!hub)
                insecure = is_insecure(domain, userdata);
        if (insecure < 0)
                return insecure;

        r = add(l, tls, strlen(tls), hub ? HUB_HOST : domain,
                &(const RegistryEndpoint) { .insecure = insecure });
        if (r >= 0 && insecure)
                r = add(l, plain, strlen(plain), domain,
                        &(const RegistryEndpoint) { .insecure = true, .plain = true });
        return r;
}

int endpoints_new(const FetchSpec *spec, endpoint_insecure_t is_insecure, void *userdata,
        RegistryEndpoint **ret, size_t *ret_n, Error *reterr) {
        _cleanup_(list_done) List l = {};
        int r = 0;

        assert(spec);
        assert(is_insecure);
        assert(ret);
        assert(ret_n);

        if (streq(spec->domain, REFERENCE_DOMAIN_DEFAULT))
                STRV_FOREACH (m, spec->mirrors) {
                        r = add_mirror(&l, *m, is_insecure, userdata, reterr);
                        if (r < 0)
                                return r;
                }
        r = add_registry(&l, spec->domain, is_insecure, userdata);
        if (r < 0)
                return r;

        *ret = l.list;
        *ret_n = l.n;
        l = (List) {};
        return 0;
}

bool endpoint_may_follow(
        const RegistryEndpoint *failed, const RegistryEndpoint *next, bool answered) {
        return failed->mirror || (!answered && failed->insecure && next->insecure);
}
