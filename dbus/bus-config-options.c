/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "config/options.h"
#include "config/settings-table.h"
#include "config/sysconfig.h"
#include "dbus/bus-config.h"
#include "dbus/bus-util.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static int append_values(
        sd_bus_message *m, const char *key, const Setting *row, char *const *values) {
        _cleanup_(strv_freep) char **shown = NULL;
        int r;

        r = option_mask_all(row, values, &shown);
        if (r < 0)
                return r;
        return bus_append_dict_strv(m, key, shown ?: (char *[]) { NULL });
}

static int append_place(sd_bus_message *m, const Options *o, const OptionState *state) {
        int r;

        r = bus_append_dict_string(m, "Source", option_origin_to_string(state->origin));
        if (r < 0 || state->origin == OPTION_DEFAULT)
                return r;
        r = bus_append_dict_string(
                m, "File", state->origin == OPTION_SYSCONFIG ? o->file->path : o->config_file);
        if (r < 0 || state->origin != OPTION_SYSCONFIG)
                return r;
        r = bus_append_dict_string(m, "Variable", state->variable);
        if (r < 0)
                return r;
        r = bus_append_dict_uint32(m, "Line", state->line);
        if (r < 0)
                return r;
        r = bus_append_dict_uint32(m, "Word", state->word);
        if (r < 0)
                return r;
        return bus_append_dict_bool(m, "Repeated", state->repeated);
}

static int append_row(sd_bus_message *m, const Options *o, const Setting *row) {
        const OptionState *state = options_state(o, row);
        const struct {
                const char *key;
                const char *value;
        } texts[] = {
                { "Name", setting_id(row) },
                { "Shorthand", row->shorthand ? (char[]) { row->shorthand, 0 } : "" },
                { "Section", setting_section_to_string(row->section) },
                { "Type", setting_type_to_string(row->type) },
                { "Range", str_or_empty(row->range) },
                { "Default", row->default_text },
                { "Description", row->help },
                { "Applies", row->flags & SETTING_LIVE ? "reload" : "restart" },
                { "JSONKey", str_or_empty(row->json_key) },
        };
        const struct {
                const char *key;
                SettingFlags flag;
        } flags[] = {
                { "Multi", SETTING_MULTI },
                { "Acts", SETTING_ACTS },
                { "Deprecated", SETTING_DEPRECATED },
                { "Sensitive", SETTING_SENSITIVE },
        };
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                r = bus_append_dict_string(m, texts[i].key, texts[i].value);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                r = bus_append_dict_bool(m, flags[i].key, row->flags & flags[i].flag);
                if (r < 0)
                        return r;
        }
        r = append_values(m, "Value", row, state->values);
        if (r < 0)
                return r;
        r = append_place(m, o, state);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_unknown(sd_bus_message *m, const Options *o, const OptionUnknown *u) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        r = bus_append_dict_string(m, "Name", u->text);
        if (r < 0)
                return r;
        r = bus_append_dict_string(m, "Section", "Other");
        if (r < 0)
                return r;
        r = bus_append_dict_string(m, "Type", "unknown");
        if (r < 0)
                return r;
        r = bus_append_dict_string(m, "File", o->file->path);
        if (r < 0)
                return r;
        r = bus_append_dict_uint32(m, "Line", u->line);
        if (r < 0)
                return r;
        r = bus_append_dict_uint32(m, "Word", u->word);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int bus_config_append_options(sd_bus_message *m, const Options *o) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "a{sv}");
        if (r < 0)
                return r;
        for (size_t i = 0; i < settings_table_size; i++) {
                const Setting *row = settings_table + i;

                if (row->flags & SETTING_COMMAND_LINE || row->alias_of)
                        continue;
                r = append_row(m, o, row);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < o->n_unknown; i++) {
                r = append_unknown(m, o, o->unknown + i);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(m);
}
