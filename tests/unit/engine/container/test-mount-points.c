/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/mount-points.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static void read_spec(const char *body, ContainerSpec *ret) {
        container_spec_init(ret);
        assert_ok(container_spec_read_text(body, strlen(body), ret, NULL));
}

static const MountPoint *at(const MountPoints *l, const char *destination) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].destination, destination))
                        return l->items + i;
        fail_msg("nothing at %s", destination);
        return NULL;
}

static void test_words(void **state) {
        _cleanup_(mount_points_done) MountPoints l = {};
        _cleanup_(container_spec_done) ContainerSpec spec;
        const MountPoint *m;

        read_spec(
                "{\"Image\":\"x\",\"Volumes\":{\"/own/\":{},\"/bound\":{},\"/memory\":{},\"/"
                "more\":{}},"
                "\"HostConfig\":{\"Binds\":[\"/src:/bound:ro,rslave\",\"data:/d/../data:nocopy\"],"
                "\"Tmpfs\":{\"/memory\":\"\"},\"Mounts\":["
                "{\"Type\":\"bind\",\"Source\":\"/b\",\"Target\":\"/b\",\"BindOptions\":"
                "{\"NonRecursive\":true,\"CreateMountpoint\":true}},"
                "{\"Type\":\"volume\",\"Target\":\"/v\"},"
                "{\"Type\":\"tmpfs\",\"Target\":\"/more\"}]}}",
                &spec);
        assert_ok(mount_points_add(&l, &spec));
        assert_int_equal(l.n, 5);

        m = at(&l, "/bound");
        assert_string_equal(m->type, "bind");
        assert_string_equal(m->source, "/src");
        assert_string_equal(m->propagation, "rslave");
        assert_string_equal(m->mode, "ro,rslave");
        assert_true(m->read_only && m->create && !m->anonymous);
        m = at(&l, "/data");
        assert_string_equal(m->type, "volume");
        assert_string_equal(m->name, "data");
        assert_true(m->no_copy && !m->anonymous && !m->read_only);
        m = at(&l, "/b");
        assert_string_equal(m->propagation, "rprivate");
        assert_true(m->non_recursive && m->create);
        m = at(&l, "/v");
        assert_true(str_empty(m->name) && m->anonymous && !m->no_copy);
        m = at(&l, "/own"); /* of the image's volumes the only one whose place is free */
        assert_true(m->anonymous);
}

/* What was inherited gives way to what the user says himself, and the image's volume to it. */
static void test_inherited(void **state) {
        _cleanup_(mount_points_done) MountPoints l = {};
        _cleanup_(container_spec_done) ContainerSpec spec;
        const char *const places[] = { "/a", "/b", "/c" };

        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                MountPoint *m;

                assert_ok(mount_points_put(&l, places[i], &m));
                m->inherited = true;
                assert_ok(str_copy(&m->type, "volume"));
                assert_ok(str_copy(&m->name, "theirs"));
        }
        read_spec("{\"Image\":\"x\",\"Volumes\":{\"/b\":{}},\"HostConfig\":{\"Binds\":[\"mine:/"
                  "a\"]}}",
                &spec);
        assert_ok(mount_points_add(&l, &spec));
        assert_int_equal(l.n, 3);
        assert_string_equal(at(&l, "/a")->name, "mine");
        assert_false(at(&l, "/a")->inherited);
        assert_true(at(&l, "/b")->inherited);
        assert_true(at(&l, "/c")->inherited);
}

static void test_volumes_from(void **state) {
        static const struct {
                const char *text, *container, *error;
                bool read_only;
        } table[] = {
                { "db", "db", NULL, false },
                { "db:ro", "db", NULL, true },
                { "db:rw,z", "db", NULL, false },
                { "", NULL, "malformed volumes-from specification: ", false },
                { ":ro", NULL, "malformed volumes-from specification: :ro", false },
                { "d\nb", NULL, "malformed volumes-from specification: d\\x0ab", false },
                { "db:x", NULL, "invalid mode: x", false },
                { "db:", NULL, "invalid mode: ", false },
                { "db:ro:rw", NULL, "invalid mode: ro:rw", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(error_done) Error e = {};
                _cleanup_(freep) char *name = NULL;
                bool read_only = false;
                int r = volumes_from_parse(table[i].text, &name, &read_only, &e);

                assert_int_equal(r, table[i].error ? -EINVAL : 0);
                if (table[i].error)
                        assert_string_equal(e.text, table[i].error);
                else
                        assert_string_equal(name, table[i].container);
                assert_int_equal(read_only, table[i].read_only);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_inherited),
                cmocka_unit_test(test_volumes_from),
        };

        return cmocka_run_group_tests_name("engine/container/mount-points", tests, NULL, NULL);
}
