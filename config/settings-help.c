/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "config/settings-table.h"
#include "config/settings.h"
#include "lib/base/buffer.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define HELP_COLUMN 36

/* "  -s, --storage-driver=overlay2,vfs" */
static int format_flag(const Setting *row, char **ret) {
        _cleanup_(freep) char *value = NULL;
        int r;

        if (row->type == SETTING_ENUM)
                r = str_copy(&value, "WORD");
        else if (row->type == SETTING_KEY_VALUE)
                r = str_copy(&value, "KEY=VALUE");
        else if (row->type == SETTING_RUNTIME)
                r = str_copy(&value, "NAME=PATH");
        else {
                r = str_copy(&value, setting_type_to_string(row->type));
                for (char *p = value; r >= 0 && *p; p++)
                        if (*p >= 'a' && *p <= 'z')
                                *p = (char) (*p - 'a' + 'A');
        }
        if (r < 0)
                return r;

        if (row->shorthand != 0)
                r = str_printf(ret, "  -%c, --%s", row->shorthand, row->name);
        else
                r = str_printf(ret, "      --%s", row->name);
        if (r < 0 || row->type == SETTING_BOOL)
                return r;
        return str_appendf(ret, "=%s", value);
}

static int format_row(Buffer *b, const Setting *row) {
        _cleanup_(freep) char *flag = NULL;
        int r;

        r = format_flag(row, &flag);
        if (r < 0)
                return r;
        if (strlen(flag) >= HELP_COLUMN)
                r = buffer_printf(b, "%s\n%*s%s", flag, HELP_COLUMN, "", row->help);
        else
                r = buffer_printf(b, "%-*s%s", HELP_COLUMN, flag, row->help);
        if (r >= 0 && row->type == SETTING_ENUM)
                r = buffer_printf(b, ": %s", row->range + (row->range[0] == ','));
        if (r >= 0 && row->default_text[0] && !streq(row->default_text, "false"))
                r = buffer_printf(b, " (default %s)", row->default_text);
        if (r >= 0 && row->flags & SETTING_MULTI)
                r = buffer_append_string(b, "; may be given several times");
        if (r >= 0 && !(row->flags & (SETTING_ACTS | SETTING_NEVER)))
                r = buffer_append_string(b, " [no effect yet]");
        if (r >= 0 && row->flags & SETTING_NEVER)
                r = buffer_append_string(b, " [ignored]");
        return r < 0 ? r : buffer_append_char(b, '\n');
}

int settings_format_help(const char *program, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        int r;

        assert(program);
        assert(ret);

        r = buffer_printf(&b,
                "%s [OPTION…]\n\n"
                "The Stauer container engine. Options are read from DOCKER_OPTS in %s,\n"
                "then from the command line, then from %s.\n",
                program, SETTINGS_DEFAULT_SYSCONFIG_FILE, SETTINGS_DEFAULT_CONFIG_FILE);
        if (r < 0)
                return r;

        for (SettingSection section = 0; section < _SECTION_MAX; section++) {
                r = buffer_printf(&b, "\n%s:\n", setting_section_to_string(section));
                if (r < 0)
                        return r;

                for (size_t i = 0; i < settings_table_size; i++) {
                        const Setting *row = settings_table + i;

                        if (row->section != section || !row->name || row->flags & SETTING_HIDDEN)
                                continue;
                        r = format_row(&b, row);
                        if (r < 0)
                                return r;
                }
        }

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}
