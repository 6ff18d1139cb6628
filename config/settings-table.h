/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One row per option of dockerd (and two of our own): the flags of stauerd, the words of
 * DOCKER_OPTS and the keys of daemon.json are all these rows, and so are --help and the list on the
 * bus. Pure data, plus the check of one value against its row. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

typedef struct Setting Setting;
typedef struct Settings Settings;

typedef enum SettingType {
        SETTING_BOOL,
        SETTING_INT,  /* range "min:max", either side may be empty */
        SETTING_SIZE, /* bytes: 64M, 1g, 512k */
        SETTING_ENUM, /* range "a,b,c" */
        SETTING_STRING,
        SETTING_PATH,  /* absolute */
        SETTING_SLICE, /* name of a systemd slice */
        SETTING_HOST,  /* unix://PATH, tcp://HOST:PORT, fd:// */
        SETTING_URL,   /* http:// or https:// */
        SETTING_IP,
        SETTING_CIDR,
        SETTING_KEY_VALUE, /* key=value */
        SETTING_RUNTIME,   /* name=path */
        SETTING_ULIMIT,    /* name=soft[:hard] */
        SETTING_STORAGE_DRIVER,
        _SETTING_TYPE_MAX,
        _SETTING_TYPE_INVALID = -22,
} SettingType;

typedef enum SettingSection {
        SECTION_LISTENERS,
        SECTION_DAEMON,
        SECTION_CONTAINERS,
        SECTION_LOGGING,
        SECTION_STORAGE,
        SECTION_BRIDGE,
        SECTION_NETWORK,
        SECTION_SWARM,
        _SECTION_MAX,
        _SECTION_INVALID = -22,
} SettingSection;

typedef enum SettingFlags {
        SETTING_ACTS = 1 << 0,  /* has an effect now */
        SETTING_LIVE = 1 << 1,  /* taken over by a reload; else a restart is needed */
        SETTING_MULTI = 1 << 2, /* may be given several times: a list, or a map by its key */
        SETTING_MAP = 1 << 3, /* MULTI, and the part before "=" is a key: a later value replaces */
        SETTING_COMMAND_LINE = 1 << 4, /* makes no sense inside the options file */
        SETTING_DEPRECATED = 1 << 5,
        SETTING_HIDDEN = 1 << 6,    /* not in --help */
        SETTING_SENSITIVE = 1 << 7, /* may hold a password */
        SETTING_NEVER =
                1 << 8, /* of swarm or containerd: there is nothing it could act on, by design */
        SETTING_BOTH = 1 << 9, /* may stand in the options file and in daemon.json */
} SettingFlags;

struct Setting {
        const char *name;     /* the long flag, without dashes; NULL: key of daemon.json only */
        const char *json_key; /* NULL: not in daemon.json */
        char shorthand;       /* 0: none */
        SettingType type;
        const char *range;        /* NULL: none */
        const char *default_text; /* as it would be written; "" for nothing */
        SettingSection section;
        SettingFlags flags;
        int (*store)(Settings *s, const Setting *row, const char *value,
                Error *reterr); /* rows that act */
        size_t offset;          /* for store() */
        const char *alias_of;   /* the row that this one means */
        const char *help;       /* one line */
};

extern const Setting settings_table[];
extern const size_t settings_table_size;

const Setting *setting_find(const char *name); /* aliases give their own row */
const Setting *setting_find_shorthand(char c);
const Setting *setting_find_json(const char *key);
const Setting *setting_resolve(const Setting *row); /* alias → what it means */
size_t setting_index(const Setting *row);
const char *setting_id(const Setting *row); /* its name, or the key of daemon.json */

const char *setting_type_to_string(SettingType t);
const char *setting_section_to_string(SettingSection s);

/* Is VALUE right for this row? The sentence in reterr says what would be; it does not say where the
 * value stood. */
int setting_check(const Setting *row, const char *value, Error *reterr);
