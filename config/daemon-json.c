/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/daemon-json.h"

#include <errno.h>

#include "config/settings-apply.h"
#include "config/settings-table.h"
#include "config/settings.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define DAEMON_JSON_MAX (1024U * 1024U)

/* What is done with each key and each value. */
typedef struct Reader {
        const char *path;
        int (*on_key)(const Setting *row, const char *place, void *userdata,
                Error *reterr); /* may be NULL */
        daemon_json_value_t on_value;
        int (*on_key_done)(const Setting *row, const char *place, void *userdata); /* may be NULL */
        void *userdata;
} Reader;

static int expected(Error *reterr, const char *what, const Json *v) {
        return error_set(reterr, ERROR_INVALID, "expected %s, found %s", what,
                json_type_name(json_type_of(v)));
}

/* A string, number or boolean as the word that the flag would have. */
static int scalar_to_text(const Setting *row, const Json *v, char **ret, Error *reterr) {
        const char *text = json_to_text(v);
        int64_t n;
        bool b;

        switch (row->type) {
        case SETTING_BOOL:
                if (json_to_bool(v, &b) < 0)
                        return expected(reterr, "true or false", v);
                return str_printf(ret, "%s", b ? "true" : "false");
        case SETTING_INT:
                if (json_to_int64(v, &n) < 0)
                        return expected(reterr, "a number", v);
                return str_printf(ret, "%lld", (long long) n);
        case SETTING_SIZE:
                if (json_to_int64(v, &n) >= 0)
                        return str_printf(ret, "%lld", (long long) n);
                _fallthrough_;
        default:
                if (!text)
                        return expected(reterr, "a string", v);
                return str_printf(ret, "%s", text);
        }
}

/* {"x":{"path":"/usr/bin/x"}} */
static int runtime_to_text(const char *name, const Json *v, char **ret, Error *reterr) {
        const char *path = json_get_text(v, "path");

        if (json_type_of(v) != JSON_TYPE_OBJECT)
                return expected(reterr, "an object", v);
        if (!path)
                return error_set(reterr, ERROR_INVALID,
                        "runtime \"%s\" has no \"path\"; Stauer runs programs, not containerd "
                        "shims",
                        name);
        if (json_count(json_get(v, "runtimeArgs")) > 0)
                return error_set(reterr, ERROR_INVALID,
                        "runtime \"%s\" has \"runtimeArgs\"; put them into a small script and name "
                        "that as path",
                        name);
        return str_printf(ret, "%s=%s", name, path);
}

/* {"nofile":{"Name":"nofile","Soft":1024,"Hard":4096}} */
static int ulimit_to_text(const char *name, const Json *v, char **ret, Error *reterr) {
        int64_t soft, hard;

        if (json_to_int64(json_get(v, "Soft"), &soft) < 0 ||
                json_to_int64(json_get(v, "Hard"), &hard) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "limit \"%s\" needs the numbers \"Soft\" and \"Hard\"", name);
        return str_printf(ret, "%s=%lld:%lld", name, (long long) soft, (long long) hard);
}

static int member_to_text(
        const Setting *row, const char *name, const Json *v, char **ret, Error *reterr) {
        const char *text = json_to_text(v);
        bool b;

        if (row->type == SETTING_RUNTIME)
                return runtime_to_text(name, v, ret, reterr);
        if (row->type == SETTING_ULIMIT)
                return ulimit_to_text(name, v, ret, reterr);
        if (text)
                return str_printf(ret, "%s=%s", name, text);
        if (streq(row->json_key, "features") && json_to_bool(v, &b) >= 0)
                return str_printf(ret, "%s=%s", name, b ? "true" : "false");
        return error_set(reterr, ERROR_INVALID, "\"%s\" must be a string", name);
}

/* {"base":"10.0.0.0/8","size":24} */
static int pool_to_text(const Json *v, char **ret, Error *reterr) {
        const char *base = json_to_text(json_get(v, "base"));
        int64_t size;

        if (!base || json_to_int64(json_get(v, "size"), &size) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "an address pool needs the string \"base\" and the number \"size\"");
        return str_printf(ret, "base=%s,size=%lld", base, (long long) size);
}

static int read_list(const Reader *reader, const Setting *row, const Json *list, Error *reterr) {
        for (size_t i = 0; i < json_count(list); i++) {
                _cleanup_(freep) char *pool = NULL;
                const char *text = json_to_text(json_at(list, i));
                int r;

                if (streq(row->json_key, "default-address-pools")) {
                        r = pool_to_text(json_at(list, i), &pool, reterr);
                        if (r < 0)
                                return r;
                        text = pool;
                }
                if (!text)
                        return expected(reterr, "a list of strings", json_at(list, i));
                r = reader->on_value(row, text, reader->userdata, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* {"bridge":{"com.docker.network.driver.mtu":"1400"}} */
static int read_network_opts(
        const Reader *reader, const Setting *row, const Json *drivers, Error *reterr) {
        const char *driver, *name;
        Json *options, *v;

        JSON_FOREACH (driver, options, drivers) {
                if (json_type_of(options) != JSON_TYPE_OBJECT)
                        return expected(reterr, "an object", options);
                JSON_FOREACH (name, v, options) {
                        _cleanup_(freep) char *text = NULL;
                        int r;

                        if (!json_to_text(v))
                                return error_set(
                                        reterr, ERROR_INVALID, "\"%s\" must be a string", name);
                        r = str_printf(&text, "%s=%s=%s", driver, name, json_to_text(v));
                        if (r >= 0)
                                r = reader->on_value(row, text, reader->userdata, reterr);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int read_map(const Reader *reader, const Setting *row, const Json *object, Error *reterr) {
        const char *name;
        Json *v;

        JSON_FOREACH (name, v, object) {
                _cleanup_(freep) char *text = NULL;
                int r;

                r = member_to_text(row, name, v, &text, reterr);
                if (r < 0)
                        return r;
                r = reader->on_value(row, text, reader->userdata, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_row(const Reader *reader, const Setting *row, const Json *v, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int r;

        if (row->flags & SETTING_MAP)
                return json_type_of(v) == JSON_TYPE_OBJECT ? read_map(reader, row, v, reterr)
                                                           : expected(reterr, "an object", v);
        if (row->flags & SETTING_MULTI && json_type_of(v) == JSON_TYPE_LIST)
                return read_list(reader, row, v, reterr);
        if (streq(row->json_key, "default-network-opts") && json_type_of(v) == JSON_TYPE_OBJECT)
                return read_network_opts(reader, row, v, reterr);
        /* What nothing acts on may have a form of its own (builder, nri-opts). */
        if (!(row->flags & SETTING_ACTS) && json_type_of(v) == JSON_TYPE_OBJECT)
                return 0;
        if (row->flags & SETTING_MULTI)
                return expected(reterr, "a list of strings", v);

        r = scalar_to_text(row, v, &text, reterr);
        if (r < 0)
                return r;
        return reader->on_value(row, text, reader->userdata, reterr);
}

static int read_key(const Reader *reader, const char *key, const Json *v, Error *reterr) {
        _cleanup_(freep) char *place = NULL;
        const Setting *row;
        int r;

        r = str_printf(&place, "%s, key \"%s\"", reader->path, key);
        if (r < 0)
                return r;

        /* {"proxies":{"http-proxy":…}} is one level more. */
        if (streq(key, "proxies") && json_type_of(v) == JSON_TYPE_OBJECT) {
                const char *name;
                Json *member;

                JSON_FOREACH (name, member, v) {
                        if (!STR_IN_SET(name, "http-proxy", "https-proxy", "no-proxy"))
                                return error_set(reterr, ERROR_INVALID,
                                        "%s: there is no option \"%s\"", place, name);
                        r = read_key(reader, name, member, reterr);
                        if (r < 0)
                                return r;
                }
                return 0;
        }

        row = setting_find_json(key);
        if (!row)
                return error_set(reterr, ERROR_INVALID,
                        "%s: there is no such option; stauerd --help lists them", place);

        if (reader->on_key) {
                r = reader->on_key(row, place, reader->userdata, reterr);
                if (r < 0)
                        return r;
        }
        r = read_row(reader, row, v, reterr);
        if (r < 0)
                return error_is_set(reterr) ? error_prefix(reterr, r, "%s", place) : r;
        return reader->on_key_done ? reader->on_key_done(row, place, reader->userdata) : 0;
}

static int read_text(const Reader *reader, const char *text, size_t size, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *key;
        Json *member;
        int r;

        /* An empty file is an empty configuration; a byte order mark is fine. */
        if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                text += 3;
                size -= 3;
        }
        while (size > 0 && strchr(" \t\r\n", text[0]) && text[0] != 0) {
                text++;
                size--;
        }
        if (size == 0)
                return 0;

        r = json_parse(text, size, DAEMON_JSON_MAX, &v, reterr);
        if (r < 0)
                return error_is_set(reterr) ? error_prefix(reterr, r, "%s", reader->path) : r;
        if (json_type_of(v) != JSON_TYPE_OBJECT)
                return error_set(reterr, ERROR_INVALID, "%s: expected an object", reader->path);

        JSON_FOREACH (key, member, v) {
                r = read_key(reader, key, member, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_file(const Reader *reader, bool may_miss, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(reader->path, DAEMON_JSON_MAX, &text, &size);
        if (r == -ENOENT && may_miss)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot read %s", reader->path);
        return read_text(reader, text, size, reterr);
}

static int apply_key(const Setting *row, const char *place, void *userdata, Error *reterr) {
        Settings *s = userdata;

        if (settings_was_given(s, setting_id(setting_resolve(row))) && !(row->flags & SETTING_BOTH))
                return error_set(reterr, ERROR_CONFLICT,
                        "%s: --%s was given as a flag as well (in %s or on the command line); keep "
                        "one of them",
                        place, row->name, s->sysconfig_file);
        return 0;
}

static int apply_value(const Setting *row, const char *value, void *userdata, Error *reterr) {
        return settings_apply_value(userdata, row, value, reterr);
}

static int apply_key_done(const Setting *row, const char *place, void *userdata) {
        settings_set_given(userdata, row);
        return settings_warn_about(userdata, row, place);
}

static Reader apply_reader(Settings *s, const char *path) {
        return (Reader) { path, apply_key, apply_value, apply_key_done, s };
}

int daemon_json_apply_text(
        Settings *s, const char *path, const char *text, size_t size, Error *reterr) {
        const Reader reader = apply_reader(s, path);

        assert(s);
        assert(text);

        return read_text(&reader, text, size, reterr);
}

int daemon_json_apply(Settings *s, Error *reterr) {
        const Reader reader = apply_reader(s, s->config_file);

        return read_file(&reader, /* may_miss= */ !settings_was_given(s, "config-file"), reterr);
}

int daemon_json_for_each(
        const char *path, daemon_json_value_t callback, void *userdata, Error *reterr) {
        const Reader reader = { .path = path, .on_value = callback, .userdata = userdata };

        return read_file(&reader, /* may_miss= */ true, reterr);
}
