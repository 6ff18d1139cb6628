/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/cgroup-stats.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/host/cgroup.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define FILE_MAX      ((size_t) 256 * 1024)
#define PROC_STAT_MAX ((size_t) 64 * 1024) /* the lines of CPUs come first */
#define BUSY_COLUMNS  7                    /* user nice system idle iowait irq softirq */

const char *const cgroup_memory_keys[CGROUP_MEMORY_KEYS] = {
        "anon",
        "file",
        "kernel_stack",
        "slab",
        "sock",
        "shmem",
        "file_mapped",
        "file_dirty",
        "file_writeback",
        "anon_thp",
        "inactive_anon",
        "active_anon",
        "inactive_file",
        "active_file",
        "unevictable",
        "slab_reclaimable",
        "slab_unreclaimable",
        "pgfault",
        "pgmajfault",
        "workingset_refault",
        "workingset_activate",
        "workingset_nodereclaim",
        "pgrefill",
        "pgscan",
        "pgsteal",
        "pgactivate",
        "pgdeactivate",
        "pglazyfree",
        "pglazyfreed",
        "thp_fault_alloc",
        "thp_collapse_alloc",
};

static uint64_t or_zero(uint64_t n) {
        return n == UINT64_MAX ? 0 : n;
}

static uint64_t keyed(const char *text, const char *key) {
        return or_zero(cgroup_parse_keyed(text, key));
}

/* "max" is UINT64_MAX; a file that is not there is 0. */
static uint64_t read_number(int dir_fd, const char *name) {
        _cleanup_(freep) char *text = NULL;
        uint64_t n;

        if (file_read_at(dir_fd, name, FILE_MAX, &text, NULL) < 0)
                return 0;
        if (streq(str_chomp(text), "max"))
                return UINT64_MAX;
        return parse_u64(text, &n) < 0 ? 0 : n;
}

void cgroup_stats_parse_memory(const char *text, CgroupStats *s) {
        for (size_t i = 0; i < CGROUP_MEMORY_KEYS; i++)
                s->memory[i] = keyed(text, cgroup_memory_keys[i]);
}

uint64_t cgroup_stats_memory(const CgroupStats *s, const char *key) {
        for (size_t i = 0; i < CGROUP_MEMORY_KEYS; i++)
                if (str_equal(cgroup_memory_keys[i], key))
                        return s->memory[i];
        return 0;
}

static int parse_device(char *line, CgroupStats *s) {
        _cleanup_(strv_freep) char **words = NULL;
        CgroupDevice d = {}, *devices;
        unsigned major, minor;
        int r;

        r = strv_split(line, " ", /* keep_empty= */ false, &words);
        if (r < 0)
                return r;
        if (strv_empty(words) || parse_devnum(words[0], &major, &minor) < 0)
                return 0;
        d.major = major;
        d.minor = minor;
        STRV_FOREACH (word, words) {
                const struct {
                        const char *key;
                        uint64_t *value;
                } table[] = {
                        { "rbytes=", &d.read_bytes },
                        { "wbytes=", &d.write_bytes },
                        { "rios=", &d.reads },
                        { "wios=", &d.writes },
                };

                for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                        const char *rest = str_starts(*word, table[i].key);

                        if (rest)
                                (void) parse_u64(rest, table[i].value);
                }
        }

        devices = reallocarray(s->devices, s->n_devices + 1, sizeof(*devices));
        if (!devices)
                return -ENOMEM;
        s->devices = devices;
        s->devices[s->n_devices++] = d;
        return 0;
}

int cgroup_stats_parse_io(const char *text, CgroupStats *s) {
        _cleanup_(strv_freep) char **lines = NULL;
        int r;

        r = strv_split(text, "\n", /* keep_empty= */ false, &lines);
        STRV_FOREACH (line, lines)
                if (r >= 0)
                        r = parse_device(*line, s);
        return r;
}

void cgroup_stats_done(CgroupStats *s) {
        s->devices = mfree(s->devices);
        s->n_devices = 0;
}

static void read_scope(int fd, CgroupStats *s) {
        _cleanup_(freep) char *cpu = NULL, *events = NULL;

        if (file_read_at(fd, "cpu.stat", FILE_MAX, &cpu, NULL) >= 0) {
                s->cpu_periods = keyed(cpu, "nr_periods");
                s->cpu_throttled_periods = keyed(cpu, "nr_throttled");
                s->cpu_throttled_nsec = keyed(cpu, "throttled_usec") * 1000;
        }
        if (file_read_at(fd, "memory.events", FILE_MAX, &events, NULL) >= 0)
                s->memory_failures = keyed(events, "oom");
        s->memory_limit = read_number(fd, "memory.max");
        s->pids_limit = read_number(fd, "pids.max");
}

static int read_own(int fd, CgroupStats *s) {
        _cleanup_(freep) char *cpu = NULL, *memory = NULL, *io = NULL;
        uint64_t pids_limit;

        if (file_read_at(fd, "cpu.stat", FILE_MAX, &cpu, NULL) >= 0) {
                s->cpu_usage_nsec = keyed(cpu, "usage_usec") * 1000;
                s->cpu_user_nsec = keyed(cpu, "user_usec") * 1000;
                s->cpu_system_nsec = keyed(cpu, "system_usec") * 1000;
        }
        if (file_read_at(fd, "memory.stat", FILE_MAX, &memory, NULL) >= 0)
                cgroup_stats_parse_memory(memory, s);
        s->memory_current = read_number(fd, "memory.current");
        s->pids_current = read_number(fd, "pids.current");
        pids_limit = read_number(fd, "pids.max");
        if (pids_limit > 0) /* the scope has room for the monitor besides */
                s->pids_limit = MIN(s->pids_limit, pids_limit);
        if (file_read_at(fd, "io.stat", FILE_MAX, &io, NULL) >= 0)
                return cgroup_stats_parse_io(io, s);
        return 0;
}

int cgroup_stats_read(const char *scope, const char *own, CgroupStats *ret) {
        _cleanup_(fd_closep) int scope_fd = -EBADF, own_fd = -EBADF;
        CgroupStats s = {};
        int r;

        assert(scope);
        assert(own);
        assert(ret);

        own_fd = file_open_dir(AT_FDCWD, own);
        if (own_fd < 0)
                return -ENOENT;
        scope_fd = file_open_dir(AT_FDCWD, scope);
        if (scope_fd < 0)
                return -ENOENT;

        read_scope(scope_fd, &s);
        r = read_own(own_fd, &s);
        if (r < 0) {
                cgroup_stats_done(&s);
                return r;
        }

        *ret = s;
        return 0;
}

void host_cpu_parse(const char *text, uint64_t ticks_per_second, HostCpu *ret) {
        const char *p = str_starts(text, "cpu ");
        uint64_t sum = 0;

        *ret = (HostCpu) {};
        for (int i = 0; p && i < BUSY_COLUMNS; i++) {
                char *end;

                sum += strtoull(p, &end, 10);
                if (end == p)
                        break;
                p = end;
        }
        if (ticks_per_second > 0)
                ret->busy_nsec = sum * (UINT64_C(1000000000) / ticks_per_second);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                const char *rest;

                line += *line == '\n';
                rest = str_starts(line, "cpu");
                if (rest && isdigit((unsigned char) *rest))
                        ret->n_cpus++;
        }
}

void host_cpu_read(HostCpu *ret) {
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        long ticks = sysconf(_SC_CLK_TCK);
        ssize_t n;

        *ret = (HostCpu) {};
        fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
        text = malloc(PROC_STAT_MAX + 1);
        if (fd < 0 || !text || ticks <= 0)
                return;
        n = read(fd, text, PROC_STAT_MAX);
        if (n <= 0)
                return;
        text[n] = '\0';
        host_cpu_parse(text, (uint64_t) ticks, ret);
}
