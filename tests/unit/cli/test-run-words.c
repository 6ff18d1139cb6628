/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammars behind run's options, one by one: fields, ports, mounts, numbers. */
#include <string.h>

#include "cli/csv.h"
#include "cli/run-mount.h"
#include "cli/run-values.h"
#include "lib/api/container-spec.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "tests/unit/test.h"

static void test_csv(void **state) {
        static const struct {
                const char *text, *first, *second;
        } good[] = {
                { "a,b", "a", "b" },
                { "\"a,b\",c", "a,b", "c" },
                { "\"a\"\"b\",", "a\"b", "" },
                { "a", "a", NULL },
                { "a\nb", "a", NULL },
        };
        static const struct {
                const char *text, *error;
        } bad[] = {
                { "", "EOF" },
                { "a=\"b", "parse error on line 1, column 3: bare \" in non-quoted-field" },
                { "\"a", "parse error on line 1, column 3: extraneous or missing \" in "
                         "quoted-field" },
                { "\"a\"b", "parse error on line 1, column 3: extraneous or missing \" in "
                            "quoted-field" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                _cleanup_(strv_freep) char **fields = NULL;

                assert_ok(csv_parse(good[i].text, &fields, NULL));
                assert_string_equal(fields[0], good[i].first);
                if (good[i].second)
                        assert_string_equal(fields[1], good[i].second);
                else
                        assert_null(fields[1]);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(strv_freep) char **fields = NULL;
                _cleanup_(error_done) Error e = {};

                assert_int_equal(csv_parse(bad[i].text, &fields, &e), -EINVAL);
                assert_string_equal(e.text, bad[i].error);
        }
}

static void test_numbers(void **state) {
        int64_t n;

        assert_ok(run_bytes_parse("1.5g", &n, NULL));
        assert_int_equal(n, 1610612736);
        assert_ok(run_bytes_parse("1 KiB", &n, NULL));
        assert_int_equal(n, 1024);
        assert_int_equal(run_bytes_parse("-5", &n, NULL), -EINVAL);
        assert_int_equal(run_bytes_parse("5x", &n, NULL), -EINVAL);
        assert_int_equal(run_bytes_parse("5kx", &n, NULL), -EINVAL);
        assert_int_equal(run_bytes_parse("99999999999t", &n, NULL), -EINVAL);

        assert_ok(run_cpus_parse("0.123456789", &n, NULL));
        assert_int_equal(n, 123456789);
        assert_ok(run_cpus_parse("1/2", &n, NULL));
        assert_int_equal(n, 500000000);
        assert_ok(run_cpus_parse("1e2", &n, NULL));
        assert_int_equal(n, 100000000000);
        assert_int_equal(run_cpus_parse("0.1234567891", &n, NULL), -EINVAL);
        assert_int_equal(run_cpus_parse("99999999999999999999", &n, NULL), -EINVAL);
        assert_int_equal(run_cpus_parse("1/0", &n, NULL), -EINVAL);
        assert_int_equal(run_cpus_parse(".", &n, NULL), -EINVAL);

        assert_ok(run_int_parse("0x1f", 0, 100, &n, NULL));
        assert_int_equal(n, 31);
        assert_int_equal(run_int_parse("101", 0, 100, &n, NULL), -EINVAL);
        assert_int_equal(run_int_parse("-1", 0, 100, &n, NULL), -EINVAL);
        assert_int_equal(run_int_parse(" 1", -5, 100, &n, NULL), -EINVAL);
}

static void published(const char *value, const char *port, const char *ip, const char *host) {
        _cleanup_(container_spec_done) ContainerSpec spec;

        container_spec_init(&spec);
        assert_ok(run_to_published(value, &spec, NULL));
        assert_string_equal(spec.host.port_bindings[0].port, port);
        assert_string_equal(spec.host.port_bindings[0].bindings[0].host_ip, ip);
        assert_string_equal(spec.host.port_bindings[0].bindings[0].host_port, host);
        assert_string_equal(spec.config.exposed_ports[0], port);
}

static void refuse_port(const char *value, const char *text) {
        _cleanup_(container_spec_done) ContainerSpec spec;
        _cleanup_(error_done) Error e = {};

        container_spec_init(&spec);
        assert_int_equal(run_to_published(value, &spec, &e), -EINVAL);
        assert_string_equal(e.text, text);
}

static void test_ports(void **state) {
        published("80", "80/tcp", "", "");
        published("81:80/UDP", "80/udp", "", "81");
        published("127.0.0.1::53", "53/tcp", "127.0.0.1", "");
        published("[::1]:80:90", "90/tcp", "::1", "80");
        published("::1:80:90", "90/tcp", "::1", "80");
        published("80-82:90", "90/tcp", "", "80-82");
        published("published=8080,target=80", "80/tcp", "", "8080");
        refuse_port("", "no port specified: <empty>");
        refuse_port("1/foo", "invalid proto: foo");
        refuse_port("host:80:80", "invalid IP address: host");
        refuse_port(
                "1-3:4-5", "invalid ranges specified for container and host Ports: 4-5 and 1-3");
        refuse_port("99999:1", "invalid hostPort: 99999");
        refuse_port("-1", "invalid containerPort: -1");
}

static void mount_is(const char *value, const char *type, const char *source, const char *target) {
        _cleanup_(container_spec_done) ContainerSpec spec;

        container_spec_init(&spec);
        assert_ok(run_mount_add(&spec, value, NULL));
        assert_string_equal(spec.host.mounts[0].type, type);
        assert_true(str_equal(spec.host.mounts[0].source, source));
        assert_string_equal(spec.host.mounts[0].target, target);
}

static void refuse_mount(const char *value, const char *text) {
        _cleanup_(container_spec_done) ContainerSpec spec;
        _cleanup_(error_done) Error e = {};

        container_spec_init(&spec);
        assert_int_equal(run_mount_add(&spec, value, &e), -EINVAL);
        assert_string_equal(e.text, text);
}

static void test_mounts(void **state) {
        mount_is("type=bind,src=/a,dst=/b,ro", "bind", "/a", "/b");
        mount_is("TYPE=TMPFS,Target=/b,tmpfs-size=1m,tmpfs-mode=0755", "tmpfs", NULL, "/b");
        mount_is("\"source=a,b\",destination=/b", "volume", "a,b", "/b");
        refuse_mount("x", "invalid field 'x' must be a key=value pair");
        refuse_mount("type=bind", "target is required");
        refuse_mount("type=,dst=/a", "type is required");
        refuse_mount("dst=/a,xx=3", "unexpected key 'xx' in 'xx=3'");
        refuse_mount("dst=/a,ro=5", "invalid value for ro: 5");
        refuse_mount("type=bind,dst=/a,volume-nocopy",
                "cannot mix 'volume-*' options with mount type 'bind'");
        refuse_mount("type=bind,src=/a,dst=/a,bind-recursive=readonly",
                "option 'bind-recursive=readonly' requires 'readonly' to be specified in "
                "conjunction");
}

static void test_volumes(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec;

        container_spec_init(&spec);
        assert_ok(run_volume_add(&spec, "/a:/b:ro", NULL));
        assert_ok(run_volume_add(&spec, "name:/x", NULL));
        assert_ok(run_volume_add(&spec, "/anonymous", NULL));
        assert_ok(run_volume_add(&spec, "./here:/x", NULL));
        assert_string_equal(spec.host.binds[0], "/a:/b:ro");
        assert_string_equal(spec.host.binds[1], "name:/x");
        assert_true(spec.host.binds[2][0] == '/' && strstr(spec.host.binds[2], "/here:/x"));
        assert_string_equal(spec.config.volumes[0], "/anonymous");
        assert_int_equal(run_volume_add(&spec, "/a:/b:cc:dd", NULL), -EINVAL);
        assert_int_equal(run_volume_add(&spec, "/a::/b", NULL), -EINVAL);
        assert_int_equal(run_volume_add(&spec, "", NULL), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_csv),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_ports),
                cmocka_unit_test(test_mounts),
                cmocka_unit_test(test_volumes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
