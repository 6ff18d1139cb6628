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

static bool is_repeatable(OptionKind kind) {
        return kind == OPTION_LIST || kind == OPTION_KEYED || kind == OPTION_STRINGS ||
               kind == OPTION_FILTER;
}

/* ---- values ---- */

static int bad_value(const Option *o, const char *value, Error *reterr, const char *why) {
        if (o->letter)
                return error_set(reterr, ERROR_INVALID,
                        "invalid argument \"%s\" for \"-%c, --%s\" flag: %s", value, o->letter,
                        o->name, why);
        return error_set(reterr, ERROR_INVALID, "invalid argument \"%s\" for \"--%s\" flag: %s",
                value, o->name, why);
}

/* Tools look for the words that Go's strconv has. */
static int bad_number(
        const Option *o, const char *value, int r, const char *parser, Error *reterr) {
        _cleanup_(freep) char *why = NULL;

        if (str_printf(&why, "strconv.%s: parsing \"%s\": %s", parser, value,
                    r == -ERANGE ? "value out of range" : "invalid syntax") < 0)
                return -ENOMEM;
        return bad_value(o, value, reterr, why);
}

static int check_bytes(const Option *o, const char *value, Error *reterr) {
        _cleanup_(freep) char *why = NULL;
        int64_t n;

        if (parse_size_signed(value, &n) >= 0)
                return 0;
        if (str_printf(&why, "invalid size: '%s'", value) < 0)
                return -ENOMEM;
        return bad_value(o, value, reterr, why);
}

static int check_decimal(const Option *o, const char *value, Error *reterr) {
        _cleanup_(freep) char *why = NULL;
        double d;

        if (parse_double(value, &d) >= 0)
                return 0;
        if (str_printf(&why, "failed to parse %s as a rational number", value) < 0)
                return -ENOMEM;
        return bad_value(o, value, reterr, why);
}

static int check_value(const Option *o, const char *value, Error *reterr) {
        int64_t n;
        bool b;
        int r;

        switch (o->kind) {
        case OPTION_FLAG:
                r = parse_bool(value, &b);
                return r < 0 ? bad_number(o, value, r, "ParseBool", reterr) : 0;
        case OPTION_INT:
                r = parse_i64(value, &n);
                return r < 0 ? bad_number(o, value, r, "ParseInt", reterr) : 0;
        case OPTION_BYTES:
                return check_bytes(o, value, reterr);
        case OPTION_DECIMAL:
                return check_decimal(o, value, reterr);
        case OPTION_FILTER:
                if (!strchr(value, '='))
                        return bad_value(
                                o, value, reterr, "bad format of filter (expected name=value)");
                return 0;
        default:
                return 0;
        }
}

static int add_value(Options *o, const Option *option, const char *value, Error *reterr) {
        OptionValue *v = find_value(o, option->name);
        int r;

        r = check_value(option, value, reterr);
        if (r < 0)
                return r;

        if (!v) {
                r = array_grow(&o->given, &o->n_allocated, o->n_given + 1);
                if (r < 0)
                        return r;
                v = o->given + o->n_given++;
                v->option = option;
        }

        if (!is_repeatable(option->kind))
                v->values = strv_free(v->values);
        if (option->kind == OPTION_STRINGS) {
                _cleanup_(strv_freep) char **parts = NULL;

                r = strv_split(value, ",", /* keep_empty= */ true, &parts);
                return r < 0 ? r : strv_add_all(&v->values, parts);
        }
        return strv_add(&v->values, value);
}

/* ---- words ---- */

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

        if (equals)
                return add_value(o, option, equals + 1, reterr);
        if (option->kind == OPTION_FLAG)
                return add_value(o, option, "true", reterr);
        if (!argv[1])
                return error_set(
                        reterr, ERROR_INVALID, "flag needs an argument: --%s", option->name);

        r = add_value(o, option, argv[1], reterr);
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
                                "unknown shorthand flag: '%c' in -%s", *p, p);
                }

                if (option->kind == OPTION_FLAG) {
                        bool has_value = p[1] == '=';

                        r = add_value(o, option, has_value ? p + 2 : "true", reterr);
                        if (r < 0 || has_value)
                                return r;
                        continue;
                }

                if (p[1])
                        return add_value(o, option, p + 1 + (p[1] == '='), reterr);
                if (!argv[1])
                        return error_set(reterr, ERROR_INVALID,
                                "flag needs an argument: '%c' in -%s", *p, p);
                r = add_value(o, option, argv[1], reterr);
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
        return options_flag_or(o, name, false);
}

bool options_flag_or(const Options *o, const char *name, bool otherwise) {
        const OptionValue *v = find_value(o, name);
        bool b = otherwise;

        if (v)
                (void) parse_bool(v->values[0], &b);
        return b;
}

const char *options_string(const Options *o, const char *name) {
        const OptionValue *v = find_value(o, name);

        return v ? v->values[0] : NULL;
}

int64_t options_int(const Options *o, const char *name, int64_t otherwise) {
        const OptionValue *v = find_value(o, name);
        int64_t n = otherwise;

        if (v)
                (void) parse_i64(v->values[0], &n);
        return n;
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

const Option *options_find(const Option *table, const char *name) {
        return find_long(table, name, strlen(name));
}

/* ---- help ---- */

static int left_column(const Option *o, char *buffer, size_t size) {
        char letter[8] = "    ";

        if (o->letter)
                (void) snprintf(letter, sizeof letter, "-%c, ", o->letter);
        return snprintf(buffer, size, "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
                o->argument ? o->argument : "");
}

/* Words of text from column indent on, at most width columns a line; a line feed in the text stays one. */
static void print_wrapped(const char *text, int indent, unsigned width) {
        int room = MAX((int) width - indent, 24), used = 0;

        while (*text) {
                size_t n = strcspn(text, " \n");

                if (used > 0 && used + 1 + (int) n > room) {
                        printf("\n%*s", indent, "");
                        used = 0;
                }
                printf("%s%.*s", used > 0 ? " " : "", (int) n, text);
                used += (int) n + (used > 0);
                text += n;
                if (*text == '\n') {
                        printf("\n%*s", indent, "");
                        used = 0;
                }
                if (*text)
                        text++;
        }
        putchar('\n');
}

static void print_option(const Option *o, int left_width, unsigned width) {
        _cleanup_(freep) char *text = NULL;
        char left[128];

        (void) left_column(o, left, sizeof left);
        printf("  %-*s   ", left_width, left);
        if (o->otherwise && str_printf(&text, "%s (default %s)", o->help, o->otherwise) < 0)
                return;
        print_wrapped(text ? text : o->help, left_width + 5, width);
}

void options_print(const char *title, const Option *table, unsigned width) {
        char left[128];
        int left_width = 0;

        for (const Option *o = table; o && o->name; o++)
                if (o->help)
                        left_width = MAX(left_width, left_column(o, left, sizeof left));
        if (left_width == 0)
                return;

        printf("\n%s:\n", title);
        for (const Option *o = table; o->name; o++)
                if (o->help)
                        print_option(o, left_width, width);
}
