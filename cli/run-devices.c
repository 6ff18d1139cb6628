/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --device, --gpus, --ulimit and the block I/O options of run. Pure. */
#include <ctype.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/run-values.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

/* ---- --device ---- */

/* Some of r w m, each once. */
static bool is_mode(const char *s) {
        size_t n = strlen(s);

        if (n == 0 || n > 3 || strspn(s, "rwm") != n)
                return false;
        for (; *s; s++)
                if (strchr(s + 1, *s))
                        return false;
        return true;
}

/* "vendor.com/class=name" of the container device interface. */
static bool is_cdi_name(const char *s) {
        const char *slash = strchr(s, '/'), *equals = strchr(s, '=');

        return slash && equals && slash > s && equals > slash + 1 && equals[1] &&
               isalpha((unsigned char) s[0]) && !strchr(s, ':');
}

static int add_request(ContainerSpec *spec, DeviceRequest **ret) {
        Resources *rs = &spec->host.resources;
        size_t allocated = rs->n_device_requests;
        int r;

        r = array_grow(&rs->device_requests, &allocated, rs->n_device_requests + 1);
        if (r < 0)
                return r;
        *ret = rs->device_requests + rs->n_device_requests++;
        **ret = (DeviceRequest) {};
        return 0;
}

/* All names of CDI are one request. */
static int add_cdi(ContainerSpec *spec, const char *name) {
        Resources *rs = &spec->host.resources;
        DeviceRequest *q;
        int r;

        for (size_t i = 0; i < rs->n_device_requests; i++)
                if (str_equal(rs->device_requests[i].driver, "cdi"))
                        return strv_add(&rs->device_requests[i].device_ids, name);
        r = add_request(spec, &q);
        if (r >= 0)
                r = str_copy(&q->driver, "cdi");
        return r < 0 ? r : strv_add(&q->device_ids, name);
}

static int add_device(
        Resources *rs, const char *outside, const char *inside, const char *permissions) {
        size_t allocated = rs->n_devices;
        DeviceMapping *d;
        int r;

        r = array_grow(&rs->devices, &allocated, rs->n_devices + 1);
        if (r < 0)
                return r;
        d = rs->devices + rs->n_devices++;
        *d = (DeviceMapping) {};
        r = str_copy(&d->path_on_host, outside);
        if (r >= 0)
                r = path_normalise(inside, &d->path_in_container);
        return r < 0 ? r : str_copy(&d->permissions, permissions);
}

/* "HOST[:CONTAINER][:rwm]" */
int run_to_device(const char *value, void *field, Error *reterr) {
        _cleanup_(strv_freep) char **parts = NULL;
        ContainerSpec *spec = field;
        const char *inside, *permissions = "rwm";
        size_t n;
        int r;

        if (is_cdi_name(value))
                return add_cdi(spec, value);
        r = strv_split(value, ":", /* keep_empty= */ true, &parts);
        if (r < 0)
                return r;
        n = strv_length(parts);
        if (n < 1 || n > 3 || str_empty(parts[0]))
                return error_set(reterr, ERROR_INVALID, "bad format for path: %s", value);

        inside = parts[0];
        if (n == 2 && is_mode(parts[1]))
                permissions = parts[1];
        else if (n >= 2)
                inside = parts[1];
        if (n == 3)
                permissions = parts[2];
        if (!is_mode(permissions))
                return error_set(reterr, ERROR_INVALID, "bad mode specified: %s", permissions);
        if (inside[0] != '/')
                return error_set(reterr, ERROR_INVALID, "%s is not an absolute path", inside);
        return add_device(&spec->host.resources, parts[0], inside, permissions);
}

static const char *number_or_star(const char *s) {
        return *s == '*' ? s + 1 : s + strspn(s, "0123456789");
}

/* "c 1:3 rwm" */
int run_to_device_rule(const char *value, void *field, Error *reterr) {
        ContainerSpec *spec = field;
        const char *p = value, *q;
        bool ok;

        ok = *p && strchr("acb", *p) && p[1] == ' ';
        q = ok ? number_or_star(p + 2) : p;
        ok = ok && q > p + 2 && *q == ':';
        p = ok ? q + 1 : q;
        q = ok ? number_or_star(p) : p;
        ok = ok && q > p && *q == ' ' && q[1] && strlen(q + 1) <= 3 &&
             strspn(q + 1, "rwm") == strlen(q + 1);
        if (!ok)
                return error_set(reterr, ERROR_INVALID, "invalid device cgroup format '%s'", value);
        return run_to_list(value, &spec->host.resources.device_cgroup_rules, reterr);
}

/* ---- --gpus ---- */

static int gpu_count(const char *value, int *ret, Error *reterr) {
        int64_t n;

        if (streq(value, "all")) {
                *ret = -1;
                return 0;
        }
        if (run_int_parse(value, INT32_MIN, INT32_MAX, &n, NULL) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid count (%s): value must be either \"all\" or an integer: invalid "
                        "syntax",
                        value);
        *ret = (int) n;
        return 0;
}

static int gpu_capabilities(DeviceRequest *q, const char *value) {
        int r;

        if (!q->capabilities) {
                q->capabilities = new0(StringList, 1);
                if (!q->capabilities)
                        return -ENOMEM;
                q->n_capabilities = 1;
        }
        q->capabilities[0].items = strv_free(q->capabilities[0].items);
        r = value ? strv_split(value, ",", /* keep_empty= */ true, &q->capabilities[0].items) : 0;
        return r < 0 ? r : strv_add(&q->capabilities[0].items, "gpu");
}

static int gpu_options(DeviceRequest *q, const char *value, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = csv_parse(value, &words, reterr);
        STRV_FOREACH (word, words)
                if (r >= 0)
                        r = run_pair_add(&q->options, *word);
        return r;
}

static int gpu_word(DeviceRequest *q, const char *field, char ***seen, Error *reterr) {
        const char *equals = strchr(field, '=');
        _cleanup_(freep) char *key = NULL;
        int r;

        r = str_copy_n(&key, field, equals ? (size_t) (equals - field) : strlen(field));
        if (r < 0)
                return r;
        if (strv_contains(*seen, key))
                return error_set(reterr, ERROR_INVALID,
                        "gpu request key '%s' can be specified only once", key);
        r = strv_add(seen, equals ? key : "count");
        if (r < 0)
                return r;

        if (!equals)
                return gpu_count(field, &q->count, reterr);
        if (streq(key, "count"))
                return gpu_count(equals + 1, &q->count, reterr);
        if (streq(key, "driver"))
                return str_copy(&q->driver, equals + 1);
        if (streq(key, "device")) {
                q->device_ids = strv_free(q->device_ids);
                return strv_split(equals + 1, ",", /* keep_empty= */ true, &q->device_ids);
        }
        if (streq(key, "capabilities"))
                return gpu_capabilities(q, equals + 1);
        if (streq(key, "options"))
                return gpu_options(q, equals + 1, reterr);
        return error_set(reterr, ERROR_INVALID, "unexpected key '%s' in '%s'", key, field);
}

int run_to_gpus(const char *value, void *field, Error *reterr) {
        _cleanup_(strv_freep) char **fields = NULL, **seen = NULL;
        DeviceRequest *q;
        int r;

        r = csv_parse(value, &fields, reterr);
        if (r >= 0)
                r = add_request(field, &q);
        STRV_FOREACH (word, fields)
                if (r >= 0)
                        r = gpu_word(q, *word, &seen, reterr);
        if (r < 0)
                return r;

        if (!strv_contains(seen, "count") && !q->device_ids)
                q->count = 1;
        if (!q->capabilities)
                r = gpu_capabilities(q, NULL);
        if (r >= 0 && !q->options)
                q->options = new0(char *, 1);
        return r < 0 ? r : q->options ? 0 : -ENOMEM;
}

/* ---- --ulimit ---- */

static const char *const ulimit_names[] = { "core", "cpu", "data", "fsize", "locks", "memlock",
        "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
        NULL };

/* Kept sorted by name, as docker sends them; the last one of a name wins. */
static int put_ulimit(Resources *rs, const char *name, int64_t soft, int64_t hard) {
        size_t allocated = rs->n_ulimits, i = 0;
        _cleanup_(freep) char *copy = NULL;
        int r;

        while (i < rs->n_ulimits && strcmp(rs->ulimits[i].name, name) < 0)
                i++;
        if (i == rs->n_ulimits || !streq(rs->ulimits[i].name, name)) {
                r = str_copy(&copy, name);
                if (r >= 0)
                        r = array_grow(&rs->ulimits, &allocated, rs->n_ulimits + 1);
                if (r < 0)
                        return r;
                memmove(rs->ulimits + i + 1, rs->ulimits + i, (rs->n_ulimits - i) * sizeof(Ulimit));
                rs->ulimits[i].name = TAKE_PTR(copy);
                rs->n_ulimits++;
        }
        rs->ulimits[i].soft = soft;
        rs->ulimits[i].hard = hard;
        return 0;
}

/* "nofile=1024[:2048]" */
int run_to_ulimit(const char *value, void *field, Error *reterr) {
        _cleanup_(freep) char *name = NULL, *limits = NULL;
        _cleanup_(strv_freep) char **numbers = NULL;
        ContainerSpec *spec = field;
        int64_t soft, hard;
        size_t n;
        int r;

        r = str_split_pair(value, '=', &name, &limits);
        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID, "invalid ulimit argument: %s", value);
        if (r < 0)
                return r;
        if (!str_in(name, ulimit_names))
                return error_set(reterr, ERROR_INVALID, "invalid ulimit type: %s", name);
        r = strv_split(limits, ":", /* keep_empty= */ true, &numbers);
        if (r < 0)
                return r;
        n = strv_length(numbers);
        if (n > 2)
                return error_set(reterr, ERROR_INVALID,
                        "too many limit value arguments - %s, can only have up to two, "
                        "`soft[:hard]`",
                        limits);
        r = run_int_parse(n > 0 ? numbers[0] : "", INT64_MIN, INT64_MAX, &soft, reterr);
        hard = soft;
        if (r >= 0 && n == 2)
                r = run_int_parse(numbers[1], INT64_MIN, INT64_MAX, &hard, reterr);
        if (r < 0)
                return r;
        if (hard != -1 && (soft == -1 ? hard != soft : soft > hard))
                return error_set(reterr, ERROR_INVALID,
                        "ulimit soft limit must be less than or equal to hard limit: %lld > %lld",
                        (long long) soft, (long long) hard);
        return put_ulimit(&spec->host.resources, name, soft, hard);
}

/* ---- block I/O ---- */

/* "/dev/sda:VALUE" */
static int split_device(const char *value, char **ret_path, char **ret_number, Error *reterr) {
        int r;

        r = str_split_pair(value, ':', ret_path, ret_number);
        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID, "bad format: %s", value);
        if (r >= 0 && !str_starts(*ret_path, "/dev/"))
                return error_set(reterr, ERROR_INVALID, "bad format for device path: %s", value);
        return r;
}

int run_to_weight(const char *value, void *field, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *number = NULL;
        Resources *rs = &((ContainerSpec *) field)->host.resources;
        size_t allocated = rs->n_blkio_weight_device;
        int64_t weight;
        int r;

        r = split_device(value, &path, &number, reterr);
        if (r < 0)
                return r;
        if (run_int_parse(number, 0, UINT16_MAX, &weight, NULL) < 0 ||
                (weight > 0 && (weight < 10 || weight > 1000)))
                return error_set(reterr, ERROR_INVALID, "invalid weight for device: %s", value);

        r = array_grow(&rs->blkio_weight_device, &allocated, rs->n_blkio_weight_device + 1);
        if (r < 0)
                return r;
        rs->blkio_weight_device[rs->n_blkio_weight_device++] =
                (WeightDevice) { .path = TAKE_PTR(path), .weight = (uint16_t) weight };
        return 0;
}

static int throttle(
        const char *value, bool bytes, ThrottleDevice **list, size_t *n_list, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *number = NULL;
        size_t allocated = *n_list;
        int64_t rate;
        int r;

        r = split_device(value, &path, &number, reterr);
        if (r < 0)
                return r;
        if (bytes && run_bytes_parse(number, &rate, NULL) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid rate for device: %s. The correct format is "
                        "<device-path>:<number>[<unit>]. Number must be a positive integer. Unit "
                        "is optional and can be kb, mb, or gb",
                        value);
        if (!bytes && run_int_parse(number, 0, INT64_MAX, &rate, NULL) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid rate for device: %s. The correct format is "
                        "<device-path>:<number>. Number must be a positive integer",
                        value);

        r = array_grow(list, &allocated, *n_list + 1);
        if (r < 0)
                return r;
        (*list)[(*n_list)++] = (ThrottleDevice) { .path = TAKE_PTR(path), .rate = (uint64_t) rate };
        return 0;
}

#define DEFINE_THROTTLE(name, bytes, member)                                         \
        int run_to_##name(const char *value, void *field, Error *reterr) {           \
                Resources *rs = &((ContainerSpec *) field)->host.resources;          \
                                                                                     \
                return throttle(value, bytes, &rs->member, &rs->n_##member, reterr); \
        }                                                                            \
        struct run_to_##name##_needs_a_semicolon

DEFINE_THROTTLE(read_bps, true, blkio_device_read_bps);
DEFINE_THROTTLE(write_bps, true, blkio_device_write_bps);
DEFINE_THROTTLE(read_iops, false, blkio_device_read_iops);
DEFINE_THROTTLE(write_iops, false, blkio_device_write_iops);
