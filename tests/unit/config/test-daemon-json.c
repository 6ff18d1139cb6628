/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/daemon-json.h"
#include "config/settings.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static void assert_text(const char *text, const char *sentence) {
        _cleanup_(settings_freep) Settings *s = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        assert_int_equal(settings_new(&s), 0);
        r = daemon_json_apply_text(s, "x.json", text, strlen(text), &e);
        if (!sentence) {
                if (r < 0)
                        print_message("%s: %s\n", text, error_text(&e, r));
                assert_int_equal(r, 0);
                return;
        }
        assert_true(r < 0);
        if (!strstr(error_text(&e, r), sentence))
                print_message("%s: %s\n", text, error_text(&e, r));
        assert_non_null(strstr(error_text(&e, r), sentence));
}

static void test_accepted(void **state) {
        assert_text("", NULL);
        assert_text("\xef\xbb\xbf {}", NULL);
        assert_text("{\"proxies\":{\"http-proxy\":\"http://u:p@h:1\",\"no-proxy\":\"*.x\"}}", NULL);
        assert_text("{\"builder\":{\"gc\":{\"enabled\":true}},\"features\":{\"buildkit\":false}}",
                NULL);
        assert_text("{\"default-address-pools\":[{\"base\":\"10.0.0.0/"
                    "8\",\"size\":24}],\"nri-opts\":{\"enable\":true}}",
                NULL);
        assert_text("{\"default-network-opts\":{\"bridge\":{\"com.docker.network.driver.mtu\":"
                    "\"1400\"}}}",
                NULL);
        assert_text("{\"default-shm-size\":1048576,\"mtu\":1400,\"dns\":[\"192.0.2.1\"]}", NULL);
        assert_text("{\"max-concurrent-downloads\":7,\"deprecated-key-path\":\"x\"}", NULL);
}

static void test_refused(void **state) {
        assert_text("[]", "x.json: expected an object");
        assert_text("{\"default-address-pools\":[{\"base\":\"10.0.0.0/8\"}]}",
                "needs the string \"base\" and the number \"size\"");
        assert_text("{\"default-address-pools\":[\"x\"]}", "an address pool needs");
        assert_text("{\"default-network-opts\":{\"bridge\":[]}}", "expected an object");
        assert_text("{\"default-network-opts\":{\"bridge\":{\"a\":1}}}", "\"a\" must be a string");
        assert_text("{\"labels\":\"a=1\"}", "key \"labels\": expected a list of strings");
        assert_text("{\"labels\":[1]}", "expected a list of strings");
        assert_text("{\"log-opts\":{\"max-file\":3}}", "\"max-file\" must be a string");
        assert_text("{\"log-opts\":[]}", "expected an object");
        assert_text("{\"runtimes\":{\"x\":{\"runtimeType\":\"io.containerd.x\"}}}",
                "not containerd shims");
        assert_text(
                "{\"runtimes\":{\"x\":{\"path\":\"/x\",\"runtimeArgs\":[\"-v\"]}}}", "runtimeArgs");
        assert_text("{\"default-ulimits\":{\"nofile\":{\"Soft\":5}}}", "needs the numbers");
        assert_text(
                "{\"default-ulimits\":{\"nofile\":{\"Soft\":5,\"Hard\":1}}}", "above the hard one");
        assert_text("{\"mtu\":\"1500\"}", "key \"mtu\": expected a number");
        assert_text("{\"storage-driver\":\"aufs\"}", "AUFS");
        assert_text("{\"proxies\":{\"ftp-proxy\":\"x\"}}", "no option \"ftp-proxy\"");
        assert_text("{\"config-file\":\"/x\"}", "no such option");
        assert_text("{\"debug\":true", "x.json");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_accepted),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
