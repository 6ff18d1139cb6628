/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/import-changes.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

typedef struct Change {
        const char *word;
        int (*apply)(ImageRunConfig *c, const char *rest, Error *reterr);
} Change;

/* ["a","b"] as a strv: 1; 0 when it is not JSON. */
static int change_json_list(const char *rest, char ***ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(strv_freep) char **list = NULL;
        const char *key;
        Json *item;

        (void) key;
        if (rest[0] != '[' || json_parse(rest, strlen(rest), IMPORT_CHANGE_MAX, &v, NULL) < 0)
                return 0;

        list = strv_new(NULL);
        if (!list)
                return -ENOMEM;
        JSON_FOREACH (key, item, v) {
                const char *s = json_to_text(item);

                if (!s)
                        return 0;
                if (strv_add(&list, s) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(list);
        return 1;
}

/* The list, or the line as a command of the shell. */
static int change_command(const char *rest, char ***ret) {
        char **list = NULL;
        int r;

        r = change_json_list(rest, &list);
        if (r == 0) {
                list = strv_new("/bin/sh", "-c", rest);
                r = list ? 0 : -ENOMEM;
        }
        if (r < 0)
                return r;

        strv_free(*ret);
        *ret = list;
        return 0;
}

/* The next word of a line, quotes and backslashes taken away as a Dockerfile has them. 1, or 0 at the end. */
static int change_word(const char **p, char **ret, Error *reterr) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *s = *p + strspn(*p, " \t");
        char quote = 0;

        if (!*s)
                return 0;

        for (; *s && (quote || !strchr(" \t", *s)); s++) {
                if (quote ? *s == quote : *s == '"' || *s == '\'') {
                        quote = quote ? 0 : *s;
                        continue;
                }
                if (*s == '\\' && quote != '\'' && s[1])
                        s++;
                if (buffer_append_char(&b, *s) < 0)
                        return -ENOMEM;
        }
        if (quote)
                return error_set(reterr, ERROR_INVALID,
                        "unexpected end of statement while looking for matching %s-quote",
                        quote == '"' ? "double" : "single");

        *p = s;
        *ret = buffer_take_string(&b, NULL);
        return *ret ? 1 : -ENOMEM;
}

/* "a=b c=d", or the old "a b c": one key with the rest as its value. */
static int change_pairs(const char *rest, bool old_form,
        int (*set)(void *list, const char *key, const char *value), void *list, Error *reterr) {
        const char *p = rest;
        size_t n = strcspn(rest, " \t=");
        int r;

        if (old_form && rest[n] && rest[n] != '=') {
                _cleanup_(freep) char *key = strndup(rest, n);

                return key ? set(list, key, rest + n + strspn(rest + n, " \t")) : -ENOMEM;
        }

        for (;;) {
                _cleanup_(freep) char *word = NULL, *key = NULL, *value = NULL;

                r = change_word(&p, &word, reterr);
                if (r <= 0)
                        return r;
                if (parse_key_value(word, &key, &value) < 0)
                        return error_set(reterr, ERROR_INVALID, "\"%s\" is not KEY=VALUE", word);
                r = set(list, key, value);
                if (r < 0)
                        return r;
        }
}

static int set_env(void *list, const char *key, const char *value) {
        return strv_env_set(list, key, value);
}

static int set_label(void *list, const char *key, const char *value) {
        int r = pairs_set(list, key, value);

        return r < 0 ? r : 0;
}

static int change_cmd(ImageRunConfig *c, const char *rest, Error *reterr) {
        return change_command(rest, &c->cmd);
}

static int change_entrypoint(ImageRunConfig *c, const char *rest, Error *reterr) {
        return change_command(rest, &c->entrypoint);
}

static int change_env(ImageRunConfig *c, const char *rest, Error *reterr) {
        return change_pairs(rest, /* old_form= */ true, set_env, &c->env, reterr);
}

static int change_label(ImageRunConfig *c, const char *rest, Error *reterr) {
        return change_pairs(rest, /* old_form= */ true, set_label, &c->labels, reterr);
}

static int change_add_port(ImageRunConfig *c, const char *word, Error *reterr) {
        _cleanup_(freep) char *number = NULL, *port = NULL;
        const char *protocol;
        uint32_t n;

        protocol = strchr(word, '/');
        number = strndup(word, protocol ? (size_t) (protocol - word) : strlen(word));
        if (!number)
                return -ENOMEM;
        protocol = protocol ? protocol + 1 : "tcp";

        if (parse_u32(number, &n) < 0 || n == 0 || n > 65535 ||
                !STR_IN_SET(protocol, "tcp", "udp", "sctp"))
                return error_set(reterr, ERROR_INVALID, "invalid containerPort: %s", word);

        if (str_printf(&port, "%s/%s", number, protocol) < 0)
                return -ENOMEM;
        return strv_contains(c->exposed_ports, port) ? 0 : strv_add(&c->exposed_ports, port);
}

static int change_expose(ImageRunConfig *c, const char *rest, Error *reterr) {
        for (;;) {
                _cleanup_(freep) char *word = NULL;
                int r;

                r = change_word(&rest, &word, reterr);
                if (r > 0)
                        r = change_add_port(c, word, reterr);
                if (r < 0 || !word)
                        return r;
        }
}

static int change_volume(ImageRunConfig *c, const char *rest, Error *reterr) {
        _cleanup_(strv_freep) char **list = NULL;
        int r;

        r = change_json_list(rest, &list);
        while (r == 0) {
                _cleanup_(freep) char *word = NULL;

                r = change_word(&rest, &word, reterr);
                if (r == 0)
                        break;
                if (r > 0)
                        r = strv_add(&list, word);
        }
        if (r < 0)
                return r;

        STRV_FOREACH (v, list) {
                if (str_empty(*v))
                        return error_set(reterr, ERROR_INVALID,
                                "VOLUME specified can not be an empty string");
                if (!strv_contains(c->volumes, *v) && strv_add(&c->volumes, *v) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int change_user(ImageRunConfig *c, const char *rest, Error *reterr) {
        return str_copy(&c->user, rest);
}

static int change_workdir(ImageRunConfig *c, const char *rest, Error *reterr) {
        _cleanup_(freep) char *joined = NULL, *clean = NULL;
        int r;

        /* A relative one goes below the one before. */
        joined = path_is_absolute(rest)
                       ? strdup(rest)
                       : str_concat(str_empty(c->working_dir) ? "/" : c->working_dir, "/", rest);
        if (!joined)
                return -ENOMEM;
        r = path_normalise(joined, &clean);
        if (r < 0)
                return r;

        free(c->working_dir);
        c->working_dir = TAKE_PTR(clean);
        return 0;
}

static int change_stopsignal(ImageRunConfig *c, const char *rest, Error *reterr) {
        int sig;

        if (parse_signal(rest, &sig) < 0)
                return error_set(reterr, ERROR_INVALID, "Invalid signal: %s", rest);
        return str_copy(&c->stop_signal, rest);
}

static int change_onbuild(ImageRunConfig *c, const char *rest, Error *reterr) {
        return strv_add(&c->on_build, rest);
}

/* --interval=30s and the like: 1 it was one, 0 it was not. */
static int change_health_option(ImageHealthcheck *h, const char *word, Error *reterr) {
        static const struct {
                const char *name;
                size_t offset;
        } times[] = {
                { "--interval=", offsetof(ImageHealthcheck, interval) },
                { "--timeout=", offsetof(ImageHealthcheck, timeout) },
                { "--start-period=", offsetof(ImageHealthcheck, start_period) },
                { "--start-interval=", offsetof(ImageHealthcheck, start_interval) },
        };
        const char *value;

        for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
                int64_t *ns = (int64_t *) ((char *) h + times[i].offset);

                value = str_starts(word, times[i].name);
                if (!value)
                        continue;
                if (parse_duration(value, ns) < 0 || *ns < 0)
                        return error_set(
                                reterr, ERROR_INVALID, "HEALTHCHECK: \"%s\" is no duration", value);
                return 1;
        }

        value = str_starts(word, "--retries=");
        if (!value)
                return 0;
        if (parse_int(value, &h->retries) < 0 || h->retries < 0)
                return error_set(reterr, ERROR_INVALID,
                        "HEALTHCHECK: \"%s\" is no number of retries", value);
        return 1;
}

static int change_healthcheck(ImageRunConfig *c, const char *rest, Error *reterr) {
        ImageHealthcheck *h;
        int r;

        if (!c->healthcheck) {
                c->healthcheck = new0(ImageHealthcheck, 1);
                if (!c->healthcheck)
                        return -ENOMEM;
        }
        h = c->healthcheck;
        h->test = strv_free(h->test);

        for (;;) {
                _cleanup_(freep) char *word = NULL;

                rest += strspn(rest, " \t");
                r = change_word(&rest, &word, reterr);
                if (r > 0)
                        r = change_health_option(h, word, reterr);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;

                if (word && strcasecmp(word, "NONE") == 0)
                        return (h->test = strv_new("NONE")) ? 0 : -ENOMEM;
                if (!word || strcasecmp(word, "CMD") != 0)
                        return error_set(reterr, ERROR_INVALID,
                                "Unknown type \"%s\" in HEALTHCHECK (try CMD)", str_or_empty(word));

                rest += strspn(rest, " \t");
                r = change_json_list(rest, &h->test);
                if (r > 0)
                        return strv_prepend(&h->test, "CMD");
                return r < 0 ? r : (h->test = strv_new("CMD-SHELL", rest)) ? 0 : -ENOMEM;
        }
}

static const Change changes_known[] = {
        { "CMD", change_cmd },
        { "ENTRYPOINT", change_entrypoint },
        { "ENV", change_env },
        { "EXPOSE", change_expose },
        { "HEALTHCHECK", change_healthcheck },
        { "LABEL", change_label },
        { "ONBUILD", change_onbuild },
        { "STOPSIGNAL", change_stopsignal },
        { "USER", change_user },
        { "VOLUME", change_volume },
        { "WORKDIR", change_workdir },
};

static int change_apply(ImageRunConfig *config, const char *line, Error *reterr) {
        _cleanup_(freep) char *copy = strdup(line), *word = NULL;
        const char *rest;
        size_t n;

        if (!copy)
                return -ENOMEM;

        rest = str_strip(copy);
        n = strcspn(rest, " \t");
        word = strndup(rest, n);
        if (!word)
                return -ENOMEM;
        rest += n;
        rest += strspn(rest, " \t");

        for (size_t i = 0; i < ARRAY_SIZE(changes_known); i++) {
                int r;

                if (strcasecmp(changes_known[i].word, word) != 0)
                        continue;
                if (str_empty(rest))
                        return error_set(reterr, ERROR_INVALID, "%s requires at least one argument",
                                changes_known[i].word);
                r = changes_known[i].apply(config, rest, reterr);
                return r < 0 ? error_prefix(reterr, r, "%s", changes_known[i].word) : 0;
        }

        return error_set(reterr, ERROR_INVALID, "%s is not a valid change command", word);
}

int import_changes_apply(ImageRunConfig *config, char *const *changes, Error *reterr) {
        int r;

        assert(config);

        if (strv_length(changes) > IMPORT_CHANGES_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %u changes", IMPORT_CHANGES_MAX);

        STRV_FOREACH (s, changes) {
                if (strlen(*s) > IMPORT_CHANGE_MAX)
                        return error_set(reterr, ERROR_TOO_LARGE, "a change is longer than 64 KiB");
                r = change_apply(config, *s, reterr);
                if (r < 0)
                        return r;
        }

        return 0;
}
