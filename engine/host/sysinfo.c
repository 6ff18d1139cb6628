/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/sysinfo.h"

#include <linux/magic.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define KERNEL_FILE_MAX  ((size_t) 256 * 1024)
#define THERMAL_CPUS_MAX 8192U

static int read_line(const char *root, const char *name, char **ret) {
        _cleanup_(freep) char *path = path_join(str_or(root, ""), name);

        return path ? file_read_line(path, ret) : -ENOMEM;
}

static bool has_path(const char *root, const char *name) {
        _cleanup_(freep) char *path = path_join(str_or(root, ""), name);

        return path && access(path, F_OK) >= 0;
}

/* The controllers that systemd may hand to a scope: what the root cgroup has. */
static void probe_cgroup(const char *root, SysInfo *s) {
        _cleanup_(freep) char *path = NULL, *line = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        struct statfs fs;

        path = path_join(str_or(root, ""), "/sys/fs/cgroup");
        if (!path)
                return;
        if (read_line(root, "/sys/fs/cgroup/cgroup.controllers", &line) < 0)
                return;

        /* A tree of a test has no real file system of that kind; its file is enough. */
        s->cgroup_v2 =
                !str_empty(root) || (statfs(path, &fs) >= 0 && fs.f_type == CGROUP2_SUPER_MAGIC);
        if (strv_split(line, " ", /* keep_empty= */ false, &names) < 0)
                return;

        s->has_cpu = strv_contains(names, "cpu");
        s->has_cpuset = strv_contains(names, "cpuset");
        s->has_memory = strv_contains(names, "memory");
        s->has_io = strv_contains(names, "io");
        s->has_pids = strv_contains(names, "pids");
        s->has_swap = s->has_memory && has_path(root, "/proc/swaps");
        /* io.weight exists with BFQ or iocost; a slice that systemd made shows it. */
        s->has_io_weight =
                s->has_io && (has_path(root, "/sys/fs/cgroup/system.slice/io.weight") ||
                                     has_path(root, "/sys/fs/cgroup/system.slice/io.bfq.weight"));
}

static void probe_memory(const char *root, SysInfo *s) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        const char *at;
        char *end;

        path = path_join(str_or(root, ""), "/proc/meminfo");
        if (!path || file_read(path, KERNEL_FILE_MAX, &text, NULL) < 0)
                return;
        at = strstr(text, "MemTotal:");
        if (at)
                s->memory_total = strtoull(at + STRLEN("MemTotal:"), &end, 10) * 1024;
}

static int probe_kernel(const char *root, SysInfo *s) {
        _cleanup_(freep) char *line = NULL;
        struct utsname u;
        int r;

        if (uname(&u) < 0)
                return -errno;
        r = str_copy(&s->architecture, u.machine);
        if (r < 0)
                return r;
        r = str_copy(&s->hostname, u.nodename);
        if (r < 0)
                return r;
        r = read_line(root, "/proc/sys/kernel/osrelease", &line);
        r = str_copy(&s->kernel_version, r < 0 ? u.release : line);
        if (r < 0)
                return r;
        (void) sscanf(s->kernel_version, "%u.%u", s->kernel, s->kernel + 1);
        return 0;
}

/* One value of os-release, quotes taken away; what a shell would expand there is not. */
static int os_release_get(const char *text, const char *key, char **ret) {
        _cleanup_(strv_freep) char **lines = NULL;
        int r;

        r = strv_split(text, "\n", /* keep_empty= */ false, &lines);
        if (r < 0)
                return r;
        STRV_FOREACH (line, lines) {
                const char *value = str_starts(*line, key);
                size_t n;

                if (!value || *value != '=')
                        continue;
                value++;
                n = strlen(value);
                if (n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0])
                        return str_copy_n(ret, value + 1, n - 2);
                return str_copy(ret, value);
        }
        return -ENOENT;
}

static int probe_os(const char *root, SysInfo *s) {
        _cleanup_(freep) char *text = NULL;
        int r = -ENOENT;

        for (unsigned i = 0; i < 2 && r < 0; i++) {
                _cleanup_(freep) char *path = path_join(
                        str_or(root, ""), i == 0 ? "/etc/os-release" : "/usr/lib/os-release");

                if (!path)
                        return -ENOMEM;
                r = file_read(path, KERNEL_FILE_MAX, &text, NULL);
        }
        if (r >= 0) {
                (void) os_release_get(text, "PRETTY_NAME", &s->os_name);
                (void) os_release_get(text, "VERSION_ID", &s->os_version);
        }
        if (!s->os_name)
                r = str_copy(&s->os_name, "Linux");
        return r == -ENOMEM ? r : 0;
}

static void probe_cpus(const char *root, SysInfo *s) {
        _cleanup_(strv_freep) char **ranges = NULL;

        if (read_line(root, "/sys/devices/system/cpu/online", &s->cpus) < 0 ||
                strv_split(s->cpus, ",", /* keep_empty= */ false, &ranges) < 0) {
                s->n_cpus = (unsigned) MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
        } else
                STRV_FOREACH (range, ranges) {
                        unsigned first = 0, last = 0;

                        if (sscanf(*range, "%u-%u", &first, &last) < 2)
                                last = first;
                        s->n_cpus += last - first + 1;
                }
        (void) read_line(root, "/sys/devices/system/node/online", &s->mems);
}

static int probe_security(const char *root, SysInfo *s) {
        _cleanup_(freep) char *line = NULL, *enabled = NULL;
        int r;

        s->last_capability = 40; /* CAP_CHECKPOINT_RESTORE, Linux 5.9 */
        if (read_line(root, "/proc/sys/kernel/cap_last_cap", &line) >= 0)
                (void) parse_unsigned(line, &s->last_capability);

        for (unsigned i = 0; i < THERMAL_CPUS_MAX; i++) {
                _cleanup_(freep) char *path = NULL;

                r = str_printf(&path, "/sys/devices/system/cpu/cpu%u/thermal_throttle", i);
                if (r < 0)
                        return r;
                if (!has_path(root, path)) {
                        if (i >= s->n_cpus)
                                break;
                        continue;
                }
                r = strv_take(&s->thermal_throttle, TAKE_PTR(path));
                if (r < 0)
                        return r;
        }

        s->has_seccomp = has_path(root, "/proc/sys/kernel/seccomp/actions_avail");
        s->has_selinux = has_path(root, "/sys/fs/selinux/enforce");
        s->has_apparmor =
                read_line(root, "/sys/module/apparmor/parameters/enabled", &enabled) >= 0 &&
                enabled[0] == 'Y' &&
                /* As Docker has it: without its tool the profile cannot be loaded, so there is none. */
                (root[0] || access("/sbin/apparmor_parser", X_OK) >= 0);
        return 0;
}

int sysinfo_new(const char *root, SysInfo **ret) {
        _cleanup_(sysinfo_freep) SysInfo *s = NULL;
        _cleanup_(freep) char *forwarding = NULL;
        int r;

        assert(ret);

        s = new0(SysInfo, 1);
        if (!s)
                return -ENOMEM;

        probe_cgroup(root, s);
        probe_memory(root, s);
        probe_cpus(root, s);
        r = probe_kernel(root, s);
        if (r < 0)
                return r;
        r = probe_os(root, s);
        if (r < 0)
                return r;
        r = read_line(root, "/proc/sys/kernel/random/boot_id", &s->boot_id);
        if (r < 0)
                r = str_copy(&s->boot_id, "unknown");
        if (r < 0)
                return r;

        r = probe_security(root, s);
        if (r < 0)
                return r;
        s->ipv4_forwarding = read_line(root, "/proc/sys/net/ipv4/ip_forward", &forwarding) >= 0 &&
                             forwarding[0] == '1';

        *ret = TAKE_PTR(s);
        return 0;
}

SysInfo *sysinfo_free(SysInfo *s) {
        if (!s)
                return NULL;

        strv_free(s->thermal_throttle);
        free(s->cpus);
        free(s->mems);
        free(s->kernel_version);
        free(s->architecture);
        free(s->hostname);
        free(s->os_name);
        free(s->os_version);
        free(s->boot_id);
        free(s);
        return NULL;
}

const char *sysinfo_go_architecture(const SysInfo *s) {
        static const char *const table[][2] = {
                { "x86_64", "amd64" },
                { "aarch64", "arm64" },
                { "i686", "386" },
                { "armv7l", "arm" },
                { "armv6l", "arm" },
                { "ppc64le", "ppc64le" },
                { "s390x", "s390x" },
                { "riscv64", "riscv64" },
                { "loongarch64", "loong64" },
                { "mips64", "mips64" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (streq(s->architecture, table[i][0]))
                        return table[i][1];
        return s->architecture;
}
