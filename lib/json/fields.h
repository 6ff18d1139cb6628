/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* ONE table per struct, used in both directions: JSON to struct, struct to JSON, free, copy.
 *
 *         const JsonField volume_spec_fields[] = {
 *                 JSON_STRING("Name",       VolumeSpec, name,    0),
 *                 JSON_MAP   ("DriverOpts", VolumeSpec, options, JSON_OMIT_EMPTY),
 *                 {}
 *         };
 *
 * The macros take offsets and check the member's type at compile time. A member may be a path
 * into a struct held by value (`resources.memory`). The struct owns all it points to; NULL and 0
 * are always legal content.
 *
 * Reading: unknown keys pass, wrong types do not. Rows that the document does not name keep
 * their value, a row it does name replaces it (structs held by value or pointer are merged, as
 * Go does). After an error the struct is half-read but sound: free it with fields_done(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Error Error;
typedef struct Json Json;
typedef struct JsonField JsonField;

typedef enum JsonFieldType {
        JSON_FIELD_NONE, /* ends a table */
        JSON_FIELD_STRING,
        JSON_FIELD_STRV,
        JSON_FIELD_SET,
        JSON_FIELD_MAP,
        JSON_FIELD_BOOL,
        JSON_FIELD_TRISTATE,
        JSON_FIELD_INT,
        JSON_FIELD_INT64,
        JSON_FIELD_UINT16,
        JSON_FIELD_UINT32,
        JSON_FIELD_UINT64,
        JSON_FIELD_TIME,
        JSON_FIELD_ENUM,
        JSON_FIELD_UINT32_LIST,
        JSON_FIELD_UINT32_FIXED,
        JSON_FIELD_NESTED,
        JSON_FIELD_NESTED_PTR,
        JSON_FIELD_EMBED,
        JSON_FIELD_ARRAY,
        JSON_FIELD_KEYED,
        JSON_FIELD_RAW,
        _JSON_FIELD_MAX,
        _JSON_FIELD_INVALID = -22,
} JsonFieldType;

/* JSON_OMIT_EMPTY: do not write 0, false, "", NULL, [], {}, nor what NULLABLE calls absent.
 * JSON_MANDATORY: missing (or null) is an error of the reader. JSON_NULLABLE: null reads as the
 * absent value, and the absent value is written as null. Absent is NULL for pointers and
 * JSON_NO_x for numbers, so 0, "" and [] can be told from it. Numbers that are 0 but not absent
 * are then written even with OMIT_EMPTY. Without NULLABLE a NULL is written as "", [] or {}.
 * JSON_WRAP_STRING: "x" is taken for ["x"] (Docker's StrSlice). */
enum {
        JSON_OMIT_EMPTY = 1 << 0,
        JSON_MANDATORY = 1 << 1,
        JSON_NULLABLE = 1 << 2,
        JSON_WRAP_STRING = 1 << 3,
};

#define JSON_NO_INT      INT32_MIN
#define JSON_NO_INT64    INT64_MIN
#define JSON_NO_UINT16   UINT16_MAX
#define JSON_NO_UINT32   UINT32_MAX
#define JSON_NO_UINT64   UINT64_MAX
#define JSON_NO_TRISTATE (-1)

/* Go's encoding/json, which wrote and reads most documents of this world, matches keys in any
 * case and lets null leave a row as it is (and makes an element of a list its zero value). */
typedef enum JsonReadFlags {
        JSON_READ_ANY_CASE = 1 << 0,
        JSON_READ_NULLS = 1 << 1,
        JSON_READ_DOCKER = JSON_READ_ANY_CASE | JSON_READ_NULLS,
} JsonReadFlags;

struct JsonField {
        const char *name; /* "" in the first and only row: the value itself, not a member of it */
        JsonFieldType type;
        unsigned flags;
        size_t offset;
        size_t n_offset;   /* ARRAY, KEYED, UINT32_LIST: of the counter */
        size_t size;       /* of one element or of the struct pointed to; UINT32_FIXED: elements */
        size_t key_offset; /* KEYED: of the char* in the element that holds the key */
        const JsonField *fields;  /* of the nested struct */
        const char *const *names; /* ENUM */
        size_t n_names;
};

/* "HostConfig.Memory: expected an integer". */
int json_read(Json *v, const JsonField *fields, void *s, Error *reterr);
int json_read_with(Json *v, const JsonField *fields, void *s, JsonReadFlags flags, Error *reterr);
int json_write(const void *s, const JsonField *fields, Json **ret);

/* Text in, text out: parse and read in one, write and print in one. */
int json_read_text(const char *text, size_t size, const JsonField *fields, void *s,
        JsonReadFlags flags, Error *reterr);
int json_write_text(const void *s, const JsonField *fields, char **ret);

/* Sets what is not 0 when absent: NULLABLE numbers, TRISTATE, TIME. The rest of s must be zero
 * already. */
void fields_init(const JsonField *fields, void *s);
/* Frees what s owns and zeroes it; not s itself. */
void fields_done(const JsonField *fields, void *s);
/* to: zeroed memory; sound after errors too. */
int fields_copy(const JsonField *fields, const void *from, void *to);

/* clang-format off */

#define JSON_CHECK_(ok) \
        (0 * sizeof(struct { _Static_assert(ok, "the member has another type than the row"); char c; }))
#define JSON_MEMBER_(S, m)       (((S *) 0)->m)
#define JSON_IS_(S, m, T)        __builtin_types_compatible_p(__typeof__(JSON_MEMBER_(S, m)), T)
#define JSON_AT_(S, m, T)        (offsetof(S, m) + JSON_CHECK_(JSON_IS_(S, m, T)))
#define JSON_ROW_(n, t, S, m, T, f) \
        .name = (n), .type = JSON_FIELD_##t, .flags = (f), .offset = JSON_AT_(S, m, T)

/* (name, struct, member, flags). UINT32 also takes unsigned; TRISTATE is -1 absent, 0, 1; a SET
 * is {"x":{}}, its strings are unique; a MAP is {"k":"v"}, see lib/json/pairs.h; RAW keeps any
 * value. */
#define JSON_STRING(n, S, m, f)      { JSON_ROW_(n, STRING, S, m, char *, f) }
#define JSON_STRV(n, S, m, f)        { JSON_ROW_(n, STRV, S, m, char **, f) }
#define JSON_SET(n, S, m, f)         { JSON_ROW_(n, SET, S, m, char **, f) }
#define JSON_MAP(n, S, m, f)         { JSON_ROW_(n, MAP, S, m, char **, f) }
#define JSON_BOOL(n, S, m, f)        { JSON_ROW_(n, BOOL, S, m, bool, f) }
#define JSON_TRISTATE(n, S, m, f)    { JSON_ROW_(n, TRISTATE, S, m, int, f) }
#define JSON_INT(n, S, m, f)         { JSON_ROW_(n, INT, S, m, int, f) }
#define JSON_INT64(n, S, m, f)       { JSON_ROW_(n, INT64, S, m, int64_t, f) }
#define JSON_UINT16(n, S, m, f)      { JSON_ROW_(n, UINT16, S, m, uint16_t, f) }
#define JSON_UINT32(n, S, m, f)      { JSON_ROW_(n, UINT32, S, m, uint32_t, f) }
#define JSON_UINT64(n, S, m, f)      { JSON_ROW_(n, UINT64, S, m, uint64_t, f) }
#define JSON_RAW(n, S, m, f)         { JSON_ROW_(n, RAW, S, m, Json *, f) }

/* Nanoseconds since 1970; JSON has RFC 3339 in UTC. CLOCK_NEVER, which fields_init() sets, is
 * Go's zero time "0001-01-01T00:00:00Z" in both directions, with NULLABLE null. */
#define JSON_TIME(n, S, m, f)        { JSON_ROW_(n, TIME, S, m, int64_t, f) }

/* words: static const char *const []; indexed by the enum, a NULL entry has no word. Member: an
 * enum, or an int that holds one. */
#define JSON_ENUM(n, S, m, words, f) {                                                             \
                .name = (n), .type = JSON_FIELD_ENUM, .flags = (f),                                \
                .offset = offsetof(S, m) + JSON_CHECK_(sizeof(JSON_MEMBER_(S, m)) == sizeof(int)), \
                .names = (words), .n_names = sizeof(words) / sizeof((words)[0]) }

/* [1,2]: uint32_t *m and its counter size_t c; or uint32_t m[N], missing ones are 0, further
 * ones ignored. */
#define JSON_UINT32_LIST(n, S, m, c, f) {                                                          \
                JSON_ROW_(n, UINT32_LIST, S, m, uint32_t *, f), .n_offset = JSON_AT_(S, c, size_t) }
#define JSON_UINT32_FIXED(n, S, m, f) {                                                            \
                .name = (n), .type = JSON_FIELD_UINT32_FIXED, .flags = (f),                        \
                .offset = offsetof(S, m) + JSON_CHECK_(JSON_IS_(S, m[0], uint32_t)),               \
                .size = sizeof(JSON_MEMBER_(S, m)) / sizeof(uint32_t) }

/* A struct by value; a struct by pointer (NULL: absent); a struct by value whose rows are
 * members of the same object. */
#define JSON_NESTED(n, S, m, table, f) {                                                           \
                .name = (n), .type = JSON_FIELD_NESTED, .flags = (f), .offset = offsetof(S, m),    \
                .size = sizeof(JSON_MEMBER_(S, m)), .fields = (table) }
#define JSON_NESTED_PTR(n, S, m, table, f) {                                                       \
                .name = (n), .type = JSON_FIELD_NESTED_PTR, .flags = (f),                          \
                .offset = offsetof(S, m) + JSON_CHECK_(sizeof(JSON_MEMBER_(S, m)) == sizeof(void *)), \
                .size = sizeof(*JSON_MEMBER_(S, m)), .fields = (table) }
#define JSON_EMBED(S, m, table) {                                                                  \
                .name = "", .type = JSON_FIELD_EMBED, .offset = offsetof(S, m),                    \
                .size = sizeof(JSON_MEMBER_(S, m)), .fields = (table) }

/* [{…}]: T *m and its counter size_t c. {"key":{…}}: the same with the key in char *k of T. A
 * table of one row named "" makes the elements something else than objects: JSON_STRV("", …)
 * gives [["a"]], JSON_ARRAY("", …) gives {"key":[{…}]}. */
#define JSON_ARRAY(n, S, m, c, T, table, f) {                                                      \
                JSON_ROW_(n, ARRAY, S, m, T *, f),                                                 \
                .n_offset = JSON_AT_(S, c, size_t), .size = sizeof(T), .fields = (table) }
#define JSON_KEYED(n, S, m, c, T, k, table, f) {                                                   \
                JSON_ROW_(n, KEYED, S, m, T *, f),                                                 \
                .n_offset = JSON_AT_(S, c, size_t), .size = sizeof(T),                             \
                .key_offset = JSON_AT_(T, k, char *), .fields = (table) }

/* clang-format on */
