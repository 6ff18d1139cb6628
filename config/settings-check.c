/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "config/settings-table.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define VALUE_MAX (64U * 1024U)

static int wrong(Error *reterr, const char *value, const char *is_no, const char *use) {
        return error_set(reterr, ERROR_INVALID, "\"%s\" is %s; use %s", value, is_no, use);
}

/* "min:max", either side may be empty. */
static int check_int(const Setting *row, const char *value, Error *reterr) {
        _cleanup_(freep) char *low = NULL, *high = NULL;
        int64_t n, limit;
        bool inside = true;
        int r;

        if (parse_i64(value, &n) < 0)
                return wrong(reterr, value, "no number", "a whole number");
        if (!row->range)
                return 0;

        r = str_split_pair(row->range, ':', &low, &high);
        if (r < 0)
                return r;
        if (parse_i64(low, &limit) >= 0)
                inside = n >= limit;
        if (parse_i64(high, &limit) >= 0)
                inside = inside && n <= limit;
        if (inside)
                return 0;
        return error_set(reterr, ERROR_INVALID, "%s is out of range; use a number %s%s%s%s", value,
                low[0] ? "from " : "", low,
                high[0]  ? " to "
                : low[0] ? " up"
                         : "",
                high);
}

static int check_enum(const Setting *row, const char *value, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(freep) char *list = NULL;
        int r;

        r = strv_split(row->range, ",", /* keep_empty= */ true, &words);
        if (r < 0)
                return r;
        if (strv_contains(words, value))
                return 0;

        list = strv_join(words, ", ");
        if (!list)
                return -ENOMEM;
        return error_set(reterr, ERROR_INVALID, "\"%s\" is not possible; use one of %s", value,
                str_starts(list, ", ") ?: list);
}

/* Is the file system in the kernel, or a module away? */
static bool kernel_has_overlay(void) {
        _cleanup_(freep) char *list = NULL, *module = NULL;
        struct utsname u;

        if (file_read("/proc/filesystems", 64 * 1024, &list, NULL) >= 0 &&
                strstr(list, "\toverlay\n"))
                return true;
        return uname(&u) >= 0 &&
               str_printf(&module, "/lib/modules/%s/kernel/fs/overlayfs", u.release) >= 0 &&
               access(module, F_OK) >= 0;
}

static int check_storage_driver(const Setting *row, const char *value, Error *reterr) {
        const char *usable = kernel_has_overlay() ? "overlay2 and vfs" : "vfs";

        if (value[0] == 0 || STR_IN_SET(value, "overlay2", "vfs"))
                return 0;
        if (streq(value, "aufs"))
                return error_set(reterr, ERROR_INVALID,
                        "AUFS is not in the Linux kernel, so there is no storage driver aufs; "
                        "usable here: %s",
                        usable);
        if (STR_IN_SET(value, "btrfs", "devicemapper", "zfs", "fuse-overlayfs", "overlay",
                    "overlayfs", "native"))
                return error_set(reterr, ERROR_INVALID,
                        "Stauer has no storage driver \"%s\"; usable here: %s", value, usable);
        return error_set(reterr, ERROR_INVALID, "\"%s\" is no storage driver; usable here: %s",
                value, usable);
}

static int check_slice(const char *value, Error *reterr) {
        const char *end = str_ends(value, ".slice");

        if (value[0] == 0 || streq(value, "-.slice"))
                return 0;
        if (!end || end == value || strlen(value) > 255 || value[0] == '-' || end[-1] == '-' ||
                strstr(value, "--") ||
                value[strspn(value,
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\")] !=
                        0)
                return wrong(reterr, value, "no slice of systemd", "a name such as docker.slice");
        return 0;
}

static bool is_port(const char *s) {
        unsigned port;

        return parse_unsigned(s, &port) >= 0 && port <= 65535;
}

static int check_host(const char *value, Error *reterr) {
        const char *rest, *colon;

        rest = str_starts(value, "unix://");
        if (rest) {
                if (rest[0] == 0 || (rest[0] == '/' && strlen(rest) < 108))
                        return 0;
                return wrong(reterr, value, "no socket",
                        "unix:// and an absolute path of less than 108 bytes");
        }
        rest = str_starts(value, "fd://");
        if (rest)
                return 0;

        rest = str_starts(value, "tcp://") ?: value;
        if (strstr(rest, "://"))
                return wrong(reterr, value, "no address to listen on",
                        "unix://PATH, tcp://HOST:PORT or fd://");
        colon = strrchr(rest, ':');
        if (rest[strcspn(rest, "/ ?#@")] != 0 ||
                (colon && colon[1] != 0 && colon[1] != ']' && !strchr(colon, ']') &&
                        !is_port(colon + 1)))
                return wrong(reterr, value, "no address to listen on",
                        "unix://PATH, tcp://HOST:PORT or fd://");
        if (rest == value && !colon)
                return wrong(reterr, value, "no address to listen on",
                        "unix://PATH, tcp://HOST:PORT or fd://");
        return 0;
}

static bool is_ip(const char *s) {
        unsigned char buffer[sizeof(struct in6_addr)];

        return inet_pton(AF_INET, s, buffer) == 1 || inet_pton(AF_INET6, s, buffer) == 1;
}

static int check_cidr(const char *value, Error *reterr) {
        _cleanup_(freep) char *ip = NULL, *bits = NULL;
        unsigned n;

        if (str_split_pair(value, '/', &ip, &bits) < 0 || !is_ip(ip) ||
                parse_unsigned(bits, &n) < 0 || n > (strchr(ip, ':') ? 128U : 32U))
                return wrong(reterr, value, "no network", "ADDRESS/BITS such as 172.17.0.1/16");
        return 0;
}

static int check_runtime(const char *value, Error *reterr) {
        _cleanup_(freep) char *name = NULL, *path = NULL;

        if (parse_key_value(value, &name, &path) < 0 || path[0] == 0 ||
                (strchr(path, '/') && path[0] != '/') ||
                name[strspn(name,
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")] != 0)
                return wrong(reterr, value, "no runtime", "NAME=PATH such as crun=/usr/bin/crun");
        return 0;
}

static bool is_limit(const char *s) {
        int64_t n;

        return parse_i64(s, &n) >= 0 && n >= -1;
}

static int check_ulimit(const char *value, Error *reterr) {
        static const char *const names[] = {
                "core",
                "cpu",
                "data",
                "fsize",
                "locks",
                "memlock",
                "msgqueue",
                "nice",
                "nofile",
                "nproc",
                "rss",
                "rtprio",
                "rttime",
                "sigpending",
                "stack",
                NULL,
        };
        _cleanup_(freep) char *name = NULL, *limits = NULL;
        const char *hard_text;
        int64_t soft, hard;
        char *colon;

        if (parse_key_value(value, &name, &limits) < 0)
                return wrong(
                        reterr, value, "no limit", "NAME=SOFT[:HARD] such as nofile=1024:4096");
        if (!str_in(name, names))
                return wrong(reterr, name, "no limit that Linux has",
                        "core, cpu, data, fsize, locks, memlock, msgqueue, nice, "
                        "nofile, nproc, rss, rtprio, rttime, sigpending or stack");

        colon = strchr(limits, ':');
        if (colon)
                *colon = 0;
        hard_text = colon ? colon + 1 : limits;
        if (!is_limit(limits) || !is_limit(hard_text))
                return wrong(reterr, value, "no limit",
                        "NAME=SOFT[:HARD] with numbers, -1 for unlimited");

        (void) parse_i64(limits, &soft);
        (void) parse_i64(hard_text, &hard);
        if (hard >= 0 && (soft > hard || soft < 0))
                return error_set(reterr, ERROR_INVALID,
                        "the soft limit in \"%s\" is above the hard one", value);
        return 0;
}

int setting_check(const Setting *row, const char *value, Error *reterr) {
        uint64_t size;
        bool b;

        assert(row);
        assert(value);

        if (strlen(value) > VALUE_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "the value is longer than 64 KiB");
        if (str_has_control(value))
                return error_set(reterr, ERROR_INVALID, "the value holds a control character");

        switch (row->type) {
        case SETTING_BOOL:
                return parse_bool(value, &b) < 0
                             ? wrong(reterr, value, "no boolean", "true or false")
                             : 0;
        case SETTING_INT:
                return check_int(row, value, reterr);
        case SETTING_SIZE:
                return parse_size(value, &size) < 0
                             ? wrong(reterr, value, "no size",
                                       "a number with b, k, m, g or t, such as 64m")
                             : 0;
        case SETTING_ENUM:
                return check_enum(row, value, reterr);
        case SETTING_STRING:
                return 0;
        case SETTING_PATH:
                if (value[0] != '/')
                        return wrong(
                                reterr, value, "no absolute path", "one that begins with a slash");
                return 0;
        case SETTING_SLICE:
                return check_slice(value, reterr);
        case SETTING_HOST:
                return check_host(value, reterr);
        case SETTING_URL:
                if (!str_starts(value, "http://") && !str_starts(value, "https://"))
                        return wrong(reterr, value, "no address",
                                "one that begins with http:// or https://");
                return 0;
        case SETTING_IP:
                return is_ip(value) ? 0
                                    : wrong(reterr, value, "no IP address",
                                              "one such as 192.0.2.1 or 2001:db8::1");
        case SETTING_CIDR:
                return check_cidr(value, reterr);
        case SETTING_KEY_VALUE:
                if (value[0] == '=' || !strchr(value, '='))
                        return wrong(reterr, value, "no pair", "KEY=VALUE");
                return 0;
        case SETTING_RUNTIME:
                return check_runtime(value, reterr);
        case SETTING_ULIMIT:
                return check_ulimit(value, reterr);
        case SETTING_STORAGE_DRIVER:
                return check_storage_driver(row, value, reterr);
        case _SETTING_TYPE_MAX:
        case _SETTING_TYPE_INVALID:
                break;
        }
        return -EINVAL;
}
