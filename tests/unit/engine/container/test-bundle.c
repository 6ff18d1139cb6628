/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/bundle.h"
#include "engine/container/mount-points.h"
#include "engine/container/seccomp-profile.h"
#include "engine/network/driver.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/oci/runtime-spec.h"

/* Each pair in bundles/: NAME.body, what was asked (merged with the image already), and NAME.config, what the runtime gets. The
 * expected documents were read by a person when they were made; STAUER_WRITE_BUNDLES=1 writes them anew. The seccomp part has a
 * test of its own and is a small one here. */

static const char seccomp[] =
        "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\"}"
        "],"
        "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";

static void make(const char *body, const NetworkLeg *leg, char **ret) {
        _cleanup_(seccomp_profile_freep) SeccompProfile *profile = NULL;
        _cleanup_(mount_points_done) MountPoints mount_points = {};
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        _cleanup_(runtime_spec_done) RuntimeSpec out = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        assert_ok(seccomp_profile_parse(seccomp, strlen(seccomp), &profile, NULL));
        container_spec_init(&spec);
        assert_ok(container_spec_read_text(body, strlen(body), &spec, NULL));
        assert_ok(container_spec_fill_defaults(&spec));
        assert_ok(mount_points_add(&mount_points, &spec));
        const BundleInput in = {
                .id = "0123",
                .spec = &spec,
                .mount_points = &mount_points,
                .folder = "/data/containers/0123",
                .leg = leg,
                .seccomp = profile,
                .extra_masked =
                        (char *[]) {
                                (char *) "/sys/devices/system/cpu/cpu0/thermal_throttle", NULL },
                .architecture = "amd64",
                .kernel = (unsigned[]) { 6, 1 },
                .last_capability = 40,
                .recursive_read_only = true,
        };
        r = bundle_make(&in, &out, &e);
        if (r < 0)
                fail_msg("%s", error_text(&e, r));
        assert_ok(json_write(&out, runtime_spec_fields, &v));
        assert_ok(json_print(v, JSON_PRETTY, ret));
}

static void test_documents(void **state) {
        _cleanup_(fd_closep) int fd = file_open_dir(AT_FDCWD, TEST_BUNDLES);
        _cleanup_(strv_freep) char **names = NULL;
        unsigned n = 0;

        assert_ok(file_list(fd, ".", false, &names));
        STRV_FOREACH (name, names) {
                _cleanup_(freep) char *body = NULL, *expected = NULL, *config = NULL, *path = NULL;
                const NetworkLeg leg = { .host = strstr(*name, "host") != NULL };

                if (!str_ends(*name, ".body"))
                        continue;
                n++;
                assert_ok(file_read_at(fd, *name, 1 << 20, &body, NULL));
                make(body, &leg, &config);
                assert_ok(str_copy_n(&path, *name, strlen(*name) - STRLEN(".body")));
                assert_ok(str_appendf(&path, ".config"));
                if (getenv("STAUER_WRITE_BUNDLES"))
                        assert_ok(file_write_atomic_string(fd, path, config, 0644, 0));
                assert_ok(file_read_at(fd, path, 1 << 20, &expected, NULL));
                if (strcmp(config, expected) != 0)
                        fail_msg("%s is not what comes out of %s:\n%s", path, *name, config);
        }
        assert_true(n >= 4);
}

/* What the runtime's reader of config.json says of it. */
static void test_reads_back(void **state) {
        static const NetworkLeg leg = {};
        _cleanup_(runtime_spec_done) RuntimeSpec back = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;

        make("{\"Cmd\":[\"x\"],\"Hostname\":\"h\"}", &leg, &text);
        assert_ok(json_parse(text, strlen(text), JSON_SIZE_MAX, &v, NULL));
        if (runtime_spec_read(v, &back, &e) < 0)
                fail_msg("%s", e.text);
        assert_int_equal(back.process->oom_score_adj, 0);
        assert_int_equal(back.linux_->resources->n_devices, 7);
        assert_true(strv_contains(
                back.linux_->masked_paths, "/sys/devices/system/cpu/cpu0/thermal_throttle"));
        assert_null(back.linux_->cgroups_path);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_documents),
                cmocka_unit_test(test_reads_back),
        };

        return cmocka_run_group_tests_name("engine/container/bundle", tests, NULL, NULL);
}
