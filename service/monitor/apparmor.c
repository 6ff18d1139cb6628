/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/monitor/apparmor.h"

#include <errno.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define LIST_MAX    ((size_t) 4 * 1024 * 1024)
#define OUTPUT_MAX  4096U
#define PARSER_USEC UINT64_C(20000000)

/* Without includes: what a host has in /etc/apparmor.d does not change what a container may do. Everything is allowed but what
 * reaches the kernel or others: mounts, writing outside of the process folders of /proc and of the sysctls that have namespaces
 * (kernel.shm*), /sys but cgroups; signals and ptrace stay among containers. */
static const char profile[] =
        "profile " APPARMOR_DEFAULT " flags=(attach_disconnected,mediate_deleted) {\n"
        "  network,\n"
        "  capability,\n"
        "  file,\n"
        "  umount,\n"
        "  unix,\n"
        "  dbus,\n"
        "  signal (receive) peer=unconfined,\n"
        "  signal (send,receive) peer=" APPARMOR_DEFAULT ",\n"
        "  ptrace (trace,read,tracedby,readby) peer=" APPARMOR_DEFAULT ",\n"
        "  deny mount,\n"
        "  deny /proc/* w,\n"
        "  deny /proc/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9]*}/** w,\n"
        "  deny /proc/sys/[^k]** w,\n"
        "  deny /proc/sys/kernel/{?,??,[^s][^h][^m]**} w,\n"
        "  deny /proc/sysrq-trigger rwklx,\n"
        "  deny /proc/kcore rwklx,\n"
        "  deny /sys/[^f]*/** wklx,\n"
        "  deny /sys/f[^s]*/** wklx,\n"
        "  deny /sys/fs/[^c]*/** wklx,\n"
        "  deny /sys/fs/c[^g]*/** wklx,\n"
        "  deny /sys/fs/cg[^r]*/** wklx,\n"
        "  deny /sys/firmware/** rwklx,\n"
        "  deny /sys/devices/virtual/powercap/** rwklx,\n"
        "  deny /sys/kernel/security/** rwklx,\n"
        "}\n";

bool apparmor_list_has(const char *list, const char *name) {
        size_t n = strlen(name);

        for (const char *line = list; line && *line;) {
                const char *end = strchr(line, '\n');

                /* "NAME (MODE)" */
                if (strncmp(line, name, n) == 0 && line[n] == ' ' && line[n + 1] == '(')
                        return true;
                line = end ? end + 1 : NULL;
        }
        return false;
}

static int is_loaded(const char *name) {
        _cleanup_(freep) char *list = NULL;
        int r;

        r = file_read(APPARMOR_PROFILES, LIST_MAX, &list, NULL);
        return r < 0 ? r : apparmor_list_has(list, name);
}

static const char *find_parser(void) {
        static const char *const places[] = { "/usr/sbin/apparmor_parser", "/sbin/apparmor_parser",
                "/usr/bin/apparmor_parser" };

        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                if (access(places[i], X_OK) >= 0)
                        return places[i];
        return NULL;
}

static int load(Error *reterr) {
        /* Replaced if somebody was quicker; no cache is written. */
        static char *const argv[] = { (char *) "apparmor_parser", (char *) "--replace",
                (char *) "--skip-cache", (char *) "--quiet", NULL };
        _cleanup_(fd_closep) int text_fd = -EBADF;
        _cleanup_(freep) char *output = NULL;
        const char *path = find_parser();
        int r;

        if (!path)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "AppArmor is enabled on this host, but the profile " APPARMOR_DEFAULT
                        " is not loaded and there is no apparmor_parser to load it");
        text_fd = fd_memfd_sealed("apparmor-profile", profile, sizeof(profile) - 1);
        if (text_fd < 0)
                return text_fd;
        r = process_run(
                &(ProcessSpec) {
                        .path = path,
                        .argv = argv,
                        .fds = &(ProcessFd) { .fd = text_fd, .target = STDIN_FILENO },
                        .n_fds = 1,
                },
                PARSER_USEC, OUTPUT_MAX, &output);
        if (r < 0)
                return error_set_errno(reterr, r, "run %s", path);
        if (r > 0)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "AppArmor is enabled on this host, but the profile " APPARMOR_DEFAULT
                        " could not be loaded: %s",
                        str_chomp(output));
        return 0;
}

int apparmor_prepare(const Json *config, Error *reterr) {
        const char *name = json_to_text(json_get(json_get(config, "process"), "apparmorProfile"));
        int r;

        if (!str_equal(name, APPARMOR_DEFAULT))
                return 0;
        r = is_loaded(name);
        if (r < 0 && r != -ENOENT)
                return error_set_errno(reterr, r, "read %s", APPARMOR_PROFILES);
        return r > 0 ? 0 : load(reterr);
}
