/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-store.h"

#include <errno.h>
#include <syslog.h>

#include "config/settings-table.h"
#include "config/settings.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define MEMBER(type, s, row) ((type *) ((char *) (s) + (row)->offset))

int setting_store_bool(Settings *s, const Setting *row, const char *value, Error *reterr) {
        return parse_bool(value, MEMBER(bool, s, row));
}

int setting_store_string(Settings *s, const Setting *row, const char *value, Error *reterr) {
        return str_copy(MEMBER(char *, s, row), value);
}

int setting_store_strv(Settings *s, const Setting *row, const char *value, Error *reterr) {
        return strv_add(MEMBER(char **, s, row), value);
}

int setting_store_size(Settings *s, const Setting *row, const char *value, Error *reterr) {
        return parse_size(value, MEMBER(uint64_t, s, row));
}

int setting_store_unsigned(Settings *s, const Setting *row, const char *value, Error *reterr) {
        return parse_unsigned(value, MEMBER(unsigned, s, row));
}

int setting_store_map(Settings *s, const Setting *row, const char *value, Error *reterr) {
        _cleanup_(freep) char *key = NULL, *v = NULL;
        int r;

        r = parse_key_value(value, &key, &v);
        if (r < 0)
                return r;
        r = pairs_set(MEMBER(char **, s, row), key, v);
        return r < 0 ? r : 0;
}

int setting_store_feature(Settings *s, const Setting *row, const char *value, Error *reterr) {
        int r = setting_store_map(s, row, value, reterr);

        if (r < 0 || str_starts(value, "cdi="))
                return r;
        return strv_addf(&s->warnings,
                "the feature \"%.*s\" has no effect in this version, ignoring",
                (int) strcspn(value, "="), value);
}

int setting_store_label(Settings *s, const Setting *row, const char *value, Error *reterr) {
        char ***labels = MEMBER(char **, s, row);
        const char *equals = strchr(value, '=');

        STRV_FOREACH (l, *labels) {
                if (strncmp(*l, value, (size_t) (equals - value) + 1) != 0)
                        continue;
                if (streq(*l, value))
                        return 0;
                return error_set(reterr, ERROR_INVALID,
                        "label \"%.*s\" has two values, \"%s\" and \"%s\"", (int) (equals - value),
                        value, *l + (equals - value) + 1, equals + 1);
        }
        return strv_add(labels, value);
}

/* As dockerd completes them: no scheme is tcp, no address the usual one. */
int setting_store_host(Settings *s, const Setting *row, const char *value, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int r;

        if (streq(value, "unix://"))
                r = str_copy(&text, "unix:///run/docker.sock");
        else if (strstr(value, "://"))
                r = str_copy(&text, value);
        else
                r = str_printf(&text, "tcp://%s", value);
        if (r < 0)
                return r;

        if (strv_contains(*MEMBER(char **, s, row), text))
                return 0;
        return strv_take(MEMBER(char **, s, row), TAKE_PTR(text));
}

int setting_store_log_level(Settings *s, const Setting *row, const char *value, Error *reterr) {
        static const struct {
                const char *name;
                int level;
        } levels[] = {
                { "trace", LOG_DEBUG },
                { "debug", LOG_DEBUG },
                { "info", LOG_INFO },
                { "warn", LOG_WARNING },
                { "error", LOG_ERR },
                { "fatal", LOG_CRIT },
                { "panic", LOG_ALERT },
        };

        for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
                if (streq(levels[i].name, value)) {
                        *MEMBER(int, s, row) = levels[i].level;
                        return 0;
                }
        return -EINVAL;
}

int setting_store_runtime(Settings *s, const Setting *row, const char *value, Error *reterr) {
        _cleanup_(freep) char *name = NULL, *path = NULL;
        SettingRuntime *more;
        int r;

        r = parse_key_value(value, &name, &path);
        if (r < 0)
                return r;

        for (size_t i = 0; i < s->n_runtimes; i++)
                if (streq(s->runtimes[i].name, name))
                        return str_copy(&s->runtimes[i].path, path);

        more = reallocarray(s->runtimes, s->n_runtimes + 1, sizeof(SettingRuntime));
        if (!more)
                return -ENOMEM;
        s->runtimes = more;
        s->runtimes[s->n_runtimes++] =
                (SettingRuntime) { .name = TAKE_PTR(name), .path = TAKE_PTR(path) };
        return 0;
}

int setting_store_ulimit(Settings *s, const Setting *row, const char *value, Error *reterr) {
        _cleanup_(freep) char *name = NULL, *limits = NULL;
        SettingUlimit *more, *u = NULL;
        char *colon;
        int64_t soft, hard;
        int r;

        r = parse_key_value(value, &name, &limits);
        if (r < 0)
                return r;

        colon = strchr(limits, ':');
        if (colon)
                *colon = 0;
        r = parse_i64(limits, &soft);
        if (r < 0)
                return r;
        hard = soft;
        if (colon) {
                r = parse_i64(colon + 1, &hard);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < s->n_default_ulimits; i++)
                if (streq(s->default_ulimits[i].name, name))
                        u = s->default_ulimits + i;
        if (!u) {
                more = reallocarray(
                        s->default_ulimits, s->n_default_ulimits + 1, sizeof(SettingUlimit));
                if (!more)
                        return -ENOMEM;
                s->default_ulimits = more;
                u = more + s->n_default_ulimits++;
                *u = (SettingUlimit) { .name = TAKE_PTR(name) };
        }
        u->soft = soft;
        u->hard = hard;
        return 0;
}

int setting_store_verb(Settings *s, const Setting *row, const char *value, Error *reterr) {
        bool on;
        int r;

        r = parse_bool(value, &on);
        if (r < 0)
                return r;
        /* Help goes before everything else. */
        if (on && s->verb != SETTINGS_HELP)
                s->verb = (SettingsVerb) row->offset;
        return 0;
}
