/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A JSON value: null, boolean, number, string, list or object. Reference-counted; a container
 * keeps its members alive. lib/json is the only code that sees the JSON library behind it.
 *
 * Always true of a value made here: strings and keys are UTF-8 without NUL (bad bytes become
 * U+FFFD, as in Go), integers keep all 64 bits, and text that was parsed had at most
 * JSON_DEPTH_MAX levels.
 *
 * Names stay clear of those that jansson and json-c export: libnftables brings jansson into our
 * processes, and a function of ours with the same name would take its place. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct Json Json;

#define JSON_DEPTH_MAX 64
#define JSON_SIZE_MAX \
        ((size_t) 4 * 1024 * 1024) /* documents and API bodies; callers may pass less */

typedef enum JsonType {
        JSON_TYPE_NULL,
        JSON_TYPE_BOOLEAN,
        JSON_TYPE_INTEGER,
        JSON_TYPE_REAL,
        JSON_TYPE_STRING,
        JSON_TYPE_LIST,
        JSON_TYPE_OBJECT,
        _JSON_TYPE_MAX,
        _JSON_TYPE_INVALID = -22,
} JsonType;

typedef enum JsonFormat {
        JSON_COMPACT,
        JSON_PRETTY, /* indented by two, with a line feed at the end: for files that people read */
} JsonFormat;

/* Parses one complete document. Errors (-EINVAL, ERROR_INVALID) name line and column. Text
 * longer than size_max is refused before it is looked at. Of two members with the same key the
 * last wins. */
int json_parse(const char *text, size_t size, size_t size_max, Json **ret, Error *reterr);
int json_print(const Json *v, JsonFormat format, char **ret);

Json *json_ref(Json *v);
Json *json_unref(Json *v); /* takes NULL, returns NULL */
DEFINE_CLEANUP(Json *, json_unref);

/* New values. NULL and invalid strings: NULL becomes null, bad UTF-8 is mended. */
int json_new_null(Json **ret);
int json_new_bool(bool b, Json **ret);
int json_new_int64(int64_t n, Json **ret);
int json_new_uint64(uint64_t n, Json **ret);
int json_new_real(double n, Json **ret);
int json_new_text(const char *s, Json **ret);
int json_new_text_n(
        const char *s, size_t size, Json **ret); /* bytes; a NUL inside becomes U+FFFD */
int json_new_list(Json **ret);
int json_new_object(Json **ret);

/* Fill an object. The object takes a reference of its own; an existing member is replaced. */
int json_set(Json *object, const char *key, Json *v);
int json_set_null(Json *object, const char *key);
int json_set_bool(Json *object, const char *key, bool b);
int json_set_int64(Json *object, const char *key, int64_t n);
int json_set_uint64(Json *object, const char *key, uint64_t n);
int json_set_real(Json *object, const char *key, double n);
int json_set_text(Json *object, const char *key, const char *s); /* NULL: null */
int json_set_textf(Json *object, const char *key, const char *format, ...) _printf_(3, 4);
int json_set_strv(Json *object, const char *key, char *const *strv);   /* NULL: [] */
int json_set_pairs(Json *object, const char *key, char *const *pairs); /* NULL: {}; sorted by key */
int json_set_new_object(Json *object, const char *key, Json **ret_borrowed);
int json_set_new_list(Json *object, const char *key, Json **ret_borrowed);
void json_unset(Json *object, const char *key);

/* Fill a list; same rules. */
int json_append(Json *list, Json *v);
int json_append_text(Json *list, const char *s);
int json_append_int64(Json *list, int64_t n);
int json_append_new_object(Json *list, Json **ret_borrowed);

/* Look. What is returned is borrowed from v. */
JsonType json_type_of(const Json *v);
const char *json_type_name(JsonType type);           /* "an object", for sentences */
bool json_is_null(const Json *v);                    /* also true for NULL, the absent value */
size_t json_count(const Json *v);                    /* members or elements; 0 for all else */
Json *json_get(const Json *object, const char *key); /* NULL: no such member, or not an object */
Json *json_at(const Json *list, size_t i);           /* NULL: out of range, or not a list */

/* Convert. -EINVAL: another type (or NULL), -ERANGE: does not fit. */
int json_to_bool(const Json *v, bool *ret);
int json_to_int64(const Json *v, int64_t *ret);
int json_to_uint64(const Json *v, uint64_t *ret);
int json_to_real(const Json *v, double *ret);
const char *json_to_text(const Json *v); /* NULL: not a string */

/* Members with less words, for documents of ours. */
const char *json_get_text(const Json *object, const char *key); /* NULL: absent or no string */
int64_t json_get_int64(const Json *object, const char *key, int64_t otherwise);
bool json_get_bool(const Json *object, const char *key, bool otherwise);

/* Walk the members of an object (key, value) or the elements of a list (key is NULL), in their
 * order. The value must not be changed meanwhile. */
typedef struct JsonWalk {
        const Json *v;
        const void *member;
        size_t i;
} JsonWalk;

bool json_walk_next(JsonWalk *walk, const char **key, Json **value);

#define JSON_FOREACH(key, value, on)     JSON_FOREACH_(key, value, on, __COUNTER__)
#define JSON_FOREACH_(key, value, on, n) JSON_FOREACH__(key, value, on, n)
#define JSON_FOREACH__(key, value, on, n)            \
        for (JsonWalk json_walk_##n = { .v = (on) }; \
                json_walk_next(&json_walk_##n, &(key), &(value));)
