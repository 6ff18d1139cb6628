/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/view/stats-view.h"

#include <string.h>

#include "engine/container/container.h"
#include "engine/container/stats.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

/* What Go leaves out when it is zero. */
static int set_unless_zero(Json *v, const char *key, uint64_t n) {
        return n > 0 ? json_set_uint64(v, key, n) : 0;
}

static int set_time(Json *v, const char *key, const StatsSample *s) {
        char text[CLOCK_TEXT_SIZE];

        return json_set_text(v, key, clock_format(s ? s->time_ns : CLOCK_NEVER, text));
}

static int set_cpu(Json *v, const char *key, const StatsSample *s) {
        static const StatsSample nothing;
        Json *cpu, *usage, *throttling;
        const CgroupStats *g;
        int r;

        s = s ? s : &nothing;
        g = &s->cgroup;

        r = json_set_new_object(v, key, &cpu);
        if (r >= 0)
                r = json_set_new_object(cpu, "cpu_usage", &usage);
        if (r >= 0)
                r = json_set_uint64(usage, "total_usage", g->cpu_usage_nsec);
        if (r >= 0)
                r = json_set_uint64(usage, "usage_in_kernelmode", g->cpu_system_nsec);
        if (r >= 0)
                r = json_set_uint64(usage, "usage_in_usermode", g->cpu_user_nsec);
        if (r >= 0)
                r = set_unless_zero(cpu, "system_cpu_usage", s->host.busy_nsec);
        if (r >= 0)
                r = set_unless_zero(cpu, "online_cpus", s->host.n_cpus);
        if (r >= 0)
                r = json_set_new_object(cpu, "throttling_data", &throttling);
        if (r >= 0)
                r = json_set_uint64(throttling, "periods", g->cpu_periods);
        if (r >= 0)
                r = json_set_uint64(throttling, "throttled_periods", g->cpu_throttled_periods);
        return r < 0 ? r : json_set_uint64(throttling, "throttled_time", g->cpu_throttled_nsec);
}

static int set_memory(Json *v, const StatsSample *s) {
        Json *memory, *stats;
        const CgroupStats *g;
        int r;

        r = json_set_new_object(v, "memory_stats", &memory);
        if (r < 0 || !s)
                return r;
        g = &s->cgroup;

        r = set_unless_zero(memory, "usage", g->memory_current);
        if (r >= 0)
                r = json_set_new_object(memory, "stats", &stats);
        for (size_t i = 0; r >= 0 && i < CGROUP_MEMORY_KEYS; i++)
                r = json_set_uint64(stats, cgroup_memory_keys[i], g->memory[i]);
        if (r >= 0)
                r = set_unless_zero(memory, "failcnt", g->memory_failures);
        if (r >= 0) /* without a limit it is the machine's memory */
                r = set_unless_zero(memory, "limit",
                        s->memory_total > 0 ? MIN(g->memory_limit, s->memory_total)
                                            : g->memory_limit);
        return r;
}

static int set_pids(Json *v, const StatsSample *s) {
        Json *pids;
        int r;

        r = json_set_new_object(v, "pids_stats", &pids);
        if (r >= 0 && s)
                r = set_unless_zero(pids, "current", s->cgroup.pids_current);
        if (r >= 0 && s)
                r = set_unless_zero(pids, "limit", s->cgroup.pids_limit);
        return r;
}

static int append_transfer(Json *list, const CgroupDevice *d, const char *op, uint64_t value) {
        Json *row;
        int r;

        r = json_append_new_object(list, &row);
        if (r >= 0)
                r = json_set_uint64(row, "major", d->major);
        if (r >= 0)
                r = json_set_uint64(row, "minor", d->minor);
        if (r >= 0)
                r = json_set_text(row, "op", op);
        return r < 0 ? r : json_set_uint64(row, "value", value);
}

static int set_blkio(Json *v, const StatsSample *s) {
        static const char *const others[] = { "io_serviced_recursive", "io_queue_recursive",
                "io_service_time_recursive", "io_wait_time_recursive", "io_merged_recursive",
                "io_time_recursive", "sectors_recursive" };
        Json *blkio, *list;
        int r;

        r = json_set_new_object(v, "blkio_stats", &blkio);
        if (r >= 0 && s && s->cgroup.n_devices > 0) {
                r = json_set_new_list(blkio, "io_service_bytes_recursive", &list);
                for (size_t i = 0; r >= 0 && i < s->cgroup.n_devices; i++) {
                        const CgroupDevice *d = s->cgroup.devices + i;

                        r = append_transfer(list, d, "read", d->read_bytes);
                        if (r >= 0)
                                r = append_transfer(list, d, "write", d->write_bytes);
                }
        } else if (r >= 0)
                r = json_set_null(blkio, "io_service_bytes_recursive");
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(others); i++)
                r = json_set_null(blkio, others[i]);
        return r;
}

int stats_view(const Container *c, const StatsSample *now, const StatsSample *before, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *storage;
        int r;

        assert(c);
        assert(ret);

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_textf(v, "name", "/%s", c->name);
        if (r >= 0)
                r = json_set_text(v, "id", c->id);
        if (r >= 0)
                r = json_set_text(v, "os_type", "linux");
        if (r >= 0)
                r = set_time(v, "read", now);
        if (r >= 0)
                r = set_time(v, "preread", now ? before : NULL);
        if (r >= 0)
                r = set_pids(v, now);
        if (r >= 0)
                r = set_blkio(v, now);
        if (r >= 0)
                r = json_set_uint64(v, "num_procs", 0);
        if (r >= 0)
                r = json_set_new_object(v, "storage_stats", &storage);
        if (r >= 0)
                r = set_cpu(v, "cpu_stats", now);
        if (r >= 0)
                r = set_cpu(v, "precpu_stats", now ? before : NULL);
        if (r >= 0)
                r = set_memory(v, now);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
