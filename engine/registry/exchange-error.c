/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/registry/exchange.h"
#include "engine/registry/session.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "lib/oci/reference.h"

#define WORDS_SHOWN 512 /* of a message of a stranger */

typedef struct Refusal {
        char *code; /* MANIFEST_UNKNOWN, or NULL */
        char *message;
} Refusal;

static void refusal_done(Refusal *f) {
        free(f->code);
        free(f->message);
}

/* {"errors":[{"code":"DENIED","message":"…"}]}, or what a token server says: {"details":"…"}. */
static void read_words(const Buffer *words, Refusal *ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *code, *message;
        const Json *first;

        if (json_parse(buffer_head(words), buffer_size(words), JSON_SIZE_MAX, &v, NULL) < 0)
                return;
        first = json_at(json_get(v, "errors"), 0);
        code = json_get_text(first, "code");
        message = json_get_text(first, "message");
        if (!message)
                message = json_get_text(v, "details");
        if (code)
                (void) str_copy_n(&ret->code, code, 64);
        if (message)
                (void) str_copy_n(&ret->message, message, WORDS_SHOWN);
}

/* "manifest unknown: what the registry says" */
static int format_cause(const Refusal *f, unsigned status, char **ret) {
        static const struct {
                unsigned status;
                const char *text;
        } table[] = {
                { 401, "unauthorized: authentication required" },
                { 403, "denied: requested access to the resource is denied" },
                { 404, "not found" },
                { 429, "toomanyrequests: too many requests" },
        };

        if (f->code) {
                _cleanup_(freep) char *code = NULL;

                if (str_copy(&code, f->code) < 0)
                        return -ENOMEM;
                str_lower(code);
                for (char *c = code; *c; c++)
                        if (*c == '_')
                                *c = ' ';
                return str_printf(ret, "%s: %s", code, str_or(f->message, code));
        }
        if (status == 401 && f->message)
                return str_printf(ret, "unauthorized: %s", f->message);
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].status == status)
                        return str_copy(ret, table[i].text);
        return str_printf(ret, "received unexpected HTTP status: %u", status);
}

static int familiar(const Exchange *x, bool with_name, char **ret) {
        const FetchSpec *s = x->session->spec;
        Reference ref = { .domain = s->domain, .path = s->path };

        if (!with_name)
                return reference_format_familiar_name(&ref, ret);
        if (strchr(x->request.name, ':'))
                ref.digest = x->request.name;
        else
                ref.tag = x->request.name;
        return reference_format_familiar(&ref, ret);
}

int exchange_refusal(Exchange *x, unsigned status) {
        bool manifest = x->request.kind == FETCH_MANIFEST;
        _cleanup_(freep) char *cause = NULL, *name = NULL, *full = NULL;
        _cleanup_(refusal_done) Refusal f = {};
        Error *e = &x->error;

        if (error_is_set(e))
                return error_kind_to_errno(e->kind);
        read_words(&x->words, &f);
        if (format_cause(&f, status, &cause) < 0 || familiar(x, false, &name) < 0 ||
                (manifest && familiar(x, true, &full) < 0))
                return -ENOMEM;

        if (str_equal(f.code, "NAME_UNKNOWN"))
                return error_set(e, ERROR_NOT_FOUND, "repository %s not found: %s", name, cause);
        if (str_equal(f.code, "DENIED") || status == 403)
                return error_set(e, ERROR_NOT_FOUND,
                        "pull access denied for %s, repository does not exist or may require "
                        "'docker login': %s",
                        name, cause);
        if (manifest && (str_equal(f.code, "MANIFEST_UNKNOWN") || status == 404))
                return error_set(e, ERROR_NOT_FOUND, "manifest for %s not found: %s", full, cause);
        if (status == 401)
                return error_set(e, ERROR_UNAUTHORIZED, "%s", cause);
        if (status == 404)
                return error_set(e, ERROR_NOT_FOUND, "%s", cause);
        return error_set(e, ERROR_INTERNAL, "%s", cause);
}
