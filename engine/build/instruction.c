/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each instruction looks like: its flags, its JSON form, how many arguments it takes. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/build/dockerfile-internal.h"
#include "engine/build/words.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef enum Arguments {
        ARGUMENTS_ANY,
        ARGUMENTS_ONE,    /* the rest as it stands */
        ARGUMENTS_SOME,   /* at least one */
        ARGUMENTS_TARGET, /* at least a source and where to */
        ARGUMENTS_BASE,   /* one, or "x AS name" */
} Arguments;

#define FLAGS_MAX 10

typedef struct InstructionKnown {
        const char *name;
        Arguments arguments;
        bool json; /* has a JSON form */
        const char
                *flags[FLAGS_MAX]; /* "name", "name?" true or false, "name*" any number of times */
} InstructionKnown;

static const InstructionKnown instructions_known[_INSTRUCTION_KIND_MAX] = {
        [INSTRUCTION_ADD] = { "ADD", ARGUMENTS_TARGET, true,
                { "chown", "chmod", "link?", "keep-git-dir?", "checksum", "exclude*", "unpack?" } },
        [INSTRUCTION_ARG] = { "ARG", ARGUMENTS_SOME },
        [INSTRUCTION_CMD] = { "CMD", ARGUMENTS_ANY, true },
        [INSTRUCTION_COPY] = { "COPY", ARGUMENTS_TARGET, true,
                { "from", "chown", "chmod", "link?", "parents?", "exclude*" } },
        [INSTRUCTION_ENTRYPOINT] = { "ENTRYPOINT", ARGUMENTS_ANY, true },
        [INSTRUCTION_ENV] = { "ENV", ARGUMENTS_SOME },
        [INSTRUCTION_EXPOSE] = { "EXPOSE", ARGUMENTS_SOME },
        [INSTRUCTION_FROM] = { "FROM", ARGUMENTS_BASE, false, { "platform" } },
        [INSTRUCTION_HEALTHCHECK] = { "HEALTHCHECK", ARGUMENTS_SOME, false,
                { "interval", "timeout", "start-period", "start-interval", "retries" } },
        [INSTRUCTION_LABEL] = { "LABEL", ARGUMENTS_SOME },
        [INSTRUCTION_MAINTAINER] = { "MAINTAINER", ARGUMENTS_ONE },
        [INSTRUCTION_ONBUILD] = { "ONBUILD", ARGUMENTS_SOME },
        [INSTRUCTION_RUN] = { "RUN", ARGUMENTS_SOME, true, { "mount*", "network", "security" } },
        [INSTRUCTION_SHELL] = { "SHELL", ARGUMENTS_SOME, true },
        [INSTRUCTION_STOPSIGNAL] = { "STOPSIGNAL", ARGUMENTS_ONE },
        [INSTRUCTION_USER] = { "USER", ARGUMENTS_ONE },
        [INSTRUCTION_VOLUME] = { "VOLUME", ARGUMENTS_SOME, true },
        [INSTRUCTION_WORKDIR] = { "WORKDIR", ARGUMENTS_ONE },
};

const char *instruction_kind_to_string(InstructionKind k) {
        return k < 0 || k >= _INSTRUCTION_KIND_MAX ? NULL : instructions_known[k].name;
}

const char *instruction_flag(const Instruction *i, const char *name) {
        for (char **f = i->flags; f && *f; f += 2)
                if (streq(*f, name))
                        return f[1];
        return NULL;
}

/* Quotes and escapes of a flag's value go, variables stay. */
static int flag_unquote(char escape, const char *s, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        char quote = 0;
        int r = 0;

        for (; r >= 0 && *s; s++) {
                if (quote ? *s == quote : *s == '"' || *s == '\'') {
                        quote = quote ? 0 : *s;
                        continue;
                }
                if (*s == escape && quote != '\'' && s[1])
                        s++;
                r = buffer_append_char(&b, *s);
        }
        if (r < 0)
                return r;
        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

/* What the table says of a flag: 0 plain, '?' or '*'; -ENOENT. */
static int flag_kind(const InstructionKnown *known, const char *name, size_t n) {
        for (size_t k = 0; k < FLAGS_MAX && known->flags[k]; k++)
                if (strncmp(known->flags[k], name, n) == 0 &&
                        (known->flags[k][n] == 0 || strchr("?*", known->flags[k][n])))
                        return known->flags[k][n];
        return -ENOENT;
}

static int flag_add(const Dockerfile *d, Instruction *i, const char *word, Error *reterr) {
        size_t n = strcspn(word, "=");
        _cleanup_(freep) char *name = strndup(word, n), *value = NULL;
        int kind, r;
        bool on;

        if (!name)
                return -ENOMEM;
        kind = flag_kind(instructions_known + i->kind, name, n);
        if (kind < 0)
                return error_set(reterr, ERROR_INVALID, "unknown flag: --%s", name);
        if (kind != '*' && instruction_flag(i, name))
                return error_set(reterr, ERROR_INVALID, "duplicate flag specified: %s", name);
        if (!word[n] && kind != '?')
                return error_set(reterr, ERROR_INVALID, "missing a value on flag: %s", name);

        r = word[n] ? flag_unquote(d->escape, word + n + 1, &value) : str_copy(&value, "true");
        if (r >= 0 && kind == '?' &&
                (parse_bool(value, &on) < 0 || str_copy(&value, on ? "true" : "false") < 0))
                return error_set(reterr, ERROR_INVALID,
                        "expecting boolean value for flag %s, not: %s", name, value);
        if (r >= 0)
                r = strv_add(&i->flags, name);
        return r < 0 ? r : strv_add(&i->flags, value);
}

/* Takes the flags from the front of *p. */
static int flags_parse(const Dockerfile *d, Instruction *i, const char **p, Error *reterr) {
        while (str_starts(*p, "--")) {
                _cleanup_(freep) char *word = NULL;
                const char *s = *p;
                char quote = 0;
                int r;

                for (; *s && (quote || !strchr(" \t", *s)); s++) {
                        if (*s == d->escape && s[1])
                                s++;
                        else if (quote ? *s == quote : *s == '"' || *s == '\'')
                                quote = quote ? 0 : *s;
                }
                if (s == *p + 2) { /* "--": the end of them */
                        *p = s + strspn(s, " \t");
                        return 0;
                }
                word = strndup(*p + 2, (size_t) (s - *p - 2));
                r = word ? flag_add(d, i, word, reterr) : -ENOMEM;
                if (r < 0)
                        return r;
                *p = s + strspn(s, " \t");
        }
        return 0;
}

/* A list of strings in JSON; what is none is a line for the shell. */
static int json_form(Instruction *i) {
        _cleanup_(strv_freep) char **list = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *key;
        Json *item;

        if (i->rest[0] != '[' ||
                json_parse(i->rest, strlen(i->rest), DOCKERFILE_SIZE_MAX, &v, NULL) < 0 ||
                json_type_of(v) != JSON_TYPE_LIST)
                return 0;
        list = strv_new(NULL);
        if (!list)
                return -ENOMEM;
        JSON_FOREACH (key, item, v) {
                const char *s = json_to_text(item);

                (void) key;
                if (!s)
                        return 0;
                if (strv_add(&list, s) < 0)
                        return -ENOMEM;
        }
        i->words = TAKE_PTR(list);
        return 0;
}

int instruction_parse(const Dockerfile *d, Instruction *i, Error *reterr) {
        size_t n = strcspn(i->text, " \t");
        const char *p = i->text + n;
        int r;

        i->kind = _INSTRUCTION_KIND_INVALID;
        for (int k = 0; k < _INSTRUCTION_KIND_MAX; k++)
                if (strlen(instructions_known[k].name) == n &&
                        strncasecmp(i->text, instructions_known[k].name, n) == 0)
                        i->kind = (InstructionKind) k;
        if (i->kind < 0) {
                _cleanup_(freep) char *word = strndup(i->text, n);

                return word ? error_set(reterr, ERROR_INVALID, "unknown instruction: %s", word)
                            : -ENOMEM;
        }

        p += strspn(p, " \t");
        r = flags_parse(d, i, &p, reterr);
        if (r >= 0)
                r = str_copy(&i->rest, p);
        if (r >= 0 && instructions_known[i->kind].json)
                r = json_form(i);
        return r;
}

int instruction_check_trigger(const Instruction *i, Error *reterr) {
        if (i->kind == INSTRUCTION_ONBUILD)
                return error_set(reterr, ERROR_INVALID,
                        "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
        if (i->kind == INSTRUCTION_FROM || i->kind == INSTRUCTION_MAINTAINER)
                return error_set(reterr, ERROR_INVALID, "%s isn't allowed as an ONBUILD trigger",
                        instruction_kind_to_string(i->kind));
        return 0;
}

static int check_onbuild(const Dockerfile *d, const Instruction *i, Error *reterr) {
        Instruction inner = { .text = i->rest };
        int r;

        r = instruction_parse(d, &inner, reterr);
        if (r >= 0)
                r = instruction_check_trigger(&inner, reterr);
        strv_free(inner.flags);
        strv_free(inner.words);
        free(inner.rest);
        return r;
}

int instruction_check(const Dockerfile *d, const Instruction *i, Error *reterr) {
        const InstructionKnown *known = instructions_known + i->kind;
        _cleanup_(strv_freep) char **raw = NULL;
        size_t n;
        int r;

        r = words_split_raw(d->escape, i->rest, &raw);
        if (r < 0)
                return r;
        n = i->words ? strv_length(i->words) : strv_length(raw);

        if (i->kind == INSTRUCTION_SHELL && !i->words)
                return error_set(
                        reterr, ERROR_INVALID, "SHELL requires the arguments to be in JSON form");
        switch (known->arguments) {
        case ARGUMENTS_ANY:
                break;
        case ARGUMENTS_ONE:
                if (n == 0)
                        return error_set(reterr, ERROR_INVALID, "%s requires exactly one argument",
                                known->name);
                break;
        case ARGUMENTS_SOME:
                if (n == 0)
                        return error_set(reterr, ERROR_INVALID, "%s requires at least one argument",
                                known->name);
                break;
        case ARGUMENTS_TARGET:
                if (n == 0)
                        return error_set(reterr, ERROR_INVALID,
                                "%s requires at least two arguments", known->name);
                if (n == 1)
                        return error_set(reterr, ERROR_INVALID,
                                "%s requires at least two arguments, but only one was provided. "
                                "Destination could not be determined",
                                known->name);
                break;
        case ARGUMENTS_BASE:
                if (n != 1 && !(n == 3 && strcasecmp(raw[1], "AS") == 0))
                        return error_set(reterr, ERROR_INVALID,
                                "FROM requires either one or three arguments");
                break;
        }
        return i->kind == INSTRUCTION_ONBUILD ? check_onbuild(d, i, reterr) : 0;
}
