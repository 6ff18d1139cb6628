/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/storage/apply.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "tests/unit/lib/archive/tar-make.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B \
        "sha256:aaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" /* begins as A does */
#define C   "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define BOX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *driver; /* the tests run once for each */

static Storage *open_storage(void **state) {
        Storage *s = NULL;
        _cleanup_(error_done) Error e = {};

        if (storage_open(*state, driver, NULL, &s, &e) < 0)
                fail_msg("%s", e.text);
        assert_string_equal(storage_driver_name(s), driver);
        return s;
}

/* One layer out of an archive, as a worker makes it. */
static int make_layer(void **state, Storage *s, const char *chain_id, const char *parent,
        Buffer *tar, Error *reterr) {
        Layer record = { .chain_id = (char *) chain_id,
                .parent = (char *) parent,
                .diff_id = (char *) chain_id,
                .blob = (char *) C };
        _cleanup_(layer_build_freep) LayerBuild *build = NULL;
        _cleanup_(fd_closep) int fd = fd_memfd("layer");
        int r;

        tar_make_end(tar);
        assert_ok(fd_write_full(fd, buffer_head(tar), buffer_size(tar)));
        r = layer_build_new(s, storage_unpacks_alone(s) ? NULL : parent, &build, reterr);
        if (r >= 0)
                r = layer_build_apply(build, &(const ApplyOptions) { .blob_fd = fd }, reterr);
        if (r >= 0)
                r = layer_build_commit(build, &record, reterr);
        return r;
}

static int look(void **state, const char *digest, const char *path, struct stat *st) {
        _cleanup_(freep) char *full = NULL;

        assert_ok(str_printf(&full, "%s/layers/%s/%s/diff/%s", (const char *) *state, driver,
                str_starts(digest, "sha256:") ?: digest, path));
        return lstat(full, st) < 0 ? -errno : 0;
}

static void make_two(void **state, Storage *s) {
        _cleanup_(buffer_done) Buffer one = {}, two = {};

        tar_make(&one, "./", '5', NULL, 0711, NULL);
        tar_make(&one, "keep", '0', NULL, 0644, "kept");
        tar_make(&one, "gone", '0', NULL, 0644, "x");
        tar_make(&one, "dir/", '5', NULL, 01770, NULL);
        tar_make(&one, "dir/old", '0', NULL, 0644, "old");
        tar_make(&one, "twin", '1', "keep", 0644, NULL);
        assert_ok(make_layer(state, s, A, NULL, &one, NULL));

        tar_make(&two, "dir/new", '0', NULL, 0644, "new"); /* without an entry for dir */
        tar_make(&two, ".wh.gone", '0', NULL, 0644, NULL);
        tar_make(&two, "opaque/", '5', NULL, 0755, NULL);
        tar_make(&two, "opaque/.wh..wh..opq", '0', NULL, 0644, NULL);
        assert_ok(make_layer(state, s, B, A, &two, NULL));
}

static void test_layers(void **state) {
        _cleanup_(storage_freep) Storage *s = open_storage(state);
        _cleanup_(layer_done) Layer record = {};
        bool whole = streq(driver, "vfs");
        struct stat st;

        make_two(state, s);
        assert_int_equal(storage_layer_exists(s, A), 1);
        assert_int_equal(storage_layer_exists(s, B), 1);
        assert_int_equal(storage_layer_exists(s, C), 0);
        assert_int_equal(storage_layer_exists(s, "../x"), -EINVAL);

        assert_ok(layer_load(s, B, &record));
        assert_string_equal(record.parent, A);
        assert_int_equal(record.size, 3);
        assert_int_equal(layer_load(s, C, &record), -ENOENT);

        assert_ok(look(state, B, "dir", &st));
        assert_int_equal(st.st_mode, S_IFDIR | 01770); /* as it is below */
        assert_ok(look(state, B, "dir/new", &st));
        assert_ok(look(state, B, "", &st));
        assert_int_equal(st.st_mode & 07777, 0711);

        if (whole) {
                ino_t keep;

                assert_ok(look(state, B, "dir/old", &st));
                assert_int_equal(look(state, B, "gone", &st), -ENOENT);
                assert_ok(look(state, B, "keep", &st));
                keep = st.st_ino;
                assert_ok(look(state, B, "twin", &st));
                assert_int_equal(st.st_ino, keep); /* still one file */
                assert_ok(look(state, A, "keep", &st));
                assert_int_not_equal(st.st_ino, keep);
        } else {
                _cleanup_(freep) char *opaque = NULL;
                char value[2];

                assert_ok(look(state, B, "gone", &st));
                assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
                assert_ok(str_printf(&opaque, "%s/layers/overlay2/%s/diff/opaque",
                        (const char *) *state, &B[7]));
                assert_int_equal(
                        getxattr(opaque, "trusted.overlay.opaque", value, sizeof(value)), 1);
        }
}

static void test_hostile_layer(void **state) {
        _cleanup_(storage_freep) Storage *s = open_storage(state);
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(error_done) Error e = {};
        _cleanup_(strv_freep) char **left = NULL;
        _cleanup_(fd_closep) int root = test_folder_open(state);

        tar_make(&b, "../x", '0', NULL, 0644, "1");
        assert_true(make_layer(state, s, A, NULL, &b, &e) < 0);
        assert_int_equal(e.kind, ERROR_INVALID);
        assert_int_equal(storage_layer_exists(s, A), 0);
        assert_ok(file_list(root, "tmp", /* hidden= */ true, &left));
        assert_int_equal(strv_length(left), 1); /* the trash folder */
}

static void test_container_layer(void **state) {
        _cleanup_(storage_freep) Storage *s = open_storage(state);
        _cleanup_(strv_freep) char **images = NULL, **containers = NULL;
        _cleanup_(error_done) Error e = {};
        MountSpec m = {};
        struct stat st;

        make_two(state, s);
        assert_int_equal(storage_create_is_quick(s), streq(driver, "overlay2"));
        assert_ok(storage_layer_create(s, BOX, B, NULL));
        assert_int_equal(storage_layer_create(s, BOX, B, &e), -EEXIST);
        error_done(&e);
        assert_int_equal(storage_layer_create(s, "short", B, &e), -EINVAL);
        error_done(&e);
        assert_int_equal(storage_layer_create(s, &C[7], C, &e), -ENOENT);

        assert_ok(look(state, BOX, "", &st));
        assert_int_equal(st.st_mode & 07777, 0711);

        assert_ok(storage_mount_spec(s, BOX, /* read_only= */ false, &m, NULL));
        if (streq(driver, "vfs")) {
                assert_string_equal(m.type, "bind");
                assert_true(str_ends(m.source, BOX "/diff"));
        } else {
                assert_string_equal(m.type, "overlay");
                /* A and B begin alike: the second one got a longer short name */
                assert_true(str_starts(m.options,
                        "lowerdir=l/aaaaaaaaaaaabbbb:l/aaaaaaaaaaaa,upperdir=" BOX
                        "/diff,workdir=" BOX "/work"));
        }
        mount_spec_done(&m);

        assert_ok(storage_list_layers(s, /* of_images= */ true, &images));
        assert_int_equal(strv_length(images), 2);
        assert_ok(storage_list_layers(s, /* of_images= */ false, &containers));
        assert_int_equal(strv_length(containers), 1);
        assert_string_equal(containers[0], BOX);

        assert_int_equal(storage_layer_remove(s, BOX), 0); /* small: gone at once */
        assert_int_equal(storage_layer_remove(s, BOX), 0);
        assert_int_equal(storage_layer_exists(s, BOX), 0);
}

static void test_base_and_mount_of_image(void **state) {
        _cleanup_(storage_freep) Storage *s = open_storage(state);
        MountSpec m = {};

        make_two(state, s);
        assert_ok(storage_mount_spec(
                s, A, /* read_only= */ true, &m, NULL)); /* one layer needs no overlay */
        assert_string_equal(m.type, "bind");
        assert_true(m.read_only);
        mount_spec_done(&m);

        assert_ok(storage_layer_create(s, BOX, NULL, NULL)); /* an image without layers */
        assert_ok(storage_mount_spec(s, BOX, /* read_only= */ false, &m, NULL));
        assert_string_equal(m.type, "bind");
        mount_spec_done(&m);
}

static void test_trash(void **state) {
        _cleanup_(storage_freep) Storage *s = open_storage(state);
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(freep) char *stray = NULL;

        for (unsigned i = 0; i < 100; i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "f%u", i);
                tar_make(&b, name, '0', NULL, 0644, "x");
        }
        assert_ok(make_layer(state, s, A, NULL, &b, NULL));
        assert_int_equal(storage_layer_remove(s, A), 1); /* not small: to be emptied by a worker */
        assert_int_equal(storage_layer_exists(s, A), 0);
        assert_int_equal(storage_trash_empty(s), 1);
        assert_int_equal(storage_trash_empty(s), 0);

        /* What a dead worker left is tidied up. */
        assert_ok(str_printf(&stray, "%s/tmp/layer-dead", (const char *) *state));
        assert_ok(mkdir(stray, 0700));
        assert_int_equal(storage_tidy(s), 1);
        assert_int_equal(storage_trash_empty(s), 1);
        assert_int_equal(storage_tidy(s), 0);
}

static void test_damaged_chain(void **state) {
        _cleanup_(storage_freep) Storage *s = open_storage(state);
        _cleanup_(freep) char *link = NULL;
        _cleanup_(error_done) Error e = {};
        MountSpec m = {};

        make_two(state, s);
        assert_ok(
                str_printf(&link, "%s/layers/%s/%s/parent", (const char *) *state, driver, &A[7]));
        assert_ok(symlink(
                "../aaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", link));
        assert_int_equal(storage_mount_spec(s, B, true, &m, &e), -ELOOP); /* a circle */
        assert_ok(unlink(link));
        assert_ok(symlink("/etc", link));
        error_done(&e);
        assert_int_equal(storage_mount_spec(s, B, true, &m, &e), -EBADMSG);
}

static void test_pick(void **state) {
        static const char *const refused[] = { "aufs", "btrfs", "zfs", "nonsense", "../x" };
        _cleanup_(storage_freep) Storage *s = NULL, *again = NULL;
        _cleanup_(buffer_done) Buffer b = {};

        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                _cleanup_(error_done) Error e = {};
                Storage *none;

                assert_int_equal(storage_open(*state, refused[i], NULL, &none, &e), -EINVAL);
                assert_non_null(strstr(e.text, "vfs"));
        }

        s = open_storage(state);
        tar_make(&b, "f", '0', NULL, 0644, "x");
        assert_ok(make_layer(state, s, A, NULL, &b, NULL));
        assert_ok(storage_open(*state, NULL, NULL, &again, NULL)); /* the one in use */
        assert_string_equal(storage_driver_name(again), driver);
}

static void test_chain_ids(void **state) {
        _cleanup_(strv_freep) char **diffs = strv_new(A, B), **ids = NULL;

        assert_ok(layer_chain_ids(diffs, &ids));
        assert_string_equal(ids[0], A);
        /* printf '%s %s' A B | sha256sum */
        assert_string_equal(ids[1],
                "sha256:"
                "402ba5b4cd68b4fe4c3a4bac4809c9ed20f36857002fa341d012a8254b19b1e7");
        ids = strv_free(ids);
        assert_ok(layer_chain_ids(NULL, &ids));
        assert_int_equal(strv_length(ids), 0);
}

#define CASE(function) \
        cmocka_unit_test_setup_teardown(function, test_folder_setup, test_folder_teardown)

/* The name of the driver is the argument. */
int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                CASE(test_layers),
                CASE(test_hostile_layer),
                CASE(test_container_layer),
                CASE(test_base_and_mount_of_image),
                CASE(test_trash),
                CASE(test_damaged_chain),
                CASE(test_pick),
                cmocka_unit_test(test_chain_ids),
        };
        _cleanup_(strv_freep) char **usable = NULL;
        const char *base = getenv("TMPDIR");

        driver = argc > 1 ? argv[1] : "vfs";
        if (storage_list_usable(base ? base : "/tmp", &usable) < 0 ||
                !strv_contains(usable, driver)) {
                printf("1..0 # SKIP %s cannot be used here\n", driver);
                return 0;
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
