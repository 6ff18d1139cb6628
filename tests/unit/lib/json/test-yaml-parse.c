/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "lib/json/yaml-parse.h"

static void assert_yaml(const char *text, const char *expected) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *printed = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = yaml_parse(text, strlen(text), 100000, &v, &e);
        if (r < 0)
                fail_msg("%s: %s", text, error_text(&e, r));
        assert_ok(json_print(v, JSON_COMPACT, &printed));
        assert_string_equal(printed, expected);
}

static void assert_refused(const char *text, const char *sentence) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = yaml_parse(text, strlen(text), 100000, &v, &e);
        assert_int_equal(r, -EINVAL);
        if (!strstr(error_text(&e, r), sentence))
                fail_msg("%s: %s", text, error_text(&e, r));
        assert_null(v);
}

static void test_words(void **state) {
        assert_yaml("", "null");
        assert_yaml("[~, null, true, False, yes, no]", "[null,null,true,false,\"yes\",\"no\"]");
        assert_yaml("[0, -7, 0x1F, 0o17, 0660, 18446744073709551615]",
                "[0,-7,31,15,432,18446744073709551615]");
        assert_yaml("[1.5, '1', \"true\", 0.5.0, 1e, -, a-1]",
                "[1.5,\"1\",\"true\",\"0.5.0\",\"1e\",\"-\",\"a-1\"]");
        assert_yaml("[!!str 1]", "[\"1\"]");
}

static void test_shapes(void **state) {
        assert_yaml("a:\n  - b: 1\n    c: |\n      x\n      y\n  - []\n",
                "{\"a\":[{\"b\":1,\"c\":\"x\\ny\\n\"},[]]}");
        assert_yaml("a: 1\na: 2\n", "{\"a\":2}");
        assert_yaml("--- {a: }\n...\n", "{\"a\":null}");
}

static void test_refused(void **state) {
        _cleanup_(freep) char *deep = NULL;

        assert_refused("a: &x 1\n", "line 1, column 4: anchors and tags");
        assert_refused("a: *x\n", "aliases are not supported");
        assert_refused("<<: {a: 1}\n", "merge keys");
        assert_refused("!!binary aGk=\n", "anchors and tags");
        assert_refused("[a: 1, [b]: 2]", "a key must be a word");
        assert_refused("a: [1\n", "line 2");
        assert_refused("a\n---\nb\n", "more than one document");
        for (unsigned i = 0; i < JSON_DEPTH_MAX + 2; i++)
                assert_ok(str_appendf(&deep, "["));
        assert_refused(deep, "nested too deep");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_shapes),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
