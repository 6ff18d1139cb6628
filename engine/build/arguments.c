/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/build/arguments.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

bool argument_is_predefined(const char *name) {
        return STR_IN_SET(name, "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
                "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy");
}

static void scope_remove(char **scope, const char *name) {
        size_t n = strlen(name), k = 0;

        for (char **s = scope; s && *s; s++)
                if (strncmp(*s, name, n) == 0 && ((*s)[n] == '=' || !(*s)[n]))
                        free(*s);
                else
                        scope[k++] = *s;
        if (scope)
                scope[k] = NULL;
}

static int declare_one(const Words *words, const char *word, char *const *given, char *const *outer,
        char ***scope, char ***asked, char **text, Error *reterr) {
        _cleanup_(freep) char *name = NULL, *value = NULL;
        const char *equals = strchr(word, '='), *known;
        int r;

        r = words_expand(words, word, &name, reterr); /* also quotes around the whole of it */
        if (r < 0)
                return r;
        if (equals) {
                char *at = strchr(name, '=');

                if (at) {
                        value = strdup(at + 1);
                        *at = 0;
                        if (!value)
                                return -ENOMEM;
                }
        }
        if (!*name)
                return error_set(reterr, ERROR_INVALID, "ARG names can not be blank");

        r = str_appendf(text, value ? " %s=%s" : " %s", name, value);
        if (r >= 0)
                r = strv_add(asked, name);
        if (r < 0)
                return r;

        known = strv_env_get(given, name);
        if (!known)
                known = value ?: strv_env_get(outer, name);
        if (!known && !value && strv_env_get(*scope, name)) /* declared again: as before */
                return 0;
        scope_remove(*scope, name);
        return known ? strv_addf(scope, "%s=%s", name, known) : strv_add(scope, name);
}

int arguments_declare(const Words *words, const char *rest, char *const *given, char *const *outer,
        char ***scope, char ***asked, char **ret_text, Error *reterr) {
        _cleanup_(strv_freep) char **raw = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        assert(words);
        assert(rest);

        r = words_split_raw(words->escape, rest, &raw);
        STRV_FOREACH (w, raw)
                if (r >= 0)
                        r = declare_one(words, *w, given, outer, scope, asked, &text, reterr);
        if (r < 0)
                return r;
        if (ret_text) {
                *ret_text = strdup(text ? text + 1 : "");
                if (!*ret_text)
                        return -ENOMEM;
        }
        return 0;
}
