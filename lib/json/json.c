/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json/json.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json-internal.h"
#include "lib/json/pairs.h"

const char json_null_mark;

Json *json_ref(Json *v) {
        (void) json_object_get(json_unwrap(v));
        return v;
}

Json *json_unref(Json *v) {
        (void) json_object_put(json_unwrap(v));
        return NULL;
}

static int take(struct json_object *o, Json **ret) {
        assert(ret);

        if (!o)
                return -ENOMEM;

        *ret = json_wrap(o);
        return 0;
}

int json_new_null(Json **ret) {
        assert(ret);

        *ret = json_wrap(NULL);
        return 0;
}

int json_new_bool(bool b, Json **ret) {
        return take(json_object_new_boolean(b), ret);
}

int json_new_int64(int64_t n, Json **ret) {
        return take(json_object_new_int64(n), ret);
}

int json_new_uint64(uint64_t n, Json **ret) {
        return take(json_object_new_uint64(n), ret);
}

int json_new_real(double n, Json **ret) {
        if (n - n != 0) /* JSON has neither infinity nor NaN */
                return json_new_null(ret);

        return take(json_object_new_double(n), ret);
}

int json_new_text(const char *s, Json **ret) {
        if (!s)
                return json_new_null(ret);

        return json_new_text_n(s, strlen(s), ret);
}

int json_new_text_n(const char *s, size_t size, Json **ret) {
        _cleanup_(freep) char *mended = NULL;

        assert(s || size == 0);

        if (size > 0 && !str_is_utf8(s, size)) {
                mended = json_mend_text(s, size, &size);
                if (!mended)
                        return -ENOMEM;
                s = mended;
        }

        if (size > INT_MAX)
                return -EFBIG;

        return take(json_object_new_string_len(size > 0 ? s : "", (int) size), ret);
}

int json_new_list(Json **ret) {
        return take(json_object_new_array(), ret);
}

int json_new_object(Json **ret) {
        return take(json_object_new_object(), ret);
}

int json_set(Json *object, const char *key, Json *v) {
        _cleanup_(freep) char *mended = NULL;
        size_t size;

        assert(json_type_of(object) == JSON_TYPE_OBJECT);
        assert(key);
        assert(v);

        size = strlen(key);
        if (size > 0 && !str_is_utf8(key, size)) {
                mended = json_mend_text(key, size, &size);
                if (!mended)
                        return -ENOMEM;
                key = mended;
        }

        (void) json_ref(v);
        if (json_object_object_add(json_unwrap(object), key, json_unwrap(v)) < 0) {
                (void) json_unref(v);
                return -ENOMEM;
        }

        return 0;
}

/* Gives v, made with the result r, to the object. */
static int set_new(Json *object, const char *key, int r, Json *v) {
        _cleanup_(json_unrefp) Json *owned = v;

        return r < 0 ? r : json_set(object, key, owned);
}

int json_set_null(Json *object, const char *key) {
        return json_set(object, key, json_wrap(NULL));
}

int json_set_bool(Json *object, const char *key, bool b) {
        Json *v = NULL;
        int r = json_new_bool(b, &v);

        return set_new(object, key, r, v);
}

int json_set_int64(Json *object, const char *key, int64_t n) {
        Json *v = NULL;
        int r = json_new_int64(n, &v);

        return set_new(object, key, r, v);
}

int json_set_uint64(Json *object, const char *key, uint64_t n) {
        Json *v = NULL;
        int r = json_new_uint64(n, &v);

        return set_new(object, key, r, v);
}

int json_set_real(Json *object, const char *key, double n) {
        Json *v = NULL;
        int r = json_new_real(n, &v);

        return set_new(object, key, r, v);
}

int json_set_text(Json *object, const char *key, const char *s) {
        Json *v = NULL;
        int r = json_new_text(s, &v);

        return set_new(object, key, r, v);
}

int json_set_textf(Json *object, const char *key, const char *format, ...) {
        _cleanup_(freep) char *s = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&s, format, ap);
        va_end(ap);
        if (r < 0) {
                s = NULL; /* undefined after a failure */
                return -ENOMEM;
        }

        return json_set_text(object, key, s);
}

int json_set_strv(Json *object, const char *key, char *const *strv) {
        _cleanup_(json_unrefp) Json *list = NULL;
        int r;

        r = json_new_list(&list);
        if (r < 0)
                return r;

        for (char *const *s = strv; s && *s; s++) {
                r = json_append_text(list, *s);
                if (r < 0)
                        return r;
        }

        return json_set(object, key, list);
}

int json_set_pairs(Json *object, const char *key, char *const *pairs) {
        _cleanup_(freep) char *const **sorted = NULL;
        _cleanup_(json_unrefp) Json *map = NULL;
        size_t n;
        int r;

        r = json_new_object(&map);
        if (r < 0)
                return r;

        r = pairs_sorted(pairs, &sorted, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                r = json_set_text(map, sorted[i][0], sorted[i][1]);
                if (r < 0)
                        return r;
        }

        return json_set(object, key, map);
}

int json_set_new_object(Json *object, const char *key, Json **ret_borrowed) {
        Json *v = NULL;
        int r = json_new_object(&v);

        r = set_new(object, key, r, v);
        if (r < 0)
                return r;

        *ret_borrowed = v;
        return 0;
}

int json_set_new_list(Json *object, const char *key, Json **ret_borrowed) {
        Json *v = NULL;
        int r = json_new_list(&v);

        r = set_new(object, key, r, v);
        if (r < 0)
                return r;

        *ret_borrowed = v;
        return 0;
}

void json_unset(Json *object, const char *key) {
        assert(json_type_of(object) == JSON_TYPE_OBJECT);

        json_object_object_del(json_unwrap(object), key);
}

int json_append(Json *list, Json *v) {
        assert(json_type_of(list) == JSON_TYPE_LIST);
        assert(v);

        (void) json_ref(v);
        if (json_object_array_add(json_unwrap(list), json_unwrap(v)) < 0) {
                (void) json_unref(v);
                return -ENOMEM;
        }

        return 0;
}

int json_append_text(Json *list, const char *s) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_new_text(s, &v);
        if (r < 0)
                return r;

        return json_append(list, v);
}

int json_append_int64(Json *list, int64_t n) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_new_int64(n, &v);
        if (r < 0)
                return r;

        return json_append(list, v);
}

int json_append_new_object(Json *list, Json **ret_borrowed) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_new_object(&v);
        if (r < 0)
                return r;

        r = json_append(list, v);
        if (r < 0)
                return r;

        *ret_borrowed = v; /* the list keeps it alive */
        return 0;
}
