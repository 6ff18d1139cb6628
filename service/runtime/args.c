/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/args.h"

#include <errno.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static const Arg *find(const Arg *table, const char *name, size_t n, char letter) {
        for (const Arg *a = table; a->name; a++)
                if (letter ? a->letter == letter
                           : strlen(a->name) == n && strncmp(a->name, name, n) == 0)
                        return a;
        return NULL;
}

static int store(const Arg *a, const char *value, Error *reterr) {
        bool flag = true;

        switch (a->type) {
        case ARG_FLAG:
                if (value && parse_bool(value, &flag) < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "--%s: \"%s\" is neither true nor false", a->name, value);
                *(bool *) a->value = flag;
                return 0;
        case ARG_STRING:
                *(const char **) a->value = value;
                return 0;
        case ARG_UNSIGNED:
                if (parse_unsigned(value, a->value) < 0)
                        return error_set(reterr, ERROR_INVALID, "--%s: \"%s\" is not a number",
                                a->name, value);
                return 0;
        case ARG_STRV:
                return strv_add(a->value, value);
        case ARG_IGNORED:
        case ARG_IGNORED_FLAG:
                return 0;
        default:
                assert_unreachable();
        }
}

/* One option at *argv; *argv is moved behind it. */
static int parse_option(char ***argv, const Arg *table, Error *reterr) {
        const char *word = **argv, *value = NULL;
        const Arg *a;

        (*argv)++;
        if (word[1] == '-') {
                size_t n = strcspn(word + 2, "=");

                a = find(table, word + 2, n, 0);
                if (word[2 + n] == '=')
                        value = word + 2 + n + 1;
        } else {
                a = find(table, NULL, 0, word[1]);
                if (a && word[2])
                        value = word[2] == '=' ? word + 3 : word + 2;
        }
        if (!a)
                return error_set(reterr, ERROR_INVALID, "unknown option \"%s\"", word);

        if (!value && a->type != ARG_FLAG && a->type != ARG_IGNORED_FLAG) {
                if (!**argv)
                        return error_set(
                                reterr, ERROR_INVALID, "option \"%s\" needs a value", word);
                value = *(*argv)++;
        }
        return store(a, value, reterr);
}

int args_parse(
        char **argv, const Arg *table, const char **words, size_t min, size_t max, Error *reterr) {
        bool options = true;
        size_t n = 0;
        int r;

        while (*argv) {
                if (options && (*argv)[0] == '-' && (*argv)[1]) {
                        if (streq(*argv, "--")) {
                                options = false;
                                argv++;
                                continue;
                        }
                        r = parse_option(&argv, table, reterr);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (n >= max)
                        return error_set(reterr, ERROR_INVALID, "unexpected word \"%s\"", *argv);
                words[n++] = *argv++;
        }
        if (n < min)
                return error_set(reterr, ERROR_INVALID, "a container id is missing");

        words[n] = NULL;
        return 0;
}

int args_parse_leading(char **argv, const Arg *table, char ***ret_rest, Error *reterr) {
        int r;

        while (*argv && (*argv)[0] == '-' && (*argv)[1]) {
                r = parse_option(&argv, table, reterr);
                if (r < 0)
                        return r;
        }

        *ret_rest = argv;
        return 0;
}
