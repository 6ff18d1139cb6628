/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"
#include "lib/oci/runtime-spec.h"

/* Every member that the tables know, in their order, so that reading and writing gives it back. */
#define FULL                                                                                      \
        "{\"ociVersion\":\"1.2.0\",\"process\":{\"terminal\":true,"                               \
        "\"consoleSize\":{\"height\":24,\"width\":80},"                                           \
        "\"user\":{\"uid\":1000,\"gid\":5,\"umask\":18,\"additionalGids\":[5,4294967294]},"       \
        "\"args\":[\"sh\",\"-c\",\"true\"],\"env\":[\"PATH=/bin\"],\"cwd\":\"/\","                \
        "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],\"effective\":[\"CAP_CHOWN\"],"           \
        "\"permitted\":[\"CAP_CHOWN\"]},"                                                         \
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":18446744073709551615,\"soft\":1024}]," \
        "\"noNewPrivileges\":true,\"apparmorProfile\":\"a\",\"oomScoreAdj\":0,"                   \
        "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":-5},\"selinuxLabel\":\"l\","          \
        "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4},"                          \
        "\"execCPUAffinity\":{\"initial\":\"0\",\"final\":\"1\"}},"                               \
        "\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"h\",\"domainname\":"     \
        "\"d\","                                                                                  \
        "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","           \
        "\"options\":[\"nosuid\"]},{\"destination\":\"/m\",\"source\":\"/s\","                    \
        "\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"                 \
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]}],"               \
        "\"hooks\":{\"createRuntime\":[{\"path\":\"/"                                             \
        "h\",\"args\":[\"h\"],\"env\":[\"A=b\"],\"timeout\":0}],"                                 \
        "\"poststop\":[{\"path\":\"/p\"}]},\"annotations\":{\"k\":\"v\"},"                        \
        "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"               \
        "\"sysctl\":{\"net.ipv4.ping_group_range\":\"0 2147483647\"},"                            \
        "\"resources\":{\"unified\":{\"memory.high\":\"1\"},"                                     \
        "\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"                                      \
        "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":0,\"access\":\"rw\"}],"             \
        "\"memory\":{\"limit\":0,\"swap\":-1,\"swappiness\":60,\"disableOOMKiller\":false},"      \
        "\"cpu\":{\"shares\":1024,\"quota\":-1,\"period\":100000,\"cpus\":\"0-1\",\"idle\":0},"   \
        "\"pids\":{\"limit\":-1},\"blockIO\":{\"weight\":10,"                                     \
        "\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":20}],"                             \
        "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1}]},"                      \
        "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}],"                                \
        "\"network\":{\"classID\":0,\"priorities\":[{\"name\":\"eth0\",\"priority\":1}]},"        \
        "\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}}},\"cgroupsPath\":\"/x\","                       \
        "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/run/ns\"}],"        \
        "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,\"minor\":3,"               \
        "\"fileMode\":438,\"uid\":0,\"gid\":0}],"                                                 \
        "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,"                \
        "\"architectures\":[\"SCMP_ARCH_X86_64\"],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],"       \
        "\"syscalls\":[{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"errnoRet\":0,"     \
        "\"args\":[{\"index\":0,\"value\":40,\"valueTwo\":18446744073709551615,"                  \
        "\"op\":\"SCMP_CMP_NE\"}]}]},\"rootfsPropagation\":\"slave\","                            \
        "\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/"                           \
        "bus\"],\"mountLabel\":\"m\","                                                            \
        "\"intelRdt\":{\"closID\":\"c\",\"enableCMT\":true},"                                     \
        "\"personality\":{\"domain\":\"LINUX32\"},\"timeOffsets\":{\"boottime\":{\"secs\":5}}}}"

static int read_spec(const char *text, RuntimeSpec *ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;

        if (json_parse(text, strlen(text), JSON_SIZE_MAX, &v, reterr) < 0)
                fail_msg("%s", error_text(reterr, 0));
        return runtime_spec_read(v, ret, reterr);
}

static void test_round_trip(void **state) {
        _cleanup_(runtime_spec_done) RuntimeSpec s = {}, copy = {};
        _cleanup_(freep) char *text = NULL;
        _cleanup_(error_done) Error e = {};

        if (read_spec(FULL, &s, &e) < 0)
                fail_msg("%s", e.text);
        assert_int_equal(s.process->user.n_additional_gids, 2);
        assert_int_equal(s.process->capabilities->bounding[0][4], 'C');
        assert_true(s.linux_->resources->devices[0].major == JSON_NO_INT64);
        assert_true(s.linux_->resources->memory->reservation == JSON_NO_INT64);
        assert_string_equal(s.linux_->resources->rdma[0].device, "mlx5_1");
        assert_string_equal(s.linux_->time_offsets[0].clock, "boottime");

        assert_int_equal(fields_copy(runtime_spec_fields, &s, &copy), 0);
        assert_int_equal(json_write_text(&copy, runtime_spec_fields, &text), 0);
        assert_string_equal(text, FULL);
}

static void test_smallest(void **state) {
        _cleanup_(runtime_spec_done) RuntimeSpec s = {};

        assert_int_equal(
                read_spec("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"/r\"},\"linux\":{},"
                          "\"process\":null,\"mounts\":null,\"windows\":{\"x\":1}}",
                        &s, NULL),
                0);
        assert_null(s.process);
        assert_null(s.linux_->resources);
        assert_string_equal(s.root->path, "/r");
}

static void test_refused(void **state) {
        static const struct {
                const char *text, *error;
        } rows[] = {
                { "{}", "ociVersion: is missing" },
                { "{\"ociVersion\":\"2.0.0\"}",
                        "ociVersion: \"2.0.0\" is not supported, only 1.x" },
                { "{\"ociVersion\":\"1.2.0\"}", "root: is missing" },
                { "{\"ociVersion\":\"1.2.0\",\"root\":{}}", "root.path: is missing" },
                { "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"}}", "linux: is missing" },
                { "{\"ociVersion\":\"1.2.0\",\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":-1}}}",
                        "process.user.uid: number out of range" },
                { "{\"ociVersion\":\"1.2.0\",\"process\":{\"cwd\":\"/"
                  "\",\"user\":{\"uid\":4294967296}}}",
                        "process.user.uid: number out of range" },
                { "{\"ociVersion\":\"1.2.0\",\"process\":{}}", "process.cwd: is missing" },
                { "{\"ociVersion\":\"1.2.0\",\"mounts\":[{\"source\":\"x\"}]}",
                        "mounts[0].destination: is missing" },
                { "{\"ociVersion\":\"1.2.0\",\"linux\":{\"seccomp\":{\"defaultAction\":\"x\","
                  "\"syscalls\":[{\"names\":[1],\"action\":\"y\"}]}}}",
                        "linux.seccomp.syscalls[0].names[0]: expected a string" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(runtime_spec_done) RuntimeSpec s = {};
                _cleanup_(error_done) Error e = {};

                assert_int_equal(read_spec(rows[i].text, &s, &e), -EINVAL);
                assert_string_equal(e.text, rows[i].error);
        }
}

static void test_parts(void **state) {
        RuntimeMemory *m = runtime_part_new(RuntimeMemory, runtime_memory_fields);

        assert_non_null(m);
        assert_true(m->limit == JSON_NO_INT64);
        assert_int_equal(m->disable_oom_killer, -1);
        free(m);
}

static void test_state(void **state) {
        _cleanup_(runtime_state_done) RuntimeState s = {};
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(str_copy(&s.oci_version, RUNTIME_SPEC_VERSION), 0);
        assert_int_equal(str_copy(&s.id, "c"), 0);
        assert_int_equal(str_copy(&s.status, "stopped"), 0);
        assert_int_equal(str_copy(&s.bundle, "/b"), 0);
        assert_int_equal(json_write_text(&s, runtime_state_fields, &text), 0);
        assert_string_equal(text,
                "{\"ociVersion\":\"1.2.0\",\"id\":\"c\",\"status\":\"stopped\",\"bundle\":\"/b\"}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_smallest),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_state),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
