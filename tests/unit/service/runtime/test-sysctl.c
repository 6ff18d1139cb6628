/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/sysctl.h"

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "service/runtime/namespaces.h"
#include "tests/unit/test.h"

static Namespaces own(unsigned first, unsigned second) {
        Namespaces n = {};

        for (NamespaceType t = 0; t < _NAMESPACE_TYPE_MAX; t++)
                n.join_fds[t] = -EBADF;
        n.new_flags = namespace_flag(first) | namespace_flag(second);
        return n;
}

static void test_names(void **state) {
        static const struct {
                const char *name, *path;
        } table[] = {
                { "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
                { "net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding" },
                { "net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding" },
                { "kernel.shmmax", "kernel/shmmax" },
                { "fs.mqueue.msg_max", "fs/mqueue/msg_max" },
        };
        Namespaces n = own(NAMESPACE_NETWORK, NAMESPACE_IPC);

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_ok(sysctl_check(&n, table[i].name, "1", &path, NULL));
                assert_string_equal(path, table[i].path);
        }
}

static void test_hostile(void **state) {
        static const char *const names[] = {
                "kernel.shm_rmid_forced=1+kernel.core_pattern",
                "net.ipv4..=1",
                "net/../kernel/core_pattern",
                "net..ipv4",
                "",
                ".",
                "/",
                "net",
                "/net/ipv4/x",
                "net/ipv4/",
                "net/./ipv4/x\n",
                "net//ipv4",
                "kernel.core_pattern",
                "vm.overcommit_memory",
                "kernel.hostname",
                "net/../../etc/passwd",
        };
        Namespaces n = own(NAMESPACE_NETWORK, NAMESPACE_IPC);

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = NULL;

                if (sysctl_check(&n, names[i], "1", &path, NULL) != -EINVAL)
                        fail_msg("%s was taken for %s", names[i], path);
        }
}

static void test_namespaces(void **state) {
        Namespaces none = own(NAMESPACE_PID, NAMESPACE_MOUNT),
                   uts = own(NAMESPACE_UTS, NAMESPACE_MOUNT);
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(sysctl_check(&none, "net.core.somaxconn", "1", &path, &e), -EINVAL);
        assert_string_equal(
                e.text, "sysctl \"net.core.somaxconn\" is not in a separate kernel namespace");
        assert_int_equal(sysctl_check(&none, "kernel.sem", "1", &path, NULL), -EINVAL);
        assert_ok(sysctl_check(&uts, "kernel.domainname", "x", &path, NULL));
}

static void test_values(void **state) {
        Namespaces n = own(NAMESPACE_NETWORK, NAMESPACE_IPC);
        _cleanup_(freep) char *path = NULL, *other = NULL;

        assert_int_equal(sysctl_check(&n, "kernel.shmmax", "1\n2", &path, NULL), -EINVAL);
        assert_ok(sysctl_check(&n, "net.ipv4.ip_local_port_range", "1024\t65000", &path, NULL));
        assert_ok(sysctl_check(&n, "kernel.sem", "1 2 3 4", &other, NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_namespaces),
                cmocka_unit_test(test_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
