/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

/* What the docker CLI 28 sends for `docker create -m 64m -p 8080:80 -v /srv:/data:ro --restart
 * on-failure:3 -e A=b --label l=m --tmpfs /tmp --mount type=volume,src=v,dst=/v,volume-nocopy
 * alpine true`. */
#define CLI_BODY                                                                                \
        "{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":false,"           \
        "\"AttachStdout\":true,\"AttachStderr\":true,\"ExposedPorts\":{\"80/tcp\":{}},"         \
        "\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,\"Env\":[\"A=b\"],"              \
        "\"Cmd\":[\"true\"],\"Image\":\"alpine\",\"Volumes\":{},\"WorkingDir\":\"\","           \
        "\"Entrypoint\":null,\"OnBuild\":null,\"Labels\":{\"l\":\"m\"},"                        \
        "\"HostConfig\":{\"Binds\":[\"/srv:/data:ro\"],\"ContainerIDFile\":\"\","               \
        "\"LogConfig\":{\"Type\":\"\",\"Config\":{}},\"NetworkMode\":\"default\","              \
        "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]},"              \
        "\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":3},"                  \
        "\"AutoRemove\":false,\"VolumeDriver\":\"\",\"VolumesFrom\":null,"                      \
        "\"ConsoleSize\":[24,80],\"CapAdd\":null,\"CapDrop\":null,\"CgroupnsMode\":\"\","       \
        "\"Dns\":[],\"DnsOptions\":[],\"DnsSearch\":[],\"ExtraHosts\":null,\"GroupAdd\":null,"  \
        "\"IpcMode\":\"\",\"Cgroup\":\"\",\"Links\":null,\"OomScoreAdj\":0,\"PidMode\":\"\","   \
        "\"Privileged\":false,\"PublishAllPorts\":false,\"ReadonlyRootfs\":false,"              \
        "\"SecurityOpt\":null,\"Tmpfs\":{\"/tmp\":\"\"},\"UTSMode\":\"\",\"UsernsMode\":\"\","  \
        "\"ShmSize\":0,\"Isolation\":\"\",\"CpuShares\":0,\"Memory\":67108864,\"NanoCpus\":0,"  \
        "\"CgroupParent\":\"\",\"BlkioWeight\":0,\"BlkioWeightDevice\":[],"                     \
        "\"BlkioDeviceReadBps\":[],\"BlkioDeviceWriteBps\":[],\"BlkioDeviceReadIOps\":[],"      \
        "\"BlkioDeviceWriteIOps\":[],\"CpuPeriod\":0,\"CpuQuota\":0,\"CpuRealtimePeriod\":0,"   \
        "\"CpuRealtimeRuntime\":0,\"CpusetCpus\":\"\",\"CpusetMems\":\"\",\"Devices\":[],"      \
        "\"DeviceCgroupRules\":null,\"DeviceRequests\":null,\"MemoryReservation\":0,"           \
        "\"MemorySwap\":0,\"MemorySwappiness\":-1,\"OomKillDisable\":false,\"PidsLimit\":0,"    \
        "\"Ulimits\":[],\"CpuCount\":0,\"CpuPercent\":0,\"IOMaximumIOps\":0,"                   \
        "\"IOMaximumBandwidth\":0,"                                                             \
        "\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":\"/v\","                  \
        "\"VolumeOptions\":{\"NoCopy\":true}}],\"MaskedPaths\":null,\"ReadonlyPaths\":null},"   \
        "\"NetworkingConfig\":{\"EndpointsConfig\":{\"default\":{\"IPAMConfig\":null,"          \
        "\"Links\":null,\"Aliases\":null,\"MacAddress\":\"\",\"DriverOpts\":null,"              \
        "\"GwPriority\":0,\"NetworkID\":\"\",\"EndpointID\":\"\",\"Gateway\":\"\","             \
        "\"IPAddress\":\"\",\"IPPrefixLen\":0,\"IPv6Gateway\":\"\",\"GlobalIPv6Address\":\"\"," \
        "\"GlobalIPv6PrefixLen\":0,\"DNSNames\":null}}}}"

static int read_spec(const char *body, ContainerSpec *s, Error *e) {
        container_spec_init(s);
        return container_spec_read_text(body, strlen(body), s, e);
}

static void print(const ContainerSpec *s, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;

        assert_int_equal(container_spec_write(s, &v), 0);
        assert_int_equal(json_print(v, JSON_COMPACT, ret), 0);
}

static void test_cli_body(void **state) {
        _cleanup_(container_spec_done) ContainerSpec s = {}, copy = {};
        _cleanup_(freep) char *text = NULL;
        _cleanup_(error_done) Error e = {};

        if (read_spec(CLI_BODY, &s, &e) < 0)
                fail_msg("%s", e.text);
        assert_string_equal(s.config.cmd[0], "true");
        assert_string_equal(s.config.exposed_ports[0], "80/tcp");
        assert_null(s.config.entrypoint);
        assert_non_null(s.config.volumes);
        assert_true(s.host.resources.memory == 64 * 1024 * 1024);
        assert_string_equal(s.host.port_bindings[0].port, "80/tcp");
        assert_string_equal(s.host.port_bindings[0].bindings[0].host_port, "8080");
        assert_int_equal(s.host.restart_policy.maximum_retry_count, 3);
        assert_int_equal(s.host.console_size[1], 80);
        assert_int_equal(s.host.init, -1);
        assert_true(s.host.mounts[0].volume_options->no_copy);
        assert_string_equal(s.endpoints[0].network, "default");
        assert_int_equal(s.config.stop_timeout, JSON_NO_INT);

        /* The saved form gives back what came, null and [] included. */
        assert_int_equal(str_copy(&s.name, "n"), 0);
        assert_int_equal(container_spec_copy(&s, &copy), 0);
        assert_string_equal(copy.name, "n");
        print(&copy, &text);
        assert_string_equal(text, CLI_BODY);
}

static void test_defaults(void **state) {
        _cleanup_(container_spec_done) ContainerSpec s = {}, p = {};

        assert_int_equal(read_spec("{\"Image\":\"a\",\"HostConfig\":{\"Memory\":10,\"NetworkMode\":"
                                   "\"default\"}}",
                                 &s, NULL),
                0);
        assert_int_equal(container_spec_fill_defaults(&s), 0);
        assert_string_equal(s.host.network_mode, "bridge");
        assert_string_equal(s.host.restart_policy.name, "no");
        assert_string_equal(s.host.ipc_mode, "private");
        assert_string_equal(s.host.cgroupns_mode, "private");
        assert_int_equal(s.host.resources.memory_swap, 20);
        assert_string_equal(s.host.masked_paths[0], "/proc/acpi");
        assert_int_equal(strv_length(s.host.readonly_paths), 5);

        assert_int_equal(
                read_spec("{\"HostConfig\":{\"Privileged\":true,\"Memory\":9223372036854775807,"
                          "\"IpcMode\":\"host\"}}",
                        &p, NULL),
                0);
        assert_int_equal(container_spec_fill_defaults(&p), 0);
        assert_null(p.host.masked_paths);
        assert_null(p.host.readonly_paths);
        assert_string_equal(p.host.ipc_mode, "host");
        assert_true(p.host.resources.memory_swap == INT64_MAX);
}

static void test_no_masks_is_kept(void **state) {
        _cleanup_(container_spec_done) ContainerSpec s = {};

        assert_int_equal(read_spec("{\"HostConfig\":{\"MaskedPaths\":[]}}", &s, NULL), 0);
        assert_int_equal(container_spec_fill_defaults(&s), 0);
        assert_non_null(s.host.masked_paths);
        assert_null(s.host.masked_paths[0]);
}

static void test_go_leniency(void **state) {
        _cleanup_(container_spec_done) ContainerSpec s = {};
        _cleanup_(error_done) Error e = {};

        if (read_spec("{\"image\":\"a\",\"cmd\":\"sleep "
                      "5\",\"HOSTCONFIG\":{\"memory\":7,\"capadd\":\"ALL\","
                      "\"PortBindings\":{\"80/tcp\":null,\"81/"
                      "tcp\":[]},\"PidsLimit\":null,\"Init\":true,"
                      "\"DeviceRequests\":[{\"Count\":-1,\"Capabilities\":[[\"gpu\"],[\"nvidia\","
                      "\"compute\"]]}],"
                      "\"Mounts\":[{\"TmpfsOptions\":{\"Mode\":511,\"Options\":[[\"a\",\"b\"],["
                      "\"c\"]]}}]},"
                      "\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":null}},\"Whatever\":{}}",
                    &s, &e) < 0)
                fail_msg("%s", e.text);
        assert_string_equal(s.config.image, "a");
        assert_string_equal(s.config.cmd[0], "sleep 5");
        assert_string_equal(s.host.cap_add[0], "ALL");
        assert_int_equal(s.host.resources.memory, 7);
        assert_null(s.host.port_bindings[0].bindings);
        assert_non_null(s.host.port_bindings[1].bindings);
        assert_true(s.host.resources.pids_limit == JSON_NO_INT64);
        assert_int_equal(s.host.init, 1);
        assert_string_equal(
                s.host.resources.device_requests[0].capabilities[1].items[1], "compute");
        assert_string_equal(s.host.mounts[0].tmpfs_options->options[0].items[1], "b");
        assert_string_equal(s.endpoints[0].network, "n");
}

static void test_errors(void **state) {
        static const struct {
                const char *body, *error;
        } rows[] = {
                { "null", "config cannot be empty in order to create a container" },
                { "[]", "expected an object" },
                { "", "Invalid JSON: empty document" },
                { "{\"HostConfig\":{\"Memory\":\"64m\"}}",
                        "HostConfig.Memory: expected an integer" },
                { "{\"HostConfig\":{\"memory\":1.5}}", "HostConfig.Memory: expected an integer" },
                { "{\"HostConfig\":{\"BlkioWeight\":70000}}",
                        "HostConfig.BlkioWeight: number out of range" },
                { "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":80}]}}}",
                        "HostConfig.PortBindings.80/tcp[0].HostPort: expected a string" },
                { "{\"HostConfig\":{\"Mounts\":[{\"Target\":5}]}}",
                        "HostConfig.Mounts[0].Target: expected a string" },
                { "{\"Labels\":[\"a\"]}", "Labels: expected an object" },
                { "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"Aliases\":\"x\"}}}}",
                        "NetworkingConfig.EndpointsConfig.n.Aliases: expected a list of strings" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(container_spec_done) ContainerSpec s = {};
                _cleanup_(error_done) Error e = {};

                assert_int_equal(read_spec(rows[i].body, &s, &e), -EINVAL);
                assert_string_equal(e.text, rows[i].error);
        }
}

static void test_update_body(void **state) {
        Resources r = {};

        fields_init(resources_fields, &r);
        assert_int_equal(json_read_text("{\"Memory\":5,\"PidsLimit\":0}", 26, resources_fields, &r,
                                 JSON_READ_DOCKER, NULL),
                0);
        assert_int_equal(r.memory, 5);
        assert_int_equal(r.pids_limit, 0);
        fields_done(resources_fields, &r);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cli_body),
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_no_masks_is_kept),
                cmocka_unit_test(test_go_leniency),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_update_body),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
