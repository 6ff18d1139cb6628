/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Words to Settings: each flag is checked against its row and stored. Every sentence says where the
 * word stood. */

#include "lib/base/error.h"

typedef struct EnvValue EnvValue;
typedef struct OptionString OptionString;
typedef struct Setting Setting;
typedef struct Settings Settings;
typedef struct SettingsSource SettingsSource;
typedef struct Sysconfig Sysconfig;
typedef struct SysconfigEntry SysconfigEntry;

struct SettingsSource {
        const char *file; /* NULL: the command line */
        const SysconfigEntry *entry;
        const EnvValue *value;
};

typedef enum SettingsApply {
        SETTINGS_APPLY_FILE,               /* command-line rows are an error */
        SETTINGS_APPLY_COMMAND_LINE_FIRST, /* only those, unknown words pass */
        SETTINGS_APPLY_COMMAND_LINE,       /* the rest */
} SettingsApply;

int settings_apply(Settings *s, const OptionString *words, const SettingsSource *source,
        SettingsApply what, Error *reterr);
int settings_apply_sysconfig(Settings *s, const Sysconfig *file, Error *reterr);

/* One value of one row: check, store, note that it was given, warn if it does not act. The sentence
 * has no place in it. */
int settings_apply_value(Settings *s, const Setting *row, const char *value, Error *reterr);
int settings_warn_about(Settings *s, const Setting *row, const char *where);
void settings_set_given(Settings *s, const Setting *row);

/* Defaults that depend on others, and what must fit together. */
int settings_finish(Settings *s, Error *reterr);
