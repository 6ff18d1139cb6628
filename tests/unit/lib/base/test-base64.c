/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/base64.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "tests/unit/test.h"

/* RFC 4648, 10. */
static const struct {
        const char *data, *text;
} pairs[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xfb\xff\xbf", "+/+/" },
};

static void test_encode(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                size_t size = strlen(pairs[i].data);
                char text[16] = "................";

                base64_encode(pairs[i].data, size, text);
                assert_string_equal(text, pairs[i].text);
                assert_int_equal(strlen(text) + 1, BASE64_SIZE(size));
        }
}

static void test_decode(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                _cleanup_(freep) char *data = NULL;
                size_t size;

                assert_ok(base64_decode(pairs[i].text, &data, &size));
                assert_int_equal(size, strlen(pairs[i].data));
                assert_memory_equal(data, pairs[i].data, size);
        }
}

static void test_refused(void **state) {
        static const char *const texts[] = { "*", "Zg-=", "Zm9\x80", "_" };
        char *data = NULL;
        size_t size;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_int_equal(base64_decode(texts[i], &data, &size), -EINVAL);
        assert_null(data);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_encode),
                cmocka_unit_test(test_decode),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
