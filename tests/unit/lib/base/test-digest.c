/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/digest.h"

#include <string.h>

#include "tests/unit/test.h"

#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_text(void **state) {
        const char *hex;
        DigestKind kind;
        char text[300];

        assert_ok(digest_parse(ABC, &kind, &hex));
        assert_int_equal(kind, DIGEST_SHA256);
        assert_int_equal(strlen(hex), 64);
        assert_string_equal(digest_hex(EMPTY), &EMPTY[7]);
        assert_false(digest_is_valid(NULL));
        assert_false(digest_is_valid(""));
        assert_false(digest_is_valid("sha256:"));
        assert_false(digest_is_valid("sha256:abc"));
        assert_false(digest_is_valid("md5:d41d8cd98f00b204e9800998ecf8427e"));
        assert_false(digest_is_valid(ABC "0"));
        assert_false(digest_is_valid(
                "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        assert_false(digest_is_valid(
                "sha256:../6bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad00"));
        memset(text, 'a', sizeof(text));
        memcpy(text, "sha512:", 7);
        text[7 + 128] = 0;
        assert_ok(digest_parse(text, &kind, NULL));
        assert_int_equal(kind, DIGEST_SHA512);
}

static void test_compute(void **state) {
        _cleanup_(digest_freep) Digest *d = NULL;
        _cleanup_(fd_closep) int fd = fd_memfd_sealed("t", "abc", 3);
        char text[DIGEST_TEXT_SIZE];
        uint64_t size;

        assert_ok(digest_data("", 0, text));
        assert_string_equal(text, EMPTY);
        assert_ok(digest_new(DIGEST_SHA256, &d));
        digest_update(d, "a", 1);
        digest_update(d, NULL, 0);
        digest_update(d, "bc", 2);
        assert_string_equal(digest_text(d, text), ABC);
        assert_string_equal(digest_text(d, text), ABC);
        assert_ok(digest_fd(fd, text, &size));
        assert_string_equal(text, ABC);
        assert_int_equal(size, 3);
}

static void test_sha512(void **state) {
        _cleanup_(digest_freep) Digest *d = NULL;
        char text[DIGEST_TEXT_SIZE];

        assert_ok(digest_new(DIGEST_SHA512, &d));
        digest_update(d, "abc", 3);
        assert_true(digest_is_valid(digest_text(d, text)));
        assert_memory_equal(text, "sha512:ddaf35a193617abacc417349ae204131", 39);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_compute),
                cmocka_unit_test(test_sha512),
        };

        return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
