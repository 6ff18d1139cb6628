/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "config/settings.h"
#include "engine/container/container-check.h"
#include "engine/host/sysinfo.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"

static const SysInfo big = {
        .cgroup_v2 = true,
        .has_cpu = true,
        .has_cpuset = true,
        .has_memory = true,
        .has_swap = true,
        .has_io = true,
        .has_pids = true,
        .has_seccomp = true,
        .n_cpus = 4,
        .cpus = (char *) "0-3",
        .mems = (char *) "0",
};
static const SysInfo small = { .cgroup_v2 = true, .n_cpus = 1, .cpus = (char *) "0" };

/* host: members of HostConfig; config: members of the body. The answer is the text of the error, "" for none. */
static char *check(const char *config, const char *host, const SysInfo *s, ContainerSpec *spec,
        char ***warnings) {
        _cleanup_(settings_freep) Settings *settings = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *body = NULL;
        char *text = NULL;
        int r;

        assert_ok(settings_new(&settings));
        assert_ok(str_copy(&settings->default_runtime, "test"));
        settings->runtimes = new0(SettingRuntime, 1);
        settings->n_runtimes = 1;
        assert_ok(str_copy(&settings->runtimes[0].name, "test"));
        assert_ok(str_copy(&settings->runtimes[0].path, "/bin/true"));

        container_spec_init(spec);
        assert_ok(str_printf(&body,
                "{\"Image\":\"x\",\"Cmd\":[\"y\"]%s%s,\"HostConfig\":{\"NetworkMode\":\"none\"%s%s}"
                "}",
                *config ? "," : "", config, *host ? "," : "", host));
        assert_ok(container_spec_read_text(body, strlen(body), spec, NULL));
        r = container_check(spec,
                &(const CheckContext) { .settings = settings, .sysinfo = s, .warnings = warnings },
                &e);
        assert_int_equal(r < 0, error_is_set(&e));
        assert_ok(str_copy(&text, str_or_empty(e.text)));
        return text;
}

static void test_refuses(void **state) {
        static const struct {
                const char *config, *host, *text;
        } table[] = {
                { "\"Cmd\":[]", "", "no command specified" },
                { "\"WorkingDir\":\"x\"", "",
                        "the working directory 'x' is invalid, it needs to be an absolute path" },
                { "\"Env\":[\"=x\"]", "", "invalid environment variable: =x" },
                { "\"StopSignal\":\"NO\"", "", "invalid signal: NO" },
                { "", "\"Memory\":1000", "Minimum memory limit allowed is 6MB" },
                { "", "\"MemorySwap\":100",
                        "You should always set the Memory limit when using Memoryswap limit, see "
                        "usage" },
                { "", "\"Memory\":67108864,\"MemorySwap\":6291456",
                        "Minimum memoryswap limit should be larger than memory limit, see usage" },
                { "", "\"NanoCpus\":5000000000",
                        "range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available" },
                { "", "\"NanoCpus\":1000000000,\"CpuQuota\":5000",
                        "Conflicting options: Nano CPUs and CPU Quota cannot both be set" },
                { "", "\"CpuPeriod\":1",
                        "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s "
                        "(i.e. 1000000)" },
                { "", "\"CpusetCpus\":\"3-9\"",
                        "Requested CPUs are not available - requested 3-9, available: 0-3" },
                { "", "\"CpusetCpus\":\"x\"", "Invalid value x for cpuset cpus" },
                { "", "\"Devices\":[{\"PathOnHost\":\"/dev/x\\ny\"}]", "invalid device path" },
                { "", "\"Devices\":[{\"PathOnHost\":\"/dev/x\",\"PathInContainer\":\"/y\\n\"}]",
                        "invalid device path" },
                { "", "\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/x\\n[Unit]\",\"Rate\":1}]",
                        "invalid device path for BPS Block I/O read limit" },
                { "", "\"BlkioWeightDevice\":[{\"Path\":\"/dev/x\\n[Unit]\",\"Weight\":100}]",
                        "invalid device path for Block I/O weight" },
                { "", "\"BlkioWeight\":5", "Range of blkio weight is from 10 to 1000" },
                { "", "\"OomScoreAdj\":2000",
                        "Invalid value 2000, range for oom score adj is [-1000, 1000]" },
                { "", "\"ShmSize\":-1", "SHM size can not be less than 0" },
                { "", "\"Ulimits\":[{\"Name\":\"x\",\"Soft\":1,\"Hard\":1}]",
                        "invalid ulimit type: x" },
                { "", "\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":2,\"Hard\":1}]",
                        "ulimit soft limit must be less than or equal to hard limit: 2 > 1" },
                { "", "\"CapAdd\":[\"nosuch\"]", "invalid CapAdd: unknown capability: \"nosuch\"" },
                { "", "\"SecurityOpt\":[\"x=y\"]", "invalid --security-opt 2: \"x=y\"" },
                { "", "\"SecurityOpt\":[\"seccomp={\"]", "Decoding seccomp profile failed" },
                { "", "\"Runtime\":\"nosuch\"", "unknown or invalid runtime name: nosuch" },
                { "", "\"Isolation\":\"hyperv\"",
                        "Invalid isolation: \"hyperv\" - linux only supports 'default'" },
                { "", "\"CgroupParent\":\"/x\"",
                        "cgroup-parent for systemd cgroup should be a valid slice named as "
                        "\"xxx.slice\"" },
                { "", "\"AutoRemove\":true,\"RestartPolicy\":{\"Name\":\"always\"}",
                        "can't create 'AutoRemove' container with restart policy" },
                { "", "\"RestartPolicy\":{\"Name\":\"x\"}",
                        "invalid restart policy: unknown policy 'x'; use one of 'no', 'always', "
                        "'on-failure', or 'unless-stopped'" },
                { "", "\"Binds\":[\"/a:/b\",\"/c:/b/\"]", "Duplicate mount point: /b" },
                { "", "\"Binds\":[\"/a:/b\"],\"Tmpfs\":{\"/b\":\"\"}",
                        "Duplicate mount point: /b" },
                { "", "\"Tmpfs\":{\"/b\":\"size=1,x\"}", "invalid tmpfs option [\"x\"]" },
                { "", "\"Mounts\":[{\"Type\":\"bind\",\"Target\":\"/x\"}]",
                        "invalid mount config for type \"bind\": field Source must not be empty" },
                { "", "\"Mounts\":[{\"Type\":\"no\",\"Target\":\"/x\"}]",
                        "invalid mount config for type \"no\": mount type unknown" },
                { "", "\"Sysctls\":{\"kernel.core_pattern\":\"x\"}",
                        "sysctl 'kernel.core_pattern' is not allowed" },
                { "", "\"Sysctls\":{\"kernel.shm_rmid_forced=1+kernel.core_pattern\":\"x\"}",
                        "invalid sysctl name" },
                { "", "\"Sysctls\":{\"net/../kernel/x\":\"1\"}", "invalid sysctl name" },
                { "", "\"LogConfig\":{\"Type\":\"nosuch\"}", "" /* any text */ },
                { "", "\"Devices\":[{\"PathOnHost\":\"x\"}]", "'x' is not an absolute path" },
                { "", "\"Devices\":[{\"PathOnHost\":\"/dev/x\",\"CgroupPermissions\":\"q\"}]",
                        "invalid device mode: q" },
                { "", "\"DeviceCgroupRules\":[\"c 1 rwm\"]",
                        "invalid device cgroup rule format: 'c 1 rwm'" },
                { "", "\"PidMode\":\"x\"", "invalid PID mode: x" },
                { "", "\"PidMode\":\"container:\"", "invalid PID mode: container:" },
                { "", "\"UTSMode\":\"container:x\"", "invalid UTS mode: container:x" },
                { "", "\"CgroupnsMode\":\"x\"", "invalid cgroup namespace mode: x" },
                { "", "\"StorageOpt\":{\"size\":\"1G\"}",
                        "--storage-opt is supported only for overlay over xfs with 'pquota'" },
                { "", "\"StorageOpt\":{\"foo\":\"1\"}", "Unknown option foo" },
                { "", "\"SecurityOpt\":[\"foo\"]", "invalid --security-opt 1: \"foo\"" },
                { "", "\"IOMaximumIOps\":1",
                        "Invalid QoS settings: linux does not support configuration of maximum "
                        "IOPs" },
                { "", "\"Tmpfs\":{\"/b\":\"foo=1\"}", "invalid tmpfs option [\"foo\" \"1\"]" },
                { "", "\"Mounts\":[{\"Type\":\"npipe\",\"Target\":\"/x\"}]",
                        "invalid mount config for type \"npipe\": mount type unknown" },
                { "", "\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/x\",\"BindOptions\":{}}]",
                        "invalid mount config for type \"tmpfs\": field BindOptions must not be "
                        "specified" },
                { "\"Hostname\":\"h\"", "\"UTSMode\":\"host\"",
                        "conflicting options: hostname and the UTS mode" },
                { "", "\"ExtraHosts\":[\"x\"]", "bad format for add-host: \"x\"" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(container_spec_done) ContainerSpec spec = {};
                _cleanup_(strv_freep) char **warnings = NULL;
                _cleanup_(freep) char *text =
                        check(table[i].config, table[i].host, &big, &spec, &warnings);

                if (!*text || !str_starts(text, table[i].text))
                        fail_msg("%s %s: \"%s\"", table[i].config, table[i].host, text);
        }
}

static void test_fills_defaults(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        _cleanup_(strv_freep) char **warnings = NULL;
        _cleanup_(freep) char *text = check("\"WorkingDir\":\"/a/../b\"",
                "\"Memory\":67108864,\"CapAdd\":[\"net_admin\",\"CAP_NET_ADMIN\"]", &big, &spec,
                &warnings);

        assert_string_equal(text, "");
        assert_true(strv_empty(warnings));
        assert_string_equal(spec.config.working_dir, "/b");
        assert_int_equal(spec.host.resources.memory_swap, 2 * 67108864);
        assert_int_equal(spec.host.shm_size, 64 * 1024 * 1024);
        assert_string_equal(spec.host.log_config.type, "json-file");
        assert_string_equal(spec.host.runtime, "test");
        assert_int_equal(strv_length(spec.host.cap_add), 2); /* as they were given */
        assert_string_equal(spec.host.cap_add[0], "net_admin");
        assert_true(strv_contains(spec.host.masked_paths, "/proc/kcore"));
}

static void test_small_host_warns(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        _cleanup_(strv_freep) char **warnings = NULL;
        _cleanup_(freep) char *text = check("",
                "\"Memory\":67108864,\"CpuQuota\":50000,\"CpuShares\":512,\"CpusetCpus\":\"0\","
                "\"PidsLimit\":10,"
                "\"BlkioWeight\":100,\"BlkioDeviceReadBps\":[{\"Path\":\"/dev/"
                "sda\",\"Rate\":1}],\"OomKillDisable\":true",
                &small, &spec, &warnings);
        const Resources *c = &spec.host.resources;

        assert_string_equal(text, "");
        assert_int_equal(strv_length(warnings), 8);
        assert_int_equal(c->memory, 0);
        assert_int_equal(c->cpu_quota, 0);
        assert_int_equal(c->cpu_shares, 0);
        assert_null(c->cpuset_cpus);
        assert_int_equal(c->pids_limit, JSON_NO_INT64);
        assert_int_equal(c->blkio_weight, 0);
        assert_int_equal(c->n_blkio_device_read_bps, 0);
        assert_int_equal(c->oom_kill_disable, -1);
}

/* Words of an image go to the terminal of whoever runs it. */
static void test_words_of_an_image(void **state) {
        _cleanup_(container_spec_done) ContainerSpec spec = {};
        _cleanup_(strv_freep) char **warnings = NULL;
        _cleanup_(freep) char *text =
                check("\"Volumes\":{\"/x\\u001b[2J\":{}}", "", &big, &spec, &warnings);

        assert_string_equal(text, "invalid mount path: '/x\\x1b[2J'");
}

static void test_privilege(void **state) {
        static const struct {
                const char *host, *word;
        } table[] = {
                { "", NULL },
                { "\"Privileged\":true", "privileged" },
                { "\"PidMode\":\"host\"", "host-pid" },
                { "\"IpcMode\":\"host\"", "host-ipc" },
                { "\"UTSMode\":\"host\"", "host-namespace" },
                { "\"PidMode\":\"container:x\"", "container-namespace" },
                { "\"NetworkMode\":\"container:x\"", "container-namespace" },
                { "\"Binds\":[\"/etc:/x\"]", "bind" },
                { "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/etc\",\"Target\":\"/x\"}]",
                        "bind" },
                { "\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/x\"}]", NULL },
                { "\"Devices\":[{\"PathOnHost\":\"/dev/sda\"}]", "device" },
                { "\"CapAdd\":[\"chown\"]", NULL },
                { "\"CapAdd\":[\"sys_admin\"]", "capability" },
                { "\"CapAdd\":[\"all\"]", "capability" },
                { "\"SecurityOpt\":[\"seccomp=unconfined\"]", "seccomp" },
                { "\"SecurityOpt\":[\"no-new-privileges\"]", NULL },
                { "\"MaskedPaths\":[]", "system-paths" },
                { "\"MaskedPaths\":[\"/nothing\"]", "system-paths" },
                { "\"ReadonlyPaths\":[\"/nothing\"]", "system-paths" },
                { "\"ReadonlyPaths\":[\"/x\",\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/"
                  "sys\","
                  "\"/proc/sysrq-trigger\"]",
                        NULL },
                { "\"Annotations\":{\"run.oci.seccomp_bpf_data\":\"x\"}", "annotation" },
                { "\"CgroupParent\":\"x.slice\"", "cgroup-parent" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(container_spec_done) ContainerSpec spec = {};
                _cleanup_(freep) char *body = NULL;

                container_spec_init(&spec);
                assert_ok(
                        str_printf(&body, "{\"Image\":\"x\",\"HostConfig\":{%s}}", table[i].host));
                assert_ok(container_spec_read_text(body, strlen(body), &spec, NULL));
                if (!str_equal(container_check_privilege(&spec), table[i].word))
                        fail_msg("%s: %s", table[i].host,
                                str_or(container_check_privilege(&spec), "none"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refuses),
                cmocka_unit_test(test_fills_defaults),
                cmocka_unit_test(test_small_host_warns),
                cmocka_unit_test(test_words_of_an_image),
                cmocka_unit_test(test_privilege),
        };

        return cmocka_run_group_tests_name("engine/container/container-check", tests, NULL, NULL);
}
