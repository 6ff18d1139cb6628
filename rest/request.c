/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/request.h"

#include <microhttpd.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "rest/http.h"
#include "rest/router.h"
#include "rest/status.h"
#include "rest/stream.h"

void response_done(Response *a) {
        assert(a);

        if (a->stream) {
                stream_set_callbacks(a->stream, NULL, NULL, NULL);
                stream_unref(a->stream);
        }
        free(a->body);
        strv_free(a->headers);
        *a = (Response) {};
}

int response_empty(Response *a, unsigned status) {
        response_done(a);
        a->status = status;
        return 0;
}

int response_text(Response *a, unsigned status, const char *text) {
        char *body;

        assert(text);

        body = strdup(text);
        if (!body)
                return -ENOMEM;

        response_done(a);
        *a = (Response) {
                .status = status,
                .content_type = "text/plain; charset=utf-8",
                .body = body,
                .size = strlen(body),
        };
        return 0;
}

int response_json(Response *a, unsigned status, Json *v) {
        _cleanup_(freep) char *text = NULL;
        char *body = NULL;
        int r;

        assert(v);

        r = json_print(v, JSON_COMPACT, &text);
        if (r < 0)
                return r;

        body = str_concat(text, "\n");
        if (!body)
                return -ENOMEM;

        response_done(a);
        *a = (Response) {
                .status = status,
                .content_type = "application/json",
                .body = body,
                .size = strlen(body),
        };
        return 0;
}

int response_header(Response *a, const char *name, const char *value) {
        int r;

        r = strv_add(&a->headers, name);
        if (r < 0)
                return r;

        r = strv_add(&a->headers, value);
        if (r < 0)
                strv_remove(a->headers, name);
        return r;
}

int request_defer(Request *q) {
        assert(q);
        return REQUEST_DEFERRED;
}

void request_finish(Request *q, int r) {
        assert(q);

        q->on_gone = NULL;
        if (r < 0 && response_error(&q->response, r, &q->error) < 0)
                (void) response_empty(&q->response, 500);

        http_resume(q);
}

static RequestVar *find_var(Request *q, const char *name) {
        for (size_t i = 0; i < q->n_vars; i++)
                if (strlen(name) == q->vars[i].name_size &&
                        memcmp(name, q->vars[i].name, q->vars[i].name_size) == 0)
                        return q->vars + i;

        assert_unreachable();
}

const char *request_var(Request *q, const char *name) {
        return find_var(q, name)->value;
}

int request_set_var(Request *q, const char *name, const char *value) {
        return str_copy(&find_var(q, name)->value, value);
}

const char *request_query(Request *q, const char *name) {
        return MHD_lookup_connection_value(q->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool request_query_bool(Request *q, const char *name, bool otherwise) {
        _cleanup_(freep) char *copy = NULL;
        const char *v = request_query(q, name), *s;

        if (!v)
                return otherwise;

        copy = strdup(v);
        if (!copy)
                return otherwise;

        s = str_strip(copy);
        str_lower(copy);
        return !(str_empty(s) || STR_IN_SET(s, "0", "no", "false", "none"));
}

int request_query_int64(Request *q, const char *name, int64_t otherwise, int64_t *ret) {
        const char *v = request_query(q, name);

        if (str_empty(v)) {
                *ret = otherwise;
                return 0;
        }

        if (parse_i64(v, ret) < 0)
                return error_set(&q->error, ERROR_INVALID,
                        "invalid value \"%s\" for parameter %s: expected an integer", v, name);
        return 0;
}

int request_query_time(Request *q, const char *name, uint64_t otherwise, uint64_t *ret) {
        const char *v = request_query(q, name);
        int64_t t;

        if (str_empty(v) || streq(v, "0")) {
                *ret = otherwise;
                return 0;
        }

        if (clock_parse_point(v, clock_realtime_ns(), &t) < 0)
                return error_set(&q->error, ERROR_INVALID,
                        "invalid value for \"%s\": failed to parse \"%s\" as a time", name, v);

        *ret = (uint64_t) MAX(t, INT64_C(0));
        return 0;
}

typedef struct QueryValues {
        const char *name;
        char **values;
        int r;
} QueryValues;

static enum MHD_Result collect_value(
        void *userdata, enum MHD_ValueKind kind, const char *key, const char *value) {
        QueryValues *c = userdata;

        if (streq(key, c->name))
                c->r = strv_add(&c->values, str_or_empty(value));
        return c->r < 0 ? MHD_NO : MHD_YES;
}

int request_query_all(Request *q, const char *name, char ***ret) {
        QueryValues c = { .name = name };

        (void) MHD_get_connection_values(q->connection, MHD_GET_ARGUMENT_KIND, collect_value, &c);
        if (c.r < 0) {
                strv_free(c.values);
                return c.r;
        }

        *ret = c.values;
        return 0;
}

const char *request_header(Request *q, const char *name) {
        return MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);
}

static bool content_type_is_json(const char *v) {
        const char *rest = str_starts_nocase(v, "application/json");

        if (!rest)
                return false;
        rest += strspn(rest, " \t");
        return *rest == '\0' || *rest == ';';
}

int request_body_json(Request *q, bool may_be_empty, Json **ret) {
        _cleanup_(error_done) Error e = {};
        const char *type = request_header(q, "Content-Type");
        int r;

        if (buffer_empty(&q->body)) {
                if (!may_be_empty)
                        return error_set(&q->error, ERROR_INVALID,
                                "invalid JSON: got EOF while reading request body");
                *ret = NULL;
                return 0;
        }

        if (!type || !content_type_is_json(type))
                return error_set(&q->error, ERROR_INVALID,
                        "unsupported Content-Type header (%s): must be 'application/json'",
                        str_or_empty(type));

        r = json_parse(buffer_head(&q->body), buffer_size(&q->body), REQUEST_BODY_MAX, ret, &e);
        if (r < 0) {
                const char *text = error_text(&e, r), *rest;

                rest = str_starts(text, "Invalid JSON in ") ?: str_starts(text, "Invalid JSON: ");
                return error_set(
                        &q->error, ERROR_INVALID, rest ? "invalid JSON: %s" : "%s", rest ?: text);
        }
        return 0;
}

static int query_characters(Request *q, const char *name, const char *what, uint32_t *ret) {
        const char *text = request_query(q, name);

        if (str_empty(text) || parse_u32(text, ret) < 0 || *ret > UINT16_MAX)
                return error_set(&q->error, ERROR_INVALID, "invalid resize %s \"%s\"", what,
                        str_or_empty(text));
        return 0;
}

int request_query_size(Request *q, uint32_t *ret_height, uint32_t *ret_width) {
        int r;

        r = query_characters(q, "h", "height", ret_height);
        return r < 0 ? r : query_characters(q, "w", "width", ret_width);
}
