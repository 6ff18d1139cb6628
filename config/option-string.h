/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The value of DOCKER_OPTS as words and flags. Split exactly as systemd splits $VARIABLE in
 * ExecStart=, matched against settings_table by the rules of dockerd's flag parser. Editing changes
 * the bytes of one option and leaves every other byte alone. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/macro.h"

typedef struct OptionString OptionString;
typedef struct OptionUse OptionUse;
typedef struct OptionWord OptionWord;
typedef struct Setting Setting;

#define OPTION_WORDS_MAX 16384U

typedef enum OptionKind {
        OPTION_FLAG,    /* --name, --name=value, -x, -xvalue, -abc */
        OPTION_VALUE,   /* value of the flag before it */
        OPTION_UNKNOWN, /* looks like a flag, there is no row for it */
        OPTION_STRAY,   /* no flag at all: the daemon refuses it */
        OPTION_END,     /* -- */
        _OPTION_KIND_MAX,
        _OPTION_KIND_INVALID = -22,
} OptionKind;

struct OptionWord {
        size_t offset, n; /* span in the value, quotes included */
        char *text;
        bool plain; /* no quote, no backslash: byte i of text is byte offset+i of the value */
        OptionKind kind;
        const Setting *row; /* the last flag of a group; of a value: its flag */
        size_t group;       /* one-letter flags before the last one: "-Dl" has 1 */
        size_t value_at;    /* where in text a value in the same word starts; 0: none */
};

struct OptionString {
        char *value;
        OptionWord *words;
        size_t n_words;
};

/* One flag with its value, as the daemon sees it. */
struct OptionUse {
        const Setting *row;
        const char *value; /* NULL: a boolean without one, or missing */
        bool missing;      /* needs a value, there is none */
        size_t word;       /* index of the flag's word */
        size_t value_word; /* index of the word with the value; the flag's own when it is inside */
        size_t letter;     /* in a group: index of the letter in the word's text; else 0 */
};

int option_string_parse(const char *value, OptionString *ret);
/* The same for words that are split already (a command line). */
int option_string_from_words(char *const *words, size_t n, OptionString *ret);
void option_string_done(OptionString *s);

/* All flags in order, groups ("-Dl debug") taken apart. */
int option_string_uses(const OptionString *s, OptionUse **ret, size_t *ret_n);

/* One word quoted so that splitting gives it back. -EINVAL for control characters. */
int option_word_quote(const char *word, char **ret);

/* Raw text of the file in, raw text out, changed so that ROW is given with exactly these values
 * (none: not at all). A row that may stand once takes at most one value. 0: it was so already (*ret
 * is a copy), 1: changed. Parses its own result again: -EBADMSG when anything but the row would
 * have changed (an open quote at the end). */
int option_raw_edit(const char *raw, const Setting *row, char *const *values, char **ret);
