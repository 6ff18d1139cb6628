/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values as Go prints them. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define WIDTH_MAX 1000

/* clang-format off */
static const char *const absent_texts[] = { "Author", "Comment", "DockerVersion", "MacAddress", "NodeName", "OsVersion", "StopSignal", "Variant", NULL };
static const char *const absent_others[] = { "Annotations", "ExposedPorts", "Health", "Healthcheck", "Init", "MaskedPaths", "Mounts", "ReadonlyPaths",
        "RootFS", "Shell", "SizeRootFs", "SizeRw", "StopTimeout", "StorageOpt", "Sysctls", "Tmpfs", "UsageData", "Warnings", NULL };
/* clang-format on */

bool format_is_optional(const char *field) {
        return str_in(field, absent_texts) || str_in(field, absent_others);
}

/* An absent list prints as an empty one; JSON has only null for both. */
static const char *absent(const char *field) {
        /* clang-format off */
        static const char *const lists[] = { "Args", "Aliases", "Binds", "BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps",
                "BlkioDeviceWriteIOps", "BlkioWeightDevice", "CapAdd", "CapDrop", "Cmd", "DNSNames", "DeviceCgroupRules", "DeviceRequests",
                "Devices", "Dns", "DnsOptions", "DnsSearch", "Entrypoint", "Env", "ExecIDs", "ExtraHosts", "GenericResources", "GroupAdd",
                "Layers", "Links", "MaskedPaths", "Mounts", "OnBuild", "ReadonlyPaths", "RepoDigests", "RepoTags", "SecurityOpt", "Shell",
                "Ulimits", "VolumesFrom", "Warnings", NULL };
        static const char *const maps[] = { "Annotations", "Containers", "DriverOpts", "ExposedPorts", "Labels", "Networks", "Options",
                "PortBindings", "Ports", "StorageOpt", "Sysctls", "Tmpfs", "Volumes", NULL };
        /* clang-format on */

        if (!field)
                return "<nil>";
        if (str_in(field, absent_texts))
                return "";
        return str_in(field, lists) ? "[]" : str_in(field, maps) ? "map[]" : "<nil>";
}

/* Shortest text that gives the number again; large and small ones with an exponent, as %v does. */
static int print_real(Buffer *b, double d) {
        char text[64];
        int exponent = 0;

        for (int digits = 1; digits <= 17; digits++) {
                double again = 0;

                (void) snprintf(text, sizeof text, "%.*e", digits - 1, d);
                if (sscanf(text, "%lf", &again) == 1 && !(again < d) && !(again > d)) {
                        const char *e = strchr(text, 'e');

                        exponent = e ? (int) strtol(e + 1, NULL, 10) : 0;
                        if (exponent >= -4 && exponent < 21)
                                (void) snprintf(text, sizeof text, "%.*f",
                                        MAX(digits - 1 - exponent, 0), d);
                        break;
                }
        }
        return buffer_append_string(b, text);
}

static int print_list(Buffer *b, const Json *v, const char *field) {
        bool first = true;
        const char *key;
        Json *element;
        int r;

        r = buffer_append_char(b, '[');
        JSON_FOREACH (key, element, v) {
                if (r >= 0 && !first)
                        r = buffer_append_char(b, ' ');
                if (r >= 0)
                        r = format_print_value(b, element, format_element_field(field));
                first = false;
        }
        return r < 0 ? r : buffer_append_char(b, ']');
}

static int print_map(Buffer *b, const Json *v, const char *field) {
        const char *of = format_element_field(field);
        _cleanup_(strv_freep) char **keys = NULL;
        const char *key;
        Json *value;
        int r = 0;

        JSON_FOREACH (key, value, v)
                if (r >= 0)
                        r = strv_add(&keys, key);
        strv_sort(keys);

        if (r >= 0)
                r = buffer_append_string(b, "map[");
        STRV_FOREACH (k, keys) {
                if (r >= 0)
                        r = buffer_printf(b, "%s%s:", k == keys ? "" : " ", *k);
                if (r >= 0)
                        r = format_print_value(b, json_get(v, *k), of ? of : *k);
        }
        return r < 0 ? r : buffer_append_char(b, ']');
}

int format_print_value(Buffer *b, const Json *v, const char *field) {
        uint64_t u;
        int64_t i;
        double d;
        bool t;
        int r;

        switch (json_type_of(v)) {
        case JSON_TYPE_BOOLEAN:
                (void) json_to_bool(v, &t);
                return buffer_append_string(b, t ? "true" : "false");
        case JSON_TYPE_INTEGER:
                if (json_to_int64(v, &i) >= 0)
                        return buffer_printf(b, "%" PRId64, i);
                return json_to_uint64(v, &u) >= 0 ? buffer_printf(b, "%" PRIu64, u) : 0;
        case JSON_TYPE_REAL:
                return json_to_real(v, &d) >= 0 ? print_real(b, d) : 0;
        case JSON_TYPE_STRING:
                return buffer_append_string(b, json_to_text(v));
        case JSON_TYPE_LIST:
                return print_list(b, v, field);
        case JSON_TYPE_OBJECT:
                r = format_print_shape(b, v, field);
                return r != 0 ? MIN(r, 0) : print_map(b, v, field);
        default:
                return buffer_append_string(b, absent(field));
        }
}

/* ---- printf ---- */

typedef struct Directive {
        bool minus, plus, zero, space, sharp;
        int width, precision; /* -1: not given */
        char verb;
} Directive;

static int print_quoted(Buffer *b, const char *s) {
        int r = buffer_append_char(b, '"');

        for (; r >= 0 && *s; s++) {
                if (*s == '"' || *s == '\\')
                        r = buffer_printf(b, "\\%c", *s);
                else if (*s == '\n' || *s == '\t' || *s == '\r')
                        r = buffer_printf(b, "\\%c", *s == '\n' ? 'n' : *s == '\t' ? 't' : 'r');
                else if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        r = buffer_printf(b, "\\x%02x", (unsigned) *s);
                else
                        r = buffer_append_char(b, *s);
        }
        return r < 0 ? r : buffer_append_char(b, '"');
}

/* Widths count characters. */
static int print_padded(Buffer *b, const Directive *d, const char *text) {
        size_t length = 0;
        int pad, r = 0;

        for (const char *p = text; *p; p++)
                length += (*p & 0xc0) != 0x80;
        pad = d->width > 0 && (size_t) d->width > length ? d->width - (int) length : 0;

        for (int i = 0; r >= 0 && !d->minus && i < pad; i++)
                r = buffer_append_char(b, d->zero ? '0' : ' ');
        if (r >= 0)
                r = buffer_append_string(b, text);
        for (int i = 0; r >= 0 && d->minus && i < pad; i++)
                r = buffer_append_char(b, ' ');
        return r;
}

const char *format_type_name(const Json *v) {
        static const char *const names[_JSON_TYPE_MAX] = { "<nil>", "bool", "int", "float64",
                "string", "[]interface {}", "map[string]interface {}" };

        return names[json_type_of(v)];
}

static int print_mismatch(Buffer *b, char verb, const Value *v) {
        int r = buffer_printf(b, "%%!%c(%s%s", verb, format_type_name(v->json), v->json ? "=" : "");

        if (r >= 0 && v->json)
                r = format_print_value(b, v->json, v->field);
        return r < 0 ? r : buffer_append_char(b, ')');
}

static int print_number(Buffer *out, const Directive *d, int64_t n) {
        uint64_t u = n < 0 ? 0 - (uint64_t) n : (uint64_t) n;
        const char *sign = n < 0 ? "-" : d->plus ? "+" : d->space ? " " : "";
        char digits[80] = {}, text[96];
        int i = (int) sizeof digits - 1, zeros = d->precision;
        unsigned base = d->verb == 'd' ? 10 : d->verb == 'o' ? 8 : d->verb == 'b' ? 2 : 16;

        do {
                digits[--i] = (d->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[u % base];
                u /= base;
        } while (u > 0);
        if (d->zero && !d->minus && zeros < 0 && d->width > 0)
                zeros = d->width - (int) strlen(sign);
        while (i > 0 && (int) sizeof digits - 1 - i < zeros)
                digits[--i] = '0';
        (void) snprintf(text, sizeof text, "%s%s%s", sign,
                d->sharp && base == 16 ? (d->verb == 'X' ? "0X" : "0x") : "", digits + i);
        return print_padded(out, &(Directive) { .minus = d->minus, .width = d->width }, text);
}

static int print_hex_text(Buffer *b, const Directive *d, const char *s) {
        int r = 0;

        for (; r >= 0 && *s; s++)
                r = buffer_printf(b, d->verb == 'x' ? "%02x" : "%02X", (unsigned char) *s);
        return r;
}

static int print_float(Buffer *out, const Directive *d, double n) {
        char text[512];
        int precision = d->precision < 0 ? 6 : d->precision;

        if (d->verb == 'g' && d->precision < 0)
                return print_real(out, n);
        (void) snprintf(text, sizeof text,
                d->verb == 'e'   ? (d->plus ? "%+.*e" : "%.*e")
                : d->verb == 'g' ? (d->plus ? "%+.*g" : "%.*g")
                                 : (d->plus ? "%+.*f" : "%.*f"),
                MIN(precision, 100), n);
        return print_padded(out, d, text);
}

static int print_directive(Buffer *out, const Directive *d, const Value *v) {
        const char *text = json_to_text(v->json);
        _cleanup_(buffer_done) Buffer b = {};
        JsonType type = json_type_of(v->json);
        int64_t i = 0;
        double real = 0;
        int r;

        if (strchr("dobxX", d->verb) && type == JSON_TYPE_INTEGER &&
                json_to_int64(v->json, &i) >= 0)
                return print_number(out, d, i);
        if (strchr("efg", d->verb) && type == JSON_TYPE_REAL && json_to_real(v->json, &real) >= 0)
                return print_float(out, d, real);

        if (d->verb == 'v' ||
                (d->verb == 's' && type != JSON_TYPE_INTEGER && type != JSON_TYPE_REAL &&
                        type != JSON_TYPE_BOOLEAN) ||
                (d->verb == 't' && type == JSON_TYPE_BOOLEAN))
                r = d->verb == 's' && !v->json ? print_mismatch(&b, 's', v)
                                               : format_print_value(&b, v->json, v->field);
        else if (d->verb == 'q' && text)
                r = print_quoted(&b, text);
        else if ((d->verb == 'x' || d->verb == 'X') && text)
                r = print_hex_text(&b, d, text);
        else
                r = print_mismatch(&b, d->verb, v);
        if (r >= 0 && d->precision >= 0 && d->verb == 's' &&
                (size_t) d->precision < buffer_size(&b))
                b.end = b.begin + (size_t) d->precision;
        return r < 0 ? r : print_padded(out, d, str_or_empty(buffer_string(&b)));
}

static int take_number(const char **p, int *ret) {
        int n = 0;

        for (; isdigit((unsigned char) **p); (*p)++)
                n = MIN(n * 10 + (**p - '0'), WIDTH_MAX);
        *ret = n;
        return n;
}

static const char *take_directive(const char *p, Directive *d) {
        *d = (Directive) { .width = -1, .precision = -1 };
        for (;; p++) {
                if (*p == '-')
                        d->minus = true;
                else if (*p == '+')
                        d->plus = true;
                else if (*p == '0')
                        d->zero = true;
                else if (*p == ' ')
                        d->space = true;
                else if (*p == '#')
                        d->sharp = true;
                else
                        break;
        }
        if (isdigit((unsigned char) *p))
                (void) take_number(&p, &d->width);
        if (*p == '.') {
                p++;
                (void) take_number(&p, &d->precision);
        }
        d->verb = *p;
        return *p ? p + 1 : p;
}

int format_sprintf(Buffer *b, const char *text, const Value *arguments, size_t n) {
        size_t used = 0;
        int r = 0;

        while (r >= 0 && *text) {
                Directive d;

                if (*text != '%') {
                        r = buffer_append_char(b, *text++);
                        continue;
                }
                text = take_directive(text + 1, &d);
                if (d.verb == '%')
                        r = buffer_append_char(b, '%');
                else if (d.verb == '\0')
                        r = buffer_append_string(b, "%!(NOVERB)");
                else if (used >= n)
                        r = buffer_printf(b, "%%!%c(MISSING)", d.verb);
                else
                        r = print_directive(b, &d, arguments + used++);
        }
        if (r < 0 || used >= n)
                return r;

        r = buffer_append_string(b, "%!(EXTRA ");
        for (; r >= 0 && used < n; used++) {
                r = buffer_printf(b, "%s=", format_type_name(arguments[used].json));
                if (r >= 0)
                        r = format_print_value(b, arguments[used].json, NULL);
                if (r >= 0 && used + 1 < n)
                        r = buffer_append_string(b, ", ");
        }
        return r < 0 ? r : buffer_append_char(b, ')');
}
