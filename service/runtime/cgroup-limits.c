/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/cgroup-limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/json/pairs.h"
#include "lib/oci/runtime-spec.h"

/* log2(x) for x ≥ 1 and 2^x for x ≥ 0, to more digits than the callers need: the mathematics library would be one more
 * library to load for every container. */
static double log2_simple(double x) {
        double result = 0, bit = 1;

        for (; x >= 2; x /= 2)
                result += 1;
        for (unsigned i = 0; i < 50; i++) {
                x *= x;
                bit /= 2;
                if (x >= 2) {
                        x /= 2;
                        result += bit;
                }
        }

        return result;
}

static double exp2_simple(double x) {
        static const double ln2 = 0.693147180559945309417232;
        double result = 1, term = 1, whole = 1;

        for (; x >= 1; x -= 1)
                whole *= 2;
        for (unsigned i = 1; i < 30; i++) {
                term *= x * ln2 / i;
                result += term;
        }

        return whole * result;
}

uint64_t cgroup_weight_from_shares(uint64_t shares) {
        static const double log2_10 = 3.32192809488736234787;
        double l, exponent, weight;
        uint64_t w;

        if (shares == 0)
                return 0;
        if (shares <= 2)
                return 1;
        if (shares >= 262144)
                return 10000;

        l = log2_simple((double) shares);
        exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
        weight = exp2_simple(exponent * log2_10) - 1e-7; /* 1024 shares are exactly 100 */
        w = (uint64_t) weight;
        return w + (weight > (double) w);
}

uint64_t cgroup_io_weight(uint16_t weight) {
        if (weight == 0)
                return 0;
        if (weight < 10)
                weight = 10;
        if (weight > 1000)
                weight = 1000;
        return 1 + ((uint64_t) weight - 10) * 9999 / 990;
}

static int add(CgroupLimits *l, const char *file, const char *format, ...) _printf_(3, 4);
static int add(CgroupLimits *l, const char *file, const char *format, ...) {
        CgroupLimit limit = {};
        va_list ap;
        int r;

        if (l->n_items >= CGROUP_LIMITS_MAX)
                return -E2BIG;
        r = array_grow(&l->items, &l->n_allocated, l->n_items + 1);
        if (r < 0)
                return r;
        r = str_copy(&limit.file, file);
        if (r < 0)
                return r;

        va_start(ap, format);
        r = vasprintf(&limit.value, format, ap);
        va_end(ap);
        if (r < 0) {
                free(limit.file);
                return -ENOMEM;
        }

        l->items[l->n_items++] = limit;
        return 0;
}

/* A byte or count limit: -1 is "max"; absent and 0 leave the file alone (Docker writes 0 for "not given"). */
static int add_limit(CgroupLimits *l, const char *file, int64_t value) {
        if (value == JSON_NO_INT64 || value == 0)
                return 0;
        if (value < 0)
                return add(l, file, "max");
        return add(l, file, "%" PRIi64, value);
}

static int plan_memory(CgroupLimits *l, const RuntimeMemory *m, Error *reterr) {
        bool limited = m->limit != JSON_NO_INT64 && m->limit != 0;
        bool swap = m->swap != JSON_NO_INT64 && m->swap != 0;
        int64_t swap_max = -1;
        int r;

        if (m->limit != JSON_NO_INT64 && m->limit < -1)
                return error_set(
                        reterr, ERROR_INVALID, "memory limit %" PRIi64 " is negative", m->limit);
        if (swap && m->swap > 0) {
                if (!limited || m->limit < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "a limit of memory and swap needs a memory limit as well");
                if (m->swap < m->limit)
                        return error_set(reterr, ERROR_INVALID,
                                "the limit of memory and swap (%" PRIi64
                                ") is smaller than that of memory (%" PRIi64 ")",
                                m->swap, m->limit);
                swap_max = m->swap - m->limit;
        }

        r = add_limit(l, "memory.max", m->limit);
        if (r >= 0 && swap) {
                if (swap_max < 0)
                        r = add(l, "memory.swap.max", "max");
                else
                        r = add(l, "memory.swap.max", "%" PRIi64, swap_max);
        }
        if (r >= 0)
                r = add_limit(l, "memory.low", m->reservation);
        return r;
}

static int plan_cpu(CgroupLimits *l, const RuntimeCpu *c, Error *reterr) {
        bool quota = c->quota != JSON_NO_INT64 && c->quota != 0;
        bool period = c->period != JSON_NO_UINT64 && c->period != 0;
        int r = 0;

        if (c->shares != JSON_NO_UINT64 && c->shares != 0) {
                if (c->shares > 262144 && c->shares > INT64_MAX)
                        return error_set(reterr, ERROR_INVALID,
                                "CPU shares %" PRIu64 " are too many", c->shares);
                r = add(l, "cpu.weight", "%" PRIu64, cgroup_weight_from_shares(c->shares));
        }
        if (r >= 0 && (quota || period)) {
                uint64_t p = period ? c->period : 100000;

                if (quota && c->quota > 0)
                        r = add(l, "cpu.max", "%" PRIi64 " %" PRIu64, c->quota, p);
                else
                        r = add(l, "cpu.max", "max %" PRIu64, p);
        }
        if (r >= 0 && c->burst != JSON_NO_UINT64)
                r = add(l, "cpu.max.burst", "%" PRIu64, c->burst);
        if (r >= 0 && c->idle != JSON_NO_INT64)
                r = add(l, "cpu.idle", "%" PRIi64, c->idle);
        if (r >= 0 && !str_empty(c->cpus))
                r = add(l, "cpuset.cpus", "%s", c->cpus);
        if (r >= 0 && !str_empty(c->mems))
                r = add(l, "cpuset.mems", "%s", c->mems);

        if (r >= 0 && ((c->realtime_runtime != JSON_NO_INT64 && c->realtime_runtime != 0) ||
                              (c->realtime_period != JSON_NO_UINT64 && c->realtime_period != 0)))
                return error_set(reterr, ERROR_INVALID,
                        "real-time CPU limits are a matter of cgroup v1, this host has v2");
        return r;
}

static int plan_throttle(
        CgroupLimits *l, const RuntimeThrottleDevice *d, size_t n, const char *key) {
        for (size_t i = 0; i < n; i++) {
                int r;

                if (d[i].rate == 0)
                        r = add(l, "io.max", "%" PRIi64 ":%" PRIi64 " %s=max", d[i].major,
                                d[i].minor, key);
                else
                        r = add(l, "io.max", "%" PRIi64 ":%" PRIi64 " %s=%" PRIu64, d[i].major,
                                d[i].minor, key, d[i].rate);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int plan_io(CgroupLimits *l, const RuntimeBlockIO *b) {
        int r = 0;

        if (b->weight != JSON_NO_UINT16 && b->weight != 0)
                r = add(l, "io.weight", "default %" PRIu64, cgroup_io_weight(b->weight));
        for (size_t i = 0; r >= 0 && i < b->n_weight_device; i++) {
                const RuntimeWeightDevice *d = b->weight_device + i;

                if (d->weight != JSON_NO_UINT16 && d->weight != 0)
                        r = add(l, "io.weight", "%" PRIi64 ":%" PRIi64 " %" PRIu64, d->major,
                                d->minor, cgroup_io_weight(d->weight));
        }
        if (r >= 0)
                r = plan_throttle(l, b->throttle_read_bps, b->n_throttle_read_bps, "rbps");
        if (r >= 0)
                r = plan_throttle(l, b->throttle_write_bps, b->n_throttle_write_bps, "wbps");
        if (r >= 0)
                r = plan_throttle(l, b->throttle_read_iops, b->n_throttle_read_iops, "riops");
        if (r >= 0)
                r = plan_throttle(l, b->throttle_write_iops, b->n_throttle_write_iops, "wiops");
        return r;
}

static int plan_rest(CgroupLimits *l, const RuntimeResources *r, Error *reterr) {
        int k = 0;

        for (size_t i = 0; k >= 0 && i < r->n_hugepage_limits; i++) {
                const RuntimeHugepageLimit *h = r->hugepage_limits + i;
                _cleanup_(freep) char *file = NULL;

                if (str_empty(h->page_size) ||
                        strspn(h->page_size, "0123456789KMGTB") != strlen(h->page_size))
                        return error_set(reterr, ERROR_INVALID,
                                "hugepage size \"%s\" is not of the form 2MB",
                                str_or_empty(h->page_size));
                k = str_printf(&file, "hugetlb.%s.max", h->page_size);
                if (k >= 0)
                        k = add(l, file, "%" PRIu64, h->limit);
        }

        for (size_t i = 0; k >= 0 && i < r->n_rdma; i++) {
                const RuntimeRdma *d = r->rdma + i;
                _cleanup_(freep) char *handles = NULL, *objects = NULL;

                if (d->hca_handles != JSON_NO_UINT32)
                        k = str_printf(&handles, " hca_handle=%" PRIu32, d->hca_handles);
                if (k >= 0 && d->hca_objects != JSON_NO_UINT32)
                        k = str_printf(&objects, " hca_object=%" PRIu32, d->hca_objects);
                if (k >= 0)
                        k = add(l, "rdma.max", "%s%s%s", str_or_empty(d->device),
                                str_or_empty(handles), str_or_empty(objects));
        }

        const char *file, *value;
        PAIRS_FOREACH(file, value, r->unified) {
                if (k < 0)
                        break;
                if (!path_is_safe_name(file) || !strchr(file, '.') || str_starts(file, "cgroup."))
                        return error_set(reterr, ERROR_INVALID,
                                "resources.unified: \"%s\" is not a file of a cgroup controller",
                                file);
                k = add(l, file, "%s", value);
        }

        return k;
}

int cgroup_limits_plan(const RuntimeResources *r, CgroupLimits *ret, Error *reterr) {
        _cleanup_(cgroup_limits_done) CgroupLimits l = {};
        int k = 0;

        assert(ret);

        if (r && r->memory)
                k = plan_memory(&l, r->memory, reterr);
        if (k >= 0 && r && r->cpu)
                k = plan_cpu(&l, r->cpu, reterr);
        if (k >= 0 && r && r->pids)
                k = add_limit(&l, "pids.max", r->pids->limit);
        if (k >= 0 && r && r->block_io)
                k = plan_io(&l, r->block_io);
        if (k >= 0 && r)
                k = plan_rest(&l, r, reterr);
        if (k < 0)
                return error_is_set(reterr) ? k : error_set_errno(reterr, k, "resources");

        *ret = TAKE_STRUCT(l);
        return 0;
}

void cgroup_limits_done(CgroupLimits *l) {
        if (!l)
                return;

        for (size_t i = 0; i < l->n_items; i++) {
                free(l->items[i].file);
                free(l->items[i].value);
        }
        free(l->items);
        *l = (CgroupLimits) {};
}

int cgroup_limits_write(const CgroupLimits *l, int cgroup_fd, Error *reterr) {
        assert(l);
        assert(cgroup_fd >= 0);

        for (size_t i = 0; i < l->n_items; i++) {
                const CgroupLimit *limit = l->items + i;
                int r;

                r = file_write_kernel_at(cgroup_fd, limit->file, limit->value);
                if (r == -ENOENT) {
                        /* Swap may be off in the kernel; no swap is then what the container gets anyway. */
                        if (streq(limit->file, "memory.swap.max") &&
                                file_exists_at(cgroup_fd, "memory.max") > 0)
                                continue;
                        return error_set(reterr, ERROR_INVALID,
                                "cannot set %s=%s: the cgroup has no %.*s controller", limit->file,
                                limit->value, (int) strcspn(limit->file, "."), limit->file);
                }
                if (r < 0)
                        return error_set_errno(
                                reterr, r, "cannot set %s=%s", limit->file, limit->value);
        }

        return 0;
}
