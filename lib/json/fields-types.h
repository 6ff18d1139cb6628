/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What can be done with one row of a field table, by its type. s is always the struct that the
 * row belongs to. Only for lib/json/fields*.c. */

#include "lib/json/fields.h"

/* Where the reader is: a chain on the stack, printed as "HostConfig.Mounts[2].Target" when
 * something is wrong. */
typedef struct JsonPlace {
        const struct JsonPlace *up; /* NULL: the document itself */
        const char *name;           /* NULL: element i of a list */
        size_t i;
} JsonPlace;

typedef struct JsonReader {
        JsonReadFlags flags;
        Error *reterr;
} JsonReader;

typedef struct JsonTypeOps {
        size_t size; /* of a member that owns nothing: init, done and copy need no function then */
        int (*read)(const JsonReader *reader, Json *v, const JsonField *f, void *s,
                const JsonPlace *at);
        int (*write)(const JsonField *f, const void *s, Json **ret);
        bool (*empty)(const JsonField *f, const void *s);  /* for JSON_OMIT_EMPTY */
        bool (*absent)(const JsonField *f, const void *s); /* for JSON_NULLABLE; NULL: never */
        void (*init)(const JsonField *f, void *s);         /* NULL: zero is right */
        void (*done)(const JsonField *f, void *s);
        int (*copy)(const JsonField *f, const void *from, void *to);
} JsonTypeOps;

const JsonTypeOps *json_type_ops(JsonFieldType type);
extern const JsonTypeOps
        json_text_ops[_JSON_FIELD_MAX]; /* fields-text.c: strings and vectors of strings */
extern const JsonTypeOps
        json_number_ops[_JSON_FIELD_MAX]; /* fields-number.c: numbers, switches, words, times */
extern const JsonTypeOps
        json_nested_ops[_JSON_FIELD_MAX]; /* fields-nested.c: structs and lists of them */

int json_read_fail(const JsonReader *reader, const JsonPlace *at, const char *what);
int json_read_expected(const JsonReader *reader, const JsonPlace *at, const char *type);

/* One value for one row, and all rows of one struct. */
int json_read_row(
        const JsonReader *reader, Json *v, const JsonField *f, void *s, const JsonPlace *at);
int json_read_fields(
        const JsonReader *reader, Json *v, const JsonField *fields, void *s, const JsonPlace *at);
void fields_row_done(const JsonField *f, void *s);

static inline void *field_member(const JsonField *f, const void *s) {
        return (char *) (uintptr_t) s + f->offset;
}

static inline size_t *field_counter(const JsonField *f, const void *s) {
        return (size_t *) (void *) ((char *) (uintptr_t) s + f->n_offset);
}
