/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/json/fields-types.h"
#include "lib/json/json.h"

/* All integers go through one pair of 64-bit values: what the type can hold and what means
 * "absent". */
typedef struct IntegerType {
        bool is_signed;
        int64_t min;
        uint64_t max;
        uint64_t absent; /* as the bits of the type, widened */
} IntegerType;

static const IntegerType integer_types[_JSON_FIELD_MAX] = {
        [JSON_FIELD_INT] = { true, INT_MIN, INT_MAX, (uint64_t) (int64_t) JSON_NO_INT },
        [JSON_FIELD_INT64] = { true, INT64_MIN, INT64_MAX, (uint64_t) JSON_NO_INT64 },
        [JSON_FIELD_UINT16] = { false, 0, UINT16_MAX, JSON_NO_UINT16 },
        [JSON_FIELD_UINT32] = { false, 0, UINT32_MAX, JSON_NO_UINT32 },
        [JSON_FIELD_UINT64] = { false, 0, UINT64_MAX, JSON_NO_UINT64 },
};

static uint64_t integer_load(const JsonField *f, const void *s) {
        const void *m = field_member(f, s);

        switch (f->type) {
        case JSON_FIELD_INT:
                return (uint64_t) (int64_t) * (const int *) m;
        case JSON_FIELD_INT64:
                return (uint64_t) * (const int64_t *) m;
        case JSON_FIELD_UINT16:
                return *(const uint16_t *) m;
        case JSON_FIELD_UINT32:
                return *(const uint32_t *) m;
        case JSON_FIELD_UINT64:
                return *(const uint64_t *) m;
        default:
                assert_unreachable();
        }
}

static void integer_store(const JsonField *f, void *s, uint64_t n) {
        void *m = field_member(f, s);

        switch (f->type) {
        case JSON_FIELD_INT:
                *(int *) m = (int) (int64_t) n;
                break;
        case JSON_FIELD_INT64:
                *(int64_t *) m = (int64_t) n;
                break;
        case JSON_FIELD_UINT16:
                *(uint16_t *) m = (uint16_t) n;
                break;
        case JSON_FIELD_UINT32:
                *(uint32_t *) m = (uint32_t) n;
                break;
        case JSON_FIELD_UINT64:
                *(uint64_t *) m = n;
                break;
        default:
                assert_unreachable();
        }
}

static int read_integer(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        const IntegerType *type = &integer_types[f->type];
        int64_t i = 0;
        uint64_t u;
        int r;

        if (type->is_signed) {
                r = json_to_int64(v, &i);
                if (r >= 0 && (i < type->min || i > (int64_t) type->max))
                        r = -ERANGE;
                u = (uint64_t) i;
        } else {
                r = json_to_uint64(v, &u);
                if (r >= 0 && u > type->max)
                        r = -ERANGE;
        }
        if (r == -EINVAL)
                return json_read_expected(reader, at, json_type_name(JSON_TYPE_INTEGER));
        if (r < 0 || ((f->flags & JSON_NULLABLE) && u == type->absent))
                return json_read_fail(reader, at, "number out of range");

        integer_store(f, s, u);
        return 0;
}

static int write_integer(const JsonField *f, const void *s, Json **ret) {
        uint64_t n = integer_load(f, s);

        return integer_types[f->type].is_signed ? json_new_int64((int64_t) n, ret)
                                                : json_new_uint64(n, ret);
}

static bool absent_integer(const JsonField *f, const void *s) {
        return integer_load(f, s) == integer_types[f->type].absent;
}

static bool empty_integer(const JsonField *f, const void *s) {
        return !(f->flags & JSON_NULLABLE) && integer_load(f, s) == 0;
}

static void init_integer(const JsonField *f, void *s) {
        if (f->flags & JSON_NULLABLE)
                integer_store(f, s, integer_types[f->type].absent);
}

static int read_bool(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        bool b;

        if (json_to_bool(v, &b) < 0)
                return json_read_expected(reader, at, json_type_name(JSON_TYPE_BOOLEAN));

        *(bool *) field_member(f, s) = b;
        return 0;
}

static int write_bool(const JsonField *f, const void *s, Json **ret) {
        return json_new_bool(*(const bool *) field_member(f, s), ret);
}

static bool empty_bool(const JsonField *f, const void *s) {
        return !*(const bool *) field_member(f, s);
}

static int read_tristate(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        bool b;

        if (json_is_null(v)) {
                *(int *) field_member(f, s) = JSON_NO_TRISTATE;
                return 0;
        }
        if (json_to_bool(v, &b) < 0)
                return json_read_expected(reader, at, json_type_name(JSON_TYPE_BOOLEAN));

        *(int *) field_member(f, s) = b;
        return 0;
}

static bool absent_tristate(const JsonField *f, const void *s) {
        return *(const int *) field_member(f, s) < 0;
}

static int write_tristate(const JsonField *f, const void *s, Json **ret) {
        if (absent_tristate(f, s))
                return json_new_null(ret);

        return json_new_bool(*(const int *) field_member(f, s), ret);
}

static void init_tristate(const JsonField *f, void *s) {
        *(int *) field_member(f, s) = JSON_NO_TRISTATE;
}

static int read_time(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        const char *text = json_to_text(v);

        if (!text || clock_parse(text, field_member(f, s)) < 0)
                return json_read_expected(reader, at, "a time like 2026-03-01T12:00:00Z");

        return 0;
}

static int write_time(const JsonField *f, const void *s, Json **ret) {
        char text[CLOCK_TEXT_SIZE];

        return json_new_text(clock_format(*(const int64_t *) field_member(f, s), text), ret);
}

static bool absent_time(const JsonField *f, const void *s) {
        return *(const int64_t *) field_member(f, s) == CLOCK_NEVER;
}

static void init_time(const JsonField *f, void *s) {
        *(int64_t *) field_member(f, s) = CLOCK_NEVER;
}

static int fail_word(const JsonReader *reader, const JsonField *f, const JsonPlace *at) {
        char what[256] = "expected one of ";
        size_t used = strlen(what);

        for (size_t i = 0; i < f->n_names && used < sizeof(what); i++)
                if (f->names[i])
                        used += (size_t) snprintf(what + used, sizeof(what) - used, "%s\"%s\"",
                                strchr(what, '"') ? ", " : "", f->names[i]);

        return json_read_fail(reader, at, what);
}

static int read_enum(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        const char *text = json_to_text(v);

        for (size_t i = 0; text && i < f->n_names; i++)
                if (f->names[i] && streq(f->names[i], text)) {
                        *(int *) field_member(f, s) = (int) i;
                        return 0;
                }

        return fail_word(reader, f, at);
}

static int write_enum(const JsonField *f, const void *s, Json **ret) {
        int i = *(const int *) field_member(f, s);

        if (i < 0 || (size_t) i >= f->n_names || !f->names[i])
                return -EINVAL; /* a mistake in our own code: no document may hide it */

        return json_new_text(f->names[i], ret);
}

static bool absent_enum(const JsonField *f, const void *s) {
        return *(const int *) field_member(f, s) < 0;
}

static bool empty_enum(const JsonField *f, const void *s) {
        return *(const int *) field_member(f, s) == 0;
}

static void init_enum(const JsonField *f, void *s) {
        if (f->flags & JSON_NULLABLE)
                *(int *) field_member(f, s) = -EINVAL;
}

/* Numbers of a list into n slots; those beyond are read too, so that their type is checked. */
static int read_uint32s(
        const JsonReader *reader, const Json *v, uint32_t *slots, size_t n, const JsonPlace *at) {
        for (size_t i = 0; i < json_count(v); i++) {
                JsonPlace place = { .up = at, .i = i };
                uint64_t u;
                int r = json_to_uint64(json_at(v, i), &u);

                if (r == -EINVAL)
                        return json_read_expected(
                                reader, &place, json_type_name(JSON_TYPE_INTEGER));
                if (r < 0 || u > UINT32_MAX)
                        return json_read_fail(reader, &place, "number out of range");
                if (i < n)
                        slots[i] = (uint32_t) u;
        }

        return 0;
}

static int write_uint32s(const uint32_t *slots, size_t n, Json **ret) {
        _cleanup_(json_unrefp) Json *list = NULL;
        int r;

        r = json_new_list(&list);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = json_append_int64(list, slots[i]);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(list);
        return 0;
}

static uint32_t **uint32_list(const JsonField *f, const void *s) {
        return field_member(f, s);
}

static int read_uint32_list(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        _cleanup_(freep) uint32_t *numbers = NULL;
        size_t n = json_count(v);
        int r;

        if (json_type_of(v) != JSON_TYPE_LIST)
                return json_read_expected(reader, at, "a list of integers");

        numbers = new0(uint32_t, n + 1);
        if (!numbers)
                return -ENOMEM;

        r = read_uint32s(reader, v, numbers, n, at);
        if (r < 0)
                return r;

        free(*uint32_list(f, s));
        *uint32_list(f, s) = TAKE_PTR(numbers);
        *field_counter(f, s) = n;
        return 0;
}

static int write_uint32_list(const JsonField *f, const void *s, Json **ret) {
        return write_uint32s(*uint32_list(f, s), *field_counter(f, s), ret);
}

static bool absent_uint32_list(const JsonField *f, const void *s) {
        return !*uint32_list(f, s);
}

static bool empty_uint32_list(const JsonField *f, const void *s) {
        return *field_counter(f, s) == 0;
}

static void done_uint32_list(const JsonField *f, void *s) {
        *uint32_list(f, s) = mfree(*uint32_list(f, s));
        *field_counter(f, s) = 0;
}

static int copy_uint32_list(const JsonField *f, const void *from, void *to) {
        uint32_t *copy;

        if (absent_uint32_list(f, from))
                return 0;

        copy = alloc_copy(*uint32_list(f, from), *field_counter(f, from) * sizeof(uint32_t));
        if (!copy)
                return -ENOMEM;

        *uint32_list(f, to) = copy;
        *field_counter(f, to) = *field_counter(f, from);
        return 0;
}

static void done_uint32_fixed(const JsonField *f, void *s) {
        memset(field_member(f, s), 0, f->size * sizeof(uint32_t));
}

static int read_uint32_fixed(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        if (json_type_of(v) != JSON_TYPE_LIST)
                return json_read_expected(reader, at, "a list of integers");

        done_uint32_fixed(f, s);
        return read_uint32s(reader, v, field_member(f, s), f->size, at);
}

static int write_uint32_fixed(const JsonField *f, const void *s, Json **ret) {
        return write_uint32s(field_member(f, s), f->size, ret);
}

static bool empty_uint32_fixed(const JsonField *f, const void *s) {
        const uint32_t *slots = field_member(f, s);

        for (size_t i = 0; i < f->size; i++)
                if (slots[i] != 0)
                        return false;

        return true;
}

static int copy_uint32_fixed(const JsonField *f, const void *from, void *to) {
        memcpy(field_member(f, to), field_member(f, from), f->size * sizeof(uint32_t));
        return 0;
}

/* clang-format off */

#define INTEGER(bytes) {                                                                           \
                .size = (bytes), .read = read_integer, .write = write_integer,                     \
                .empty = empty_integer, .absent = absent_integer, .init = init_integer }

const JsonTypeOps json_number_ops[_JSON_FIELD_MAX] = {
        [JSON_FIELD_INT]    = INTEGER(sizeof(int)),
        [JSON_FIELD_INT64]  = INTEGER(sizeof(int64_t)),
        [JSON_FIELD_UINT16] = INTEGER(sizeof(uint16_t)),
        [JSON_FIELD_UINT32] = INTEGER(sizeof(uint32_t)),
        [JSON_FIELD_UINT64] = INTEGER(sizeof(uint64_t)),
        [JSON_FIELD_BOOL] = {
                .size = sizeof(bool), .read = read_bool, .write = write_bool, .empty = empty_bool },
        [JSON_FIELD_TRISTATE] = {
                .size = sizeof(int), .read = read_tristate, .write = write_tristate,
                .empty = absent_tristate, .absent = absent_tristate, .init = init_tristate },
        [JSON_FIELD_TIME] = {
                .size = sizeof(int64_t), .read = read_time, .write = write_time,
                .empty = absent_time, .absent = absent_time, .init = init_time },
        [JSON_FIELD_ENUM] = {
                .size = sizeof(int), .read = read_enum, .write = write_enum,
                .empty = empty_enum, .absent = absent_enum, .init = init_enum },
        [JSON_FIELD_UINT32_LIST] = {
                .read = read_uint32_list, .write = write_uint32_list,
                .empty = empty_uint32_list, .absent = absent_uint32_list,
                .done = done_uint32_list, .copy = copy_uint32_list },
        [JSON_FIELD_UINT32_FIXED] = {
                .read = read_uint32_fixed, .write = write_uint32_fixed, .empty = empty_uint32_fixed,
                .done = done_uint32_fixed, .copy = copy_uint32_fixed },
};

/* clang-format on */
