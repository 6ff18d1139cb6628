/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/json/json-internal.h"
#include "lib/json/json.h"

JsonType json_type_of(const Json *v) {
        if (!v)
                return _JSON_TYPE_INVALID;

        switch (json_object_get_type(json_unwrap(v))) {
        case json_type_null:
                return JSON_TYPE_NULL;
        case json_type_boolean:
                return JSON_TYPE_BOOLEAN;
        case json_type_int:
                return JSON_TYPE_INTEGER;
        case json_type_double:
                return JSON_TYPE_REAL;
        case json_type_string:
                return JSON_TYPE_STRING;
        case json_type_array:
                return JSON_TYPE_LIST;
        case json_type_object:
                return JSON_TYPE_OBJECT;
        }

        return _JSON_TYPE_INVALID;
}

const char *json_type_name(JsonType type) {
        static const char *const names[_JSON_TYPE_MAX] = {
                [JSON_TYPE_NULL] = "null",
                [JSON_TYPE_BOOLEAN] = "true or false",
                [JSON_TYPE_INTEGER] = "an integer",
                [JSON_TYPE_REAL] = "a number",
                [JSON_TYPE_STRING] = "a string",
                [JSON_TYPE_LIST] = "a list",
                [JSON_TYPE_OBJECT] = "an object",
        };

        return (int) type >= 0 && type < _JSON_TYPE_MAX ? names[type] : "nothing";
}

bool json_is_null(const Json *v) {
        return !v || !json_unwrap(v);
}

size_t json_count(const Json *v) {
        switch (json_type_of(v)) {
        case JSON_TYPE_LIST:
                return json_object_array_length(json_unwrap(v));
        case JSON_TYPE_OBJECT:
                return (size_t) json_object_object_length(json_unwrap(v));
        default:
                return 0;
        }
}

Json *json_get(const Json *object, const char *key) {
        struct json_object *o;

        assert(key);

        if (json_type_of(object) != JSON_TYPE_OBJECT)
                return NULL;

        return json_object_object_get_ex(json_unwrap(object), key, &o) ? json_wrap(o) : NULL;
}

Json *json_at(const Json *list, size_t i) {
        if (json_type_of(list) != JSON_TYPE_LIST || i >= json_count(list))
                return NULL;

        return json_wrap(json_object_array_get_idx(json_unwrap(list), i));
}

int json_to_bool(const Json *v, bool *ret) {
        assert(ret);

        if (json_type_of(v) != JSON_TYPE_BOOLEAN)
                return -EINVAL;

        *ret = json_object_get_boolean(json_unwrap(v));
        return 0;
}

/* The library answers with the nearest number when one does not fit; both views together tell. */
static int to_integer(const Json *v, int64_t *ret_signed, uint64_t *ret_unsigned) {
        if (json_type_of(v) != JSON_TYPE_INTEGER)
                return -EINVAL;

        *ret_signed = json_object_get_int64(json_unwrap(v));
        *ret_unsigned = json_object_get_uint64(json_unwrap(v));
        return 0;
}

int json_to_int64(const Json *v, int64_t *ret) {
        uint64_t u;
        int64_t i;
        int r;

        assert(ret);

        r = to_integer(v, &i, &u);
        if (r < 0)
                return r;
        if (i >= 0 && (uint64_t) i != u)
                return -ERANGE;

        *ret = i;
        return 0;
}

int json_to_uint64(const Json *v, uint64_t *ret) {
        uint64_t u;
        int64_t i;
        int r;

        assert(ret);

        r = to_integer(v, &i, &u);
        if (r < 0)
                return r;
        if (i < 0)
                return -ERANGE;

        *ret = u;
        return 0;
}

int json_to_real(const Json *v, double *ret) {
        assert(ret);

        if (json_type_of(v) != JSON_TYPE_REAL && json_type_of(v) != JSON_TYPE_INTEGER)
                return -EINVAL;

        *ret = json_object_get_double(json_unwrap(v));
        return 0;
}

const char *json_to_text(const Json *v) {
        if (json_type_of(v) != JSON_TYPE_STRING)
                return NULL;

        return json_object_get_string(json_unwrap(v));
}

const char *json_get_text(const Json *object, const char *key) {
        return json_to_text(json_get(object, key));
}

int64_t json_get_int64(const Json *object, const char *key, int64_t otherwise) {
        int64_t n;

        return json_to_int64(json_get(object, key), &n) < 0 ? otherwise : n;
}

bool json_get_bool(const Json *object, const char *key, bool otherwise) {
        bool b;

        return json_to_bool(json_get(object, key), &b) < 0 ? otherwise : b;
}

bool json_walk_next(JsonWalk *walk, const char **key, Json **value) {
        const struct lh_entry *entry;

        assert(walk);
        assert(key);
        assert(value);

        switch (json_type_of(walk->v)) {
        case JSON_TYPE_LIST:
                if (walk->i >= json_count(walk->v))
                        return false;
                *key = NULL;
                *value = json_at(walk->v, walk->i++);
                return true;

        case JSON_TYPE_OBJECT:
                entry = walk->i++ == 0 ? lh_table_head(json_object_get_object(json_unwrap(walk->v)))
                                       : lh_entry_next((const struct lh_entry *) walk->member);
                if (!entry) {
                        walk->member = NULL;
                        return false;
                }
                walk->member = entry;
                *key = lh_entry_k(entry);
                *value = json_wrap((struct json_object *) (uintptr_t) lh_entry_v(entry));
                return true;

        default:
                return false;
        }
}

int json_print(const Json *v, JsonFormat format, char **ret) {
        int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
        const char *text;
        size_t size;
        char *copy;

        assert(v);
        assert(ret);

        if (format == JSON_PRETTY)
                flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;

        text = json_object_to_json_string_length(json_unwrap(v), flags, &size);
        if (!text)
                return -ENOMEM;

        copy = new (char, size + 2);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, text, size);
        if (format == JSON_PRETTY)
                copy[size++] = '\n';
        copy[size] = 0;

        *ret = copy;
        return 0;
}
