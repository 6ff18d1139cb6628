/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is damaged, foreign or of another driver costs nothing that is whole. */
#include "tests/unit/engine/image/images-place.h"

static void test_damaged(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *name = NULL;

        assert_ok(str_printf(&name, "blobs/sha256/%s", p->id[0] + 7));
        assert_ok(file_write_atomic_string(p->root_fd, name, "{}", 0600, 0));
        reload(p);
        assert_int_equal(images_count(p->images), 1); /* the other one is fine */
        free(removed(p, "x:2", false));
        assert_int_equal(file_exists_at(p->root_fd, name),
                1); /* nothing is swept while something cannot be read */
}

static void damage(Place *p, const char *digest) {
        _cleanup_(freep) char *name = NULL;

        assert_ok(str_printf(&name, "blobs/sha256/%s", digest_hex(digest)));
        assert_ok(file_write_atomic_string(p->root_fd, name, "{}", 0600, 0));
}

static size_t count_blobs(Place *p) {
        _cleanup_(strv_freep) char **names = NULL;

        assert_ok(file_list(p->root_fd, "blobs/sha256", false, &names));
        return strv_length(names);
}

/* A damaged image stands in nobody's way: its name can be taken from it, then the store is swept again. */
static void test_remove_damaged(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *other = NULL, *one = NULL, *two = NULL;
        const Image *i = find(p, "x:1");
        char manifest[DIGEST_TEXT_SIZE];

        (void) snprintf(manifest, sizeof(manifest), "%s", i->manifest);
        assert_ok(images_tag(p->images, find(p, "x:1"), "quay.io/y", "1", NULL));
        damage(p, p->id[0]);
        reload(p);
        missing(p, "x:1", "No such image: x:1");
        other = removed(p, "nothing:1", false);
        assert_string_equal(other, "error: No such image: nothing:1");
        one = removed(p, "x:1", false);
        assert_string_equal(one, "Untagged: x:1");
        assert_int_equal(count_blobs(p), 5);
        two = removed(p, "quay.io/y:1", false);
        assert_string_equal(two, "Untagged: quay.io/y:1, Deleted");
        assert_int_equal(count_blobs(p), 3);
        reload(p);
        assert_int_equal(images_count(p->images), 1);
        assert_int_equal(count_blobs(p), 3);

        (void) snprintf(manifest, sizeof(manifest), "%s", find(p, "x:2")->manifest);
        damage(p, manifest);
        reload(p);
        assert_int_equal(images_count(p->images), 0);
        free(removed(p, manifest, false));
        assert_int_equal(count_blobs(p), 0);
}

/* Containers keep the layers that they stand on, even if nobody knows the image any more. */
static void test_lost_image_of_container(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *layer = strdup(image_top_layer(find(p, "x:1")));

        assert_ok(storage_layer_create(p->storage, BOX1, layer, NULL));
        damage(p, p->id[0]);
        damage(p, p->id[1]);
        reload(p);
        free(removed(p, "x:1", false));
        free(removed(p, "x:2", false));
        assert_int_equal(count_blobs(p), 0);
        assert_int_equal(storage_layer_exists(p->storage, layer), 1);
        reload(p);
        assert_int_equal(storage_layer_exists(p->storage, layer), 1);
        assert_ok(storage_layer_remove(p->storage, BOX1));
        reload(p);
        assert_int_equal(storage_layer_exists(p->storage, layer), 0);
}

/* The daemon starts whatever index.json looks like; the images are there, only their names are lost. */
static void test_damaged_table(void **state) {
        static const char *const texts[] = { "", "{", "[]", "\xff\xfe",
                "{\"schemaVersion\":2,\"manifests\":{}}", "{\"schemaVersion\":2,\"manifests\":[7]}",
                NULL };
        Place *p = *state;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                if (texts[i])
                        assert_ok(
                                file_write_atomic_string(p->root_fd, TAGS_FILE, texts[i], 0600, 0));
                else
                        assert_ok(unlinkat(p->root_fd, TAGS_FILE, 0));
                reload(p);
                assert_int_equal(images_count(p->images), 2);
                assert_int_equal(count_blobs(p), 5);
                assert_int_equal(strv_length(find(p, p->id[0])->names), 0);
                assert_ok(images_tag(p->images, find(p, p->id[0]), "again", "1", NULL));
                reload(p);
                assert_string_equal(find(p, "again:1")->id, p->id[0]);
        }
}

/* What another program wrote into the layout stays, with everything that it refers to. */
static void test_foreign_rows(void **state) {
        static const char index_text[] =
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
                "\",\"digest\":\"%s\",\"size\":1}]}";
        Place *p = *state;
        _cleanup_(freep) char *nested = NULL, *table = NULL, *after = NULL;
        _cleanup_(blobs_freep) Blobs *blobs = NULL;
        char digest[DIGEST_TEXT_SIZE];

        assert_ok(blobs_open(p->root_fd, &blobs));
        assert_ok(str_printf(&nested, index_text, find(p, "x:1")->manifest));
        assert_ok(blobs_put(blobs, nested, strlen(nested), digest));
        assert_ok(str_printf(&table,
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_INDEX
                "\",\"digest\":\"%s\",\"size\":1},{\"mediaType\":\"" MEDIA_OCI_MANIFEST
                "\",\"digest\":\"%s\",\"size\":1,\"annotations\":{\"org.opencontainers.image.ref."
                "name\":"
                "\"latest\"}},{\"digest\":\"../../etc\",\"size\":-1}]}",
                digest, find(p, "x:2")->manifest));
        assert_ok(file_write_atomic_string(p->root_fd, TAGS_FILE, table, 0600, 0));
        reload(p);
        assert_int_equal(images_count(p->images), 0);
        assert_int_equal(count_blobs(p), 6);
        reload(p);
        assert_int_equal(count_blobs(p), 6);
        assert_ok(file_read_at(p->root_fd, TAGS_FILE, TAGS_FILE_MAX, &after, NULL));
        assert_non_null(strstr(after, digest));
}

static void test_other_driver(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *layer = strdup(image_top_layer(find(p, "x:1")));
        _cleanup_(freep) char *from = NULL, *to = NULL;

        /* Under a driver that has no such layers the images are not listed, and nothing of them is lost. */
        assert_ok(str_printf(&from, "layers/vfs/%s", layer + 7));
        assert_ok(str_printf(&to, "layers/%s", layer + 7));
        assert_int_equal(renameat(p->root_fd, from, p->root_fd, to), 0);
        reload(p);
        assert_int_equal(images_count(p->images), 0);
        assert_int_equal(renameat(p->root_fd, to, p->root_fd, from), 0);
        reload(p);
        assert_int_equal(images_count(p->images), 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                PLACE_CASE(test_damaged),
                PLACE_CASE(test_remove_damaged),
                PLACE_CASE(test_lost_image_of_container),
                PLACE_CASE(test_damaged_table),
                PLACE_CASE(test_foreign_rows),
                PLACE_CASE(test_other_driver),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
