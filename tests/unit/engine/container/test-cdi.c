/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/container/cdi.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/strv.h"
#include "lib/oci/cdi-spec.h"

#define SPEC(kind, devices)                                                  \
        "cdiVersion: 0.6.0\nkind: " kind "\ncontainerEdits: {env: [OF=" kind \
        "]}\ndevices: " devices "\n"

static void put(const char *folder, const char *name, const char *text) {
        _cleanup_(freep) char *path = path_join(folder, name);

        assert_ok(file_write_atomic_string(AT_FDCWD, path, text, 0644, 0));
}

static void test_folders(void **state) {
        char place[] = "/tmp/stauer-cdi-XXXXXX";
        _cleanup_(cdi_devices_freep) CdiDevices *d = NULL;
        _cleanup_(freep) char *weak = NULL, *strong = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) const CdiEdits **edits = NULL;
        _cleanup_(error_done) Error e = {};
        size_t n = 0;

        assert_non_null(mkdtemp(place));
        weak = path_join(place, "weak");
        strong = path_join(place, "strong");
        assert_int_equal(mkdir(weak, 0700), 0);
        assert_int_equal(mkdir(strong, 0700), 0);
        put(weak, "a.yaml",
                SPEC("v.com/c", "[{name: one, containerEdits: {env: [X=weak]}}, {name: two}]"));
        put(weak, "b.yml", SPEC("v.com/c", "[{name: two}, {name: three}]"));
        put(weak, "c.yaml", "nonsense: [");
        put(weak, "d.txt", SPEC("v.com/c", "[{name: four}]"));
        put(strong, "a.json",
                "{\"cdiVersion\":\"0.5.0\",\"kind\":\"v.com/c\",\"devices\":[{\"name\":\"one\","
                "\"containerEdits\":{\"env\":[\"X=strong\"]}}]}");

        assert_ok(cdi_devices_read(
                (char *[]) { weak, (char *) "/nonexistent/cdi", strong, NULL }, &d));
        assert_ok(cdi_devices_list(d, &names));
        assert_int_equal(strv_length(names), 2);
        assert_string_equal(names[0], "v.com/c=one");
        assert_string_equal(names[1], "v.com/c=three");

        assert_ok(cdi_devices_find(d,
                (char *[]) { (char *) "v.com/c=one", (char *) "v.com/c=three",
                        (char *) "v.com/c=one", NULL },
                &edits, &n, &e));
        assert_int_equal(n, 4); /* of two files and two devices, each once */
        assert_string_equal(edits[1]->env[0], "X=strong");
        assert_string_equal(edits[2]->env[0], "OF=v.com/c");

        assert_true(cdi_devices_find(d, (char *[]) { (char *) "v.com/c=two", (char *) "x", NULL },
                            &edits, &n, &e) < 0);
        assert_string_equal(
                e.text, "CDI device injection failed: unresolvable CDI devices v.com/c=two, x");
        assert_ok(file_remove_tree(AT_FDCWD, place));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_folders),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
