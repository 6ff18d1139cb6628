/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A registry wants to know who asks. It says so with 401, and what it takes: the password itself, or a token that is had elsewhere, for the password, for an
 * identity token, or for nothing. Mirrors get tokens for nothing only. */
#include <errno.h>
#include <string.h>

#include "engine/registry/challenge.h"
#include "engine/registry/endpoint.h"
#include "engine/registry/exchange.h"
#include "engine/registry/session.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define PROOFS_MAX     3U
#define TOKEN_SIZE_MAX ((size_t) 256 * 1024)
#define TOKEN_TIME_MS  (UINT64_C(30) * 1000)
#define CLIENT_ID      "stauer"

static char *erase_free(char *s) {
        return s ? alloc_erase_free(s, strlen(s)) : NULL;
}
DEFINE_CLEANUP(char *, erase_free);

static void take_authorization(RegistryEndpoint *e, char *value) {
        erase_free(e->authorization);
        e->authorization = value;
}

static int format_basic(const RegistryAuth *a, char **ret) {
        _cleanup_(erase_freep) char *pair = NULL, *text = NULL;

        if (str_printf(&pair, "%s:%s", a->username, str_or_empty(a->password)) < 0)
                return -ENOMEM;
        text = new (char, BASE64_SIZE(strlen(pair)));
        if (!text)
                return -ENOMEM;
        base64_encode(pair, strlen(pair), text);
        return str_printf(ret, "Basic %s", text);
}

static void exchange_refused(Exchange *x) {
        int r = exchange_refusal(x, 401);

        exchange_next(x, r, /* answered= */ true);
}

static void exchange_resume(Exchange *x) {
        int r = exchange_send(x);

        if (r < 0)
                exchange_fail(x, r);
}

/* ---- tokens ---- */

static ssize_t on_token_data(Transfer *t, const void *data, size_t size, void *userdata) {
        Exchange *x = userdata;
        int r;

        if (buffer_size(&x->words) + size > TOKEN_SIZE_MAX)
                return -EFBIG;
        r = buffer_append(&x->words, data, size);
        return r < 0 ? r : (ssize_t) size;
}

static int read_token(Exchange *x, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *token;
        int r;

        r = json_parse(buffer_head(&x->words), buffer_size(&x->words), TOKEN_SIZE_MAX, &v, NULL);
        if (r < 0)
                return r;
        token = json_get_text(v, "token");
        if (str_empty(token))
                token = json_get_text(v, "access_token");
        if (str_empty(token) || !str_is_ascii_printable(token))
                return -EINVAL;
        return str_printf(ret, "Bearer %s", token);
}

static void on_token_done(Transfer *t, int r, const Error *e, void *userdata) {
        Exchange *x = userdata;
        unsigned status = transfer_status(t);
        char *authorization;

        if (r >= 0 && status == 200) {
                r = read_token(x, &authorization);
                if (r >= 0) {
                        take_authorization(x->session->endpoints + x->endpoint, authorization);
                        x->token = transfer_free(x->token);
                        exchange_resume(x);
                        return;
                }
                if (r != -ENOMEM)
                        r = error_set(&x->error, ERROR_INTERNAL,
                                "the registry's token server gave no token");
        } else if (r >= 0 && (status == 429 || status >= 500)) {
                r = exchange_refusal(x, status);
                x->token = transfer_free(x->token);
                exchange_again(x, 0, r);
                return;
        } else if (r >= 0)
                r = exchange_refusal(x, status == 403 ? 403 : 401);
        else
                (void) error_set(&x->error, ERROR_INTERNAL,
                        "the registry's token server cannot be reached: %s", error_text(e, r));
        x->token = transfer_free(x->token);
        exchange_next(x, r, /* answered= */ true);
}

static const TransferOps token_ops = { on_token_data, on_token_done };

static int token_form(const RegistryAuth *a, const Challenge *c, const char *scope, char **ret) {
        return url_form((const char *const[]) { "grant_type", "refresh_token", "service",
                                c->service, "client_id", CLIENT_ID, "scope", scope, "refresh_token",
                                a->identity_token, NULL },
                ret);
}

static int token_url(const RegistryAuth *a, const Challenge *c, const char *scope, char **ret) {
        return url_query(c->realm,
                (const char *const[]) { "service", c->service, "scope", scope, "account",
                        str_empty(a->username) ? NULL : a->username, NULL },
                ret);
}

static int exchange_ask_token(Exchange *x, const Challenge *c) {
        const RegistryEndpoint *e = x->session->endpoints + x->endpoint;
        _cleanup_(erase_freep) char *basic = NULL, *form = NULL;
        _cleanup_(freep) char *realm = NULL, *url = NULL, *scope = NULL;
        static const RegistryAuth nobody = {};
        const RegistryAuth *a = e->mirror ? &nobody : &x->session->spec->auth;
        _cleanup_(url_done) Url to = {}, home = {};
        _cleanup_(strv_freep) char **headers = NULL;
        TransferSpec spec = { .timeout_ms = TOKEN_TIME_MS };
        int r;

        if (url_join(NULL, c->realm, &realm) < 0 || url_parse(realm, &to) < 0 ||
                url_parse(e->base, &home) < 0 || (streq(to.scheme, "http") && !e->insecure))
                return error_set(&x->error, ERROR_INTERNAL,
                        "the registry names a token server that cannot be used");

        if (str_printf(&scope, "repository:%s:pull", x->session->spec->path) < 0)
                return -ENOMEM;
        if (!str_empty(a->identity_token))
                r = token_form(a, c, scope, &form);
        else {
                r = token_url(a, c, scope, &url);
                if (r >= 0 && !str_empty(a->username))
                        r = format_basic(a, &basic);
                if (r >= 0 && basic)
                        r = strv_addf(&headers, "Authorization: %s", basic);
        }
        if (r < 0)
                return r;

        buffer_reset(&x->words);
        spec.url = url ?: realm;
        spec.post = form;
        spec.headers = headers;
        r = session_transfer(x->session, x->endpoint, url_same_origin(&to, &home), &spec,
                &token_ops, x, &x->token, &x->error);
        STRV_FOREACH (h, headers)
                explicit_bzero(*h, strlen(*h));
        return r;
}

/* ---- the challenge ---- */

static int read_challenge(Exchange *x, Challenge *ret) {
        const char *header;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < 8; i++) {
                header = transfer_header(x->transfer, "www-authenticate", i);
                if (!header)
                        break;
                r = challenge_parse(header, ret);
        }
        return r;
}

/* What needs no token server. 1: there is something to show now. */
static int take_what_is_there(Exchange *x, const Challenge *c) {
        RegistryEndpoint *e = x->session->endpoints + x->endpoint;
        const RegistryAuth *a = &x->session->spec->auth;
        char *value = NULL;
        int r;

        if (e->mirror || x->proofs > 1)
                return 0;
        if (c->bearer && !str_empty(a->registry_token))
                r = str_printf(&value, "Bearer %s", a->registry_token);
        else if (c->basic && !(c->bearer && c->realm) && !str_empty(a->username))
                r = format_basic(a, &value);
        else
                return 0;
        if (r < 0)
                return r;
        take_authorization(e, value);
        return 1;
}

void exchange_prove(Exchange *x) {
        _cleanup_(challenge_done) Challenge c = {};
        int r;

        x->proofs++;
        r = read_challenge(x, &c);
        if (r >= 0 && x->proofs < PROOFS_MAX)
                r = take_what_is_there(x, &c);
        if (r < 0) {
                exchange_fail(x, r);
                return;
        }
        if (r > 0) {
                exchange_resume(x);
                return;
        }
        if (x->proofs >= PROOFS_MAX || !c.bearer || !c.realm) {
                if (c.basic && !c.bearer && str_empty(x->session->spec->auth.username))
                        (void) error_set(
                                &x->error, ERROR_UNAUTHORIZED, "no basic auth credentials");
                exchange_refused(x);
                return;
        }
        r = exchange_ask_token(x, &c);
        if (r < 0)
                exchange_next(x, r, /* answered= */ true);
}
