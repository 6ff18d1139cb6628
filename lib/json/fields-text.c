/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields-types.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

static char **string_member(const JsonField *f, const void *s) {
        return field_member(f, s);
}

static char ***strv_member(const JsonField *f, const void *s) {
        return field_member(f, s);
}

static int read_string(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        const char *text = json_to_text(v);

        if (!text)
                return json_read_expected(reader, at, json_type_name(JSON_TYPE_STRING));

        return str_copy(string_member(f, s), text);
}

static int write_string(const JsonField *f, const void *s, Json **ret) {
        return json_new_text(str_or_empty(*string_member(f, s)), ret);
}

static bool empty_string(const JsonField *f, const void *s) {
        return str_empty(*string_member(f, s));
}

static bool absent_pointer(const JsonField *f, const void *s) {
        return !*(void **) field_member(f, s);
}

static void done_string(const JsonField *f, void *s) {
        *string_member(f, s) = mfree(*string_member(f, s));
}

static int copy_string(const JsonField *f, const void *from, void *to) {
        return str_copy(string_member(f, to), *string_member(f, from));
}

/* The text of one element or value; Go reads null as "". NULL with *ret_r set: neither. */
static const char *element_text(
        const JsonReader *reader, const Json *v, const JsonPlace *at, int *ret_r) {
        const char *text = json_to_text(v);

        if (!text && json_is_null(v) && (reader->flags & JSON_READ_NULLS))
                return "";
        if (!text)
                *ret_r = json_read_expected(reader, at, json_type_name(JSON_TYPE_STRING));
        return text;
}

static void replace(char ***member, char **strv) {
        strv_free(*member);
        *member = strv;
}

static int read_strv(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        bool wrap = (f->flags & JSON_WRAP_STRING) && json_type_of(v) == JSON_TYPE_STRING;
        _cleanup_(strv_freep) char **strv = NULL;
        size_t n = wrap ? 1 : json_count(v);

        if (!wrap && json_type_of(v) != JSON_TYPE_LIST)
                return json_read_expected(reader, at, "a list of strings");

        strv = new0(char *, n + 1);
        if (!strv)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                JsonPlace place = { .up = at, .i = i };
                int r = 0;
                const char *text = element_text(reader, wrap ? v : json_at(v, i), &place, &r);

                if (text)
                        r = str_copy(&strv[i], text);
                if (r < 0)
                        return r;
        }

        replace(strv_member(f, s), TAKE_PTR(strv));
        return 0;
}

static int write_strv(const JsonField *f, const void *s, Json **ret) {
        _cleanup_(json_unrefp) Json *list = NULL;
        int r;

        r = json_new_list(&list);
        if (r < 0)
                return r;

        STRV_FOREACH (i, *strv_member(f, s)) {
                r = json_append_text(list, *i);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(list);
        return 0;
}

static bool empty_strv(const JsonField *f, const void *s) {
        return strv_empty(*strv_member(f, s));
}

static void done_strv(const JsonField *f, void *s) {
        replace(strv_member(f, s), NULL);
}

static int copy_strv(const JsonField *f, const void *from, void *to) {
        char *const *strv = *strv_member(f, from);
        char **copy;

        if (!strv)
                return 0; /* NULL and empty are not the same here */

        copy = strv_copy(strv);
        if (!copy)
                return -ENOMEM;

        replace(strv_member(f, to), copy);
        return 0;
}

/* {"80/tcp":{}}: what is in the braces does not matter, as for Go's struct{}. */
static int read_set(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        _cleanup_(strv_freep) char **strv = NULL;
        const char *key;
        size_t n = 0;
        Json *value;

        if (json_type_of(v) != JSON_TYPE_OBJECT)
                return json_read_expected(reader, at, json_type_name(JSON_TYPE_OBJECT));

        strv = new0(char *, json_count(v) + 1);
        if (!strv)
                return -ENOMEM;

        JSON_FOREACH (key, value, v) {
                JsonPlace place = { .up = at, .name = key };

                if (json_type_of(value) != JSON_TYPE_OBJECT &&
                        !(json_is_null(value) && (reader->flags & JSON_READ_NULLS)))
                        return json_read_expected(reader, &place, "{}");
                if (str_copy(&strv[n++], key) < 0)
                        return -ENOMEM;
        }

        replace(strv_member(f, s), TAKE_PTR(strv));
        return 0;
}

static int write_set(const JsonField *f, const void *s, Json **ret) {
        _cleanup_(json_unrefp) Json *set = NULL;
        _cleanup_(strv_freep) char **sorted = NULL;
        int r;

        r = json_new_object(&set);
        if (r < 0)
                return r;

        sorted = strv_copy(*strv_member(f, s));
        if (!sorted)
                return -ENOMEM;
        strv_sort(sorted);

        STRV_FOREACH (i, sorted) {
                Json *braces;

                r = json_set_new_object(set, *i, &braces);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(set);
        return 0;
}

static int read_map(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        _cleanup_(strv_freep) char **pairs = NULL;
        const char *key;
        size_t n = 0;
        Json *value;

        if (json_type_of(v) != JSON_TYPE_OBJECT)
                return json_read_expected(reader, at, json_type_name(JSON_TYPE_OBJECT));

        pairs = new0(char *, 2 * json_count(v) + 1);
        if (!pairs)
                return -ENOMEM;

        JSON_FOREACH (key, value, v) {
                JsonPlace place = { .up = at, .name = key };
                int r = 0;
                const char *text = element_text(reader, value, &place, &r);

                if (text)
                        r = str_copy(&pairs[n++], key);
                if (r >= 0)
                        r = str_copy(&pairs[n++], text);
                if (r < 0)
                        return r;
        }

        replace(strv_member(f, s), TAKE_PTR(pairs));
        return 0;
}

static int write_map(const JsonField *f, const void *s, Json **ret) {
        _cleanup_(json_unrefp) Json *holder = NULL;
        int r;

        r = json_new_object(&holder);
        if (r < 0)
                return r;

        r = json_set_pairs(holder, "", *strv_member(f, s));
        if (r < 0)
                return r;

        *ret = json_ref(json_get(holder, ""));
        return 0;
}

const JsonTypeOps json_text_ops[_JSON_FIELD_MAX] = {
        [JSON_FIELD_STRING] = {
                .read = read_string,
                .write = write_string,
                .empty = empty_string,
                .absent = absent_pointer,
                .done = done_string,
                .copy = copy_string,
        },
        [JSON_FIELD_STRV] = {
                .read = read_strv,
                .write = write_strv,
                .empty = empty_strv,
                .absent = absent_pointer,
                .done = done_strv,
                .copy = copy_strv,
        },
        [JSON_FIELD_SET] = {
                .read = read_set,
                .write = write_set,
                .empty = empty_strv,
                .absent = absent_pointer,
                .done = done_strv,
                .copy = copy_strv,
        },
        [JSON_FIELD_MAP] = {
                .read = read_map,
                .write = write_map,
                .empty = empty_strv,
                .absent = absent_pointer,
                .done = done_strv,
                .copy = copy_strv,
        },
};
