/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eq, lt, not and their kin. */
#include <string.h>

#include "cli/format-internal.h"
#include "lib/json/json.h"

/* -1, 0, 1 in *ret; -EINVAL: not to be compared. */
static int compare(const Json *a, const Json *b, int *ret) {
        const char *s = json_to_text(a), *t = json_to_text(b);
        bool p, q;
        double x, y;
        int64_t i, j;

        if (s && t)
                *ret = strcmp(s, t);
        else if (json_to_int64(a, &i) >= 0 && json_to_int64(b, &j) >= 0)
                *ret = (i > j) - (i < j);
        else if (json_to_real(a, &x) >= 0 && json_to_real(b, &y) >= 0)
                *ret = (x > y) - (x < y);
        else if (json_to_bool(a, &p) >= 0 && json_to_bool(b, &q) >= 0)
                *ret = p - q;
        else if (json_is_null(a) && json_is_null(b))
                *ret = 0;
        else if (json_is_null(a) || json_is_null(b))
                *ret = 1;
        else
                return -EINVAL;
        return 0;
}

static int compared(const char *name, Value *a, const Value *b, int *ret, Error *reterr) {
        return compare(a->json, b->json, ret) < 0
                     ? format_calling(name, reterr, "incompatible types for comparison", "")
                     : 0;
}

/* eq: the first equals any of the others. */
int format_do_eq(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        bool equal = false;
        int order = 1, r = 0;

        if (n < 2)
                return format_calling("eq", reterr, "missing argument for comparison", "");
        for (size_t i = 1; r >= 0 && !equal && i < n; i++) {
                r = compared("eq", a, a + i, &order, reterr);
                equal = r >= 0 && order == 0;
        }
        return r < 0 ? r : json_new_bool(equal, &ret->json);
}

static int ordered(const char *name, Value *a, size_t n, Value *ret, Error *reterr) {
        bool result;
        int order, r;

        if (n != 2)
                return format_wrong_count(name, reterr, 2, n);
        r = compared(name, a, a + 1, &order, reterr);
        if (r < 0)
                return r;
        if (name[0] == 'n')
                result = order != 0;
        else
                result = (name[0] == 'l' ? order < 0 : order > 0) || (name[1] == 'e' && order == 0);
        return json_new_bool(result, &ret->json);
}

#define ORDERED(name)                                                                    \
        int format_do_##name(                                                            \
                const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) { \
                return ordered(#name, a, n, ret, reterr);                                \
        }                                                                                \
        struct do_##name##_needs_a_semicolon
ORDERED(ne);
ORDERED(lt);
ORDERED(le);
ORDERED(gt);
ORDERED(ge);

int format_do_not(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        if (n != 1)
                return format_wrong_count("not", reterr, 1, n);
        return json_new_bool(!format_is_true(a->json), &ret->json);
}

/* Only without arguments: with them they are done where arguments are evaluated. */
int format_do_and_or(const FormatData *data, Value *a, size_t n, Value *ret, Error *reterr) {
        return format_wrong_count("and", reterr, 1, n);
}
