/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json/yaml-parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define TAG_TEXT "tag:yaml.org,2002:str"

typedef struct Reader {
        yaml_parser_t parser;
        size_t n_nodes;
        Error *error;
} Reader;

static int read_node(Reader *y, const yaml_event_t *e, unsigned depth, Json **ret);

static int refuse(Reader *y, const yaml_event_t *e, const char *why) {
        return error_set(y->error, ERROR_INVALID, "line %zu, column %zu: %s",
                e->start_mark.line + 1, e->start_mark.column + 1, why);
}

static int next(Reader *y, yaml_event_t *ret) {
        if (yaml_parser_parse(&y->parser, ret))
                return 0;
        if (y->parser.error == YAML_MEMORY_ERROR)
                return -ENOMEM;
        return error_set(y->error, ERROR_INVALID, "line %zu, column %zu: %s",
                y->parser.problem_mark.line + 1, y->parser.problem_mark.column + 1,
                str_or(y->parser.problem, "not YAML"));
}

/* 0: no integer. */
static int read_integer(const char *s, Json **ret) {
        bool negative = s[0] == '-';
        const char *digits = s + (s[0] == '-' || s[0] == '+');
        int base = 10, r;
        uint64_t u;
        char *end;

        if (str_starts(digits, "0x"))
                base = 16, digits += 2;
        else if (str_starts(digits, "0o"))
                base = 8, digits += 2;
        else if (digits[0] == '0' && digits[1])
                base = 8;
        if (!digits[0] || strspn(digits, "0123456789abcdefABCDEF") != strlen(digits))
                return 0;
        errno = 0;
        u = strtoull(digits, &end, base);
        if (*end || errno != 0 || (negative && u > (uint64_t) INT64_MAX))
                return 0;
        r = negative ? json_new_int64(-(int64_t) u, ret) : json_new_uint64(u, ret);
        return r < 0 ? r : 1;
}

static int read_real(const char *s, Json **ret) {
        char *end;
        double d;
        int r;

        if (!strpbrk(s, "0123456789") || strspn(s, "0123456789+-.eE") != strlen(s))
                return 0;
        d = strtod(s, &end);
        if (*end)
                return 0;
        r = json_new_real(d, ret);
        return r < 0 ? r : 1;
}

static int read_plain(const char *s, Json **ret) {
        int r;

        if (STR_IN_SET(s, "", "~", "null", "Null", "NULL"))
                return json_new_null(ret);
        if (STR_IN_SET(s, "true", "True", "TRUE"))
                return json_new_bool(true, ret);
        if (STR_IN_SET(s, "false", "False", "FALSE"))
                return json_new_bool(false, ret);
        r = read_integer(s, ret);
        if (r == 0)
                r = read_real(s, ret);
        return r != 0 ? r : json_new_text(s, ret);
}

static int read_scalar(Reader *y, const yaml_event_t *e, Json **ret) {
        const char *text = (const char *) e->data.scalar.value;
        const char *tag = (const char *) e->data.scalar.tag;

        if (e->data.scalar.anchor || (tag && !streq(tag, TAG_TEXT)))
                return refuse(y, e, "anchors and tags are not supported");
        if (!tag && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                strlen(text) == e->data.scalar.length)
                return read_plain(text, ret);
        return json_new_text_n(text, e->data.scalar.length, ret);
}

static int read_list(Reader *y, unsigned depth, Json **ret) {
        _cleanup_(json_unrefp) Json *list = NULL;
        int r;

        r = json_new_list(&list);
        while (r >= 0) {
                _cleanup_(json_unrefp) Json *element = NULL;
                yaml_event_t e;
                bool ends;

                r = next(y, &e);
                if (r < 0)
                        return r;
                ends = e.type == YAML_SEQUENCE_END_EVENT;
                if (!ends)
                        r = read_node(y, &e, depth, &element);
                yaml_event_delete(&e);
                if (ends) {
                        *ret = TAKE_PTR(list);
                        return 0;
                }
                if (r >= 0)
                        r = json_append(list, element);
        }
        return r;
}

static int read_member(Reader *y, const yaml_event_t *key, unsigned depth, Json *object) {
        _cleanup_(json_unrefp) Json *value = NULL;
        const char *name = (const char *) key->data.scalar.value;
        yaml_event_t e;
        int r;

        if (key->type != YAML_SCALAR_EVENT || key->data.scalar.anchor)
                return refuse(y, key, "a key must be a word");
        if (strlen(name) != key->data.scalar.length)
                return refuse(y, key, "a key must not contain NUL");
        if (streq(name, "<<") && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
                return refuse(y, key, "merge keys are not supported");
        r = next(y, &e);
        if (r < 0)
                return r;
        r = read_node(y, &e, depth, &value);
        yaml_event_delete(&e);
        return r < 0 ? r : json_set(object, name, value);
}

static int read_object(Reader *y, unsigned depth, Json **ret) {
        _cleanup_(json_unrefp) Json *object = NULL;
        int r;

        r = json_new_object(&object);
        while (r >= 0) {
                yaml_event_t e;
                bool ends;

                r = next(y, &e);
                if (r < 0)
                        return r;
                ends = e.type == YAML_MAPPING_END_EVENT;
                if (!ends)
                        r = read_member(y, &e, depth, object);
                yaml_event_delete(&e);
                if (ends) {
                        *ret = TAKE_PTR(object);
                        return 0;
                }
        }
        return r;
}

static int read_node(Reader *y, const yaml_event_t *e, unsigned depth, Json **ret) {
        if (++y->n_nodes > YAML_NODES_MAX)
                return refuse(y, e, "too many nodes");
        if (depth >= JSON_DEPTH_MAX)
                return refuse(y, e, "nested too deep");
        switch (e->type) {
        case YAML_SCALAR_EVENT:
                return read_scalar(y, e, ret);
        case YAML_SEQUENCE_START_EVENT:
                if (e->data.sequence_start.anchor || e->data.sequence_start.tag)
                        return refuse(y, e, "anchors and tags are not supported");
                return read_list(y, depth + 1, ret);
        case YAML_MAPPING_START_EVENT:
                if (e->data.mapping_start.anchor || e->data.mapping_start.tag)
                        return refuse(y, e, "anchors and tags are not supported");
                return read_object(y, depth + 1, ret);
        case YAML_ALIAS_EVENT:
                return refuse(y, e, "aliases are not supported");
        default:
                return refuse(y, e, "a value is missing");
        }
}

/* The stream of events: stream start, document start, a node, document end, stream end. */
static int read_stream(Reader *y, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r = 0;

        for (bool ends = false; !ends && r >= 0;) {
                yaml_event_t e;

                r = next(y, &e);
                if (r < 0)
                        return r;
                if (e.type == YAML_STREAM_END_EVENT)
                        ends = true;
                else if (e.type == YAML_DOCUMENT_START_EVENT && v)
                        r = refuse(y, &e, "more than one document");
                else if (e.type != YAML_STREAM_START_EVENT && e.type != YAML_DOCUMENT_START_EVENT &&
                         e.type != YAML_DOCUMENT_END_EVENT)
                        r = read_node(y, &e, 0, &v);
                yaml_event_delete(&e);
        }
        if (r >= 0 && !v)
                r = json_new_null(&v);
        if (r >= 0)
                *ret = TAKE_PTR(v);
        return r;
}

int yaml_parse(const char *text, size_t size, size_t size_max, Json **ret, Error *reterr) {
        Reader y = { .error = reterr };
        int r;

        assert(text);
        assert(ret);

        if (size > size_max)
                return error_set(reterr, ERROR_INVALID, "longer than %zu bytes, which is the limit",
                        size_max);
        if (!yaml_parser_initialize(&y.parser))
                return -ENOMEM;
        yaml_parser_set_encoding(&y.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&y.parser, (const unsigned char *) text, size);
        r = read_stream(&y, ret);
        yaml_parser_delete(&y.parser);
        return r;
}
