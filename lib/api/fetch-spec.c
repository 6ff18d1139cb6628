/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/fetch-spec.h"

static const char *const fetch_kind_table[_FETCH_KIND_MAX] = {
        [FETCH_MANIFEST] = "manifest",
        [FETCH_BLOB] = "blob",
        [FETCH_TAGS] = "tags",
};

#define EMPTY    JSON_OMIT_EMPTY
#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

const JsonField fetch_spec_fields[] = {
        JSON_STRING("domain",      FetchSpec, domain,      JSON_MANDATORY),
        JSON_STRING("path",        FetchSpec, path,        JSON_MANDATORY),
        JSON_STRV  ("mirrors",     FetchSpec, mirrors,     OPTIONAL),
        JSON_STRV  ("insecure",    FetchSpec, insecure,    OPTIONAL),
        JSON_STRING("certs_dir",   FetchSpec, certs_dir,   EMPTY),
        JSON_STRING("http_proxy",  FetchSpec, http_proxy,  EMPTY),
        JSON_STRING("https_proxy", FetchSpec, https_proxy, EMPTY),
        JSON_STRING("no_proxy",    FetchSpec, no_proxy,    EMPTY),
        JSON_UINT32("attempts",    FetchSpec, attempts,    EMPTY),
        JSON_STRING("user_agent",  FetchSpec, user_agent,  EMPTY),
        JSON_NESTED("auth",        FetchSpec, auth, registry_auth_fields, 0),
        {}
};

const JsonField fetch_request_fields[] = {
        JSON_UINT32("id",   FetchRequest, id,   JSON_MANDATORY),
        JSON_ENUM  ("kind", FetchRequest, kind, fetch_kind_table, JSON_MANDATORY),
        JSON_STRING("name", FetchRequest, name, EMPTY),
        JSON_INT64 ("size", FetchRequest, size, 0),
        JSON_UINT64("max",  FetchRequest, max,  0),
        {}
};

const JsonField fetch_answer_fields[] = {
        JSON_UINT32("id",         FetchAnswer, id,         JSON_MANDATORY),
        JSON_STRING("note",       FetchAnswer, note,       EMPTY),
        JSON_STRING("media_type", FetchAnswer, media_type, EMPTY),
        JSON_STRING("digest",     FetchAnswer, digest,     EMPTY),
        JSON_BOOL  ("more",       FetchAnswer, more,       EMPTY),
        JSON_STRING("error_kind", FetchAnswer, error_kind, EMPTY),
        JSON_STRING("error",      FetchAnswer, error,      EMPTY),
        {}
};

/* clang-format on */

void fetch_spec_done(FetchSpec *s) {
        registry_auth_done(&s->auth);
        fields_done(fetch_spec_fields, s);
}

void fetch_request_done(FetchRequest *q) {
        fields_done(fetch_request_fields, q);
}

void fetch_answer_done(FetchAnswer *a) {
        fields_done(fetch_answer_fields, a);
}
