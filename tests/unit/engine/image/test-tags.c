/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/image/tags.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

#define M1   "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define M2   "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define X1   "docker.io/library/x:1"
#define X2   "docker.io/library/x:2"
#define TYPE "application/vnd.oci.image.manifest.v1+json"

static void set(Tags *t, const char *name, const char *manifest) {
        assert_ok(tags_set(t, name, manifest, TYPE, 10, 1700000000 * NSEC_PER_SEC));
}

static size_t rows_of(const Tags *t, const char *manifest) {
        size_t n = 0;

        for (size_t i = 0; i < tags_count(t); i++)
                n += streq(tags_at(t, i)->manifest, manifest);
        return n;
}

static void test_moves(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(tags_freep) Tags *t = NULL;

        assert_ok(tags_load(root, &t, NULL));
        assert_int_equal(tags_count(t), 0);

        set(t, NULL, M1);
        assert_int_equal(tags_count(t), 1);
        set(t, X1, M1); /* takes the place of the row without a name */
        assert_int_equal(tags_count(t), 1);
        set(t, X2, M1);
        assert_int_equal(tags_count(t), 2);
        set(t, X1, M2);
        assert_string_equal(tags_find(t, X1)->manifest, M2);
        assert_int_equal(rows_of(t, M1), 1);

        set(t, X2, M2); /* M1 has no name any more, but is still there */
        assert_int_equal(rows_of(t, M1), 1);
        assert_int_equal(tags_count(t), 3);
        set(t, X2, M2);
        assert_int_equal(tags_count(t), 3);

        assert_int_equal(tags_unset(t, X1), 1);
        assert_int_equal(tags_unset(t, X1), 0);
        assert_int_equal(tags_unset(t, X2), 1);
        assert_int_equal(rows_of(t, M2), 1);
        assert_null(tags_at(t, 0)->name);

        assert_int_equal(tags_drop(t, M2), 1);
        assert_int_equal(tags_drop(t, M2), 0);
        assert_int_equal(tags_hide(t, M1), 0);
        assert_true(tags_at(t, 0)->hidden);
        set(t, NULL, M1); /* loaded again */
        assert_false(tags_at(t, 0)->hidden);
}

static void test_file(void **state) {
        static const char *const foreign =
                "{\"schemaVersion\":2,\"manifests\":["
                "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"" M1
                "\",\"size\":7,"
                "\"annotations\":{\"org.opencontainers.image.ref.name\":\"index\"}},"
                "{\"mediaType\":\"" TYPE "\",\"digest\":\"" M1
                "\",\"size\":7,\"annotations\":{\"org.opencontainers.image.ref.name\":\"bare\"}},"
                "{\"mediaType\":\"" TYPE "\",\"digest\":\"" M2
                "\",\"size\":9,\"annotations\":{\"org.opencontainers.image.ref.name\":\"" X2
                "\"}}]}";
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(tags_freep) Tags *t = NULL, *copy = NULL, *again = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_ok(file_write_atomic_string(root, TAGS_FILE, foreign, 0600, 0));
        assert_ok(tags_load(root, &t, NULL));
        assert_int_equal(tags_count(t), 1); /* the others are not ours to judge … */
        set(t, X1, M1);
        assert_ok(tags_copy(t, &copy));
        assert_ok(tags_save(copy, root, NULL));

        assert_ok(file_read_at(root, TAGS_FILE, 1 << 20, &text, NULL));
        assert_non_null(strstr(text, "\"index\"")); /* … and stay */
        assert_non_null(strstr(text, "\"bare\""));
        assert_ok(tags_load(root, &again, NULL));
        assert_int_equal(tags_count(again), 2);
        assert_string_equal(tags_find(again, X1)->manifest, M1);
        assert_int_equal(tags_find(again, X1)->time_ns, 1700000000 * NSEC_PER_SEC);
        assert_int_equal(tags_find(again, X2)->size, 9);
}

static void test_damaged(void **state) {
        static const char *const texts[] = { "", "{", "[]",
                "{\"schemaVersion\":2,\"manifests\":[{\"digest\":7,\"size\":1}]}",
                "{\"schemaVersion\":2,\"manifests\":7}" };
        _cleanup_(fd_closep) int root = test_folder_open(state);

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(tags_freep) Tags *t = NULL;
                _cleanup_(error_done) Error e = {};

                assert_ok(file_write_atomic_string(root, TAGS_FILE, texts[i], 0600, 0));
                if (tags_load(root, &t, &e) >= 0)
                        fail_msg("text %zu was taken", i);
                assert_non_null(e.text);
        }
}

static void test_many(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(tags_freep) Tags *t = NULL;
        char name[64];

        assert_ok(tags_load(root, &t, NULL));
        for (unsigned i = 0; i < 3000; i++) {
                (void) snprintf(name, sizeof(name), "docker.io/library/x:%u", i);
                set(t, name, i % 2 ? M1 : M2);
        }
        for (unsigned i = 0; i < 3000; i += 3) {
                (void) snprintf(name, sizeof(name), "docker.io/library/x:%u", i);
                assert_int_equal(tags_unset(t, name), 1);
        }
        assert_int_equal(tags_count(t), 2000);
        for (unsigned i = 0; i < 3000; i++) {
                const Tag *x;

                (void) snprintf(name, sizeof(name), "docker.io/library/x:%u", i);
                x = tags_find(t, name);
                assert_int_equal(x != NULL, i % 3 != 0);
                if (x)
                        assert_string_equal(x->name, name);
        }
        assert_ok(tags_save(t, root, NULL));
}

#define CASE(function) \
        cmocka_unit_test_setup_teardown(function, test_folder_setup, test_folder_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                CASE(test_moves),
                CASE(test_file),
                CASE(test_damaged),
                CASE(test_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
