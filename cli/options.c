/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct OptionValue {
        const Option *option;
        char **values;
} OptionValue;

struct Options {
        OptionValue *given;
        size_t n_given;
        size_t n_allocated;
        char **arguments;
        bool help;
};

static OptionValue *find_value(const Options *o, const char *name) {
        for (size_t i = 0; i < o->n_given; i++)
                if (streq(o->given[i].option->name, name))
                        return o->given + i;
        return NULL;
}

static int add_value(Options *o, const Option *option, const char *value) {
        OptionValue *v = find_value(o, option->name);
        int r;

        if (!v) {
                r = array_grow(&o->given, &o->n_allocated, o->n_given + 1);
                if (r < 0)
                        return r;
                v = o->given + o->n_given++;
                v->option = option;
        }

        if (option->kind == OPTION_FLAG || option->kind == OPTION_STRING)
                v->values = strv_free(v->values);
        return strv_add(&v->values, value);
}

static const Option *find_long(const Option *table, const char *name, size_t n) {
        for (const Option *o = table; o && o->name; o++)
                if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
                        return o;
        return NULL;
}

static const Option *find_letter(const Option *table, char letter) {
        for (const Option *o = table; o && o->name; o++)
                if (o->letter == letter)
                        return o;
        return NULL;
}

static int add_flag(Options *o, const Option *option, const char *value, Error *reterr) {
        bool b = true;

        if (value && parse_bool(value, &b) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid argument \"%s\" for \"--%s\" flag: expected true or false", value,
                        option->name);
        return add_value(o, option, b ? "true" : "false");
}

/* "--name", "--name=value", "--name value". Returns how many more words it took. */
static int parse_long(Options *o, const Option *table, char **argv, Error *reterr) {
        const char *word = argv[0] + 2, *equals = strchr(word, '=');
        size_t n = equals ? (size_t) (equals - word) : strlen(word);
        const Option *option;
        int r;

        option = find_long(table, word, n);
        if (!option) {
                if (!equals && streq(word, "help")) {
                        o->help = true;
                        return 0;
                }
                return error_set(reterr, ERROR_INVALID, "unknown flag: --%.*s", (int) n, word);
        }

        if (option->kind == OPTION_FLAG)
                return add_flag(o, option, equals ? equals + 1 : NULL, reterr);
        if (equals)
                return add_value(o, option, equals + 1);
        if (!argv[1])
                return error_set(
                        reterr, ERROR_INVALID, "flag needs an argument: --%s", option->name);

        r = add_value(o, option, argv[1]);
        return r < 0 ? r : 1;
}

/* "-abc", "-n5", "-n 5", "-n=5". */
static int parse_letters(Options *o, const Option *table, char **argv, Error *reterr) {
        for (const char *p = argv[0] + 1; *p; p++) {
                const Option *option = find_letter(table, *p);
                int r;

                if (!option) {
                        if (*p == 'h') {
                                o->help = true;
                                continue;
                        }
                        return error_set(reterr, ERROR_INVALID,
                                "unknown shorthand flag: '%c' in %s", *p, argv[0]);
                }

                if (option->kind == OPTION_FLAG) {
                        bool has_value = p[1] == '=';

                        r = add_flag(o, option, has_value ? p + 2 : NULL, reterr);
                        if (r < 0 || has_value)
                                return r;
                        continue;
                }

                if (p[1])
                        return add_value(o, option, p + 1 + (p[1] == '='));
                if (!argv[1])
                        return error_set(reterr, ERROR_INVALID,
                                "flag needs an argument: '%c' in %s", *p, argv[0]);
                r = add_value(o, option, argv[1]);
                return r < 0 ? r : 1;
        }

        return 0;
}

int options_parse(
        const Option *table, char **argv, bool interspersed, Options **ret, Error *reterr) {
        _cleanup_(options_freep) Options *o = NULL;
        bool only_arguments = false;
        int r;

        assert(argv);
        assert(ret);

        o = new0(Options, 1);
        if (!o)
                return -ENOMEM;

        for (char **p = argv; *p; p++) {
                if (only_arguments || p[0][0] != '-' || p[0][1] == '\0') {
                        r = strv_add(&o->arguments, *p);
                        if (!interspersed)
                                only_arguments = true;
                } else if (streq(*p, "--")) {
                        only_arguments = true;
                        r = 0;
                } else if (p[0][1] == '-')
                        r = parse_long(o, table, p, reterr);
                else
                        r = parse_letters(o, table, p, reterr);
                if (r < 0)
                        return r;
                if (p[0][0] == '-' && !only_arguments)
                        p += r;
        }

        *ret = TAKE_PTR(o);
        return 0;
}

Options *options_free(Options *o) {
        if (!o)
                return NULL;

        for (size_t i = 0; i < o->n_given; i++)
                strv_free(o->given[i].values);
        free(o->given);
        strv_free(o->arguments);
        return mfree(o);
}

bool options_given(const Options *o, const char *name) {
        return find_value(o, name);
}

bool options_flag(const Options *o, const char *name) {
        const OptionValue *v = find_value(o, name);

        return v && streq(v->values[0], "true");
}

const char *options_string(const Options *o, const char *name) {
        const OptionValue *v = find_value(o, name);

        return v ? v->values[0] : NULL;
}

char *const *options_list(const Options *o, const char *name) {
        const OptionValue *v = find_value(o, name);

        return v ? v->values : NULL;
}

bool options_help(const Options *o) {
        return o->help;
}

char *const *options_arguments(const Options *o) {
        static char *const none[] = { NULL };

        return o->arguments ? o->arguments : none;
}

size_t options_count(const Options *o) {
        return strv_length(o->arguments);
}

static int left_column(const Option *o, char *buffer, size_t size) {
        char letter[8] = "    ";

        if (o->letter)
                (void) snprintf(letter, sizeof letter, "-%c, ", o->letter);
        return snprintf(buffer, size, "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
                o->argument ? o->argument : "");
}

void options_print(const char *title, const Option *table) {
        char left[128];
        int width = 0;

        if (!table || !table->name)
                return;

        for (const Option *o = table; o->name; o++)
                if (o->help)
                        width = MAX(width, left_column(o, left, sizeof left));

        printf("\n%s:\n", title);
        for (const Option *o = table; o->name; o++) {
                if (!o->help)
                        continue;
                (void) left_column(o, left, sizeof left);
                printf("  %-*s   %s\n", width, left, o->help);
        }
}
