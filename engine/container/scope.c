/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/scope.h"

#include <math.h>
#include <stdio.h>

#include "engine/host/unit-properties.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"

#define SLICE_DEFAULT    "machine.slice"
#define STOP_TIMEOUT_SEC 10
#define STOP_MARGIN_SEC  5 /* the monitor needs time of its own after the last process is gone */
#define CPU_PERIOD_USEC  100000
#define DESCRIPTION_MAX  200

uint64_t scope_cpu_weight(int64_t shares) {
        double l;

        if (shares <= 0)
                return 0;
        if (shares <= 2)
                return 1;
        if (shares >= 262144)
                return 10000;

        /* A quadratic in log2: 2 gives 1, 1024 gives 100, 262144 gives 10000. */
        l = log2((double) shares);
        return (uint64_t) ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

int64_t scope_cpu_shares(uint64_t weight) {
        int64_t low = 2, high = 262144; /* the weight of low is not above it */

        if (weight >= 10000)
                return high;
        while (high - low > 1) {
                int64_t middle = low + (high - low) / 2;

                if (scope_cpu_weight(middle) <= weight)
                        low = middle;
                else
                        high = middle;
        }
        return low;
}

uint64_t scope_cpu_quota(const Resources *c, uint64_t *ret_period) {
        uint64_t period = c->cpu_period > 0 ? (uint64_t) c->cpu_period : CPU_PERIOD_USEC;

        if (ret_period)
                *ret_period = period;
        if (c->nano_cpus > 0)
                return (uint64_t) c->nano_cpus / 1000;
        return c->cpu_quota > 0 ? (uint64_t) c->cpu_quota * USEC_PER_SEC / period : 0;
}

uint16_t scope_blkio_weight(uint64_t io_weight) {
        return (uint16_t) (10 +
                           ((CLAMP(io_weight, UINT64_C(1), UINT64_C(10000)) - 1) * 990 + 5000) /
                                   9999);
}

uint64_t scope_io_weight(uint16_t weight) {
        if (weight == 0)
                return 0;
        return 1 + ((uint64_t) weight - 10) * 9999 / 990;
}

const char *scope_slice(const ContainerSpec *spec, const char *slice) {
        if (!str_empty(spec->host.resources.cgroup_parent))
                return spec->host.resources.cgroup_parent;
        return str_empty(slice) ? SLICE_DEFAULT : slice;
}

int scope_cgroup_path(const char *slice, const char *id, char **ret) {
        _cleanup_(freep) char *path = NULL;
        const char *dash = slice;
        int r;

        if (!streq(slice, "-.slice"))
                while ((dash = strchr(dash, '-'))) {
                        r = str_appendf(&path, "%.*s.slice/", (int) (dash - slice), slice);
                        if (r < 0)
                                return r;
                        dash++;
                }
        r = streq(slice, "-.slice") ? 0 : str_appendf(&path, "%s/", slice);
        if (r < 0)
                return r;
        r = str_appendf(&path, "docker-%s.scope", id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(path);
        return 0;
}

int scope_describe(const ScopeInput *in, UnitProperties *p) {
        _cleanup_(freep) char *description = NULL, *command = NULL;
        _cleanup_(strv_freep) char **argv = NULL;
        int r;

        r = strv_add_all(&argv, in->spec->config.entrypoint);
        if (r >= 0)
                r = strv_add_all(&argv, in->spec->config.cmd);
        if (r < 0)
                return r;
        command = strv_join(argv, " ");
        if (!command)
                return -ENOMEM;
        /* Shown by systemctl: what it is, not a control sequence somebody put into the command. */
        r = str_printf(&description, "Container %s (%s): %.*s", in->name, str_or_empty(in->image),
                DESCRIPTION_MAX, command);
        if (r < 0)
                return r;
        for (char *c = description; *c; c++)
                if ((unsigned char) *c < 0x20 || (unsigned char) *c >= 0x7f)
                        *c = '?';
        return unit_properties_add_string(p, "Description", description);
}

static int add_identity(const ScopeInput *in, UnitProperties *p) {
        _cleanup_(freep) char *documentation = NULL;
        int r;

        r = scope_describe(in, p);
        if (r < 0)
                return r;
        r = str_printf(&documentation, "man:stauer(1)");
        if (r < 0)
                return r;
        r = unit_properties_add_strv(p, "Documentation", (char *[]) { documentation, NULL });
        if (r < 0)
                return r;
        return unit_properties_add_string(p, "Slice", scope_slice(in->spec, in->slice));
}

static int add_life(const ScopeInput *in, UnitProperties *p) {
        int timeout = in->spec->config.stop_timeout;
        int r;

        if (timeout == JSON_NO_INT)
                timeout = STOP_TIMEOUT_SEC;

        r = unit_properties_add_pid(p, "PIDs", in->monitor_pid);
        if (r < 0)
                return r;
        r = unit_properties_add_bool(p, "Delegate", true);
        if (r < 0)
                return r;
        r = unit_properties_add_string(p, "CollectMode", "inactive-or-failed");
        if (r < 0)
                return r;
        /* At shutdown scopes stop before the daemon does, so that it saves how they ended. */
        r = unit_properties_add_strv(p, "After", (char *[]) { (char *) "stauer.service", NULL });
        if (r < 0)
                return r;
        return unit_properties_add_u64(p, "TimeoutStopUSec",
                timeout < 0 ? USEC_INFINITE
                            : ((uint64_t) timeout + STOP_MARGIN_SEC) * USEC_PER_SEC);
}

static int add_memory(const Resources *c, UnitProperties *p) {
        int r;

        if (c->memory > 0) {
                r = unit_properties_add_u64(p, "MemoryMax", (uint64_t) c->memory);
                if (r < 0)
                        return r;
        }
        if (c->memory > 0 && c->memory_swap >= c->memory) {
                r = unit_properties_add_u64(
                        p, "MemorySwapMax", (uint64_t) (c->memory_swap - c->memory));
                if (r < 0)
                        return r;
        }
        if (c->memory_reservation > 0)
                return unit_properties_add_u64(p, "MemoryLow", (uint64_t) c->memory_reservation);
        return 0;
}

static int add_cpu(const Resources *c, UnitProperties *p) {
        uint64_t period, quota = scope_cpu_quota(c, &period);
        int r;

        if (quota > 0) {
                r = unit_properties_add_u64(p, "CPUQuotaPerSecUSec", quota);
                if (r < 0)
                        return r;
                r = unit_properties_add_u64(p, "CPUQuotaPeriodUSec", period);
                if (r < 0)
                        return r;
        }
        if (c->cpu_shares > 0) {
                r = unit_properties_add_u64(p, "CPUWeight", scope_cpu_weight(c->cpu_shares));
                if (r < 0)
                        return r;
        }
        if (!str_empty(c->cpuset_cpus)) {
                r = unit_properties_add_cpus(p, "AllowedCPUs", c->cpuset_cpus);
                if (r < 0)
                        return r;
        }
        return str_empty(c->cpuset_mems)
                     ? 0
                     : unit_properties_add_cpus(p, "AllowedMemoryNodes", c->cpuset_mems);
}

/* The monitor and, for moments, the runtime with its threads are in the scope, too, but a limit is for what runs inside: that has its own,
 * which the runtime sets (bundle.c). */
static int add_tasks(const Resources *c, UnitProperties *p) {
        uint64_t limit = UINT64_MAX;

        if (c->pids_limit != JSON_NO_INT64 && c->pids_limit > 0)
                limit = (uint64_t) c->pids_limit + SCOPE_TASKS_OF_OURS;
        return unit_properties_add_u64(p, "TasksMax", limit);
}

static int add_io(const Resources *c, UnitProperties *p) {
        const struct {
                const char *name;
                const ThrottleDevice *items;
                size_t n;
        } throttles[] = {
                { "IOReadBandwidthMax", c->blkio_device_read_bps, c->n_blkio_device_read_bps },
                { "IOWriteBandwidthMax", c->blkio_device_write_bps, c->n_blkio_device_write_bps },
                { "IOReadIOPSMax", c->blkio_device_read_iops, c->n_blkio_device_read_iops },
                { "IOWriteIOPSMax", c->blkio_device_write_iops, c->n_blkio_device_write_iops },
        };
        int r;

        if (c->blkio_weight > 0) {
                r = unit_properties_add_u64(p, "IOWeight", scope_io_weight(c->blkio_weight));
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < c->n_blkio_weight_device; i++) {
                r = unit_properties_add_pair_u64(p, "IODeviceWeight",
                        c->blkio_weight_device[i].path,
                        scope_io_weight(c->blkio_weight_device[i].weight));
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ARRAY_SIZE(throttles); i++)
                for (size_t k = 0; k < throttles[i].n; k++) {
                        r = unit_properties_add_pair_u64(p, throttles[i].name,
                                throttles[i].items[k].path, throttles[i].items[k].rate);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* "c 1:5 rwm" in systemd's words; a rule of one minor number in all majors has none. */
static int add_device_rule(UnitProperties *p, const char *rule) {
        char type, access[4], a[12], b[12], path[64];
        const char *kinds;

        if (sscanf(rule, "%c %11[0-9*]:%11[0-9*] %3[rwm]", &type, a, b, access) != 4)
                return -EINVAL;
        kinds = type == 'a' ? "cb" : type == 'c' ? "c" : "b";

        for (; *kinds; kinds++) {
                const char *word = *kinds == 'c' ? "char" : "block";
                int r;

                if (streq(b, "*"))
                        (void) snprintf(path, sizeof(path), "%s-%s", word, a);
                else if (streq(a, "*"))
                        (void) snprintf(path, sizeof(path), "%s-*", word);
                else
                        (void) snprintf(path, sizeof(path), "/dev/%s/%s:%s", word, a, b);
                r = unit_properties_add_pair(p, "DeviceAllow", path, access);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* systemd takes paths below /dev only, and of nodes, not of folders: so devices are given by their numbers. */
static int add_devices(const ScopeInput *in, UnitProperties *p) {
        static const char *const defaults[][2] = {
                { "char-*", "m" }, /* any node may be made, few may be opened */
                { "block-*", "m" }, { "/dev/char/1:3", "rwm" }, /* null */
                { "/dev/char/1:5", "rwm" },                     /* zero */
                { "/dev/char/1:7", "rwm" },                     /* full */
                { "/dev/char/1:8", "rwm" },                     /* random */
                { "/dev/char/1:9", "rwm" },                     /* urandom */
                { "/dev/char/5:0", "rwm" },                     /* tty */
                { "/dev/char/5:1", "rwm" },                     /* console */
                { "/dev/char/5:2", "rwm" },                     /* ptmx */
                { "char-136", "rwm" },                          /* pts */
        };
        const HostConfig *h = &in->spec->host;
        int r;

        if (h->privileged)
                return unit_properties_add_string(p, "DevicePolicy", "auto");

        /* strict with a list: systemd keeps it over daemon-reload, where a filter of our own would be lost. */
        r = unit_properties_add_string(p, "DevicePolicy", "strict");
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
                r = unit_properties_add_pair(p, "DeviceAllow", defaults[i][0], defaults[i][1]);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (rule, in->device_rules) {
                r = add_device_rule(p, *rule);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (rule, h->resources.device_cgroup_rules) {
                r = add_device_rule(p, *rule);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Lists of a unit add up: they are emptied first. */
static int empty_io(const Resources *c, UnitProperties *p) {
        const struct {
                const char *name;
                size_t n;
        } lists[] = {
                { "IODeviceWeight", c->n_blkio_weight_device },
                { "IOReadBandwidthMax", c->n_blkio_device_read_bps },
                { "IOWriteBandwidthMax", c->n_blkio_device_write_bps },
                { "IOReadIOPSMax", c->n_blkio_device_read_iops },
                { "IOWriteIOPSMax", c->n_blkio_device_write_iops },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(lists); i++)
                if (lists[i].n > 0)
                        r = unit_properties_add_pair_u64(p, lists[i].name, NULL, 0);
        return r;
}

int scope_make_limits(const Resources *c, UnitProperties *p) {
        int r;

        assert(c);
        assert(p);

        r = add_memory(c, p);
        if (r >= 0 && c->memory > 0 && c->memory_swap == -1)
                r = unit_properties_add_u64(p, "MemorySwapMax", UINT64_MAX);
        if (r >= 0)
                r = add_cpu(c, p);
        if (r >= 0 && c->nano_cpus == 0 && c->cpu_quota < 0)
                r = unit_properties_add_u64(p, "CPUQuotaPerSecUSec", UINT64_MAX);
        if (r >= 0)
                r = add_tasks(c, p);
        if (r >= 0)
                r = empty_io(c, p);
        return r < 0 ? r : add_io(c, p);
}

int scope_make(const ScopeInput *in, UnitProperties *ret) {
        _cleanup_(unit_properties_done) UnitProperties p = {};
        const Resources *c;
        int r;

        assert(in);
        assert(ret);

        c = &in->spec->host.resources;
        r = add_identity(in, &p);
        if (r >= 0)
                r = add_life(in, &p);
        if (r >= 0)
                r = add_memory(c, &p);
        if (r >= 0)
                r = add_cpu(c, &p);
        if (r >= 0)
                r = add_tasks(c, &p);
        if (r >= 0)
                r = add_io(c, &p);
        if (r >= 0)
                r = add_devices(in, &p);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(p);
        return 0;
}
