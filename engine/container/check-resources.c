/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "config/settings.h"
#include "engine/container/container-check.h"
#include "engine/host/sysinfo.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"

#define MEMORY_MIN     INT64_C(6291456) /* runtimes do not start with less */
#define CPU_PERIOD_MIN 1000
#define CPU_PERIOD_MAX 1000000
#define CPU_QUOTA_MIN  1000
#define CPUS_MAX       8192U
#define NANO           INT64_C(1000000000)

static int check_memory(Resources *c, const CheckContext *x, Error *reterr) {
        const SysInfo *s = x->sysinfo;
        int r;

        if (c->memory != 0 && c->memory < MEMORY_MIN)
                return error_set(reterr, ERROR_INVALID, "Minimum memory limit allowed is 6MB");
        if (c->memory == 0 && c->memory_swap > 0)
                return error_set(reterr, ERROR_INVALID,
                        "You should always set the Memory limit when using Memoryswap limit, see "
                        "usage");
        if (c->memory > 0 && c->memory_swap > 0 && c->memory_swap < c->memory)
                return error_set(reterr, ERROR_INVALID,
                        "Minimum memoryswap limit should be larger than memory limit, see usage");
        if (c->memory_reservation != 0 && c->memory_reservation < MEMORY_MIN)
                return error_set(
                        reterr, ERROR_INVALID, "Minimum memory reservation allowed is 6MB");
        if (c->memory > 0 && c->memory_reservation > 0 && c->memory < c->memory_reservation)
                return error_set(reterr, ERROR_INVALID,
                        "Minimum memory limit can not be less than memory reservation limit, see "
                        "usage");
        if (!s->has_memory && c->memory > 0) {
                r = check_warn(x, "Your kernel does not support memory limit capabilities or the "
                                  "cgroup is not mounted. Limitation discarded.");
                if (r < 0)
                        return r;
                c->memory = c->memory_swap = 0;
        }
        if (!s->has_memory && c->memory_reservation > 0) {
                r = check_warn(x, "Your kernel does not support memory soft limit capabilities or "
                                  "the cgroup is not mounted. Limitation discarded.");
                if (r < 0)
                        return r;
                c->memory_reservation = 0;
        }
        if (c->memory > 0 && c->memory_swap != -1 && !s->has_swap) {
                r = check_warn(x, "Your kernel does not support swap limit capabilities or the "
                                  "cgroup is not mounted. Memory limited without swap.");
                if (r < 0)
                        return r;
                c->memory_swap = -1;
        }
        if (c->memory_swappiness != JSON_NO_INT64 && c->memory_swappiness != -1) {
                r = check_warn(x, "Your kernel does not support memory swappiness capabilities or "
                                  "the cgroup is not mounted. Memory swappiness discarded.");
                if (r < 0)
                        return r;
        }
        c->memory_swappiness = JSON_NO_INT64;
        if (c->oom_kill_disable > 0) {
                r = check_warn(x,
                        "Your kernel does not support OomKillDisable. OomKillDisable discarded.");
                if (r < 0)
                        return r;
        }
        c->oom_kill_disable = -1;
        if (c->kernel_memory > 0 || c->kernel_memory_tcp > 0) {
                r = check_warn(x, "Your kernel does not support kernel memory limit capabilities "
                                  "or the cgroup is not mounted. Limitation discarded.");
                if (r < 0)
                        return r;
                c->kernel_memory = c->kernel_memory_tcp = 0;
        }
        return 0;
}

static int check_cpu(Resources *c, const CheckContext *x, Error *reterr) {
        const SysInfo *s = x->sysinfo;
        int r;

        if (c->nano_cpus != 0 && (c->cpu_period != 0 || c->cpu_quota != 0))
                return error_set(reterr, ERROR_INVALID,
                        "Conflicting options: Nano CPUs and CPU %s cannot both be set",
                        c->cpu_period != 0 ? "Period" : "Quota");
        if (c->nano_cpus < 0 || c->nano_cpus > (int64_t) s->n_cpus * NANO)
                return error_set(reterr, ERROR_INVALID,
                        "range of CPUs is from 0.01 to %u.00, as there are only %u CPUs available",
                        s->n_cpus, s->n_cpus);
        if (c->cpu_period != 0 &&
                (c->cpu_period < CPU_PERIOD_MIN || c->cpu_period > CPU_PERIOD_MAX))
                return error_set(reterr, ERROR_INVALID,
                        "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s "
                        "(i.e. 1000000)");
        if (c->cpu_quota > 0 && c->cpu_quota < CPU_QUOTA_MIN)
                return error_set(reterr, ERROR_INVALID,
                        "CPU cfs quota can not be less than 1ms (i.e. 1000)");
        if (c->cpu_shares < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid CPU shares (%" PRIi64 "): value must be a positive integer",
                        c->cpu_shares);
        if (c->cpu_realtime_period != 0 || c->cpu_realtime_runtime != 0)
                return error_set(reterr, ERROR_INVALID,
                        "Your kernel does not support CPU real-time scheduler");
        if (c->cpu_percent > 0) {
                r = check_warn(x, "linux does not support CPU percent. Percent discarded.");
                if (r < 0)
                        return r;
                c->cpu_percent = 0;
        }

        if (!s->has_cpu && c->cpu_shares > 0) {
                r = check_warn(x, "Your kernel does not support CPU shares or the cgroup is not "
                                  "mounted. Shares discarded.");
                if (r < 0)
                        return r;
                c->cpu_shares = 0;
        }
        if (!s->has_cpu && c->nano_cpus > 0)
                return error_set(reterr, ERROR_INVALID,
                        "NanoCPUs can not be set, as your kernel does not support CPU CFS "
                        "scheduler or the cgroup is not mounted");
        if (!s->has_cpu && (c->cpu_quota > 0 || c->cpu_period > 0)) {
                r = check_warn(x, "Your kernel does not support CPU CFS scheduler. CPU "
                                  "period/quota discarded.");
                if (r < 0)
                        return r;
                c->cpu_quota = c->cpu_period = 0;
        }
        return 0;
}

/* Every CPU that is asked for must be one of the online ones. */
static bool list_is_within(const char *list, const char *available) {
        _cleanup_(strv_freep) char **ranges = NULL, **there = NULL;

        if (strv_split(list, ",", /* keep_empty= */ false, &ranges) < 0 ||
                strv_split(available, ",", /* keep_empty= */ false, &there) < 0)
                return false;

        STRV_FOREACH (range, ranges) {
                unsigned first, last;

                if (sscanf(*range, "%u-%u", &first, &last) < 2)
                        last = first;
                for (unsigned n = first; n <= last; n++) {
                        bool found = false;

                        STRV_FOREACH (t, there) {
                                unsigned a, b;

                                if (sscanf(*t, "%u-%u", &a, &b) < 2)
                                        b = a;
                                found = found || (n >= a && n <= b);
                        }
                        if (!found)
                                return false;
                }
        }
        return true;
}

static int check_cpuset(Resources *c, const CheckContext *x, Error *reterr) {
        const struct {
                char **list;
                const char *available;
                const char *what;
                const char *words;
        } table[] = {
                { &c->cpuset_cpus, x->sysinfo->cpus, "cpuset cpus", "CPUs" },
                { &c->cpuset_mems, x->sysinfo->mems, "cpuset mems", "memory nodes" },
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                char **list = table[i].list;

                if (str_empty(*list))
                        continue;
                if (parse_cpu_list(*list, CPUS_MAX, NULL) < 0)
                        return error_set(reterr, ERROR_INVALID, "Invalid value %s for %s", *list,
                                table[i].what);
                if (!x->sysinfo->has_cpuset) {
                        r = check_warn(x, "Your kernel does not support cpuset or the cgroup is "
                                          "not mounted. Cpuset discarded.");
                        if (r < 0)
                                return r;
                        *list = mfree(*list);
                        continue;
                }
                if (table[i].available && !list_is_within(*list, table[i].available))
                        return error_set(reterr, ERROR_INVALID,
                                "Requested %s are not available - requested %s, available: %s",
                                table[i].words, *list, table[i].available);
        }
        return 0;
}

static int check_pids(Resources *c, const CheckContext *x, Error *reterr) {
        int r;

        if (c->pids_limit != JSON_NO_INT64 && c->pids_limit < -1)
                return error_set(reterr, ERROR_INVALID, "Invalid value %" PRIi64 " for PIDs limit",
                        c->pids_limit);
        if (c->pids_limit != JSON_NO_INT64 && c->pids_limit > 0 && !x->sysinfo->has_pids) {
                r = check_warn(x, "Your kernel does not support PIDs limit capabilities or the "
                                  "cgroup is not mounted. PIDs limit discarded.");
                if (r < 0)
                        return r;
                c->pids_limit = JSON_NO_INT64;
        }
        return 0;
}

/* systemd writes them into a file of lines. */
static bool is_device_path(const char *path) {
        return path && path[0] == '/' && !str_has_control(path);
}

static void throttle_clear(ThrottleDevice **list, size_t *n) {
        for (size_t i = 0; i < *n; i++)
                free((*list)[i].path);
        *list = mfree(*list);
        *n = 0;
}

static int check_io(Resources *c, const CheckContext *x, Error *reterr) {
        const struct {
                ThrottleDevice **list;
                size_t *n;
                const char *what;
                const char *dropped; /* Docker's other words for it */
        } throttles[] = {
                { &c->blkio_device_read_bps, &c->n_blkio_device_read_bps,
                        "BPS Block I/O read limit", "Block I/O BPS read limit" },
                { &c->blkio_device_write_bps, &c->n_blkio_device_write_bps,
                        "BPS Block I/O write limit", "Block I/O BPS write limit" },
                { &c->blkio_device_read_iops, &c->n_blkio_device_read_iops, "IOPS Block read limit",
                        "Block I/O IOPS read limit" },
                { &c->blkio_device_write_iops, &c->n_blkio_device_write_iops,
                        "IOPS Block write limit", "Block I/O IOPS write limit" },
        };
        int r;

        if (c->blkio_weight != 0 && !x->sysinfo->has_io) {
                r = check_warn(x, "Your kernel does not support Block I/O weight or the cgroup is "
                                  "not mounted. Weight discarded.");
                if (r < 0)
                        return r;
                c->blkio_weight = 0;
        }
        if (c->n_blkio_weight_device > 0 && !x->sysinfo->has_io) {
                r = check_warn(x, "Your kernel does not support Block I/O weight_device or the "
                                  "cgroup is not mounted. Weight-device discarded.");
                if (r < 0)
                        return r;
                for (size_t i = 0; i < c->n_blkio_weight_device; i++)
                        free(c->blkio_weight_device[i].path);
                c->blkio_weight_device = mfree(c->blkio_weight_device);
                c->n_blkio_weight_device = 0;
        }
        if (c->blkio_weight != 0 && (c->blkio_weight < 10 || c->blkio_weight > 1000))
                return error_set(reterr, ERROR_INVALID, "Range of blkio weight is from 10 to 1000");
        if (c->io_maximum_bandwidth != 0 || c->io_maximum_iops != 0)
                return error_set(reterr, ERROR_INVALID,
                        "Invalid QoS settings: linux does not support configuration of maximum %s",
                        c->io_maximum_bandwidth != 0 ? "bandwidth" : "IOPs");
        for (size_t i = 0; i < c->n_blkio_weight_device; i++) {
                const WeightDevice *d = c->blkio_weight_device + i;

                if (d->weight < 10 || d->weight > 1000)
                        return error_set(
                                reterr, ERROR_INVALID, "Range of blkio weight is from 10 to 1000");
                if (!is_device_path(d->path))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid device path for Block I/O weight: \"%s\"",
                                str_or_empty(d->path));
        }

        for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
                for (size_t k = 0; k < *throttles[i].n; k++) {
                        const char *path = (*throttles[i].list)[k].path;

                        if (!is_device_path(path))
                                return error_set(reterr, ERROR_INVALID,
                                        "invalid device path for %s: \"%s\"", throttles[i].what,
                                        str_or_empty(path));
                }
                if (*throttles[i].n == 0 || x->sysinfo->has_io)
                        continue;
                r = check_warn(x,
                        "Your kernel does not support %s or the cgroup is not mounted. %s "
                        "discarded.",
                        throttles[i].what, throttles[i].dropped);
                if (r < 0)
                        return r;
                throttle_clear(throttles[i].list, throttles[i].n);
        }
        return 0;
}

static const char *const ulimit_names[] = { "core", "cpu", "data", "fsize", "locks", "memlock",
        "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
        NULL };

/* Those of the daemon's options are stored with the container, as Docker does. */
static int check_ulimits(Resources *c, const CheckContext *x, Error *reterr) {
        const Settings *s = x->settings;
        int r;

        for (size_t i = 0; i < c->n_ulimits; i++) {
                const Ulimit *u = c->ulimits + i;

                if (!str_in(str_or_empty(u->name), ulimit_names))
                        return error_set(reterr, ERROR_INVALID, "invalid ulimit type: %s",
                                str_or_empty(u->name));
                if (u->hard != -1 && (u->soft == -1 || u->soft > u->hard))
                        return error_set(reterr, ERROR_INVALID,
                                "ulimit soft limit must be less than or equal to hard limit: "
                                "%" PRIi64 " > %" PRIi64,
                                u->soft, u->hard);
        }

        for (size_t i = 0; i < s->n_default_ulimits; i++) {
                const SettingUlimit *d = s->default_ulimits + i;
                size_t n_allocated = c->n_ulimits;
                bool found = false;

                for (size_t k = 0; k < c->n_ulimits; k++)
                        found = found || streq(c->ulimits[k].name, d->name);
                if (found)
                        continue;
                r = array_grow(&c->ulimits, &n_allocated, c->n_ulimits + 1);
                if (r < 0)
                        return r;
                c->ulimits[c->n_ulimits++] = (Ulimit) { .soft = d->soft, .hard = d->hard };
                r = str_copy(&c->ulimits[c->n_ulimits - 1].name, d->name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_devices(Resources *c, const CheckContext *x, Error *reterr) {
        for (size_t i = 0; i < c->n_devices; i++) {
                DeviceMapping *d = c->devices + i;
                int r;

                if (str_empty(d->path_on_host) || d->path_on_host[0] != '/')
                        return error_set(reterr, ERROR_INVALID, "'%s' is not an absolute path",
                                str_or_empty(d->path_on_host));
                if (str_empty(d->path_in_container)) {
                        r = str_copy(&d->path_in_container, d->path_on_host);
                        if (r < 0)
                                return r;
                }
                if (d->path_in_container[0] != '/')
                        return error_set(reterr, ERROR_INVALID, "'%s' is not an absolute path",
                                d->path_in_container);
                if (str_empty(d->permissions)) {
                        r = str_copy(&d->permissions, "rwm");
                        if (r < 0)
                                return r;
                }
                if (!is_device_path(d->path_on_host) || !is_device_path(d->path_in_container))
                        return error_set(reterr, ERROR_INVALID, "invalid device path: \"%s\"",
                                d->path_on_host);
                if (strspn(d->permissions, "rwm") != strlen(d->permissions) ||
                        strlen(d->permissions) > 3)
                        return error_set(
                                reterr, ERROR_INVALID, "invalid device mode: %s", d->permissions);
        }

        STRV_FOREACH (rule, c->device_cgroup_rules) {
                unsigned major, minor;
                char type, access[4], a[12], b[12], end;

                /* TYPE MAJOR:MINOR ACCESS, with * for any number */
                if (sscanf(*rule, "%c %11[0-9*]:%11[0-9*] %3[rwm]%c", &type, a, b, access, &end) !=
                                4 ||
                        !strchr("abc", type) || (!streq(a, "*") && parse_unsigned(a, &major) < 0) ||
                        (!streq(b, "*") && parse_unsigned(b, &minor) < 0))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid device cgroup rule format: '%s'", *rule);
        }
        return 0;
}

int check_resources(HostConfig *h, const CheckContext *x, Error *reterr) {
        static int (*const checks[])(Resources * c, const CheckContext *x, Error *reterr) = {
                check_memory,
                check_cpu,
                check_cpuset,
                check_pids,
                check_io,
                check_ulimits,
                check_devices,
        };
        Resources *c = &h->resources;

        for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
                int r = checks[i](c, x, reterr);
                if (r < 0)
                        return r;
        }

        if (!str_empty(c->cgroup_parent) &&
                (!str_ends(c->cgroup_parent, ".slice") || strchr(c->cgroup_parent, '/') ||
                        strlen(c->cgroup_parent) > 200))
                return error_set(reterr, ERROR_INVALID,
                        "cgroup-parent for systemd cgroup should be a valid slice named as "
                        "\"xxx.slice\"");
        return 0;
}
