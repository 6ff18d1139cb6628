/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/launcher/wake.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AWAKE_MSEC 10 /* it stays so for 15 ms and more */

static uint64_t now_msec(void) {
        struct timespec t = {};

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

void wake_init(Wake *w, int min_fd) {
        char line[PATH_MAX + 8], path[PATH_MAX + 64];
        FILE *f;
        int fd = -1, n;

        *w = (Wake) { .procs_fd = -1 };
        f = fopen("/proc/self/cgroup", "re");
        if (!f)
                return;
        while (fd < 0 && fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, "0::/", 4) != 0)
                        continue;
                n = snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cgroup.procs", line + 3);
                if (n > 0 && (size_t) n < sizeof(path))
                        fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        }
        (void) fclose(f);
        if (fd < 0)
                return;
        w->procs_fd = fcntl(fd, F_DUPFD_CLOEXEC, min_fd);
        (void) close(fd);
}

/* A real fork: it goes on while the child waits in the kernel. */
void wake_cgroups(Wake *w) {
        pid_t pid;

        if (w->procs_fd < 0 || w->pid > 0 ||
                (w->ended_msec > 0 && now_msec() - w->ended_msec < AWAKE_MSEC))
                return;
        pid = fork();
        if (pid == 0)
                _exit(write(w->procs_fd, "0", 1) == 1 ? 0 : 1); /* 0: the one who writes */
        if (pid > 0)
                w->pid = pid;
}

void wake_reaped(Wake *w, pid_t pid) {
        if (w->pid != pid)
                return;
        w->pid = 0;
        w->ended_msec = now_msec();
}
