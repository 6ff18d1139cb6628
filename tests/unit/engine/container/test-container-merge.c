/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/container/container-merge.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/oci/image-spec.h"

/* Both sides as JSON, the result as JSON: what is not named in expected is not looked at. */
static void check(const char *user, const char *image, const char *field, const char *expected) {
        _cleanup_(container_config_done) ContainerConfig c = {};
        _cleanup_(image_run_config_done) ImageRunConfig i = {};
        _cleanup_(freep) char *text = NULL;
        const char *at;

        container_config_init(&c);
        image_run_config_init(&i);
        assert_ok(json_read_text(user, strlen(user), container_config_fields, &c, 0, NULL));
        assert_ok(json_read_text(image, strlen(image), image_run_config_fields, &i, 0, NULL));
        assert_ok(container_merge(&c, &i));
        assert_ok(json_write_text(&c, container_config_fields, &text));
        at = strstr(text, field);
        assert_non_null(at);
        if (strncmp(at + strlen(field), expected, strlen(expected)) != 0)
                fail_msg("%s %s: %.80s, not %s", user, image, at, expected);
}

static void test_env(void **state) {
        check("{\"Env\":[\"A=2\",\"C\",\"D=\"]}", "{\"Env\":[\"A=1\",\"B=1\",\"C=1\"]}",
                "\"Env\":", "[\"A=2\",\"B=1\",\"D=\"]");
        check("{}", "{\"Env\":[\"A=1\"]}", "\"Env\":", "[\"A=1\"]");
}

static void test_command(void **state) {
        const char *image = "{\"Entrypoint\":[\"e\"],\"Cmd\":[\"c\"]}";

        check("{}", image, "\"Entrypoint\":", "[\"e\"]");
        check("{}", image, "\"Cmd\":", "[\"c\"]");
        check("{\"Cmd\":[\"x\"]}", image, "\"Cmd\":", "[\"x\"]");
        check("{\"Cmd\":[\"x\"]}", image, "\"Entrypoint\":", "[\"e\"]");
        check("{\"Entrypoint\":[\"y\"]}", image, "\"Entrypoint\":", "[\"y\"]");
        check("{\"Entrypoint\":[\"y\"]}", image,
                "\"Cmd\":", "null"); /* the image's command is not this one's */
        check("{\"Entrypoint\":[\"\"],\"Cmd\":[\"z\"]}", image, "\"Entrypoint\":", "null");
        check("{\"Entrypoint\":[\"\"],\"Cmd\":[\"z\"]}", image, "\"Cmd\":", "[\"z\"]");
}

static void test_rest(void **state) {
        check("{\"Labels\":{\"a\":\"2\"}}", "{\"Labels\":{\"a\":\"1\",\"b\":\"1\"}}",
                "\"Labels\":", "{\"a\":\"2\",\"b\":\"1\"}");
        check("{\"User\":\"me\"}", "{\"User\":\"you\"}", "\"User\":", "\"me\"");
        check("{}", "{\"User\":\"you\",\"WorkingDir\":\"/w\"}", "\"WorkingDir\":", "\"/w\"");
        check("{\"ExposedPorts\":{\"80/tcp\":{}}}",
                "{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}}}",
                "\"ExposedPorts\":", "{\"53/udp\":{},\"80/tcp\":{}}");
        check("{}", "{\"StopSignal\":\"SIGQUIT\"}", "\"StopSignal\":", "\"SIGQUIT\"");
        check("{\"Healthcheck\":{\"Retries\":5}}",
                "{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Retries\":2}}",
                "\"Healthcheck\":", "{\"Test\":[\"CMD\",\"x\"]");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_env),
                cmocka_unit_test(test_command),
                cmocka_unit_test(test_rest),
        };

        return cmocka_run_group_tests_name("engine/container/container-merge", tests, NULL, NULL);
}
