/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/oci/cdi-spec.h"

#define HEAD "cdiVersion: 0.6.0\nkind: vendor.com/gpu\n"

static void assert_refused(const char *text, const char *sentence) {
        _cleanup_(error_done) Error e = {};
        CdiSpec s;
        int r;

        r = cdi_spec_parse(text, strlen(text), true, &s, &e);
        assert_int_equal(r, -EINVAL);
        if (!strstr(error_text(&e, r), sentence))
                fail_msg("%s: %s", text, error_text(&e, r));
}

static void test_read(void **state) {
        static const char text[] = HEAD
                "containerEdits: {env: [A=1]}\n"
                "devices:\n"
                "- name: 0\n"
                "  annotations: {a: b}\n"
                "  containerEdits:\n"
                "    deviceNodes: [{path: /dev/x, type: c, major: 1, minor: 3, fileMode: "
                "0660}, {path: /dev/y}]\n"
                "    mounts: [{hostPath: /a, containerPath: /b, options: [ro, bind]}]\n"
                "    hooks: [{hookName: createContainer, path: /bin/true, args: ['true', x]}]\n"
                "    additionalGids: [7, 9]\n";
        CdiSpec s;

        assert_ok(cdi_spec_parse(text, strlen(text), true, &s, NULL));
        assert_string_equal(s.edits.env[0], "A=1");
        assert_string_equal(s.devices[0].name, "0");
        assert_int_equal(s.devices[0].edits.nodes[0].file_mode, 0660);
        assert_int_equal(s.devices[0].edits.nodes[1].file_mode, JSON_NO_UINT32);
        assert_null(s.devices[0].edits.nodes[1].type);
        assert_string_equal(s.devices[0].edits.hooks[0].args[1], "x");
        assert_int_equal(s.devices[0].edits.gids[1], 9);
        cdi_spec_done(&s);
}

static void test_refused(void **state) {
        assert_refused("kind: vendor.com/gpu\n", "cdiVersion");
        assert_refused(HEAD, "no device");
        assert_refused("cdiVersion: 2.0.0\nkind: a/b\n", "cdiVersion \"2.0.0\" is not known");
        assert_refused("cdiVersion: 0.6.0\nkind: vendor\n", "kind \"vendor\"");
        assert_refused(HEAD "devices: [{name: '-a'}]", "\"-a\" is no name");
        assert_refused(HEAD "devices: [null]", "devices[0]");
        assert_refused(HEAD "devices: [{name: a, containerEdits: {hooks: [null]}}]", "hooks[0]");
        assert_refused(HEAD "devices: [{name: a, containerEdits: {deviceNodes: [null]}}]",
                "deviceNodes[0]");
        assert_refused(HEAD "devices: [{containerEdits: {env: [A=b]}}]", "name: is missing");
        assert_refused(HEAD "devices: [{name: a}, {name: a}]", "there twice");
        assert_refused(HEAD "devices: [{name: a, containerEdits: {env: [A]}}]", "no variable");
        assert_refused(HEAD "devices: [{name: a, containerEdits: {deviceNodes: [{path: x}]}}]",
                "must be absolute");
        assert_refused(HEAD "devices: [{name: a, containerEdits: {intelRdt: {closID: x}}}]",
                "intelRdt is not supported");
        assert_refused(HEAD
                "devices: [{name: a, containerEdits: {hooks: [{hookName: x, path: /x}]}}]",
                "unknown hook");
}

static void test_names(void **state) {
        assert_true(cdi_name_is_valid("vendor.com/class=name"));
        assert_true(cdi_name_is_valid("nvidia.com/gpu=0:1"));
        assert_false(cdi_name_is_valid("vendor.com/class"));
        assert_false(cdi_name_is_valid("vendor.com=x"));
        assert_false(cdi_name_is_valid("/class=x"));
        assert_false(cdi_name_is_valid("vendor.com/class=x/y"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
