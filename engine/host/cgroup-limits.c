/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/cgroup-limits.h"

#include <fcntl.h>
#include <stddef.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define LIMIT_FILE_MAX ((size_t) 64 * 1024)

static const struct {
        const char *name;
        const char *prefix; /* before the number; NULL: none */
        size_t offset;
} numbers[] = {
        { "memory.max", NULL, offsetof(CgroupLimits, memory_max) },
        { "memory.low", NULL, offsetof(CgroupLimits, memory_low) },
        { "memory.swap.max", NULL, offsetof(CgroupLimits, swap_max) },
        { "cpu.weight", NULL, offsetof(CgroupLimits, cpu_weight) },
        { "pids.max", NULL, offsetof(CgroupLimits, tasks_max) },
        { "io.weight", "default ", offsetof(CgroupLimits, io_weight) },
};

static const struct {
        const char *name;
        size_t offset;
} lists[] = {
        { "cpuset.cpus", offsetof(CgroupLimits, cpus) },
        { "cpuset.mems", offsetof(CgroupLimits, memory_nodes) },
};

#define CPU_MAX "cpu.max"

bool cgroup_is_limit_file(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                if (streq(name, numbers[i].name))
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                if (streq(name, lists[i].name))
                        return true;
        return streq(name, CPU_MAX);
}

/* "max" or a number, up to the end of the line or a space. */
static uint64_t parse_limit(char *text) {
        uint64_t n;

        text[strcspn(text, " \n")] = 0;
        if (streq(text, "max"))
                return CGROUP_LIMIT_NONE;
        return parse_u64(text, &n) < 0 ? CGROUP_LIMIT_UNKNOWN : n;
}

static uint64_t read_limit(int dir_fd, const char *name, const char *prefix) {
        _cleanup_(freep) char *text = NULL;
        char *number;

        if (file_read_at(dir_fd, name, LIMIT_FILE_MAX, &text, NULL) < 0)
                return CGROUP_LIMIT_UNKNOWN;
        number = text;
        if (prefix) {
                if (!str_starts(text, prefix))
                        return CGROUP_LIMIT_UNKNOWN;
                number += strlen(prefix);
        }
        return parse_limit(number);
}

static void read_cpu_max(int dir_fd, CgroupLimits *l) {
        _cleanup_(freep) char *text = NULL;
        char *period;

        if (file_read_at(dir_fd, CPU_MAX, LIMIT_FILE_MAX, &text, NULL) < 0)
                return;
        period = strchr(text, ' ');
        if (!period)
                return;
        l->cpu_period_usec = parse_limit(period + 1);
        l->cpu_quota_usec = parse_limit(text);
}

void cgroup_read_limits(const char *path, CgroupLimits *ret) {
        _cleanup_(fd_closep) int fd = -EBADF;

        assert(path);
        assert(ret);

        *ret = (CgroupLimits) {
                .cpu_quota_usec = CGROUP_LIMIT_UNKNOWN,
                .cpu_period_usec = CGROUP_LIMIT_UNKNOWN,
        };
        fd = file_open_dir(AT_FDCWD, path);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                *(uint64_t *) ((char *) ret + numbers[i].offset) =
                        fd < 0 ? CGROUP_LIMIT_UNKNOWN
                               : read_limit(fd, numbers[i].name, numbers[i].prefix);
        if (fd < 0)
                return;
        read_cpu_max(fd, ret);
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                char **text = (char **) ((char *) ret + lists[i].offset);

                if (file_read_at(fd, lists[i].name, LIMIT_FILE_MAX, text, NULL) >= 0)
                        (void) str_chomp(*text);
        }
}

void cgroup_limits_done(CgroupLimits *l) {
        l->cpus = mfree(l->cpus);
        l->memory_nodes = mfree(l->memory_nodes);
}
