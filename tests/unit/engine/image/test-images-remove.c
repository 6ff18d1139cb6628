/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images lose their names and go, or stay for as long as containers stand on them. */
#include "tests/unit/engine/image/images-place.h"

static void test_remove_by_name(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *one = NULL, *two = NULL, *three = NULL;

        assert_ok(images_tag(p->images, find(p, "x:1"), "y", NULL, NULL));
        one = removed(p, "x:1", false);
        assert_string_equal(one, "Untagged: x:1");
        two = removed(p, "y", false);
        assert_string_equal(
                two, "Untagged: y:latest, Deleted"); /* the layer is still the other image's */
        missing_id(p, p->id[0]);
        three = removed(p, "x:2", false);
        assert_string_equal(three, "Untagged: x:2, Deleted, Deleted");
        assert_int_equal(images_count(p->images), 0);
        check_list(p->events, "tag|untag|untag|delete|untag|delete");

        reload(p);
        assert_int_equal(images_count(p->images), 0);
}

static void test_remove_by_id(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *one = NULL, *two = NULL, *expected = NULL;
        char short_id[16];

        (void) snprintf(short_id, sizeof(short_id), "%.12s", p->id[0] + 7);
        assert_ok(images_tag(p->images, find(p, "x:1"), "y", NULL, NULL));
        assert_ok(str_printf(&expected,
                "error: conflict: unable to delete %s (must be forced) - image is referenced in "
                "multiple repositories",
                short_id));
        one = removed(p, p->id[0], false);
        assert_string_equal(one, expected);
        two = removed(p, p->id[0], true);
        assert_string_equal(two, "Untagged: x:1, Untagged: y:latest, Deleted");
}

static void test_remove_used(void **state) {
        Place *p = *state;
        Image *i = find(p, "x:1");
        _cleanup_(freep) char *used = NULL, *stopped = NULL, *forced = NULL, *running = NULL;
        char id[16];

        (void) snprintf(id, sizeof(id), "%.12s", p->id[0] + 7);
        assert_ok(image_add_user(i, BOX1));
        assert_ok(image_add_user(i, BOX1));
        assert_int_equal(i->n_users, 1);

        used = removed(p, "x:1", false);
        assert_non_null(strstr(
                used, "(must force) - container 111111111111 is using its referenced image "));
        stopped = removed(p, id, false);
        assert_non_null(strstr(stopped,
                "(must be forced) - image is being used by stopped container 111111111111"));
        image_set_user_running(i, BOX1, true);
        running = removed(p, id, true);
        assert_non_null(strstr(running,
                "(cannot be forced) - image is being used by running container 111111111111"));

        /* By name and force it only loses the name. */
        forced = removed(p, "x:1", true);
        assert_string_equal(forced, "Untagged: x:1");
        assert_ptr_equal(find(p, p->id[0]), i);
}

static void test_remove_hidden(void **state) {
        Place *p = *state;
        Image *i = find(p, "x:1");
        _cleanup_(freep) char *gone = NULL;
        Storage *s = p->storage;
        _cleanup_(freep) char *layer = NULL;

        layer = strdup(image_top_layer(find(p, "x:2")));
        free(removed(p, "x:2", false));
        assert_ok(image_add_user(i, BOX1));
        assert_ok(image_add_user(i, BOX2));
        assert_ok(storage_layer_create(
                s, BOX2, layer, NULL)); /* it goes a little later than its container */
        gone = removed(p, p->id[0], true);
        assert_string_equal(gone, "Untagged: x:1, Deleted, Deleted");
        assert_int_equal(images_count(p->images), 0);
        assert_null(images_next(p->images, NULL));
        missing(p, "x:1", "No such image: x:1");
        missing_id(p, p->id[0]);
        assert_int_equal(storage_layer_exists(s, layer), 1); /* containers stand on it */

        reload(p); /* a new daemon: the containers come back, one is removed */
        missing_id(p, p->id[0]);
        i = images_get(p->images, p->id[0]);
        assert_true(i->hidden);
        assert_ok(image_add_user(i, BOX1));
        assert_ok(image_add_user(i, BOX2));
        images_settle(p->images);
        assert_int_equal(storage_layer_exists(s, layer), 1);
        image_remove_user(i, BOX1);
        assert_int_equal(storage_layer_exists(s, layer), 1);
        image_remove_user(i, BOX2);
        assert_int_equal(storage_layer_exists(s, layer), 0);
}

static void test_settle(void **state) {
        Place *p = *state;

        assert_ok(image_add_user(find(p, "x:1"), BOX1));
        free(removed(p, p->id[0], true));
        reload(p); /* the container went with the old daemon */
        assert_int_equal(images_count(p->images), 1);
        assert_ptr_not_equal(images_get(p->images, p->id[0]), NULL);
        images_settle(p->images);
        assert_null(images_get(p->images, p->id[0]));
        missing_id(p, p->id[0]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                PLACE_CASE(test_remove_by_name),
                PLACE_CASE(test_remove_by_id),
                PLACE_CASE(test_remove_used),
                PLACE_CASE(test_remove_hidden),
                PLACE_CASE(test_settle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
