/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/fields.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/log/logs.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/pattern.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define KEY_MAX 1024u

/* Adds those of pairs whose key is in the comma list. */
static int add_listed(char ***fields, const char *list, char *const *pairs) {
        _cleanup_(strv_freep) char **keys = NULL;
        int r;

        if (!list)
                return 0;
        r = strv_split(list, ",", /* keep_empty= */ false, &keys);
        if (r < 0)
                return r;
        STRV_FOREACH (k, keys) {
                const char *value = strv_env_get(pairs, *k);

                if (value)
                        r = strv_env_set(fields, *k, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_matching_with(char ***fields, const regex_t *regex, char *const *pairs) {
        STRV_FOREACH (p, pairs) {
                char key[KEY_MAX];
                const char *value = strchr(*p, '=');
                int r;

                if (!value || (size_t) (value - *p) >= sizeof(key))
                        continue;
                memcpy(key, *p, (size_t) (value - *p));
                key[value - *p] = '\0';
                if (regexec(regex, key, 0, NULL, 0) != 0)
                        continue;
                r = strv_env_set(fields, key, value + 1);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_matching(char ***fields, const char *option, const char *pattern, char *const *pairs,
        Error *reterr) {
        regex_t regex;
        int r;

        if (str_empty(pattern))
                return 0;
        if (pattern_cost(pattern) > PATTERN_COST_MAX)
                return error_set(reterr, ERROR_INVALID,
                        "invalid value for %s: the regular expression is too long, repeats too "
                        "much, or refers back",
                        option);
        if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid value for %s: '%s' is no regular expression", option, pattern);
        r = add_matching_with(fields, &regex, pairs);
        regfree(&regex);
        return r;
}

/* The word between the braces, for instance ".Name". NULL: unknown. */
static const char *tag_word(const LogSubject *s, const char *word, char *scratch, size_t size) {
        char short_id[IDENT_SHORT_SIZE];

        if (streq(word, ".ID"))
                return strcpy(scratch, ident_short(str_or_empty(s->id), short_id));
        if (streq(word, ".FullID"))
                return str_or_empty(s->id);
        if (streq(word, ".Name"))
                return str_or_empty(s->name);
        if (streq(word, ".FullName")) {
                (void) snprintf(scratch, size, "/%s", str_or_empty(s->name));
                return scratch;
        }
        if (streq(word, ".ImageID"))
                return strcpy(scratch, ident_short(str_or_empty(s->image_id), short_id));
        if (streq(word, ".ImageFullID"))
                return str_or_empty(s->image_id);
        if (streq(word, ".ImageName"))
                return str_or_empty(s->image_name);
        if (streq(word, ".Command"))
                return str_or_empty(s->command);
        if (streq(word, ".DaemonName"))
                return "docker";
        return NULL;
}

static int tag_expand(const char *template, const LogSubject *s, char **ret, Error *reterr) {
        _cleanup_(freep) char *tag = NULL;
        const char *p = template;
        int r;

        r = str_copy(&tag, "");
        while (r >= 0 && *p) {
                char scratch[IDENT_NAME_MAX + 2], *word_text;
                const char *open = strstr(p, "{{"), *close, *value;
                _cleanup_(freep) char *word = NULL;

                if (!open) {
                        r = str_appendf(&tag, "%s", p);
                        break;
                }
                close = strstr(open, "}}");
                if (!close)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid log tag '%s': '{{' without '}}'", template);
                r = str_copy_n(&word, open + 2, (size_t) (close - open - 2));
                if (r < 0)
                        return r;
                word_text = str_strip(word);
                value = tag_word(s, word_text, scratch, sizeof(scratch));
                if (!value)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid log tag '%s': there is no {{%s}}", template, word_text);
                r = str_appendf(&tag, "%.*s%s", (int) (open - p), p, value);
                p = close + 2;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(tag);
        return 0;
}

static int compare_keys(const void *a, const void *b) {
        const char *x = *(char *const *) a, *y = *(char *const *) b;
        size_t n = strcspn(x, "="), k = strcspn(y, "=");
        int r = memcmp(x, y, n < k ? n : k);

        return r ? r : n < k ? -1 : n > k;
}

int log_fields_make(char *const *opts, const LogSubject *s, char ***ret, Error *reterr) {
        _cleanup_(strv_freep) char **fields = NULL;
        _cleanup_(freep) char *tag = NULL;
        const char *template = logs_option(opts, "tag");
        int r;

        assert(s);
        assert(ret);

        r = add_listed(&fields, logs_option(opts, "labels"), s->labels);
        if (r >= 0)
                r = add_matching(&fields, "labels-regex", logs_option(opts, "labels-regex"),
                        s->labels, reterr);
        if (r >= 0)
                r = add_listed(&fields, logs_option(opts, "env"), s->environment);
        if (r >= 0)
                r = add_matching(&fields, "env-regex", logs_option(opts, "env-regex"),
                        s->environment, reterr);
        if (r >= 0 && !str_empty(template)) {
                r = tag_expand(template, s, &tag, reterr);
                if (r >= 0)
                        r = strv_env_set(&fields, "tag", tag);
        }
        if (r < 0)
                return r;

        if (fields)
                qsort(fields, strv_length(fields), sizeof(char *), compare_keys);
        *ret = TAKE_PTR(fields);
        return 0;
}
