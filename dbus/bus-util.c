/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-util.h"

#include <errno.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static const char *error_prefix_name = "org.stauer";

static const char *const kind_names[_ERROR_KIND_MAX] = {
        [ERROR_NONE] = "Failed",
        [ERROR_INVALID] = "Invalid",
        [ERROR_NOT_FOUND] = "NotFound",
        [ERROR_CONFLICT] = "Conflict",
        [ERROR_EXISTS] = "Exists",
        [ERROR_NOT_RUNNING] = "NotRunning",
        [ERROR_NOT_MODIFIED] = "NotModified",
        [ERROR_FORBIDDEN] = "Forbidden",
        [ERROR_UNAUTHORIZED] = "Unauthorized",
        [ERROR_UNAVAILABLE] = "Unavailable",
        [ERROR_NOT_IMPLEMENTED] = "NotImplemented",
        [ERROR_TIMEOUT] = "Timeout",
        [ERROR_NO_SPACE] = "NoSpace",
        [ERROR_CANCELLED] = "Cancelled",
        [ERROR_TOO_LARGE] = "TooLarge",
        [ERROR_CHANGED] = "Changed",
        [ERROR_INTERNAL] = "Failed",
};

void bus_error_set_prefix(const char *prefix) {
        error_prefix_name = prefix;
}

const char *bus_error_kind_name(ErrorKind kind) {
        const char *name = kind >= 0 && kind < _ERROR_KIND_MAX ? kind_names[kind] : NULL;

        return name ?: "Failed";
}

int bus_error(sd_bus_error *reterr, int r, const Error *e) {
        _cleanup_(freep) char *name = NULL;
        ErrorKind kind;

        kind = error_is_set(e) ? e->kind : error_kind_from_errno(r);
        if (r >= 0)
                r = error_kind_to_errno(kind);
        if (r == -ENOMEM ||
                str_printf(&name, "%s.Error.%s", error_prefix_name, bus_error_kind_name(kind)) < 0)
                return sd_bus_error_set_const(reterr, SD_BUS_ERROR_NO_MEMORY, "Out of memory"),
                     -ENOMEM;

        /* Its own answer is an errno made from the name, and for a name that it does not know it is
         * no better than ours. */
        (void) sd_bus_error_set(reterr, name, error_text(e, r));
        return r < 0 ? r : -EIO;
}

static int open_entry(sd_bus_message *m, const char *key, const char *type) {
        int r;

        r = sd_bus_message_open_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv");
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 's', key);
        if (r < 0)
                return r;
        return sd_bus_message_open_container(m, SD_BUS_TYPE_VARIANT, type);
}

static int close_entry(sd_bus_message *m) {
        int r;

        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_entry(sd_bus_message *m, const char *key, char type, const void *value) {
        int r;

        r = open_entry(m, key, (char[]) { type, 0 });
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, type, value);
        if (r < 0)
                return r;
        return close_entry(m);
}

int bus_append_text(sd_bus_message *m, const char *text) {
        _cleanup_(freep) char *escaped = NULL;

        if (str_is_utf8(text, strlen(text)))
                return sd_bus_message_append_basic(m, 's', text);

        escaped = str_escape_terminal(text);
        return escaped ? sd_bus_message_append_basic(m, 's', escaped) : -ENOMEM;
}

int bus_append_dict_string(sd_bus_message *m, const char *key, const char *value) {
        int r;

        if (!value)
                return 0;
        r = open_entry(m, key, "s");
        if (r < 0)
                return r;
        r = bus_append_text(m, value);
        if (r < 0)
                return r;
        return close_entry(m);
}

int bus_append_dict_strv(sd_bus_message *m, const char *key, char *const *value) {
        int r;

        if (!value)
                return 0;
        r = open_entry(m, key, "as");
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, (char **) value);
        if (r < 0)
                return r;
        return close_entry(m);
}

int bus_append_dict_path(sd_bus_message *m, const char *key, const char *value) {
        return value ? append_entry(m, key, 'o', value) : 0;
}

int bus_append_dict_bool(sd_bus_message *m, const char *key, bool value) {
        return append_entry(m, key, 'b', &(int) { value });
}

int bus_append_dict_int64(sd_bus_message *m, const char *key, int64_t value) {
        return append_entry(m, key, 'x', &value);
}

int bus_append_dict_uint32(sd_bus_message *m, const char *key, uint32_t value) {
        return append_entry(m, key, 'u', &value);
}

int bus_append_dict_uint64(sd_bus_message *m, const char *key, uint64_t value) {
        return append_entry(m, key, 't', &value);
}

int bus_append_dict_double(sd_bus_message *m, const char *key, double value) {
        return append_entry(m, key, 'd', &value);
}

static bool is_path_char(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int bus_path_make(const char *prefix, const char *id, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        assert(prefix);
        assert(id);
        assert(ret);

        r = buffer_printf(&b, "%s/%s", prefix, id[0] == 0 ? "_" : "");
        for (const char *p = id; r >= 0 && *p; p++)
                r = is_path_char(*p) ? buffer_append_char(&b, *p)
                                     : buffer_printf(&b, "_%02x", (unsigned char) *p);
        if (r < 0)
                return r;

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

int bus_path_parse(const char *path, const char *prefix, char **ret_id) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *p;
        int r;

        assert(path);
        assert(prefix);
        assert(ret_id);

        p = str_starts(path, prefix);
        if (!p || *p++ != '/' || *p == 0)
                return 0;

        if (!streq(p, "_"))
                for (; *p; p++) {
                        unsigned char c = (unsigned char) *p;

                        if (c == '_') {
                                if (str_unhex(p + 1, 2, &c) < 0 || c == 0 || is_path_char((char) c))
                                        return 0;
                                p += 2;
                        } else if (!is_path_char(*p))
                                return 0;
                        r = buffer_append_char(&b, (char) c);
                        if (r < 0)
                                return r;
                }

        *ret_id = buffer_take_string(&b, NULL);
        return *ret_id ? 1 : -ENOMEM;
}

int bus_read_options(sd_bus_message *m, const char *method,
        int (*read)(sd_bus_message *m, const char *name, void *userdata), void *userdata,
        Error *reterr) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;

                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                r = read(m, name, userdata);
                if (r == 0)
                        return error_set(
                                reterr, ERROR_INVALID, "%s has no option \"%s\"", method, name);
                if (r < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "option \"%s\" of %s has another type", name, method);
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_read_option_bool(sd_bus_message *m, bool *ret) {
        int b, r;

        r = sd_bus_message_read(m, "v", "b", &b);
        if (r < 0)
                return r;
        *ret = b;
        return 1;
}

int bus_read_option_strv(sd_bus_message *m, char ***ret) {
        _cleanup_(strv_freep) char **l = NULL;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_read_strv(m, &l);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        strv_free(*ret);
        *ret = TAKE_PTR(l);
        return 1;
}
