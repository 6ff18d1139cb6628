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

#define PIDS_FILE_MAX ((size_t) 8 * 1024 * 1024)
#define DEPTH_MAX     8U

typedef struct Pids {
        pid_t *list;
        size_t n;
        size_t n_allocated;
} Pids;

static int read_pids(int dir_fd, unsigned depth, Pids *pids) {
        _cleanup_(strv_freep) char **folders = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = file_read_at(dir_fd, "cgroup.procs", PIDS_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;
        for (char *end, *p = text; *p; p = end + (*end != 0)) {
                pid_t pid = (pid_t) strtol(p, &end, 10);

                if (end == p)
                        break;
                r = array_grow(&pids->list, &pids->n_allocated, pids->n + 1);
                if (r < 0)
                        return r;
                pids->list[pids->n++] = pid;
        }
        if (depth == 0 || file_list(dir_fd, ".", /* hidden= */ false, &folders) < 0)
                return 0;
        STRV_FOREACH (name, folders) {
                int fd = strchr(*name, '.') ? -EBADF : file_open_dir(dir_fd, *name);

                if (fd < 0) /* a file, or gone meanwhile */
                        continue;
                r = read_pids(fd, depth - 1, pids);
                (void) close(fd);
                if (r == -ENOMEM)
                        return r;
        }
        return 0;
}

static int compare_pids(const void *a, const void *b) {
        pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;

        return (x > y) - (x < y);
}

int cgroup_read_pids(const char *path, pid_t **ret, size_t *ret_n) {
        Pids pids = {};
        int fd, r;

        assert(path);
        assert(ret);
        assert(ret_n);

        fd = file_open_dir(AT_FDCWD, path);
        if (fd < 0)
                return fd;
        r = read_pids(fd, DEPTH_MAX, &pids);
        (void) close(fd);
        if (r < 0) {
                free(pids.list);
                return r;
        }
        if (pids.n > 0)
                qsort(pids.list, pids.n, sizeof(*pids.list), compare_pids);
        *ret = pids.list;
        *ret_n = pids.n;
        return 0;
}
