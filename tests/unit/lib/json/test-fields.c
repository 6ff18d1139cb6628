/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

typedef enum Colour { COLOUR_NONE, COLOUR_RED, COLOUR_BLUE } Colour;

typedef struct Part {
        char *name; /* also the key */
        int64_t size;
        char **words;
} Part;

typedef struct Words {
        char **words;
} Words;

typedef struct Thing {
        char *text, *nullable_text;
        char **list, **nullable_list, **set, **map;
        bool flag;
        int tristate;
        int n;
        int64_t n64, optional64;
        uint16_t n16;
        uint32_t n32, optional32;
        uint64_t u64;
        int64_t time;
        Colour colour;
        uint32_t *ids;
        size_t n_ids;
        uint32_t pair[2];
        Part part, *part_ptr, *parts, *keyed;
        size_t n_parts, n_keyed;
        Words *matrix;
        size_t n_matrix;
        Part embedded;
        Json *raw;
} Thing;

static const char *const colours[] = { [COLOUR_RED] = "red", [COLOUR_BLUE] = "blue" };

/* clang-format off */

static const JsonField part_fields[] = {
        JSON_STRING("Name",  Part, name,  0),
        JSON_INT64 ("Size",  Part, size,  JSON_MANDATORY),
        JSON_STRV  ("Words", Part, words, JSON_OMIT_EMPTY),
        {}
};

static const JsonField keyed_fields[] = {
        JSON_INT64("Size",  Part, size,  0),
        JSON_STRV ("Words", Part, words, JSON_OMIT_EMPTY),
        {}
};

static const JsonField embedded_fields[] = {
        JSON_STRING("InnerName", Part, name, 0),
        {}
};

static const JsonField words_fields[] = {
        JSON_STRV("", Words, words, JSON_NULLABLE),
        {}
};

static const JsonField thing_fields[] = {
        JSON_STRING  ("Text",         Thing, text,          0),
        JSON_STRING  ("NullableText", Thing, nullable_text, JSON_NULLABLE),
        JSON_STRV    ("List",         Thing, list,          JSON_WRAP_STRING),
        JSON_STRV    ("NullableList", Thing, nullable_list, JSON_NULLABLE),
        JSON_SET     ("Set",          Thing, set,           0),
        JSON_MAP     ("Map",          Thing, map,           0),
        JSON_BOOL    ("Flag",         Thing, flag,          0),
        JSON_TRISTATE("Tristate",     Thing, tristate,      JSON_NULLABLE),
        JSON_INT     ("N",            Thing, n,             0),
        JSON_INT64   ("N64",          Thing, n64,           0),
        JSON_INT64   ("Optional64",   Thing, optional64,    JSON_NULLABLE | JSON_OMIT_EMPTY),
        JSON_UINT16  ("N16",          Thing, n16,           0),
        JSON_UINT32  ("N32",          Thing, n32,           0),
        JSON_UINT32  ("Optional32",   Thing, optional32,    JSON_NULLABLE),
        JSON_UINT64  ("U64",          Thing, u64,           0),
        JSON_TIME    ("Time",         Thing, time,          0),
        JSON_ENUM    ("Colour",       Thing, colour, colours, JSON_OMIT_EMPTY),
        JSON_UINT32_LIST ("Ids",  Thing, ids, n_ids, 0),
        JSON_UINT32_FIXED("Pair", Thing, pair, 0),
        JSON_NESTED    ("Part",    Thing, part,     part_fields, 0),
        JSON_NESTED_PTR("PartPtr", Thing, part_ptr, part_fields, JSON_OMIT_EMPTY),
        JSON_ARRAY     ("Parts",   Thing, parts, n_parts, Part, part_fields, JSON_NULLABLE),
        JSON_KEYED     ("Keyed",   Thing, keyed, n_keyed, Part, name, keyed_fields, 0),
        JSON_ARRAY     ("Matrix",  Thing, matrix, n_matrix, Words, words_fields, 0),
        JSON_EMBED     (Thing, embedded, embedded_fields),
        JSON_RAW       ("Raw",     Thing, raw, JSON_OMIT_EMPTY),
        {}
};

/* clang-format on */

#define FULL                                                                                       \
        "{\"Text\":\"a\",\"NullableText\":\"\",\"List\":[\"x\",\"\"],\"NullableList\":[],"         \
        "\"Set\":{\"1/tcp\":{},\"2/udp\":{}},\"Map\":{\"k\":\"v\",\"l\":\"\"},\"Flag\":true,"      \
        "\"Tristate\":false,\"N\":-2147483648,\"N64\":-9223372036854775808,\"Optional64\":0,"      \
        "\"N16\":65535,\"N32\":4294967295,\"Optional32\":4294967294,"                              \
        "\"U64\":18446744073709551615,\"Time\":\"2026-03-01T12:00:00.5Z\",\"Colour\":\"blue\","    \
        "\"Ids\":[1,4294967295],\"Pair\":[3,4],\"Part\":{\"Name\":\"p\",\"Size\":1},"              \
        "\"PartPtr\":{\"Name\":\"\",\"Size\":2,\"Words\":[\"w\"]},"                                \
        "\"Parts\":[{\"Name\":\"q\",\"Size\":3}],\"Keyed\":{\"a\":{\"Size\":5},\"b\":{\"Size\":4}" \
        "},"                                                                                       \
        "\"Matrix\":[[\"m\",\"n\"],[],null],\"InnerName\":\"e\",\"Raw\":{\"any\":[1.5]}}"

static void assert_writes(const Thing *t, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(json_write_text(t, thing_fields, &text), 0);
        assert_string_equal(text, expected);
}

static void thing_done(Thing *t) {
        fields_done(thing_fields, t);
}

static int read_thing(const char *text, JsonReadFlags flags, Thing *t, Error *e) {
        *t = (Thing) {};
        fields_init(thing_fields, t);
        return json_read_text(text, strlen(text), thing_fields, t, flags, e);
}

static void test_round_trip(void **state) {
        _cleanup_(thing_done) Thing t = {}, copy = {};
        _cleanup_(error_done) Error e = {};

        assert_int_equal(read_thing(FULL, 0, &t, &e), 0);
        assert_string_equal(t.list[0], "x");
        assert_string_equal(pairs_get(t.map, "k"), "v");
        assert_int_equal(t.colour, COLOUR_BLUE);
        assert_int_equal(t.tristate, 0);
        assert_int_equal(t.n_keyed, 2);
        assert_string_equal(t.embedded.name, "e");
        assert_int_equal(t.n_matrix, 3);
        assert_null(t.matrix[2].words);
        assert_writes(&t, FULL);

        assert_int_equal(fields_copy(thing_fields, &t, &copy), 0);
        thing_done(&t);
        assert_writes(&copy, FULL);
}

static void test_done_twice(void **state) {
        Thing t, zero = {};

        assert_int_equal(read_thing(FULL, 0, &t, NULL), 0);
        thing_done(&t);
        assert_memory_equal(&t, &zero, sizeof(t));
        thing_done(&t);
        fields_done(thing_fields, NULL);
}

static void test_empty(void **state) {
        _cleanup_(thing_done) Thing t = {};

        fields_init(thing_fields, &t);
        assert_true(t.optional64 == JSON_NO_INT64);
        assert_true(t.time == CLOCK_NEVER);
        assert_int_equal(t.tristate, JSON_NO_TRISTATE);
        assert_writes(&t,
                "{\"Text\":\"\",\"NullableText\":null,\"List\":[],\"NullableList\":null,\"Set\":{},"
                "\"Map\":{},\"Flag\":false,\"Tristate\":null,\"N\":0,\"N64\":0,\"N16\":0,\"N32\":0,"
                "\"Optional32\":null,\"U64\":0,\"Time\":\"0001-01-01T00:00:00Z\",\"Ids\":[],"
                "\"Pair\":[0,0],\"Part\":{\"Name\":\"\",\"Size\":0},\"Parts\":null,\"Keyed\":{},"
                "\"Matrix\":[],\"InnerName\":\"\"}");
}

static void test_errors(void **state) {
        static const struct {
                const char *text, *error;
        } rows[] = {
                { "[]", "expected an object" },
                { "{\"Text\":1}", "Text: expected a string" },
                { "{\"Text\":null}", "Text: expected a string" },
                { "{\"List\":[\"a\",2]}", "List[1]: expected a string" },
                { "{\"List\":{}}", "List: expected a list of strings" },
                { "{\"NullableList\":\"x\"}", "NullableList: expected a list of strings" },
                { "{\"Set\":{\"80\":1}}", "Set.80: expected {}" },
                { "{\"Set\":[]}", "Set: expected an object" },
                { "{\"Map\":{\"size\":5}}", "Map.size: expected a string" },
                { "{\"Flag\":\"true\"}", "Flag: expected true or false" },
                { "{\"Flag\":1}", "Flag: expected true or false" },
                { "{\"N\":\"1\"}", "N: expected an integer" },
                { "{\"N\":1.5}", "N: expected an integer" },
                { "{\"N\":2147483648}", "N: number out of range" },
                { "{\"N64\":9223372036854775808}", "N64: number out of range" },
                { "{\"Optional64\":-9223372036854775808}", "Optional64: number out of range" },
                { "{\"N16\":65536}", "N16: number out of range" },
                { "{\"N16\":-1}", "N16: number out of range" },
                { "{\"Optional32\":4294967295}", "Optional32: number out of range" },
                { "{\"Time\":\"yesterday\"}", "Time: expected a time like 2026-03-01T12:00:00Z" },
                { "{\"Colour\":\"green\"}", "Colour: expected one of \"red\", \"blue\"" },
                { "{\"Ids\":[1,-1]}", "Ids[1]: number out of range" },
                { "{\"Pair\":[1,\"x\"]}", "Pair[1]: expected an integer" },
                { "{\"Part\":{}}", "Part.Size: is missing" },
                { "{\"Parts\":[{\"Size\":1},{\"Size\":[]}]}",
                        "Parts[1].Size: expected an integer" },
                { "{\"Parts\":{}}", "Parts: expected a list" },
                { "{\"Keyed\":{\"net\":{\"Words\":[1]}}}",
                        "Keyed.net.Words[0]: expected a string" },
                { "{\"Matrix\":[[\"a\"],[3]]}", "Matrix[1][0]: expected a string" },
                { "{\"InnerName\":[]}", "InnerName: expected a string" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(error_done) Error e = {};
                _cleanup_(thing_done) Thing t = {};

                assert_int_equal(read_thing(rows[i].text, 0, &t, &e), -EINVAL);
                assert_int_equal(e.kind, ERROR_INVALID);
                assert_string_equal(e.text, rows[i].error);
        }
}

static void test_docker_leniency(void **state) {
        _cleanup_(thing_done) Thing t = {};
        _cleanup_(error_done) Error e = {};

        assert_int_equal(
                read_thing(
                        "{\"tEXT\":\"a\",\"unknown\":[],\"N\":null,\"Text\":null,\"list\":\"one\","
                        "\"Map\":{\"k\":null},\"set\":{\"x\":null},\"Parts\":[null],\"Keyed\":{"
                        "\"n\":null},"
                        "\"innername\":\"i\",\"part\":{\"size\":3}}",
                        JSON_READ_DOCKER, &t, &e),
                0);
        assert_string_equal(t.text, "a");
        assert_string_equal(t.list[0], "one");
        assert_string_equal(pairs_get(t.map, "k"), "");
        assert_string_equal(t.set[0], "x");
        assert_int_equal(t.n_parts, 1);
        assert_string_equal(t.keyed[0].name, "n");
        assert_string_equal(t.embedded.name, "i");
        assert_int_equal(t.part.size, 3);

        thing_done(&t);
        assert_int_equal(read_thing("{\"tEXT\":\"a\"}", 0, &t, &e), 0); /* another key, then */
        assert_null(t.text);
}

static void test_repeated_rows_replace(void **state) {
        _cleanup_(thing_done) Thing t = {};

        assert_int_equal(
                read_thing("{\"List\":[\"a\"],\"list\":[\"b\",\"c\"],\"Parts\":[{\"Size\":1}],"
                           "\"parts\":[],\"PartPtr\":{\"Name\":\"x\",\"Size\":1},\"partptr\":{"
                           "\"Size\":2}}",
                        JSON_READ_DOCKER, &t, NULL),
                0);
        assert_int_equal(strv_length(t.list), 2);
        assert_int_equal(t.n_parts, 0);
        assert_non_null(t.parts);                   /* [] is not null */
        assert_string_equal(t.part_ptr->name, "x"); /* structs are merged */
        assert_int_equal(t.part_ptr->size, 2);
}

static void test_null_resets(void **state) {
        _cleanup_(thing_done) Thing t = {};
        static const char text[] = "{\"NullableList\":null,\"Optional64\":null,\"Tristate\":null,"
                                   "\"Parts\":null,\"NullableText\":null}";
        Json *v = NULL;

        assert_int_equal(read_thing(FULL, 0, &t, NULL), 0);
        assert_int_equal(json_parse(text, strlen(text), JSON_SIZE_MAX, &v, NULL), 0);
        assert_int_equal(json_read(v, thing_fields, &t, NULL), 0);
        (void) json_unref(v);
        assert_null(t.nullable_list);
        assert_null(t.nullable_text);
        assert_null(t.parts);
        assert_int_equal(t.n_parts, 0);
        assert_true(t.optional64 == JSON_NO_INT64);
        assert_int_equal(t.tristate, JSON_NO_TRISTATE);
}

static void test_long_keys_in_errors(void **state) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(thing_done) Thing t = {};
        char text[1024];

        (void) snprintf(text, sizeof(text), "{\"Map\":{\"%0900d\":1}}", 0);
        assert_int_equal(read_thing(text, 0, &t, &e), -EINVAL);
        assert_true(strlen(e.text) < 120);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_done_twice),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_docker_leniency),
                cmocka_unit_test(test_repeated_rows_replace),
                cmocka_unit_test(test_null_resets),
                cmocka_unit_test(test_long_keys_in_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
