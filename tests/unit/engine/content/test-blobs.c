/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>
#include <unistd.h>

#include "engine/content/blobs.h"
#include "lib/base/alloc.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define HELLO "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static void test_put_read_remove(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(blobs_freep) Blobs *b = NULL;
        _cleanup_(strv_freep) char **list = NULL;
        _cleanup_(freep) char *text = NULL;
        char digest[DIGEST_TEXT_SIZE];
        uint64_t blob_size;
        size_t size;
        int fd;

        assert_ok(blobs_open(root, &b));
        assert_int_equal(file_exists_at(root, "oci-layout"), 1);
        assert_int_equal(blobs_exists(b, HELLO), 0);
        assert_ok(blobs_put(b, "hello", 5, digest));
        assert_string_equal(digest, HELLO);
        assert_ok(blobs_put(b, "hello", 5, digest));
        assert_int_equal(blobs_exists(b, HELLO), 1);

        assert_ok(blobs_read(b, HELLO, &text, &size, NULL));
        assert_int_equal(size, 5);
        assert_memory_equal(text, "hello", 5);
        fd = blobs_open_fd(b, HELLO, &blob_size);
        assert_true(fd >= 0);
        fd_close(fd);
        assert_int_equal(blob_size, 5);

        assert_ok(blobs_list(b, &list));
        assert_int_equal(strv_length(list), 1);
        assert_string_equal(list[0], HELLO);

        assert_int_equal(blobs_remove(b, HELLO), 1);
        assert_int_equal(blobs_remove(b, HELLO), 0);
        assert_int_equal(blobs_exists(b, HELLO), 0);
}

static void test_no_digest(void **state) {
        static const char *const words[] = { "", "sha256:", "sha256:../../../../etc/passwd", "../x",
                "md5:0", "sha256:2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
                "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", HELLO "0" };
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(blobs_freep) Blobs *b = NULL;

        assert_ok(blobs_open(root, &b));
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                _cleanup_(freep) char *text = NULL;
                size_t size;

                assert_int_equal(blobs_exists(b, words[i]), -EINVAL);
                assert_int_equal(blobs_open_fd(b, words[i], NULL), -EINVAL);
                assert_int_equal(blobs_remove(b, words[i]), -EINVAL);
                assert_int_equal(blobs_read(b, words[i], &text, &size, NULL), -EINVAL);
        }
        assert_int_equal(blobs_exists(b, NULL), -EINVAL);
}

static void test_writer(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(blobs_freep) Blobs *b = NULL;
        _cleanup_(blob_writer_freep) BlobWriter *good = NULL, *bad = NULL, *again = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(strv_freep) char **left = NULL;

        assert_ok(blobs_open(root, &b));
        assert_ok(blob_writer_new(b, &good));
        assert_ok(blob_writer_write(good, "hel", 3));
        assert_ok(blob_writer_write(good, "lo", 2));
        assert_int_equal(blob_writer_size(good), 5);
        assert_int_equal(blobs_exists(b, HELLO), 0); /* not before it is whole */
        assert_ok(blob_writer_commit(good, HELLO, NULL, NULL));
        assert_int_equal(blobs_exists(b, HELLO), 1);

        assert_ok(blob_writer_new(b, &bad));
        assert_ok(blob_writer_write(bad, "jello", 5));
        assert_int_equal(blob_writer_commit(bad, HELLO, NULL, &e), -EINVAL);
        assert_non_null(strstr(e.text, "does not match"));

        assert_ok(blob_writer_new(b, &again));
        assert_ok(blob_writer_write(again, "hello", 5));
        assert_ok(blob_writer_commit(again, NULL, NULL, NULL)); /* was there */

        bad = blob_writer_free(bad);
        assert_ok(file_list(root, "tmp", /* hidden= */ true, &left));
        assert_int_equal(strv_length(left), 1);
        assert_string_equal(left[0], "trash");
}

/* What was lost on disk comes back with the next copy that arrives. */
static void test_mend(void **state) {
        static const char *const damages[] = { "jello", "", "hello and more" };
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(blobs_freep) Blobs *b = NULL;
        char digest[DIGEST_TEXT_SIZE], name[128];

        assert_ok(blobs_open(root, &b));
        assert_ok(blobs_put(b, "hello", 5, digest));
        (void) snprintf(name, sizeof(name), "blobs/sha256/%s", digest_hex(digest));
        assert_int_equal(blobs_is_whole(b, HELLO), 1);

        for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
                _cleanup_(freep) char *text = NULL;
                size_t size;

                assert_ok(file_write_atomic_string(root, name, damages[i], 0600, 0));
                assert_int_equal(blobs_is_whole(b, HELLO), 0);
                assert_ok(blobs_put(b, "hello", 5, digest));
                assert_ok(blobs_read(b, HELLO, &text, &size, NULL));
                assert_string_equal(text, "hello");
        }

        for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
                _cleanup_(blob_writer_freep) BlobWriter *w = NULL;

                assert_ok(file_write_atomic_string(root, name, damages[i], 0600, 0));
                assert_ok(blob_writer_new(b, &w));
                assert_ok(blob_writer_write(w, "hello", 5));
                assert_ok(blob_writer_commit(w, HELLO, NULL, NULL));
                assert_int_equal(blobs_is_whole(b, HELLO), 1);
        }

        assert_int_equal(blobs_remove(b, HELLO), 1);
        assert_int_equal(blobs_is_whole(b, HELLO), 0);
        assert_int_equal(blobs_is_whole(b, "x"), -EINVAL);
}

static void test_damage(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(blobs_freep) Blobs *b = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;
        char digest[DIGEST_TEXT_SIZE], name[128];
        size_t size;
        int fd;

        assert_ok(blobs_open(root, &b));
        assert_ok(blobs_put(b, "hello", 5, digest));
        (void) snprintf(name, sizeof(name), "blobs/sha256/%s", digest_hex(digest));
        fd = openat(root, name, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, "j", 1, 0), 1);
        fd_close(fd);
        assert_int_equal(blobs_read(b, digest, &text, &size, &e), -EBADMSG);
        assert_non_null(strstr(e.text, "damaged"));
}

static void test_lock(void **state) {
        _cleanup_(fd_closep) int root = test_folder_open(state);
        _cleanup_(blobs_freep) Blobs *a = NULL, *b = NULL;

        assert_ok(blobs_open(root, &a));
        assert_ok(blobs_open(root, &b));
        assert_ok(blobs_lock(a, /* exclusive= */ false, /* wait= */ false));
        assert_ok(blobs_lock(b, /* exclusive= */ false, /* wait= */ false));
        assert_int_equal(blobs_lock(b, /* exclusive= */ true, /* wait= */ false), -EAGAIN);
        blobs_unlock(a);
        assert_ok(blobs_lock(b, /* exclusive= */ true, /* wait= */ false));
}

#define CASE(function) \
        cmocka_unit_test_setup_teardown(function, test_folder_setup, test_folder_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                CASE(test_put_read_remove),
                CASE(test_no_digest),
                CASE(test_writer),
                CASE(test_damage),
                CASE(test_mend),
                CASE(test_lock),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
