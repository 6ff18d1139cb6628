/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of templates. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/format-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define PAD_MAX 4096 /* blanks on each side */

bool format_is_true(const Json *v) {
        double d = 0;
        bool b = false;

        switch (json_type_of(v)) {
        case JSON_TYPE_BOOLEAN:
                (void) json_to_bool(v, &b);
                return b;
        case JSON_TYPE_INTEGER:
        case JSON_TYPE_REAL:
                (void) json_to_real(v, &d);
                return d < 0 || d > 0;
        case JSON_TYPE_STRING:
                return !str_empty(json_to_text(v));
        case JSON_TYPE_LIST:
        case JSON_TYPE_OBJECT:
                return json_count(v) > 0;
        default:
                return false;
        }
}

int format_calling(const char *name, Error *reterr, const char *why, const char *detail) {
        return error_set(reterr, ERROR_INVALID, "error calling %s: %s%s", name, why, detail);
}

int format_wrong_count(const char *name, Error *reterr, size_t want, size_t got) {
        return error_set(reterr, ERROR_INVALID, "wrong number of args for %s: want %zu got %zu",
                name, want, got);
}

static int to_buffer_value(Buffer *b, Value *ret) {
        return json_new_text_n(buffer_head(b), buffer_size(b), &ret->json);
}

static int keep(const Value *v, Value *ret) {
        ret->json = v->json ? json_ref(v->json) : NULL;
        ret->field = v->field;
        return 0;
}

/* A string argument; everything else is an error, as in Go. */
static int text_argument(const char *name, const Value *v, const char **ret, Error *reterr) {
        *ret = json_to_text(v->json);
        return *ret ? 0
                    : error_set(reterr, ERROR_INVALID,
                              "wrong type for value; expected string for %s", name);
}

static int int_argument(const char *name, const Value *v, int64_t *ret, Error *reterr) {
        return json_to_int64(v->json, ret) >= 0
                     ? 0
                     : error_set(reterr, ERROR_INVALID, "wrong type for value; expected int for %s",
                               name);
}

/* ---- texts ---- */

static int escape_html(const char *s, Buffer *b) {
        int r = 0;

        for (; r >= 0 && *s; s++)
                r = strchr("<>&", *s) ? buffer_printf(b, "\\u%04x", (unsigned) *s)
                                      : buffer_append_char(b, *s);
        return r;
}

static int do_json(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(freep) char *text = NULL;
        int r;

        if (n != 1)
                return format_wrong_count("json", reterr, 1, n);
        if (data->header)
                return keep(a, ret);
        if (!a->json)
                return json_new_text("null", &ret->json);
        r = json_print(a->json, JSON_COMPACT, &text);
        if (r >= 0 && data->type) /* rows are printed as Go does it for the web */
                r = escape_html(text, &b);
        else if (r >= 0)
                r = buffer_append_string(&b, text);
        return r < 0 ? r : to_buffer_value(&b, ret);
}

static int join_list(const Json *list, const char *separator, Value *ret) {
        _cleanup_(buffer_done) Buffer b = {};
        bool first = true;
        const char *key;
        Json *v;
        int r = 0;

        JSON_FOREACH (key, v, list) {
                if (!first)
                        r = buffer_append_string(&b, separator);
                if (r >= 0)
                        r = format_print_value(&b, v, NULL);
                if (r < 0)
                        return r;
                first = false;
        }
        return to_buffer_value(&b, ret);
}

static int do_join(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        const char *separator;
        int r;

        if (n != 2)
                return format_wrong_count("join", reterr, 2, n);
        if (data->header)
                return keep(a, ret);
        r = text_argument("join", a + 1, &separator, reterr);
        return r < 0 ? r : join_list(a->json, separator, ret);
}

static int do_split(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        const char *text, *separator;
        int r;

        if (n != 2)
                return format_wrong_count("split", reterr, 2, n);
        if (data->header)
                return keep(a, ret);
        r = text_argument("split", a, &text, reterr);
        if (r >= 0)
                r = text_argument("split", a + 1, &separator, reterr);
        if (r >= 0)
                r = json_new_list(&ret->json);
        if (r < 0)
                return r;

        for (;;) {
                _cleanup_(json_unrefp) Json *part = NULL;
                const char *found = separator[0] ? strstr(text, separator)
                                                 : (text[0] && text[1] ? text + 1 : NULL);

                r = json_new_text_n(text, found ? (size_t) (found - text) : strlen(text), &part);
                if (r >= 0)
                        r = json_append(ret->json, part);
                if (r < 0 || !found)
                        return r;
                text = found + strlen(separator);
        }
}

/* ASCII letters; title: the first of every word. */
static int change_case(
        const FormatData *data, const char *name, Value *a, size_t n, Value *ret, Error *reterr) {
        _cleanup_(freep) char *copy = NULL;
        const char *text;
        bool begins = true;
        int r;

        if (n != 1)
                return format_wrong_count(name, reterr, 1, n);
        if (data->header)
                return keep(a, ret);
        r = text_argument(name, a, &text, reterr);
        if (r >= 0)
                r = str_copy(&copy, text);
        if (r < 0)
                return r;

        for (char *p = copy; *p; p++) {
                bool lower = *p >= 'a' && *p <= 'z', upper = *p >= 'A' && *p <= 'Z';

                if (name[0] == 'l' ? upper : lower && (name[0] == 'u' || begins))
                        *p ^= 0x20;
                begins = !lower && !upper && !(*p >= '0' && *p <= '9') && *p != '_' && *p != '\'' &&
                         !(*p & 0x80);
        }
        return json_new_text(copy, &ret->json);
}

static int do_lower(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        return change_case(data, "lower", a, n, ret, reterr);
}

static int do_upper(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        return change_case(data, "upper", a, n, ret, reterr);
}

static int do_title(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        return change_case(data, "title", a, n, ret, reterr);
}

static int do_pad(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        _cleanup_(buffer_done) Buffer b = {};
        int64_t before, behind;
        const char *text;
        int r;

        if (n != 3)
                return format_wrong_count("pad", reterr, 3, n);
        if (data->header)
                return keep(a, ret);
        r = text_argument("pad", a, &text, reterr);
        if (r >= 0)
                r = int_argument("pad", a + 1, &before, reterr);
        if (r >= 0)
                r = int_argument("pad", a + 2, &behind, reterr);
        if (r < 0)
                return r;
        if (before < 0 || behind < 0 || before > PAD_MAX || behind > PAD_MAX)
                return format_calling("pad", reterr, "bad number of blanks", "");
        if (text[0] == '\0')
                return json_new_text("", &ret->json);
        r = buffer_printf(&b, "%*s%s%*s", (int) before, "", text, (int) behind, "");
        return r < 0 ? r : to_buffer_value(&b, ret);
}

static int do_truncate(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        const char *text;
        int64_t length;
        int r;

        if (n != 2)
                return format_wrong_count("truncate", reterr, 2, n);
        if (data->header)
                return keep(a, ret);
        r = text_argument("truncate", a, &text, reterr);
        if (r >= 0)
                r = int_argument("truncate", a + 1, &length, reterr);
        if (r < 0)
                return r;
        if (length < 0)
                return format_calling("truncate", reterr, "negative length", "");
        return json_new_text_n(text, MIN(strlen(text), (size_t) length), &ret->json);
}

/* ---- print ---- */

/* As fmt.Sprint(): blanks between operands when neither is a string; ln: always, and a line feed. */
static int print_all(Value *a, size_t n, bool ln, Value *ret) {
        _cleanup_(buffer_done) Buffer b = { .max = FORMAT_OUTPUT_MAX };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (i > 0 && (ln || (!json_to_text(a[i].json) && !json_to_text(a[i - 1].json))))
                        r = buffer_append_char(&b, ' ');
                if (r >= 0)
                        r = format_print_value(&b, a[i].json, a[i].field);
        }
        if (r >= 0 && ln)
                r = buffer_append_char(&b, '\n');
        return r < 0 ? r : to_buffer_value(&b, ret);
}

static int do_print(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        return print_all(a, n, false, ret);
}

static int do_println(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        return print_all(a, n, true, ret);
}

static int do_printf(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        _cleanup_(buffer_done) Buffer b = { .max = FORMAT_OUTPUT_MAX };
        const char *text;
        int r;

        if (n < 1)
                return format_wrong_count("printf", reterr, 1, n);
        r = text_argument("printf", a, &text, reterr);
        if (r >= 0)
                r = format_sprintf(&b, text, a + 1, n - 1);
        return r < 0 ? r : to_buffer_value(&b, ret);
}

/* ---- containers ---- */

static int do_len(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        const char *text;
        JsonType type;

        if (n != 1)
                return format_wrong_count("len", reterr, 1, n);
        text = json_to_text(a->json);
        type = json_type_of(a->json);
        if (text)
                return json_new_int64((int64_t) strlen(text), &ret->json);
        if (!json_is_null(a->json) && type != JSON_TYPE_LIST && type != JSON_TYPE_OBJECT)
                return format_calling("len", reterr, "len of type ", format_type_name(a->json));
        return json_new_int64((int64_t) json_count(a->json), &ret->json);
}

/* One step of index. What a map has not is empty text, as docker's maps are mostly of strings; null stays null. */
static int index_one(Value *v, const Value *key, Error *reterr) {
        const char *name = json_to_text(key->json), *k;
        Json *found = NULL, *member, *any = NULL;
        bool is_there = false;
        int64_t i;

        if (json_type_of(v->json) == JSON_TYPE_OBJECT || (json_is_null(v->json) && name)) {
                if (!name)
                        return format_calling(
                                "index", reterr, "value has wrong type; should be string", "");
                JSON_FOREACH (k, member, v->json) {
                        any = member;
                        if (streq(k, name)) {
                                found = member;
                                is_there = true;
                        }
                }
        } else if (json_type_of(v->json) == JSON_TYPE_LIST) {
                if (json_to_int64(key->json, &i) < 0)
                        return format_calling(
                                "index", reterr, "cannot index slice/array with type string", "");
                if (i < 0 || (size_t) i >= json_count(v->json))
                        return error_set(reterr, ERROR_INVALID,
                                "error calling index: index out of range: %" PRId64, i);
                found = json_at(v->json, (size_t) i);
                is_there = true;
        } else if (json_to_text(v->json) && json_to_int64(key->json, &i) >= 0) {
                const char *text = json_to_text(v->json);
                int r;

                if (i < 0 || (size_t) i >= strlen(text))
                        return error_set(reterr, ERROR_INVALID,
                                "error calling index: index out of range: %" PRId64, i);
                r = json_new_int64((unsigned char) text[i], &found);
                if (r < 0)
                        return r;
                json_unref(v->json);
                *v = (Value) { .json = found };
                return 0;
        } else
                return format_calling(
                        "index", reterr, "can't index item of type ", format_type_name(v->json));

        if (found)
                found = json_ref(found);
        else if (!is_there && (!any || json_to_text(any)) && !json_is_null(v->json)) {
                int r = streq(str_or_empty(v->field), "Networks") ? 0 : json_new_text("", &found);

                if (r < 0)
                        return r;
        }
        json_unref(v->json);
        *v = (Value) { .json = found };
        return 0;
}

static int do_index(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        int r;

        if (n < 1)
                return format_wrong_count("index", reterr, 1, n);
        r = keep(a, ret);
        for (size_t i = 1; r >= 0 && i < n; i++)
                r = index_one(ret, a + i, reterr);
        return r;
}

static int do_slice(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        const char *text;
        size_t size;
        int64_t from = 0, to;
        int r = 0;

        if (n < 1 || n > 3)
                return format_calling("slice", reterr, "wrong number of arguments", "");
        text = json_to_text(a->json);
        size = text ? strlen(text) : json_count(a->json);
        to = (int64_t) size;
        if (n > 1)
                r = int_argument("slice", a + 1, &from, reterr);
        if (r >= 0 && n > 2)
                r = int_argument("slice", a + 2, &to, reterr);
        if (r < 0)
                return r;
        if (from < 0 || to < from || (size_t) to > size)
                return format_calling("slice", reterr, "index out of range", "");
        if (text)
                return json_new_text_n(text + from, (size_t) (to - from), &ret->json);

        r = json_new_list(&ret->json);
        for (int64_t i = from; r >= 0 && i < to; i++) {
                _cleanup_(json_unrefp) Json *null = NULL;
                Json *v = json_at(a->json, (size_t) i);

                if (!v) /* null inside a list */
                        r = json_new_null(&null);
                if (r >= 0)
                        r = json_append(ret->json, v ? v : null);
        }
        return r;
}

format_function_t format_function(const char *name) {
        static const struct {
                const char *name;
                format_function_t call;
        } table[] = {
                { "and", format_do_and_or },
                { "eq", format_do_eq },
                { "ge", format_do_ge },
                { "gt", format_do_gt },
                { "index", do_index },
                { "join", do_join },
                { "json", do_json },
                { "le", format_do_le },
                { "len", do_len },
                { "lower", do_lower },
                { "lt", format_do_lt },
                { "ne", format_do_ne },
                { "not", format_do_not },
                { "or", format_do_and_or },
                { "pad", do_pad },
                { "print", do_print },
                { "printf", do_printf },
                { "println", do_println },
                { "slice", do_slice },
                { "split", do_split },
                { "title", do_title },
                { "truncate", do_truncate },
                { "upper", do_upper },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (streq(table[i].name, name))
                        return table[i].call;
        return NULL;
}
