/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json/fields.h"

#include <stdio.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/fields-types.h"
#include "lib/json/json.h"

#define NAME_SHOWN_MAX 64 /* a key can be as long as the document */

const JsonTypeOps *json_type_ops(JsonFieldType type) {
        assert((int) type > JSON_FIELD_NONE && type < _JSON_FIELD_MAX);

        if (json_text_ops[type].read)
                return &json_text_ops[type];
        if (json_number_ops[type].read)
                return &json_number_ops[type];

        assert(json_nested_ops[type].read);
        return &json_nested_ops[type];
}

/* A table whose only row has no name describes the value itself. EMBED has no name either. */
static bool is_bare(const JsonField *fields) {
        return fields[0].name && !fields[0].name[0] && fields[0].type != JSON_FIELD_EMBED;
}

static void place_format(const JsonPlace *at, Buffer *b) {
        if (!at)
                return;

        place_format(at->up, b);
        if (!at->name)
                (void) buffer_printf(b, "[%zu]", at->i);
        else
                (void) buffer_printf(b, "%s%.*s%s", buffer_empty(b) ? "" : ".", NAME_SHOWN_MAX,
                        at->name, strlen(at->name) > NAME_SHOWN_MAX ? "…" : "");
}

int json_read_fail(const JsonReader *reader, const JsonPlace *at, const char *what) {
        _cleanup_(buffer_done) Buffer b = {};

        place_format(at, &b);
        if (buffer_empty(&b))
                return error_set(reader->reterr, ERROR_INVALID, "%s", what);

        return error_set(reader->reterr, ERROR_INVALID, "%.*s: %s", (int) buffer_size(&b),
                buffer_head(&b), what);
}

int json_read_expected(const JsonReader *reader, const JsonPlace *at, const char *type) {
        char what[128];

        (void) snprintf(what, sizeof(what), "expected %s", type);
        return json_read_fail(reader, at, what);
}

/* The row for a key, also one of an embedded struct; *s becomes the struct that it belongs to. */
static const JsonField *find_row(
        const JsonField *fields, const char *key, bool any_case, void **s) {
        for (const JsonField *f = fields; f->name; f++) {
                if (f->type == JSON_FIELD_EMBED) {
                        void *embedded = field_member(f, *s);
                        const JsonField *found = find_row(f->fields, key, any_case, &embedded);

                        if (found) {
                                *s = embedded;
                                return found;
                        }
                        continue;
                }
                if (any_case ? strcasecmp(f->name, key) == 0 : streq(f->name, key))
                        return f;
        }

        return NULL;
}

static Json *find_member(Json *object, const char *name, bool any_case) {
        Json *v = json_get(object, name);
        const char *key;

        if (v || !any_case)
                return v;

        JSON_FOREACH (key, v, object)
                if (strcasecmp(key, name) == 0)
                        return v;

        return NULL;
}

static int check_mandatory(
        const JsonReader *reader, Json *v, const JsonField *fields, const JsonPlace *at) {
        for (const JsonField *f = fields; f->name; f++) {
                JsonPlace place = { .up = at, .name = f->name };
                int r = 0;

                if (f->type == JSON_FIELD_EMBED)
                        r = check_mandatory(reader, v, f->fields, at);
                else if ((f->flags & JSON_MANDATORY) &&
                         json_is_null(find_member(v, f->name, reader->flags & JSON_READ_ANY_CASE)))
                        r = json_read_fail(reader, &place, "is missing");
                if (r < 0)
                        return r;
        }

        return 0;
}

int json_read_row(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at) {
        const JsonTypeOps *ops = json_type_ops(f->type);

        if (json_is_null(v) && f->type != JSON_FIELD_RAW) {
                if (f->flags & JSON_NULLABLE) {
                        fields_row_done(f, s);
                        if (ops->init)
                                ops->init(f, s);
                        return 0;
                }
                if (reader->flags & JSON_READ_NULLS)
                        return 0;
        }

        return ops->read(reader, v, f, s, at);
}

int json_read_fields(
        const JsonReader *reader, Json *v, const JsonField *fields, void *s, const JsonPlace *at) {
        bool any_case = reader->flags & JSON_READ_ANY_CASE;
        const char *key;
        Json *value;
        int r;

        if (is_bare(fields))
                return json_read_row(reader, v, fields, s, at);

        if (json_type_of(v) != JSON_TYPE_OBJECT)
                return json_read_expected(reader, at, json_type_name(JSON_TYPE_OBJECT));

        JSON_FOREACH (key, value, v) {
                JsonPlace place = { .up = at };
                void *owner = s;
                const JsonField *f = find_row(fields, key, false, &owner);

                if (!f && any_case)
                        f = find_row(fields, key, true, &owner);
                if (!f)
                        continue;

                place.name = f->name;
                r = json_read_row(reader, value, f, owner, &place);
                if (r < 0)
                        return r;
        }

        return check_mandatory(reader, v, fields, at);
}

int json_read_with(Json *v, const JsonField *fields, void *s, JsonReadFlags flags, Error *reterr) {
        JsonReader reader = { .flags = flags, .reterr = reterr };

        assert(v);
        assert(fields);
        assert(s);

        return json_read_fields(&reader, v, fields, s, NULL);
}

int json_read(Json *v, const JsonField *fields, void *s, Error *reterr) {
        return json_read_with(v, fields, s, 0, reterr);
}

int json_read_text(const char *text, size_t size, const JsonField *fields, void *s,
        JsonReadFlags flags, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_parse(text, size, JSON_SIZE_MAX, &v, reterr);
        if (r < 0)
                return r;

        return json_read_with(v, fields, s, flags, reterr);
}

static int write_rows(const void *s, const JsonField *fields, Json *object) {
        int r;

        for (const JsonField *f = fields; f->name; f++) {
                _cleanup_(json_unrefp) Json *v = NULL;
                const JsonTypeOps *ops = json_type_ops(f->type);
                bool absent = (f->flags & JSON_NULLABLE) && ops->absent && ops->absent(f, s);

                if (f->type == JSON_FIELD_EMBED) {
                        r = write_rows(field_member(f, s), f->fields, object);
                        if (r < 0)
                                return r;
                        continue;
                }

                if ((f->flags & JSON_OMIT_EMPTY) && (absent || ops->empty(f, s)))
                        continue;

                r = absent ? json_new_null(&v) : ops->write(f, s, &v);
                if (r < 0)
                        return r;

                /* Whether a struct held by value is empty shows only when it is written. */
                if ((f->flags & JSON_OMIT_EMPTY) && f->type == JSON_FIELD_NESTED &&
                        json_type_of(v) == JSON_TYPE_OBJECT && json_count(v) == 0)
                        continue;

                r = json_set(object, f->name, v);
                if (r < 0)
                        return r;
        }

        return 0;
}

int json_write(const void *s, const JsonField *fields, Json **ret) {
        _cleanup_(json_unrefp) Json *object = NULL;
        int r;

        assert(s);
        assert(fields);
        assert(ret);

        if (is_bare(fields)) {
                const JsonTypeOps *ops = json_type_ops(fields->type);

                if ((fields->flags & JSON_NULLABLE) && ops->absent && ops->absent(fields, s))
                        return json_new_null(ret);
                return ops->write(fields, s, ret);
        }

        r = json_new_object(&object);
        if (r < 0)
                return r;

        r = write_rows(s, fields, object);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(object);
        return 0;
}

int json_write_text(const void *s, const JsonField *fields, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_write(s, fields, &v);
        if (r < 0)
                return r;

        return json_print(v, JSON_COMPACT, ret);
}

void fields_init(const JsonField *fields, void *s) {
        for (const JsonField *f = fields; f->name; f++) {
                const JsonTypeOps *ops = json_type_ops(f->type);

                if (ops->init)
                        ops->init(f, s);
        }
}

void fields_row_done(const JsonField *f, void *s) {
        const JsonTypeOps *ops = json_type_ops(f->type);

        if (ops->done)
                ops->done(f, s);
        else
                memset(field_member(f, s), 0, ops->size);
}

void fields_done(const JsonField *fields, void *s) {
        if (!s)
                return;

        for (const JsonField *f = fields; f->name; f++)
                fields_row_done(f, s);
}

int fields_copy(const JsonField *fields, const void *from, void *to) {
        int r;

        assert(from);
        assert(to);

        for (const JsonField *f = fields; f->name; f++) {
                const JsonTypeOps *ops = json_type_ops(f->type);

                if (!ops->copy) {
                        memcpy(field_member(f, to), field_member(f, from), ops->size);
                        continue;
                }
                r = ops->copy(f, from, to);
                if (r < 0)
                        return r;
        }

        return 0;
}
