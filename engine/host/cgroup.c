/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/cgroup.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define CGROUP_FILE_MAX ((size_t) 256 * 1024)

uint64_t cgroup_parse_keyed(const char *text, const char *key) {
        size_t n = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, key, n) == 0 && line[n] == ' ')
                        return strtoull(line + n + 1, NULL, 10);
        }
        return UINT64_MAX;
}

static void add(uint64_t *sum, const char *value) {
        uint64_t n;

        if (parse_u64(value, &n) >= 0)
                *sum = (*sum == UINT64_MAX ? 0 : *sum) + n;
}

void cgroup_parse_io(const char *text, CgroupFigures *ret) {
        const struct {
                const char *key;
                uint64_t *sum;
        } table[] = {
                { "rbytes=", &ret->io_read_bytes },
                { "wbytes=", &ret->io_write_bytes },
                { "rios=", &ret->io_read_operations },
                { "wios=", &ret->io_write_operations },
        };
        _cleanup_(strv_freep) char **words = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                *table[i].sum = 0; /* the file is there: nothing was read or written yet */
        if (strv_split(text, " \n", /* keep_empty= */ false, &words) < 0)
                return;
        STRV_FOREACH (word, words)
                for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                        const char *value = str_starts(*word, table[i].key);

                        if (value)
                                add(table[i].sum, value);
                }
}

static uint64_t read_number(int dir_fd, const char *name) {
        _cleanup_(freep) char *text = NULL;
        uint64_t n;

        if (file_read_at(dir_fd, name, CGROUP_FILE_MAX, &text, NULL) < 0)
                return UINT64_MAX;
        return parse_u64(str_chomp(text), &n) < 0 ? UINT64_MAX : n;
}

static uint64_t times_1000(uint64_t usec) {
        return usec == UINT64_MAX ? UINT64_MAX : usec * 1000;
}

void cgroup_read(const char *path, CgroupFigures *ret) {
        _cleanup_(freep) char *cpu = NULL, *io = NULL, *events = NULL;
        int fd;

        assert(path);
        assert(ret);

        memset(ret, 0xff, sizeof(*ret)); /* UINT64_MAX all over */

        fd = file_open_dir(AT_FDCWD, path);
        if (fd < 0)
                return;

        if (file_read_at(fd, "cpu.stat", CGROUP_FILE_MAX, &cpu, NULL) >= 0) {
                ret->cpu_usage_nsec = times_1000(cgroup_parse_keyed(cpu, "usage_usec"));
                ret->cpu_user_nsec = times_1000(cgroup_parse_keyed(cpu, "user_usec"));
                ret->cpu_system_nsec = times_1000(cgroup_parse_keyed(cpu, "system_usec"));
        }
        if (file_read_at(fd, "io.stat", CGROUP_FILE_MAX, &io, NULL) >= 0)
                cgroup_parse_io(io, ret);
        if (file_read_at(fd, "memory.events", CGROUP_FILE_MAX, &events, NULL) >= 0)
                ret->oom_kills = cgroup_parse_keyed(events, "oom_kill");
        ret->memory_current = read_number(fd, "memory.current");
        ret->memory_peak = read_number(fd, "memory.peak");
        ret->pids_current = read_number(fd, "pids.current");
        ret->pids_peak = read_number(fd, "pids.peak");
        (void) close(fd);
}
