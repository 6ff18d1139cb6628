/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/stats-row.h"

#include <ctype.h>
#include <string.h>

#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/human.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

static double number(const Json *object, const char *key) {
        double n = 0;

        (void) json_to_real(json_get(object, key), &n);
        return n;
}

static uint64_t count(const Json *object, const char *key) {
        uint64_t n = 0;

        (void) json_to_uint64(json_get(object, key), &n);
        return n;
}

static double cpu_percent(const Json *sample) {
        const Json *now = json_get(sample, "cpu_stats"), *before = json_get(sample, "precpu_stats");
        double used = number(json_get(now, "cpu_usage"), "total_usage") -
                      number(json_get(before, "cpu_usage"), "total_usage");
        double all = number(now, "system_cpu_usage") - number(before, "system_cpu_usage");
        double cpus = number(now, "online_cpus");

        if (cpus <= 0)
                cpus = (double) json_count(json_get(json_get(now, "cpu_usage"), "percpu_usage"));
        return used > 0 && all > 0 ? used / all * cpus * 100 : 0;
}

/* What could be given back at once does not count: the file cache that nobody used lately. */
static uint64_t memory_used(const Json *memory) {
        static const char *const keys[] = { "total_inactive_file", "inactive_file" };
        const Json *stats = json_get(memory, "stats");
        uint64_t usage = count(memory, "usage");

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                uint64_t cache = count(stats, keys[i]);

                if (json_get(stats, keys[i]) && cache < usage)
                        return usage - cache;
        }
        return usage;
}

static void network_sums(const Json *sample, uint64_t *in, uint64_t *out) {
        const char *key;
        Json *one;

        JSON_FOREACH (key, one, json_get(sample, "networks")) {
                *in += count(one, "rx_bytes");
                *out += count(one, "tx_bytes");
        }
}

static void block_sums(const Json *sample, uint64_t *in, uint64_t *out) {
        const char *key;
        Json *one;

        JSON_FOREACH (
                key, one, json_get(json_get(sample, "blkio_stats"), "io_service_bytes_recursive")) {
                const char *op = str_or_empty(json_get_text(one, "op"));

                if (tolower((unsigned char) op[0]) == 'r')
                        *in += count(one, "value");
                if (tolower((unsigned char) op[0]) == 'w')
                        *out += count(one, "value");
        }
}

static int set_pair(Json *row, const char *key, uint64_t a, uint64_t b, bool binary) {
        char left[HUMAN_SIZE], right[HUMAN_SIZE];

        return json_set_textf(row, key, "%s / %s",
                binary ? human_bytes_binary(a, left) : human_bytes(a, 3, left),
                binary ? human_bytes_binary(b, right) : human_bytes(b, 3, right));
}

static int set_figures(Json *row, const Json *sample) {
        uint64_t net_in = 0, net_out = 0, block_in = 0, block_out = 0;
        const Json *memory = json_get(sample, "memory_stats");
        uint64_t used = memory_used(memory), limit = count(memory, "limit");
        int r;

        network_sums(sample, &net_in, &net_out);
        block_sums(sample, &block_in, &block_out);
        r = json_set_textf(row, "CPUPerc", "%.2f%%", cpu_percent(sample));
        if (r >= 0)
                r = set_pair(row, "MemUsage", used, limit, /* binary= */ true);
        if (r >= 0)
                r = json_set_textf(row, "MemPerc", "%.2f%%",
                        limit > 0 ? (double) used / (double) limit * 100 : 0.0);
        if (r >= 0)
                r = set_pair(row, "NetIO", net_in, net_out, /* binary= */ false);
        if (r >= 0)
                r = set_pair(row, "BlockIO", block_in, block_out, /* binary= */ false);
        if (r >= 0)
                r = json_set_textf(row, "PIDs", "%llu",
                        (unsigned long long) count(json_get(sample, "pids_stats"), "current"));
        return r;
}

static int set_nothing(Json *row) {
        static const char *const keys[] = { "CPUPerc", "MemPerc", "PIDs" };
        static const char *const pairs[] = { "MemUsage", "NetIO", "BlockIO" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(keys); i++)
                r = json_set_text(row, keys[i], "--");
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(pairs); i++)
                r = json_set_text(row, pairs[i], "-- / --");
        return r;
}

int stats_row_make(const Json *sample, const char *name, bool no_trunc, Json **ret) {
        const char *id = sample ? json_get_text(sample, "id") : NULL;
        const char *shown = sample ? json_get_text(sample, "name") : NULL;
        _cleanup_(json_unrefp) Json *row = NULL;
        char small[IDENT_SHORT_SIZE];
        int r;

        r = json_new_object(&row);
        if (r >= 0)
                r = json_set_text(row, "Container", name);
        if (r >= 0)
                r = json_set_text(row, "ID", !id ? "--" : no_trunc ? id : ident_short(id, small));
        if (r >= 0)
                r = json_set_text(row, "Name", !shown ? "--" : shown + (shown[0] == '/'));
        if (r >= 0)
                r = sample ? set_figures(row, sample) : set_nothing(row);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(row);
        return 0;
}

#define DEFINE_FIELD(name, member)                                               \
        int stats_row_##name(Buffer *b, const Json *row, const void *userdata) { \
                (void) userdata;                                                 \
                return row_text(b, row, member);                                 \
        }                                                                        \
        struct stats_row_##name##_needs_a_semicolon

DEFINE_FIELD(block, "BlockIO");
DEFINE_FIELD(container, "Container");
DEFINE_FIELD(cpu, "CPUPerc");
DEFINE_FIELD(id, "ID");
DEFINE_FIELD(memory, "MemUsage");
DEFINE_FIELD(memory_percent, "MemPerc");
DEFINE_FIELD(name, "Name");
DEFINE_FIELD(network, "NetIO");
DEFINE_FIELD(pids, "PIDs");
