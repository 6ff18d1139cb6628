/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/settings-table.h"
#include "lib/base/str.h"

/* What holds for every row. */
static void test_rows(void **state) {
        for (size_t i = 0; i < settings_table_size; i++) {
                const Setting *row = settings_table + i;

                assert_true(row->name || row->json_key);
                assert_non_null(row->help);
                assert_non_null(row->default_text);
                assert_non_null(setting_type_to_string(row->type));
                assert_non_null(setting_section_to_string(row->section));
                assert_ptr_equal(row,
                        row->name ? setting_find(row->name) : setting_find_json(row->json_key));
                if (row->shorthand)
                        assert_ptr_equal(row, setting_find_shorthand(row->shorthand));
                if (row->flags & SETTING_ACTS)
                        assert_non_null(row->store);
                if (row->flags & SETTING_MAP)
                        assert_true(row->flags & SETTING_MULTI);
                if (row->alias_of)
                        assert_non_null(setting_find(row->alias_of));
                if (row->type == SETTING_ENUM)
                        assert_non_null(row->range);
                if (row->default_text[0])
                        assert_int_equal(setting_check(row, row->default_text, NULL), 0);
        }
}

/* Names and keys of dockerd that must be known. */
static void test_all_of_dockerd(void **state) {
        static const char *const flags[] = {
                "host",
                "group",
                "tls",
                "tlsverify",
                "tlscacert",
                "tlscert",
                "tlskey",
                "authorization-plugin",
                "metrics-addr",
                "config-file",
                "validate",
                "version",
                "help",
                "data-root",
                "exec-root",
                "pidfile",
                "debug",
                "log-level",
                "log-format",
                "raw-logs",
                "label",
                "live-restore",
                "shutdown-timeout",
                "default-stop-timeout",
                "experimental",
                "feature",
                "rootless",
                "http-proxy",
                "https-proxy",
                "no-proxy",
                "network-diagnostic-port",
                "restart",
                "exec-opt",
                "cgroup-parent",
                "default-cgroupns-mode",
                "default-ipc-mode",
                "default-shm-size",
                "default-ulimit",
                "default-runtime",
                "add-runtime",
                "init",
                "init-path",
                "seccomp-profile",
                "no-new-privileges",
                "selinux-enabled",
                "userns-remap",
                "cpu-rt-period",
                "cpu-rt-runtime",
                "cdi-spec-dir",
                "nri-opts",
                "log-driver",
                "log-opt",
                "storage-driver",
                "storage-opt",
                "insecure-registry",
                "registry-mirror",
                "max-concurrent-downloads",
                "max-concurrent-uploads",
                "max-download-attempts",
                "bridge",
                "bip",
                "bip6",
                "fixed-cidr",
                "fixed-cidr-v6",
                "default-gateway",
                "default-gateway-v6",
                "icc",
                "ip",
                "ip-masq",
                "ipv6",
                "mtu",
                "ip-forward",
                "ip-forward-no-drop",
                "iptables",
                "ip6tables",
                "firewall-backend",
                "allow-direct-routing",
                "bridge-accept-fwmark",
                "userland-proxy",
                "userland-proxy-path",
                "default-address-pool",
                "default-network-opt",
                "dns",
                "dns-opt",
                "dns-search",
                "host-gateway-ip",
                "network-control-plane-mtu",
                "swarm-default-advertise-addr",
                "node-generic-resource",
                "containerd",
                "containerd-namespace",
                "containerd-plugins-namespace",
                "cri-containerd",
        };
        static const char *const keys[] = {
                "registry-mirrors",
                "insecure-registries",
                "storage-opts",
                "authorization-plugins",
                "exec-opts",
                "labels",
                "dns-opts",
                "log-opts",
                "default-ulimits",
                "runtimes",
                "hosts",
                "features",
                "default-network-opts",
                "default-address-pools",
                "node-generic-resources",
                "cdi-spec-dirs",
                "nri-opts",
                "host-gateway-ips",
                "dns",
                "dns-search",
                "builder",
                "min-api-version",
                "deprecated-key-path",
                "allow-nondistributable-artifacts",
        };

        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                assert_non_null(setting_find(flags[i]));
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                assert_non_null(setting_find_json(keys[i]));
        for (const char *p = "HGvpDlsbgr"; *p; p++)
                assert_non_null(setting_find_shorthand(*p));
}

static void assert_check(const char *name, const char *value, const char *sentence) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = setting_check(setting_find(name), value, &e);
        if (!sentence) {
                if (r < 0)
                        print_message("%s=%s: %s\n", name, value, error_text(&e, r));
                assert_int_equal(r, 0);
                return;
        }
        assert_true(r < 0);
        if (!strstr(error_text(&e, r), sentence))
                print_message("%s=%s: %s\n", name, value, error_text(&e, r));
        assert_non_null(strstr(error_text(&e, r), sentence));
}

static void test_check(void **state) {
        assert_check("debug", "true", NULL);
        assert_check("debug", "maybe", "\"maybe\" is no boolean; use true or false");
        assert_check("mtu", "1500", NULL);
        assert_check("mtu", "-1", "from 0 to 65535");
        assert_check("mtu", "x", "whole number");
        assert_check("shutdown-timeout", "-1", NULL);
        assert_check("default-shm-size", "64m", NULL);
        assert_check("default-shm-size", "64x", "no size");
        assert_check("log-level", "warn", NULL);
        assert_check("log-level", "loud", "one of trace, debug, info");
        assert_check("data-root", "/x", NULL);
        assert_check("data-root", "x", "no absolute path");
        assert_check("cgroup-parent", "a-b.slice", NULL);
        assert_check("cgroup-parent", "-.slice", NULL);
        assert_check("cgroup-parent", "/docker", "no slice");
        assert_check("cgroup-parent", "a--b.slice", "no slice");
        assert_check("host", "fd://", NULL);
        assert_check("host", "unix:///run/x.sock", NULL);
        assert_check("host", "tcp://0.0.0.0:2375", NULL);
        assert_check("host", "tcp://[::1]:2375", NULL);
        assert_check("host", "127.0.0.1:2375", NULL);
        assert_check("host", "http://x", "no address");
        assert_check("host", "unix://relative", "no socket");
        assert_check("host", "tcp://h:99999", "no address");
        assert_check("label", "a=b", NULL);
        assert_check("label", "a", "KEY=VALUE");
        assert_check("add-runtime", "crun=/usr/bin/crun", NULL);
        assert_check("add-runtime", "crun=bin/crun", "NAME=PATH");
        assert_check("add-runtime", "/x=/y", "NAME=PATH");
        assert_check("default-ulimit", "nofile=1024:2048", NULL);
        assert_check("default-ulimit", "core=-1", NULL);
        assert_check("default-ulimit", "core=0:-1", NULL);
        assert_check("default-ulimit", "nofile=9:1", "above the hard one");
        assert_check("default-ulimit", "files=1", "no limit that Linux has");
        assert_check("default-ulimit", "nofile=many", "with numbers");
        assert_check("bip", "172.17.0.1/16", NULL);
        assert_check("bip", "172.17.0.1", "ADDRESS/BITS");
        assert_check("dns", "2001:db8::1", NULL);
        assert_check("dns", "one.one", "no IP address");
        assert_check("registry-mirror", "ftp://x", "http://");
        assert_check("storage-driver", "vfs", NULL);
        assert_check("storage-driver", "aufs", "AUFS is not in the Linux kernel");
        assert_check("storage-driver", "aufs", "vfs");
        assert_check("storage-driver", "zfs", "has no storage driver");
        assert_check("storage-driver", "nope", "is no storage driver");
        assert_check("group", "a\nb", "control character");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_all_of_dockerd),
                cmocka_unit_test(test_check),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
