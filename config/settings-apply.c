/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-apply.h"

#include <errno.h>

#include "config/env-value.h"
#include "config/option-string.h"
#include "config/settings-table.h"
#include "config/settings.h"
#include "config/sysconfig.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* "/etc/sysconfig/docker, line 7, word 3 "--tls=maybe"" or "command line, word 3 …" */
static int describe_place(
        const SettingsSource *source, const OptionString *words, size_t i, char **ret) {
        const OptionWord *w = words->words + i;
        unsigned line;

        if (!source->file)
                return str_printf(ret, "command line, word %zu \"%s\"", i + 1, w->text);

        /* A value may span lines. */
        line = source->entry->line;
        for (const char *p = source->entry->raw,
                        *end = p + (w->offset < source->value->n
                                                   ? source->value->bytes[w->offset].raw
                                                   : 0);
                p < end; p++)
                line += *p == '\n';
        return str_printf(ret, "%s, line %u, word %zu \"%s\"", source->file, line, i + 1, w->text);
}

void settings_set_given(Settings *s, const Setting *row) {
        size_t i = setting_index(setting_resolve(row));

        s->given[i / 64] |= UINT64_C(1) << (i % 64);
}

int settings_warn_about(Settings *s, const Setting *row, const char *where) {
        const char *dashes = row->name ? "--" : "";

        if (row->alias_of)
                return strv_addf(&s->warnings, "%s: --%s is the old name of --%s", where, row->name,
                        row->alias_of);
        if (row->flags & SETTING_ACTS)
                return 0;
        if (streq(setting_id(row), "live-restore"))
                return strv_addf(&s->warnings,
                        "%s: containers always outlive the daemon, --live-restore changes nothing, "
                        "ignoring",
                        where);
        if (row->flags & SETTING_NEVER)
                return strv_addf(&s->warnings, "%s: %s%s has no meaning for Stauer, ignoring",
                        where, dashes, setting_id(row));
        return strv_addf(&s->warnings,
                "%s: %s%s is known but has no effect in this version, ignoring", where, dashes,
                setting_id(row));
}

int settings_apply_value(Settings *s, const Setting *row, const char *value, Error *reterr) {
        int r;

        r = setting_check(row, value, reterr);
        if (r < 0)
                return r;
        if (row->store) {
                r = row->store(s, row, value, reterr);
                if (r < 0)
                        return r;
        }
        settings_set_given(s, row);
        return 0;
}

static int apply_use(Settings *s, const OptionUse *use, const char *place, Error *reterr) {
        const Setting *row = use->row;
        int r;

        if (use->missing)
                return error_set(reterr, ERROR_INVALID, "%s: --%s needs a value; %s", place,
                        row->name, row->help);
        if (!(row->flags & SETTING_MULTI) && settings_was_given(s, setting_resolve(row)->name)) {
                r = strv_addf(&s->warnings, "%s: --%s was given before, the last one counts", place,
                        setting_resolve(row)->name);
                if (r < 0)
                        return r;
        }

        r = settings_apply_value(s, row, use->value ?: "true", reterr);
        if (r < 0)
                return error_is_set(reterr) ? error_prefix(reterr, r, "%s", place) : r;

        return settings_warn_about(s, row, place);
}

/* The first word that is no flag and no value of one. */
static int refuse_words(const OptionString *words, const SettingsSource *source, Error *reterr) {
        for (size_t i = 0; i < words->n_words; i++) {
                const OptionWord *w = words->words + i;
                _cleanup_(freep) char *place = NULL;
                int r;

                if (w->kind != OPTION_UNKNOWN && w->kind != OPTION_STRAY)
                        continue;
                r = describe_place(source, words, i, &place);
                if (r < 0)
                        return r;
                if (w->kind == OPTION_UNKNOWN)
                        return error_set(reterr, ERROR_INVALID,
                                "%s: there is no such option; stauerd --help lists them", place);
                return error_set(reterr, ERROR_INVALID,
                        "%s: an option begins with a dash; a value with blanks needs quotes around "
                        "it",
                        place);
        }
        return 0;
}

int settings_apply(Settings *s, const OptionString *words, const SettingsSource *source,
        SettingsApply what, Error *reterr) {
        _cleanup_(freep) OptionUse *uses = NULL;
        size_t n;
        int r;

        assert(s);
        assert(words);
        assert(source);

        if (what != SETTINGS_APPLY_COMMAND_LINE_FIRST) {
                r = refuse_words(words, source, reterr);
                if (r < 0)
                        return r;
        }

        r = option_string_uses(words, &uses, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                bool command_line = uses[i].row->flags & SETTING_COMMAND_LINE;
                _cleanup_(freep) char *place = NULL;

                if (what != SETTINGS_APPLY_FILE &&
                        command_line != (what == SETTINGS_APPLY_COMMAND_LINE_FIRST))
                        continue;

                r = describe_place(source, words, uses[i].word, &place);
                if (r < 0)
                        return r;
                if (what == SETTINGS_APPLY_FILE && command_line)
                        return error_set(reterr, ERROR_INVALID,
                                "%s: --%s makes sense on the command line only", place,
                                uses[i].row->name);
                r = apply_use(s, uses + i, place, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
