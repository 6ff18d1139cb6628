/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/hub.h"
#include "engine/core/pending.h"
#include "engine/network/networks.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/json/pairs.h"

/* Networks in a folder of their own, without any right on the host. */
typedef struct Ground {
        char root[32];
        Hub *hub;
        NetworkGround ground;
        NetworkDefaults defaults;
        Networks *set;
        int answer;
        Network *made;
        char *text;
} Ground;

static void on_answer(int r, void *result, const Error *e, void *userdata) {
        Ground *g = userdata;

        g->answer = r;
        g->made = r >= 0 ? result : NULL;
        (void) str_copy(&g->text, r < 0 ? error_text(e, r) : NULL);
}

static void open_set(Ground *g) {
        _cleanup_(error_done) Error e = {};
        const NetworksWiring w = {
                .data_root = g->root,
                .seed = "seed",
                .hub = g->hub,
                .ground = &g->ground,
                .defaults = g->defaults,
        };

        assert_ok(networks_new(&w, &g->set, &e));
}

static int setup(void **state) {
        Ground *g = calloc(1, sizeof(*g));

        (void) strcpy(g->root, "/tmp/test-networks-XXXXXX");
        assert_non_null(mkdtemp(g->root));
        assert_ok(hub_new(&g->hub));
        g->defaults.icc = g->defaults.masquerade = true;
        g->defaults.bip = "10.77.0.1/24";
        open_set(g);
        *state = g;
        return 0;
}

static int teardown(void **state) {
        Ground *g = *state;

        networks_free(g->set);
        hub_free(g->hub);
        (void) file_remove_tree(AT_FDCWD, g->root);
        free(g->text);
        free(g);
        return 0;
}

/* Of a kind that needs nothing of the host. */
static int create(Ground *g, const char *name, const char *subnet, Error *reterr) {
        _cleanup_(pending_unrefp) Pending *p = NULL;
        IpamConfig *config = calloc(1, sizeof(*config));
        NetworkSpec spec;
        int r;

        network_spec_init(&spec);
        assert_ok(str_copy(&spec.name, name));
        spec.config_only = true;
        assert_ok(str_copy(&config->subnet, subnet));
        spec.ipam.configs = config;
        spec.ipam.n_configs = 1;
        assert_ok(pending_new(on_answer, g, &p));
        g->answer = -ENODATA;
        r = networks_create(g->set, &spec, p, reterr);
        network_spec_done(&spec);
        return r < 0 ? r : g->answer;
}

static void test_find(void **state) {
        Ground *g = *state;
        _cleanup_(error_done) Error e = {};
        Network *n, *same;
        char prefix[6];

        assert_ok(networks_find(g->set, "host", &n, NULL));
        (void) snprintf(prefix, sizeof(prefix), "%s", n->id);
        assert_ok(networks_find(g->set, n->id, &same, NULL));
        assert_ptr_equal(n, same);
        assert_ok(networks_find(g->set, prefix, &same, NULL));
        assert_ptr_equal(n, same);
        assert_int_equal(networks_find(g->set, "x", &n, &e), -ENOENT);
        assert_string_equal(e.text, "network x not found");
        assert_int_equal(networks_count(g->set), 3);
}

static void test_modes(void **state) {
        static const char *const same[] = { "", "default", "bridge" };
        Ground *g = *state;
        Network *n;

        for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
                assert_ok(networks_find_mode(g->set, same[i], &n, NULL));
                assert_string_equal(n->name, "bridge");
                assert_string_equal(n->bridge, "docker0");
                assert_string_equal(n->spec.ipam.configs[0].subnet, "10.77.0.0/24");
                assert_string_equal(n->spec.ipam.configs[0].gateway, "10.77.0.1");
        }
        /* Another word for the host's network would not be seen by what asks whether that is allowed. */
        assert_int_equal(networks_find_mode(g->set, "0352", &n, NULL), -EINVAL);
        assert_ok(networks_find_mode(g->set, "host", &n, NULL));
        assert_false(n->driver->uses_netns);
}

static void test_create_and_load(void **state) {
        Ground *g = *state;
        _cleanup_(error_done) Error e = {}, wrong = {}, twice = {};
        Network *n;

        assert_ok(create(g, "one", "10.9.0.0/16", NULL));
        assert_string_equal(g->made->name, "one");
        assert_int_equal(create(g, "one", "10.9.0.0/16", &twice), -EEXIST);
        assert_string_equal(twice.text, "network with name one already exists");
        assert_int_equal(create(g, "two", "10.9.0.1/16", &wrong), -EINVAL);
        assert_non_null(strstr(wrong.text, "invalid subnet 10.9.0.1/16: it should be 10.9.0.0/16"));
        assert_int_equal(create(g, "host", "10.9.0.0/16", &e), -EPERM);

        g->set = networks_free(g->set);
        open_set(g);
        assert_ok(networks_find(g->set, "one", &n, NULL));
        assert_string_equal(n->spec.ipam.configs[0].subnet, "10.9.0.0/16");
        assert_int_equal(networks_count(g->set), 4);
}

/* What cannot be read is put aside, and the rest is there. */
static void test_damaged(void **state) {
        Ground *g = *state;
        _cleanup_(freep) char *path = NULL, *aside = NULL;
        Network *n;

        assert_ok(create(g, "one", "10.9.0.0/16", NULL));
        assert_ok(create(g, "two", "10.8.0.0/16", NULL));
        assert_ok(networks_find(g->set, "one", &n, NULL));
        assert_ok(str_printf(&path, "%s/networks/%s.json", g->root, n->id));
        assert_ok(str_printf(&aside, "%s.damaged", path));
        g->set = networks_free(g->set);
        assert_ok(file_write_atomic_string(AT_FDCWD, path, "{", 0600, 0));
        open_set(g);
        assert_int_equal(networks_find(g->set, "one", &n, NULL), -ENOENT);
        assert_ok(networks_find(g->set, "two", &n, NULL));
        assert_int_equal(file_exists_at(AT_FDCWD, aside), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_find, setup, teardown),
                cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_create_and_load, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        };

        return cmocka_run_group_tests_name("engine/network/networks", tests, NULL, NULL);
}
