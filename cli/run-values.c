/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/run-values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define ENV_FILE_MAX (1024U * 1024)

/* ---- numbers ---- */

static int bad_number(const char *parser, const char *value, bool range, Error *reterr) {
        return error_set(reterr, ERROR_INVALID, "strconv.%s: parsing \"%s\": %s", parser, value,
                range ? "value out of range" : "invalid syntax");
}

int run_int_parse(const char *value, int64_t min, int64_t max, int64_t *ret, Error *reterr) {
        const char *parser = min < 0 ? "ParseInt" : "ParseUint";
        char *end;
        long long n;

        if (!isdigit((unsigned char) value[value[0] == '-' || value[0] == '+']) ||
                (min == 0 && !isdigit((unsigned char) value[0])))
                return bad_number(parser, value, false, reterr);
        errno = 0;
        n = strtoll(value, &end, 0);
        if (*end)
                return bad_number(parser, value, false, reterr);
        if (errno == ERANGE || n < min || n > max)
                return bad_number(parser, value, true, reterr);
        *ret = n;
        return 0;
}

int run_bytes_parse(const char *value, int64_t *ret, Error *reterr) {
        static const char units[] = "kmgtp";
        _cleanup_(freep) char *number = NULL, *suffix = NULL;
        size_t n = strlen(value);
        double size;
        const char *unit;
        int r;

        while (n > 0 && !strchr("0123456789. ", value[n - 1]))
                n--;
        if (n == 0 || value[0] == '-')
                return error_set(reterr, ERROR_INVALID, "invalid size: '%s'", value);

        r = str_copy(&suffix, value + n);
        if (r >= 0)
                r = str_copy_n(&number, value, n - (value[n - 1] == ' '));
        if (r < 0)
                return r;
        if (parse_double(number, &size) < 0)
                return bad_number("ParseFloat", number, false, reterr);

        str_lower(suffix);
        unit = suffix[0] ? strchr(units, suffix[0]) : NULL;
        if (strlen(suffix) > 3 || (suffix[0] && !unit && !streq(suffix, "b")) ||
                (unit && suffix[1] && !STR_IN_SET(suffix + 1, "b", "ib")))
                return error_set(reterr, ERROR_INVALID, "invalid suffix: '%s'", suffix);
        for (; unit && unit >= units; unit--)
                size *= 1024;
        if (size >= 9.2e18)
                return error_set(reterr, ERROR_INVALID, "invalid size: '%s'", value);
        *ret = (int64_t) size;
        return 0;
}

static int no_rational(const char *value, Error *reterr) {
        return error_set(reterr, ERROR_INVALID, "failed to parse %s as a rational number", value);
}

/* "a/b" */
static int fraction_parse(const char *value, const char *slash, int64_t *ret, Error *reterr) {
        _cleanup_(freep) char *left = NULL;
        int64_t a, b;
        int r;

        r = str_copy_n(&left, value, (size_t) (slash - value));
        if (r < 0)
                return r;
        if (parse_i64(left, &a) < 0 || parse_i64(slash + 1, &b) < 0 || b <= 0 || a > 1000000000 ||
                a < -1000000000)
                return no_rational(value, reterr);
        if (a * 1000000000 % b != 0)
                return error_set(reterr, ERROR_INVALID, "value is too precise");
        *ret = a * 1000000000 / b;
        return 0;
}

int run_cpus_parse(const char *value, int64_t *ret, Error *reterr) {
        const char *p = value + (value[0] == '-' || value[0] == '+'), *slash = strchr(value, '/');
        int64_t n = 0, exponent = 0;
        int places = 0, digits = 0;
        bool point = false;

        if (slash)
                return fraction_parse(value, slash, ret, reterr);

        for (; isdigit((unsigned char) *p) || (*p == '.' && !point); p++) {
                if (*p == '.') {
                        point = true;
                        continue;
                }
                if (n > INT64_MAX / 20)
                        return no_rational(value, reterr);
                n = n * 10 + (*p - '0');
                digits++;
                places += point;
        }
        if (digits == 0 || (*p && *p != 'e' && *p != 'E') ||
                (*p && (parse_i64(p + 1, &exponent) < 0 || exponent > 30 || exponent < -30)))
                return no_rational(value, reterr);

        for (exponent += 9 - places; exponent > 0 && n != 0; exponent--) {
                if (n > INT64_MAX / 20)
                        return no_rational(value, reterr);
                n *= 10;
        }
        for (; exponent < 0; exponent++) {
                if (n % 10 != 0)
                        return error_set(reterr, ERROR_INVALID, "value is too precise");
                n /= 10;
        }
        *ret = value[0] == '-' ? -n : n;
        return 0;
}

int run_to_int(const char *value, void *field, Error *reterr) {
        int64_t n;
        int r;

        r = run_int_parse(value, INT32_MIN, INT32_MAX, &n, reterr);
        if (r >= 0)
                *(int *) field = (int) n;
        return r;
}

int run_to_int64(const char *value, void *field, Error *reterr) {
        return run_int_parse(value, INT64_MIN, INT64_MAX, field, reterr);
}

int run_to_uint16(const char *value, void *field, Error *reterr) {
        int64_t n;
        int r;

        r = run_int_parse(value, 0, UINT16_MAX, &n, reterr);
        if (r >= 0)
                *(uint16_t *) field = (uint16_t) n;
        return r;
}

int run_to_bytes(const char *value, void *field, Error *reterr) {
        return run_bytes_parse(value, field, reterr);
}

int run_to_swap(const char *value, void *field, Error *reterr) {
        if (streq(value, "-1")) {
                *(int64_t *) field = -1;
                return 0;
        }
        return run_bytes_parse(value, field, reterr);
}

int run_to_cpus(const char *value, void *field, Error *reterr) {
        return run_cpus_parse(value, field, reterr);
}

int run_to_duration(const char *value, void *field, Error *reterr) {
        if (parse_duration(value, field) < 0)
                return error_set(reterr, ERROR_INVALID, "time: invalid duration \"%s\"", value);
        return 0;
}

/* ---- words ---- */

int run_to_string(const char *value, void *field, Error *reterr) {
        (void) reterr;
        return str_copy(field, value);
}

int run_to_list(const char *value, void *field, Error *reterr) {
        (void) reterr;
        return strv_contains(*(char ***) field, value) ? 0 : strv_add(field, value);
}

int run_to_flag(const char *value, void *field, Error *reterr) {
        (void) reterr;
        return parse_bool(value, field);
}

int run_to_tristate(const char *value, void *field, Error *reterr) {
        bool b = false;

        (void) reterr;
        *(int *) field = parse_bool(value, &b) >= 0 && b;
        return 0;
}

int run_to_words(const char *value, void *field, Error *reterr) {
        (void) reterr;
        return strv_set(field, (char *const[]) { (char *) value, NULL });
}

int run_pair_add(char ***pairs, const char *value) {
        const char *equals = strchr(value, '=');
        _cleanup_(freep) char *key = NULL;
        int r;

        r = str_copy_n(&key, value, equals ? (size_t) (equals - value) : strlen(value));
        return r < 0 ? r : pairs_set(pairs, key, equals ? equals + 1 : "");
}

int run_to_pair(const char *value, void *field, Error *reterr) {
        (void) reterr;
        return run_pair_add(field, value);
}

int run_to_label(const char *value, void *field, Error *reterr) {
        if (value[0] == '\0' || value[0] == '=')
                return error_set(reterr, ERROR_INVALID, "invalid label '%s': empty name", value);
        return run_pair_add(field, value);
}

int run_to_storage(const char *value, void *field, Error *reterr) {
        if (!strchr(value, '='))
                return error_set(reterr, ERROR_INVALID, "invalid storage option");
        return run_pair_add(field, value);
}

/* "K" alone takes the value from our own environment; when it has none, K alone removes the image's. */
int run_to_env(const char *value, void *field, Error *reterr) {
        const char *own;

        if (value[0] == '\0' || value[0] == '=')
                return error_set(reterr, ERROR_INVALID, "invalid environment variable: %s", value);
        own = strchr(value, '=') ? NULL : getenv(value);
        return own ? strv_addf(field, "%s=%s", value, own) : strv_add(field, value);
}

int run_to_sysctl(const char *value, void *field, Error *reterr) {
        static const char *const known[] = { "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
                "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
                "kernel.shm_rmid_forced", NULL };
        const char *equals = strchr(value, '=');
        _cleanup_(freep) char *key = NULL;
        int r;

        r = str_copy_n(&key, value, equals ? (size_t) (equals - value) : 0);
        if (r < 0)
                return r;
        if (!equals ||
                (!str_in(key, known) && !str_starts(key, "net.") && !str_starts(key, "fs.mqueue.")))
                return error_set(reterr, ERROR_INVALID, "sysctl '%s' is not allowed", value);
        return run_pair_add(field, value);
}

int run_to_link(const char *value, void *field, Error *reterr) {
        const char *colon = strchr(value, ':');

        if (!*value)
                return error_set(reterr, ERROR_INVALID, "empty string specified for links");
        if (colon && strchr(colon + 1, ':'))
                return error_set(reterr, ERROR_INVALID, "bad format for links: %s", value);
        return run_to_list(value, field, reterr);
}

/* ---- names and addresses ---- */

static bool is_address(const char *s) {
        struct in6_addr a;

        return inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1;
}

/* "name:address", "name=address", "name:[v6]" */
int run_to_host(const char *value, void *field, Error *reterr) {
        const char *separator = strchr(value, '=');
        _cleanup_(freep) char *address = NULL;
        size_t n;
        int r;

        if (!separator)
                separator = strchr(value, ':');
        if (!separator || separator == value)
                return error_set(reterr, ERROR_INVALID, "bad format for add-host: \"%s\"", value);

        n = strlen(separator + 1);
        if (n > 2 && separator[1] == '[' && separator[n] == ']')
                r = str_copy_n(&address, separator + 2, n - 2);
        else
                r = str_copy(&address, separator + 1);
        if (r < 0)
                return r;
        if (!streq(address, "host-gateway") && !is_address(address))
                return error_set(reterr, ERROR_INVALID, "invalid IP address in add-host: \"%s\"",
                        separator + 1);
        return strv_addf(field, "%.*s:%s", (int) (separator - value), value, address);
}

int run_to_dns(const char *value, void *field, Error *reterr) {
        char text[INET6_ADDRSTRLEN];
        struct in6_addr a;
        int family = AF_INET;

        if (inet_pton(AF_INET, value, &a) != 1) {
                family = AF_INET6;
                if (inet_pton(AF_INET6, value, &a) != 1)
                        return error_set(reterr, ERROR_INVALID,
                                "IP address is not correctly formatted: %s", value);
        }
        if (!inet_ntop(family, &a, text, sizeof text))
                return -errno;
        return run_to_list(text, field, reterr);
}

static bool domain_is_valid(const char *s) {
        size_t n = strlen(s);
        bool letter = false, start = true;

        if (n > 0 && s[n - 1] == '.')
                n--;
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char) s[i];
                bool last = i + 1 == n || s[i + 1] == '.';

                if (c == '.') {
                        if (start)
                                return false;
                        start = true;
                        continue;
                }
                if (!isalnum(c) && !(c == '-' && !start && !last))
                        return false;
                letter = letter || isalpha(c);
                start = false;
        }
        return letter && !start && n < 255;
}

int run_to_domain(const char *value, void *field, Error *reterr) {
        if (!streq(value, ".") && !domain_is_valid(value))
                return error_set(reterr, ERROR_INVALID, "%s is not a valid domain", value);
        return run_to_list(value, field, reterr);
}

/* ---- files of K=V lines ---- */

typedef int (*line_t)(const char *line, bool has_value, void *field);

static int env_line(const char *line, bool has_value, void *field) {
        const char *own;

        if (has_value)
                return strv_add(field, line);
        own = getenv(line);
        return own ? strv_addf(field, "%s=%s", line, own) : 0;
}

static int label_line(const char *line, bool has_value, void *field) {
        return has_value ? run_pair_add(field, line) : 0;
}

static int bad_utf8(const char *path, const char *line, size_t number, Error *reterr) {
        _cleanup_(freep) char *bytes = NULL;
        int r = 0;

        for (const char *p = line; r >= 0 && *p; p++)
                r = str_appendf(&bytes, "%s%u", p == line ? "" : " ", (unsigned char) *p);
        if (r < 0)
                return r;
        return error_set(reterr, ERROR_INVALID,
                "invalid env file (%s): invalid utf8 bytes at line %zu: [%s]", path, number,
                str_or_empty(bytes));
}

static int file_line(
        const char *path, char *line, size_t number, line_t add, void *field, Error *reterr) {
        const char *equals;
        size_t n;

        if (!str_is_utf8(line, strlen(line)))
                return bad_utf8(path, line, number, reterr);
        line += strspn(line, " \t\v\f\r");
        n = strlen(line);
        if (n > 0 && line[n - 1] == '\r')
                line[--n] = '\0';
        if (!*line || *line == '#')
                return 0;

        equals = strchr(line, '=');
        n = equals ? (size_t) (equals - line) : n;
        if (n == 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid env file (%s): no variable name on line '%s'", path, line);
        if (strcspn(line, " \t") < n)
                return error_set(reterr, ERROR_INVALID,
                        "invalid env file (%s): variable '%.*s' contains whitespaces", path,
                        (int) n, line);
        return add(line, equals, field);
}

static int read_lines(const char *path, line_t add, void *field, Error *reterr) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t number = 0;
        int r;

        r = file_read(path, ENV_FILE_MAX, &text, NULL);
        if (r == -ENOENT || r == -EACCES)
                return error_set(reterr, error_kind_from_errno(r), "open %s: %s", path,
                        r == -ENOENT ? "no such file or directory" : "permission denied");
        if (r < 0)
                return error_set_errno(reterr, r, "invalid env file (%s)", path);
        r = strv_split(str_starts(text, "\xef\xbb\xbf") ? text + 3 : text, "\n",
                /* keep_empty= */ true, &lines);

        STRV_FOREACH (line, lines)
                if (r >= 0)
                        r = file_line(path, *line, ++number, add, field, reterr);
        return r;
}

int run_to_env_file(const char *value, void *field, Error *reterr) {
        return read_lines(value, env_line, field, reterr);
}

int run_to_label_file(const char *value, void *field, Error *reterr) {
        return read_lines(value, label_line, field, reterr);
}
