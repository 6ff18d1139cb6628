/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/options.h"

#include <errno.h>

#include "config/daemon-json.h"
#include "config/env-value.h"
#include "config/option-string.h"
#include "config/settings-apply.h"
#include "config/settings-table.h"
#include "config/settings.h"
#include "config/sysconfig.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* In the order in which they are read; what is edited is the last one. */
static const char *const variables[] = { "DOCKER_NETWORK_OPTIONS", "DOCKER_OPTS" };

static const char *const option_origin_table[_OPTION_ORIGIN_MAX] = {
        [OPTION_DEFAULT] = "default",
        [OPTION_SYSCONFIG] = "sysconfig",
        [OPTION_DAEMON_JSON] = "daemon.json",
};

static const char *const option_needs_table[_OPTION_NEEDS_MAX] = {
        [OPTION_NEEDS_NOTHING] = "nothing",
        [OPTION_NEEDS_RELOAD] = "reload",
        [OPTION_NEEDS_RESTART] = "restart",
};

const char *option_origin_to_string(OptionOrigin o) {
        return o >= 0 && o < _OPTION_ORIGIN_MAX ? option_origin_table[o] : NULL;
}

const char *option_needs_to_string(OptionNeeds n) {
        return n >= 0 && n < _OPTION_NEEDS_MAX ? option_needs_table[n] : NULL;
}

/* Of a map, a later value of the same key replaces the earlier one. */
static int add_value(OptionState *state, const Setting *row, const char *value) {
        const char *equals = strchr(value, '=');

        if (!(row->flags & SETTING_MULTI)) {
                if (state->values)
                        state->repeated = true;
                state->values = strv_free(state->values);
        } else if (row->flags & SETTING_MAP && equals)
                STRV_FOREACH (v, state->values)
                        if (strncmp(*v, value, (size_t) (equals - value) + 1) == 0)
                                return str_copy(v, value);

        return strv_add(&state->values, value);
}

static unsigned line_of(const SysconfigEntry *e, const EnvValue *v, size_t offset) {
        unsigned line = e->line;

        for (size_t i = 0; offset < v->n && i < v->bytes[offset].raw; i++)
                line += e->raw[i] == '\n';
        return line;
}

static int add_unknown(Options *o, const OptionWord *w, unsigned line, unsigned word) {
        OptionUnknown *more;
        int r;

        more = reallocarray(o->unknown, o->n_unknown + 1, sizeof(OptionUnknown));
        if (!more)
                return -ENOMEM;
        o->unknown = more;
        more[o->n_unknown] = (OptionUnknown) { .line = line, .word = word };
        r = str_copy(&more[o->n_unknown].text, w->text);
        if (r < 0)
                return r;
        o->n_unknown++;
        return 0;
}

static int read_variable(Options *o, const char *name) {
        _cleanup_(option_string_done) OptionString s = {};
        _cleanup_(env_value_done) EnvValue v = {};
        _cleanup_(freep) OptionUse *uses = NULL;
        const SysconfigEntry *e;
        size_t n;
        int r;

        e = sysconfig_find(o->file, name);
        if (!e)
                return 0;
        r = env_value_decode(e->raw, &v);
        if (r < 0)
                return r == -EBADMSG ? 0 : r; /* the refusal says it */
        r = option_string_parse(v.text, &s);
        if (r < 0)
                return r;
        r = option_string_uses(&s, &uses, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                const Setting *row = setting_resolve(uses[i].row);
                OptionState *state = o->states + setting_index(row);

                if (uses[i].missing)
                        continue;
                r = add_value(state, row, uses[i].value ?: "true");
                if (r < 0)
                        return r;
                state->origin = OPTION_SYSCONFIG;
                state->variable = name;
                state->line = line_of(e, &v, s.words[uses[i].word].offset);
                state->word = (unsigned) uses[i].word + 1;
        }

        for (size_t i = 0; i < s.n_words; i++)
                if (s.words[i].kind == OPTION_UNKNOWN || s.words[i].kind == OPTION_STRAY) {
                        r = add_unknown(o, s.words + i, line_of(e, &v, s.words[i].offset),
                                (unsigned) i + 1);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int on_json_value(const Setting *row, const char *value, void *userdata, Error *reterr) {
        Options *o = userdata;
        OptionState *state;

        row = setting_resolve(row);
        state = o->states + setting_index(row);
        if (state->origin == OPTION_SYSCONFIG && !(row->flags & SETTING_BOTH))
                return 0; /* the refusal says it */
        if (state->origin != OPTION_SYSCONFIG)
                state->origin = OPTION_DAEMON_JSON;
        return add_value(state, row, value);
}

/* As stauerd would read them, all of it. */
static int try_settings(const Options *o, Error *reterr) {
        _cleanup_(settings_freep) Settings *s = NULL;
        int r;

        r = settings_new(&s);
        if (r < 0)
                return r;
        r = str_copy(&s->sysconfig_file, o->file->path);
        if (r < 0)
                return r;
        r = settings_apply_sysconfig(s, o->file, reterr);
        if (r < 0)
                return r;
        if (!settings_was_given(s, "config-file")) {
                r = str_copy(&s->config_file, o->config_file);
                if (r < 0)
                        return r;
        }
        r = daemon_json_apply(s, reterr);
        if (r < 0)
                return r;
        return settings_finish(s, reterr);
}

int options_load(const char *sysconfig_file, const char *config_file, const char *lens_dir,
        Options **ret, Error *reterr) {
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(error_done) Error e = {};
        const OptionState *config;
        int r;

        assert(sysconfig_file);
        assert(config_file);
        assert(lens_dir);
        assert(ret);

        o = new0(Options, 1);
        if (!o)
                return -ENOMEM;
        o->states = new0(OptionState, settings_table_size);
        if (!o->states)
                return -ENOMEM;

        r = sysconfig_load(sysconfig_file, lens_dir, &o->file, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
                r = read_variable(o, variables[i]);
                if (r < 0)
                        return r;
        }

        config = options_state(o, setting_find("config-file"));
        r = str_copy(&o->config_file, strv_empty(config->values) ? config_file : config->values[0]);
        if (r < 0)
                return r;
        r = daemon_json_for_each(o->config_file, on_json_value, o, NULL);
        if (r == -ENOMEM)
                return r;

        r = try_settings(o, &e);
        if (r < 0) {
                r = str_copy(&o->refusal, error_text(&e, r));
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(o);
        return 0;
}

Options *options_free(Options *o) {
        if (!o)
                return NULL;

        for (size_t i = 0; o->states && i < settings_table_size; i++)
                strv_free(o->states[i].values);
        for (size_t i = 0; i < o->n_unknown; i++)
                free(o->unknown[i].text);
        sysconfig_free(o->file);
        free(o->config_file);
        free(o->refusal);
        free(o->unknown);
        free(o->states);
        return mfree(o);
}

const OptionState *options_state(const Options *o, const Setting *row) {
        return o->states + setting_index(setting_resolve(row));
}

static int find_row(
        const Options *o, const OptionChange *change, const Setting **ret, Error *reterr) {
        const Setting *row = setting_resolve(setting_find(change->name));

        if (!row && setting_find_json(change->name))
                return error_set(reterr, ERROR_INVALID, "\"%s\" is an option of %s only",
                        change->name, o->config_file);
        if (!row)
                return error_set(
                        reterr, ERROR_NOT_FOUND, "There is no option \"%s\"", change->name);
        if (row->flags & SETTING_COMMAND_LINE)
                return error_set(reterr, ERROR_INVALID, "--%s makes sense on the command line only",
                        row->name);
        *ret = row;
        return 0;
}

static int check_change(
        const Options *o, const Setting *row, const OptionChange *change, Error *reterr) {
        size_t n = strv_length(change->values);
        int r;

        if (n > OPTION_VALUES_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "%s: more than %u values", row->name,
                        OPTION_VALUES_MAX);
        if (n > 1 && !(row->flags & SETTING_MULTI))
                return error_set(reterr, ERROR_INVALID, "%s: this option has one value, not %zu",
                        row->name, n);
        if (n > 0 && options_state(o, row)->origin == OPTION_DAEMON_JSON &&
                !(row->flags & SETTING_BOTH))
                return error_set(reterr, ERROR_CONFLICT,
                        "%s: it is set in %s; an option must not be in both files", row->name,
                        o->config_file);
        STRV_FOREACH (v, change->values) {
                r = setting_check(row, *v, reterr);
                if (r < 0)
                        return error_is_set(reterr) ? error_prefix(reterr, r, "%s", row->name) : r;
        }
        return 0;
}

static int edit_variable(
        Options *o, const char *name, const Setting *row, char *const *values, Error *reterr) {
        _cleanup_(freep) char *raw = NULL;
        const SysconfigEntry *e;
        int r;

        e = sysconfig_find(o->file, name);
        if (!e && strv_empty(values))
                return 0;

        r = option_raw_edit(e ? e->raw : "", row, values, &raw);
        if (r == -EBADMSG)
                return error_set(reterr, ERROR_INVALID,
                        "%s, line %u: --%s cannot be changed safely in %s=%s (an open quote, or a "
                        "comment behind it?); "
                        "please edit this line by hand",
                        o->file->path, e ? e->line : 0, row->name, name, e ? e->raw : "");
        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID, "%s: the value cannot be written into %s",
                        row->name, o->file->path);
        if (r <= 0)
                return r;
        return sysconfig_set_raw(o->file, name, raw, reterr);
}

int options_change(Options *o, const OptionChange *changes, size_t n, Error *reterr) {
        int r, changed = 0;

        assert(o);
        assert(changes || n == 0);

        if (n > OPTION_CHANGES_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "More than %u changes at once",
                        OPTION_CHANGES_MAX);

        for (size_t i = 0; i < n; i++) {
                const Setting *row;

                r = find_row(o, changes + i, &row, reterr);
                if (r < 0)
                        return r;
                r = check_change(o, row, changes + i, reterr);
                if (r < 0)
                        return r;

                /* The values are those of all variables together, so that they end in the last one.
                 */
                for (size_t k = 0; k < ARRAY_SIZE(variables); k++) {
                        bool last = k + 1 == ARRAY_SIZE(variables);

                        r = edit_variable(
                                o, variables[k], row, last ? changes[i].values : NULL, reterr);
                        if (r < 0)
                                return r;
                        changed |= r;
                }
        }
        return changed;
}

int options_check(Options *o, char **ret_warning, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        int r;

        assert(o);
        assert(ret_warning);

        r = try_settings(o, &e);
        if (r >= 0) {
                *ret_warning = NULL;
                return 1;
        }
        if (r == -ENOMEM)
                return r;

        /* Words have moved perhaps, so the places in two sentences may differ; that there was one
         * is what counts. */
        if (o->refusal) {
                r = str_printf(ret_warning, "%s", error_text(&e, r));
                return r < 0 ? r : 0;
        }
        error_move(reterr, &e);
        return r;
}

int options_needs(
        const Options *o, const OptionChange *changes, size_t n, OptionNeeds *ret, Error *reterr) {
        OptionNeeds needs = OPTION_NEEDS_NOTHING;
        int r;

        assert(o);
        assert(ret);

        for (size_t i = 0; i < n; i++) {
                const Setting *row;

                r = find_row(o, changes + i, &row, reterr);
                if (r < 0)
                        return r;
                if (!(row->flags & SETTING_ACTS) ||
                        strv_equal(options_state(o, row)->values ?: (char *[]) { NULL },
                                changes[i].values ?: (char *[]) { NULL }))
                        continue;
                needs = MAX(needs,
                        row->flags & SETTING_LIVE ? OPTION_NEEDS_RELOAD : OPTION_NEEDS_RESTART);
        }

        *ret = needs;
        return 0;
}

int option_mask(const Setting *row, const char *value, char **ret) {
        const char *scheme, *at;

        scheme = strstr(value, "://");
        at = strrchr(value, '@');
        if (!row || !(row->flags & SETTING_SENSITIVE) || !at)
                return str_printf(ret, "%s", value);
        if (!scheme || scheme > at)
                return str_printf(ret, "***%s", at);
        return str_printf(ret, "%.*s***%s", (int) (scheme + 3 - value), value, at);
}

int option_mask_all(const Setting *row, char *const *values, char ***ret) {
        _cleanup_(strv_freep) char **masked = NULL;
        int r;

        STRV_FOREACH (v, values) {
                char *one;

                r = option_mask(row, *v, &one);
                if (r < 0)
                        return r;
                r = strv_take(&masked, one);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(masked);
        return 0;
}
