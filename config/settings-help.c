/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "config/settings-table.h"
#include "config/settings.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define HELP_COLUMN 34
#define HELP_WIDTH  100

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

/* What there is to say about a row, in one line. */
static int describe_row(const Setting *row, char **ret) {
        _cleanup_(freep) char *text = NULL, *list = NULL;
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = str_copy(&text, row->help);
        if (r >= 0 && row->type == SETTING_ENUM) {
                r = strv_split(row->range, ",", /* keep_empty= */ false, &words);
                if (r < 0)
                        return r;
                list = strv_join(words, ", ");
                r = list ? str_appendf(&text, ": %s", list) : -ENOMEM;
        }
        if (r >= 0 && row->default_text[0] && !streq(row->default_text, "false"))
                r = str_appendf(&text, " (default %s)", row->default_text);
        if (r >= 0 && row->flags & SETTING_MULTI)
                r = str_appendf(&text, " (may be repeated)");
        if (r >= 0 && row->flags & SETTING_NEVER)
                r = str_appendf(&text, " [ignored]");
        else if (r >= 0 && !(row->flags & SETTING_ACTS))
                r = str_appendf(&text, " [no effect yet]");
        if (r < 0)
                return r;

        *ret = TAKE_PTR(text);
        return 0;
}

/* The words of text from column HELP_COLUMN on, wrapped. */
static int append_wrapped(Buffer *b, const char *text) {
        size_t column = HELP_COLUMN;
        int r;

        for (const char *p = text; *p;) {
                size_t n = strcspn(p, " ");

                if (column > HELP_COLUMN && column + 1 + n > HELP_WIDTH) {
                        r = buffer_printf(b, "\n%*s", HELP_COLUMN, "");
                        if (r < 0)
                                return r;
                        column = HELP_COLUMN;
                }
                r = buffer_printf(b, "%s%.*s", column > HELP_COLUMN ? " " : "", (int) n, p);
                if (r < 0)
                        return r;
                column += n + (column > HELP_COLUMN);
                p += n + strspn(p + n, " ");
        }
        return buffer_append_char(b, '\n');
}

static int format_row(Buffer *b, const Setting *row) {
        _cleanup_(freep) char *flag = NULL, *text = NULL;
        int r;

        r = format_flag(row, &flag);
        if (r < 0)
                return r;
        r = describe_row(row, &text);
        if (r < 0)
                return r;
        if (strlen(flag) >= HELP_COLUMN)
                r = buffer_printf(b, "%s\n%*s", flag, HELP_COLUMN, "");
        else
                r = buffer_printf(b, "%-*s", HELP_COLUMN, flag);
        if (r < 0)
                return r;
        return append_wrapped(b, text);
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
                path_last(program), SETTINGS_DEFAULT_SYSCONFIG_FILE, SETTINGS_DEFAULT_CONFIG_FILE);
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
