/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/fields-types.h"
#include "lib/json/json.h"

/* A struct by value, and EMBED, which differs only in how the reader and writer walk its rows. */

static int read_nested(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        return json_read_fields(reader, v, f->fields, field_member(f, s), at);
}

static int write_nested(const JsonField *f, const void *s, Json **ret) {
        return json_write(field_member(f, s), f->fields, ret);
}

static bool empty_nested(const JsonField *f, const void *s) {
        return false; /* seen when it is written, see write_rows() */
}

static void init_nested(const JsonField *f, void *s) {
        fields_init(f->fields, field_member(f, s));
}

static void done_nested(const JsonField *f, void *s) {
        fields_done(f->fields, field_member(f, s));
}

static int copy_nested(const JsonField *f, const void *from, void *to) {
        return fields_copy(f->fields, field_member(f, from), field_member(f, to));
}

/* A struct by pointer. */

static void **pointer(const JsonField *f, const void *s) {
        return field_member(f, s);
}

static int read_pointer(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        if (json_is_null(v)) /* with and without flags: the same as absent */
                return 0;

        if (!*pointer(f, s)) {
                *pointer(f, s) = alloc_array0(1, f->size);
                if (!*pointer(f, s))
                        return -ENOMEM;
                fields_init(f->fields, *pointer(f, s));
        }

        return json_read_fields(reader, v, f->fields, *pointer(f, s), at);
}

static int write_pointer(const JsonField *f, const void *s, Json **ret) {
        if (!*pointer(f, s))
                return json_new_null(ret);

        return json_write(*pointer(f, s), f->fields, ret);
}

static bool absent_pointer(const JsonField *f, const void *s) {
        return !*pointer(f, s);
}

static void done_pointer(const JsonField *f, void *s) {
        if (*pointer(f, s))
                fields_done(f->fields, *pointer(f, s));
        *pointer(f, s) = mfree(*pointer(f, s));
}

static int copy_pointer(const JsonField *f, const void *from, void *to) {
        if (!*pointer(f, from))
                return 0;

        *pointer(f, to) = alloc_array0(1, f->size);
        if (!*pointer(f, to))
                return -ENOMEM;

        return fields_copy(f->fields, *pointer(f, from), *pointer(f, to));
}

/* Lists of structs, and objects whose keys are a member of the structs. */

static void *element(const JsonField *f, const void *s, size_t i) {
        return (char *) *pointer(f, s) + i * f->size;
}

static char **element_key(const JsonField *f, void *e) {
        return (char **) (void *) ((char *) e + f->key_offset);
}

static void done_array(const JsonField *f, void *s) {
        for (size_t i = 0; i < *field_counter(f, s); i++) {
                void *e = element(f, s, i);

                fields_done(f->fields, e);
                if (f->type == JSON_FIELD_KEYED)
                        *element_key(f, e) = mfree(*element_key(f, e));
        }

        *pointer(f, s) = mfree(*pointer(f, s));
        *field_counter(f, s) = 0;
}

static int read_array(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        bool keyed = f->type == JSON_FIELD_KEYED;
        JsonType wanted = keyed ? JSON_TYPE_OBJECT : JSON_TYPE_LIST;
        const char *key;
        size_t i = 0;
        Json *value;
        int r;

        if (json_type_of(v) != wanted)
                return json_read_expected(reader, at, json_type_name(wanted));

        done_array(f, s);
        *pointer(f, s) = alloc_array0(json_count(v) + 1, f->size); /* not NULL when empty */
        if (!*pointer(f, s))
                return -ENOMEM;

        JSON_FOREACH (key, value, v) {
                JsonPlace place = { .up = at, .name = key, .i = i };
                void *e = element(f, s, i++);

                *field_counter(f, s) = i; /* done_array() frees this one too from here on */
                fields_init(f->fields, e);
                if (keyed) {
                        r = str_copy(element_key(f, e), key);
                        if (r < 0)
                                return r;
                }
                if (json_is_null(value) && (reader->flags & JSON_READ_NULLS))
                        continue;
                r = json_read_fields(reader, value, f->fields, e, &place);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int compare_keys(const void *a, const void *b, void *f) {
        return strcmp(*element_key(f, *(void *const *) a), *element_key(f, *(void *const *) b));
}

static int write_keyed(const JsonField *f, const void *s, Json **ret) {
        _cleanup_(json_unrefp) Json *map = NULL;
        _cleanup_(freep) void **sorted = NULL;
        size_t n = *field_counter(f, s);
        int r;

        r = json_new_object(&map);
        if (r < 0)
                return r;

        sorted = new (void *, n + 1);
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                sorted[i] = element(f, s, i);
        qsort_r(sorted, n, sizeof(sorted[0]), compare_keys, (void *) (uintptr_t) f);

        for (size_t i = 0; i < n; i++) {
                _cleanup_(json_unrefp) Json *v = NULL;

                r = json_write(sorted[i], f->fields, &v);
                if (r >= 0)
                        r = json_set(map, *element_key(f, sorted[i]), v);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(map);
        return 0;
}

static int write_array(const JsonField *f, const void *s, Json **ret) {
        _cleanup_(json_unrefp) Json *list = NULL;
        int r;

        r = json_new_list(&list);
        if (r < 0)
                return r;

        for (size_t i = 0; i < *field_counter(f, s); i++) {
                _cleanup_(json_unrefp) Json *v = NULL;

                r = json_write(element(f, s, i), f->fields, &v);
                if (r >= 0)
                        r = json_append(list, v);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(list);
        return 0;
}

static bool empty_array(const JsonField *f, const void *s) {
        return *field_counter(f, s) == 0;
}

static int copy_array(const JsonField *f, const void *from, void *to) {
        size_t n = *field_counter(f, from);
        int r;

        if (!*pointer(f, from))
                return 0;

        *pointer(f, to) = alloc_array0(n + 1, f->size);
        if (!*pointer(f, to))
                return -ENOMEM;
        *field_counter(f, to) = n;

        for (size_t i = 0; i < n; i++) {
                void *e = element(f, to, i);

                r = fields_copy(f->fields, element(f, from, i), e);
                if (r >= 0 && f->type == JSON_FIELD_KEYED)
                        r = str_copy(element_key(f, e), *element_key(f, element(f, from, i)));
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Any value. */

static Json **raw(const JsonField *f, const void *s) {
        return field_member(f, s);
}

static int read_raw(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        (void) json_unref(*raw(f, s));
        *raw(f, s) = (f->flags & JSON_NULLABLE) && json_is_null(v) ? NULL : json_ref(v);
        return 0;
}

static int write_raw(const JsonField *f, const void *s, Json **ret) {
        if (!*raw(f, s))
                return json_new_null(ret);

        *ret = json_ref(*raw(f, s));
        return 0;
}

static void done_raw(const JsonField *f, void *s) {
        *raw(f, s) = json_unref(*raw(f, s));
}

static int copy_raw(const JsonField *f, const void *from, void *to) {
        *raw(f, to) =
                json_ref(*raw(f, from)); /* values are not changed once they are in a struct */
        return 0;
}

/* clang-format off */

#define NESTED {                                                                                   \
                .read = read_nested, .write = write_nested, .empty = empty_nested,                 \
                .init = init_nested, .done = done_nested, .copy = copy_nested }
#define ARRAY(how) {                                                                               \
                .read = read_array, .write = (how), .empty = empty_array,                          \
                .absent = absent_pointer, .done = done_array, .copy = copy_array }

const JsonTypeOps json_nested_ops[_JSON_FIELD_MAX] = {
        [JSON_FIELD_NESTED] = NESTED,
        [JSON_FIELD_EMBED]  = NESTED,
        [JSON_FIELD_ARRAY]  = ARRAY(write_array),
        [JSON_FIELD_KEYED]  = ARRAY(write_keyed),
        [JSON_FIELD_NESTED_PTR] = {
                .read = read_pointer, .write = write_pointer, .empty = absent_pointer,
                .absent = absent_pointer, .done = done_pointer, .copy = copy_pointer },
        [JSON_FIELD_RAW] = {
                .read = read_raw, .write = write_raw, .empty = absent_pointer,
                .absent = absent_pointer, .done = done_raw, .copy = copy_raw },
};

/* clang-format on */
