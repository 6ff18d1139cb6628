/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/accounting.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define FILE_MAX ((size_t) 256 * 1024) /* io.stat has a line per device */

static uint64_t parse_digits(const char *s) {
        uint64_t n = 0;

        if (*s < '0' || *s > '9')
                return UINT64_MAX;
        for (; *s >= '0' && *s <= '9'; s++)
                if (MUL_OVERFLOWS(n, 10, &n) || ADD_OVERFLOWS(n, (uint64_t) (*s - '0'), &n))
                        return UINT64_MAX;
        return n;
}

uint64_t accounting_find(const char *text, const char *key) {
        size_t n = strlen(key);

        for (const char *line = text; line;
                line = strchr(line, '\n'), line = line ? line + 1 : NULL)
                if (strncmp(line, key, n) == 0 && line[n] == ' ')
                        return parse_digits(line + n + 1);
        return UINT64_MAX;
}

static uint64_t nsec_of_usec(uint64_t usec) {
        return usec > UINT64_MAX / 1000 ? UINT64_MAX : usec * 1000;
}

void accounting_parse_cpu(const char *text, Accounting *a) {
        a->cpu_usage_nsec = nsec_of_usec(accounting_find(text, "usage_usec"));
        a->cpu_user_nsec = nsec_of_usec(accounting_find(text, "user_usec"));
        a->cpu_system_nsec = nsec_of_usec(accounting_find(text, "system_usec"));
}

void accounting_parse_memory_events(const char *text, Accounting *a) {
        a->oom_kills = accounting_find(text, "oom_kill");
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …" per device: the sum over all, as systemd counts. */
void accounting_parse_io(const char *text, Accounting *a) {
        static const struct {
                const char *key;
                size_t offset;
        } keys[] = {
                { " rbytes=", offsetof(Accounting, io_read_bytes) },
                { " wbytes=", offsetof(Accounting, io_write_bytes) },
                { " rios=", offsetof(Accounting, io_read_operations) },
                { " wios=", offsetof(Accounting, io_write_operations) },
        };

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                uint64_t *sum = (uint64_t *) ((char *) a + keys[i].offset);

                *sum = 0;
                for (const char *p = text; (p = strstr(p, keys[i].key));) {
                        uint64_t n;

                        p += strlen(keys[i].key);
                        n = parse_digits(p);
                        if (n != UINT64_MAX && ADD_OVERFLOWS(*sum, n, sum))
                                *sum = UINT64_MAX - 1;
                }
        }
}

static void read_number(int cgroup_fd, const char *name, uint64_t *ret) {
        _cleanup_(freep) char *text = NULL;

        if (file_read_at(cgroup_fd, name, FILE_MAX, &text, NULL) >= 0)
                *ret = parse_digits(text); /* "max" is none */
}

static void read_table(int cgroup_fd, const char *name,
        void (*parse)(const char *text, Accounting *a), Accounting *a) {
        _cleanup_(freep) char *text = NULL;

        if (file_read_at(cgroup_fd, name, FILE_MAX, &text, NULL) >= 0)
                parse(text, a);
}

void accounting_read(int cgroup_fd, Accounting *ret) {
        *ret = ACCOUNTING_NULL;
        if (cgroup_fd < 0)
                return;
        read_table(cgroup_fd, "cpu.stat", accounting_parse_cpu, ret);
        read_table(cgroup_fd, "io.stat", accounting_parse_io, ret);
        read_table(cgroup_fd, "memory.events", accounting_parse_memory_events, ret);
        read_number(cgroup_fd, "memory.peak", &ret->memory_peak);
        read_number(cgroup_fd, "pids.peak", &ret->pids_peak);
}
