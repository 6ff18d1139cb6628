/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/set.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"

/* The indexes alone: a set without anything below it. */
static void set_open(Containers *s) {
        *s = (Containers) {};
        list_init(&s->by_age);
        list_init(&s->left_scopes);
        s->by_id = hashmap_new(HASHMAP_STRING);
        s->by_name = hashmap_new(HASHMAP_STRING_COPY);
        assert_non_null(s->by_id);
        assert_non_null(s->by_name);
}

static void set_close(Containers *s) {
        Container *c;

        while ((c = containers_next(s, NULL))) {
                containers_remove(s, c);
                container_free(c);
        }
        assert_int_equal(containers_count(s), 0);
        hashmap_free(s->by_id);
        hashmap_free(s->by_name);
        free(s->sorted);
}

static Container *add(Containers *s, const char *prefix, const char *name, int64_t created) {
        char id[IDENT_SIZE];
        Container *c;

        (void) snprintf(id, sizeof(id), "%s%064d", prefix, 0);
        assert_ok(container_new(id, name, &c));
        c->created_ns = created;
        assert_ok(containers_add(s, c));
        return c;
}

static void find(Containers *s, const char *name, const Container *expected, int r) {
        _cleanup_(error_done) Error e = {};
        Container *c = NULL;

        assert_int_equal(containers_find(s, name, &c, &e), r);
        assert_ptr_equal(c, expected);
        if (r == -ENOENT) {
                _cleanup_(freep) char *text = NULL;

                assert_ok(str_printf(&text, "No such container: %s", name));
                assert_string_equal(e.text, text);
        }
}

static void test_find(void **state) {
        Container *a, *b, *c;
        Containers s;

        set_open(&s);
        a = add(&s, "abc1", "one", 1);
        b = add(&s, "abc2", "two", 3);
        c = add(&s, "def0", "abc", 2); /* its name is a prefix of others' ids */

        find(&s, "one", a, 0);
        find(&s, "/two", b, 0);
        find(&s, a->id, a, 0);
        find(&s, "abc1", a, 0);
        find(&s, "abc", c, 0);
        find(&s, "ab", NULL, -EINVAL);
        find(&s, "d", c, 0);
        find(&s, "e", NULL, -ENOENT);
        find(&s, "nosuch", NULL, -ENOENT);
        find(&s, "", NULL, -EINVAL);

        assert_ptr_equal(containers_next(&s, NULL), b); /* newest first */
        assert_ptr_equal(containers_next(&s, b), c);
        assert_ptr_equal(containers_next(&s, c), a);
        assert_null(containers_next(&s, a));

        containers_remove(&s, c);
        find(&s, "abc", NULL, -EINVAL);
        container_free(c);
        set_close(&s);
}

static void test_names(void **state) {
        _cleanup_(error_done) Error e = {};
        Container *a, *maker;
        Containers s;
        char id[IDENT_SIZE];

        set_open(&s);
        a = add(&s, "aa", "taken", 1);
        assert_ok(container_new(ident_random(id), "", &maker));
        assert_int_equal(containers_reserve(&s, "taken", maker, &e), -EEXIST);
        assert_non_null(strstr(e.text, a->id));
        assert_ok(containers_reserve(&s, "free", maker, NULL));
        assert_ok(containers_reserve(&s, "free", maker, NULL));
        find(&s, "free", NULL, -ENOENT);        /* being made: nobody finds it */
        containers_release(&s, "taken", maker); /* not its own */
        find(&s, "taken", a, 0);
        containers_release(&s, "free", maker);
        add(&s, "bb", "free", 2);
        container_free(maker);
        set_close(&s);
}

static void test_many(void **state) {
        Containers s;

        set_open(&s);
        for (unsigned i = 0; i < 1000; i++) {
                char prefix[16], name[16];

                (void) snprintf(prefix, sizeof(prefix), "%08x", i * 2654435761u);
                (void) snprintf(name, sizeof(name), "c%u", i);
                add(&s, prefix, name, i);
        }
        assert_int_equal(containers_count(&s), 1000);
        for (size_t i = 1; i < s.n_sorted; i++)
                assert_true(strcmp(s.sorted[i - 1]->id, s.sorted[i]->id) < 0);
        set_close(&s);
}

static void test_save_and_load(void **state) {
        const char *body = "{\"Image\":\"busybox\",\"Cmd\":[\"sh\",\"-c\",\"x\"],\"Labels\":{\"k\":"
                           "\"v\"},\"HostConfig\":{\"Memory\":67108864}}";
        _cleanup_(container_freep) Container *c = NULL, *back = NULL;
        _cleanup_(fd_closep) int fd = file_open_dir(AT_FDCWD, *state);
        char id[IDENT_SIZE];

        assert_ok(container_new(ident_random(id), "web", &c));
        assert_ok(container_spec_read_text(body, strlen(body), &c->spec, NULL));
        assert_ok(str_copy(&c->image_id, "sha256:x"));
        assert_ok(str_copy(&c->error, "why"));
        c->state = CONTAINER_EXITED;
        c->has_started = c->oom_killed = c->has_accounting = true;
        c->exit_code = 137;
        c->finished_ns = 1234567890;
        c->accounting.cpu_usage_nsec = 99;
        assert_ok(container_save_new(c, fd));
        assert_int_equal(file_exists_at(fd, CONTAINER_VOLATILE_MARK), 0);

        assert_ok(container_load(id, fd, &back));
        assert_string_equal(back->name, "web");
        assert_int_equal(back->state, CONTAINER_EXITED);
        assert_true(back->oom_killed);
        assert_int_equal(back->exit_code, 137);
        assert_int_equal(back->finished_ns, 1234567890);
        assert_int_equal(back->accounting.cpu_usage_nsec, 99);
        assert_int_equal(back->accounting.memory_peak, UINT64_MAX);
        assert_string_equal(back->error, "why");
        assert_int_equal(back->spec.host.resources.memory, 67108864);
        assert_string_equal(back->path_and_args[2], "x");

        /* Under another id, or of a later version, it is damaged. */
        back = container_free(back);
        assert_true(container_load("aa", fd, &back) < 0);
        assert_ok(file_write_atomic_string(fd, "container.json", "{\"version\":2}", 0600, 0));
        assert_int_equal(container_load(id, fd, &back), -EPROTONOSUPPORT);
        assert_null(back);
}

static void test_auto_remove_is_marked(void **state) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_(fd_closep) int fd = file_open_dir(AT_FDCWD, *state);
        char id[IDENT_SIZE];

        assert_ok(container_new(ident_random(id), "web", &c));
        c->spec.host.auto_remove = true;
        assert_false(container_is_durable(c));
        assert_ok(container_save_new(c, fd));
        assert_int_equal(file_exists_at(fd, CONTAINER_VOLATILE_MARK), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_many),
                cmocka_unit_test_setup_teardown(
                        test_save_and_load, test_folder_setup, test_folder_teardown),
                cmocka_unit_test_setup_teardown(
                        test_auto_remove_is_marked, test_folder_setup, test_folder_teardown),
        };

        return cmocka_run_group_tests_name("engine/container/containers", tests, NULL, NULL);
}
