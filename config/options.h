/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The options as an administrator edits them: every row with its value, where it was set, and what
 * a change of it would mean. One reading of both files; changes are made in memory and saved as a
 * whole. What stauer-configd has in its hands during a call. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct OptionChange OptionChange;
typedef struct OptionProblem OptionProblem;
typedef struct OptionState OptionState;
typedef struct OptionUnknown OptionUnknown;
typedef struct Options Options;
typedef struct Setting Setting;
typedef struct Sysconfig Sysconfig;

#define OPTION_CHANGES_MAX 256U
#define OPTION_VALUES_MAX  1024U

typedef enum OptionOrigin {
        OPTION_DEFAULT,
        OPTION_SYSCONFIG,
        OPTION_DAEMON_JSON,
        _OPTION_ORIGIN_MAX,
        _OPTION_ORIGIN_INVALID = -22,
} OptionOrigin;

/* What has to be done with the service so that a change counts. */
typedef enum OptionNeeds {
        OPTION_NEEDS_NOTHING,
        OPTION_NEEDS_RELOAD,
        OPTION_NEEDS_RESTART,
        _OPTION_NEEDS_MAX,
        _OPTION_NEEDS_INVALID = -22,
} OptionNeeds;

struct OptionState {
        char **values; /* of a row that stands once: the one that counts */
        OptionOrigin origin;
        const char *variable; /* of the sysconfig file */
        unsigned line, word;  /* 1…, of the last one; 0: in daemon.json */
        bool repeated;        /* given more than once, though only the last one counts */
};

struct OptionUnknown {
        char *text;
        unsigned line, word;
};

struct Options {
        char *config_file;
        Sysconfig *file;
        OptionState *states; /* one per row of settings_table; of an alias: empty, its values are at
                                what it means */
        OptionUnknown *unknown;
        size_t n_unknown;
        char *refusal; /* why the daemon would not start with the files as they were read; NULL: it
                          would */
};

struct OptionChange {
        const char *name;
        char *const *values; /* empty: unset */
};

struct OptionProblem {
        bool fatal; /* the daemon would not start */
        char *name; /* of the option; NULL: of the whole */
        char *text;
};

/* Unreadable files are errors; what is wrong with the words in them is in refusal and unknown. */
int options_load(const char *sysconfig_file, const char *config_file, const char *lens_dir,
        Options **ret, Error *reterr);
Options *options_free(Options *o);
DEFINE_CLEANUP(Options *, options_free);

const OptionState *options_state(const Options *o, const Setting *row);

/* Checks each value and edits the text in memory. 0: all was so already, 1: changed. */
int options_change(Options *o, const OptionChange *changes, size_t n, Error *reterr);

/* After options_change(): would the daemon take the files as they would be? 1: yes. 0: no, and it
 * would not have before either, for the same reason (*ret_warning has it). Negative with a
 * sentence: no, because of the change. */
int options_check(Options *o, char **ret_warning, Error *reterr);

/* All that is wrong with these changes at once: each by itself, then the whole. The changes that
 * are possible are made in memory. 1: they would do, 0: they would not. */
int options_check_all(
        Options *o, const OptionChange *changes, size_t n, OptionProblem **ret, size_t *ret_n);
OptionProblem *option_problems_free(OptionProblem *problems, size_t n);

/* Compares with the files as they were read. */
int options_needs(
        const Options *o, const OptionChange *changes, size_t n, OptionNeeds *ret, Error *reterr);

const char *option_origin_to_string(OptionOrigin o);
const char *option_needs_to_string(OptionNeeds n);

/* A value as it may be shown: the password in a proxy's URL is hidden. */
int option_mask(const Setting *row, const char *value, char **ret);
int option_mask_all(const Setting *row, char *const *values, char ***ret);
