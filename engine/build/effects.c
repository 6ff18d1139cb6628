/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/build/effects.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "engine/build/arguments.h"
#include "engine/build/dockerfile.h"
#include "engine/build/plan.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

typedef struct Effect {
        BuildState *state;
        ImageRunConfig *config;
        const Dockerfile *file;
        const Instruction *i;
        const BuildArguments *args;
        Words words;
        char *comment;
        Error *reterr;
} Effect;

typedef int (*effect_t)(Effect *x);

static char **as_list(Effect *x, int *r) {
        char **list = NULL;

        if (x->i->words) {
                STRV_FOREACH (w, x->i->words) {
                        _cleanup_(freep) char *word = NULL;

                        if (*r >= 0)
                                *r = words_expand(&x->words, *w, &word, x->reterr);
                        if (*r >= 0)
                                *r = strv_add(&list, word);
                }
        } else
                *r = words_split(&x->words, x->i->rest, &list, x->reterr);
        return list;
}

/* ["a" "b"], as Go prints it. */
static int quote_list(const char *word, char *const *list, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        int r = buffer_printf(&b, "%s [", word);

        STRV_FOREACH (s, list) {
                if (r >= 0)
                        r = buffer_append_string(&b, s == list ? "\"" : " \"");
                for (const char *p = *s; r >= 0 && *p; p++) {
                        if (*p == '"' || *p == '\\')
                                r = buffer_append_char(&b, '\\');
                        if (r >= 0)
                                r = *p == '\n' ? buffer_append_string(&b, "\\n")
                                  : *p == '\t' ? buffer_append_string(&b, "\\t")
                                               : buffer_append_char(&b, *p);
                }
                if (r >= 0)
                        r = buffer_append_char(&b, '"');
        }
        if (r >= 0)
                r = buffer_append_char(&b, ']');
        if (r < 0)
                return r;
        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

/* "a=b c=d", or the old "a b c". set is told each. */
static int apply_pairs(Effect *x, int (*set)(Effect *x, const char *key, const char *value)) {
        const char *name = instruction_kind_to_string(x->i->kind);
        _cleanup_(strv_freep) char **raw = NULL;
        _cleanup_(buffer_done) Buffer comment = {};
        int r;

        r = words_split_raw(x->words.escape, x->i->rest, &raw);
        if (r >= 0)
                r = buffer_append_string(&comment, name);
        if (r >= 0 && raw[0] && !strchr(raw[0], '=')) {
                const char *rest = x->i->rest + strlen(raw[0]);
                _cleanup_(freep) char *key = NULL, *value = NULL;

                if (!raw[1])
                        return error_set(
                                x->reterr, ERROR_INVALID, "%s must have two arguments", name);
                r = words_expand(&x->words, raw[0], &key, x->reterr);
                if (r >= 0)
                        r = words_expand(&x->words, rest + strspn(rest, " \t"), &value, x->reterr);
                if (r >= 0)
                        r = set(x, key, value);
                if (r >= 0)
                        r = buffer_printf(&comment, " %s=%s", key, value);
        } else
                STRV_FOREACH (w, raw) {
                        _cleanup_(freep) char *key = NULL, *value = NULL, *left = NULL;
                        const char *equals = strchr(*w, '=');

                        if (r >= 0 && !equals)
                                return error_set(x->reterr, ERROR_INVALID,
                                        "Syntax error - can't find = in \"%s\". Must be of the "
                                        "form: name=value",
                                        *w);
                        if (r >= 0 && **w == '"') { /* "a=b": quotes around both */
                                r = words_expand(&x->words, *w, &left, x->reterr);
                                if (r >= 0)
                                        r = str_split_pair(left, '=', &key, &value);
                        } else if (r >= 0) {
                                left = strndup(*w, (size_t) (equals - *w));
                                r = left ? words_expand(&x->words, left, &key, x->reterr) : -ENOMEM;
                                if (r >= 0)
                                        r = words_expand(&x->words, equals + 1, &value, x->reterr);
                        }
                        if (r >= 0 && !*key)
                                return error_set(x->reterr, ERROR_INVALID,
                                        "%s names can not be blank", name);
                        if (r >= 0)
                                r = set(x, key, value);
                        if (r >= 0)
                                r = buffer_printf(&comment, " %s=%s", key, value);
                }
        if (r < 0)
                return r;
        x->comment = buffer_take_string(&comment, NULL);
        return x->comment ? 1 : -ENOMEM;
}

/* Values of one line see what was before it: the words keep to the state, so all are collected before they are set. */
static int set_env(Effect *x, const char *key, const char *value) {
        return strv_env_set(&x->config->env, key, value);
}

static int set_label(Effect *x, const char *key, const char *value) {
        int r = pairs_set(&x->config->labels, key, value);

        return r < 0 ? r : 0;
}

static int apply_env(Effect *x) {
        char **before = x->config->env;
        int r;

        x->config->env = strv_copy(before);
        if (!x->config->env) {
                x->config->env = before;
                return -ENOMEM;
        }
        BuildState frozen = *x->state; /* borrowed: what the words look at */
        frozen.config.config.env = before;
        x->words.userdata = &frozen;
        r = apply_pairs(x, set_env);
        strv_free(before);
        return r;
}

static int apply_label(Effect *x) {
        return apply_pairs(x, set_label);
}

static int apply_maintainer(Effect *x) {
        int r = str_copy(&x->state->config.author, x->i->rest);

        if (r >= 0)
                r = str_printf(&x->comment, "MAINTAINER %s", x->i->rest);
        return r < 0 ? r : 1;
}

static int add_port(Effect *x, const char *word) {
        const char *protocol = strchr(word, '/');
        _cleanup_(freep) char *numbers = NULL;
        uint32_t low, high;
        char *dash;
        int r = 0;

        numbers = strndup(word, protocol ? (size_t) (protocol - word) : strlen(word));
        if (!numbers)
                return -ENOMEM;
        protocol = protocol ? protocol + 1 : "tcp";
        dash = strchr(numbers, '-');
        if (dash)
                *dash++ = 0;
        if (parse_u32(numbers, &low) < 0 || parse_u32(dash ?: numbers, &high) < 0 || low == 0 ||
                high > 65535 || low > high ||
                !STR_IN_SET(protocol, "tcp", "udp", "sctp", "TCP", "UDP", "SCTP"))
                return error_set(x->reterr, ERROR_INVALID, "invalid containerPort: %s", word);

        for (uint32_t n = low; r >= 0 && n <= high; n++) {
                _cleanup_(freep) char *port = NULL;

                r = str_printf(&port, "%u/%s", n, protocol);
                if (r < 0)
                        return r;
                str_lower(port);
                if (!strv_contains(x->config->exposed_ports, port))
                        r = strv_add(&x->config->exposed_ports, port);
                if (r >= 0)
                        r = str_appendf(&x->comment, " %s", port);
        }
        return r;
}

static int apply_expose(Effect *x) {
        int r = str_copy(&x->comment, "EXPOSE");
        _cleanup_(strv_freep) char **list = as_list(x, &r);

        STRV_FOREACH (w, list)
                if (r >= 0)
                        r = add_port(x, *w);
        return r < 0 ? r : 1;
}

static int apply_volume(Effect *x) {
        int r = 0;
        _cleanup_(strv_freep) char **list = as_list(x, &r);
        _cleanup_(freep) char *all = NULL;

        STRV_FOREACH (w, list) {
                if (r >= 0 && !**w)
                        r = error_set(x->reterr, ERROR_INVALID,
                                "VOLUME specified can not be an empty string");
                if (r >= 0 && !strv_contains(x->config->volumes, *w))
                        r = strv_add(&x->config->volumes, *w);
        }
        if (r < 0)
                return r;
        all = strv_join(list, " ");
        r = all ? str_printf(&x->comment, "VOLUME [%s]", all) : -ENOMEM;
        return r < 0 ? r : 1;
}

static int apply_user(Effect *x) {
        _cleanup_(freep) char *user = NULL;
        int r;

        r = words_expand(&x->words, x->i->rest, &user, x->reterr);
        if (r >= 0)
                r = str_copy(&x->config->user, user);
        if (r >= 0)
                r = str_printf(&x->comment, "USER %s", user);
        return r < 0 ? r : 1;
}

static int apply_workdir(Effect *x) {
        _cleanup_(freep) char *path = NULL, *joined = NULL, *clean = NULL;
        int r;

        r = words_expand(&x->words, x->i->rest, &path, x->reterr);
        if (r < 0)
                return r;
        if (!*path)
                return error_set(
                        x->reterr, ERROR_INVALID, "WORKDIR names no folder: %s", x->i->rest);
        joined = path_is_absolute(path)
                       ? strdup(path)
                       : str_concat(str_or_empty(x->config->working_dir), "/", path);
        r = joined ? path_normalise(joined, &clean) : -ENOMEM;
        if (r >= 0)
                r = str_copy(&x->config->working_dir, clean);
        if (r >= 0)
                r = str_printf(&x->comment, "WORKDIR %s", clean);
        return r < 0 ? r : 0; /* the folder is to be made */
}

static int apply_stopsignal(Effect *x) {
        _cleanup_(freep) char *name = NULL;
        int r, number;

        r = words_expand(&x->words, x->i->rest, &name, x->reterr);
        if (r < 0)
                return r;
        if (parse_signal(name, &number) < 0)
                return error_set(x->reterr, ERROR_INVALID, "Invalid signal: %s", name);
        r = str_copy(&x->config->stop_signal, name);
        if (r >= 0)
                r = str_printf(&x->comment, "STOPSIGNAL %s", name);
        return r < 0 ? r : 1;
}

static int command_of(const BuildState *s, const Instruction *i, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;

        if (i->words)
                list = strv_copy(i->words);
        else if (!*i->rest)
                list = strv_new(NULL);
        else {
                list = strv_copy(build_shell(s));
                if (list && strv_add(&list, i->rest) < 0)
                        return -ENOMEM;
        }
        if (!list)
                return -ENOMEM;
        strv_free(*ret);
        *ret = TAKE_PTR(list);
        return 0;
}

static int apply_cmd(Effect *x) {
        int r = command_of(x->state, x->i, &x->config->cmd);

        if (r >= 0)
                r = quote_list("CMD", x->config->cmd, &x->comment);
        x->state->cmd_is_own = true;
        return r < 0 ? r : 1;
}

static int apply_entrypoint(Effect *x) {
        int r = command_of(x->state, x->i, &x->config->entrypoint);

        if (r >= 0)
                r = quote_list("ENTRYPOINT", x->config->entrypoint, &x->comment);
        if (!x->state->cmd_is_own) /* the base's command was for the base's entrypoint */
                x->config->cmd = strv_free(x->config->cmd);
        return r < 0 ? r : 1;
}

static int apply_shell(Effect *x) {
        _cleanup_(freep) char *all = strv_join(x->i->words, " ");
        int r = all ? strv_set(&x->config->shell, x->i->words) : -ENOMEM;

        if (r >= 0)
                r = str_printf(&x->comment, "SHELL [%s]", all);
        return r < 0 ? r : 1;
}

static int apply_onbuild(Effect *x) {
        _cleanup_(freep) char *text = strdup(x->i->rest);
        int r = text ? 0 : -ENOMEM;

        for (size_t k = 0; r >= 0 && k < x->i->n_heredocs; k++)
                r = str_appendf(&text, "\n%s%s", x->i->heredocs[k].text, x->i->heredocs[k].name);
        if (r >= 0)
                r = strv_add(&x->config->on_build, text);
        if (r >= 0)
                r = str_printf(&x->comment, "ONBUILD %s", x->i->rest);
        return r < 0 ? r : 1;
}

static int apply_arg(Effect *x) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = arguments_declare(&x->words, x->i->rest, x->args->given, x->args->meta,
                &x->state->scope, x->args->asked, &text, x->reterr);
        if (r >= 0)
                r = str_printf(&x->comment, "ARG %s", text);
        return r < 0 ? r : 1;
}

static int health_flags(Effect *x, ImageHealthcheck *h) {
        static const struct {
                const char *name;
                size_t offset;
        } times[] = {
                { "interval", offsetof(ImageHealthcheck, interval) },
                { "timeout", offsetof(ImageHealthcheck, timeout) },
                { "start-period", offsetof(ImageHealthcheck, start_period) },
                { "start-interval", offsetof(ImageHealthcheck, start_interval) },
        };
        const char *retries = instruction_flag(x->i, "retries");

        for (size_t k = 0; k < ARRAY_SIZE(times); k++) {
                const char *value = instruction_flag(x->i, times[k].name);
                int64_t *ns = (int64_t *) ((char *) h + times[k].offset);

                if (value &&
                        (parse_duration(value, ns) < 0 || *ns < 0 || (*ns > 0 && *ns < 1000000)))
                        return error_set(x->reterr, ERROR_INVALID,
                                "HEALTHCHECK --%s=%s is no duration of 1ms or more", times[k].name,
                                value);
        }
        if (retries && (parse_int(retries, &h->retries) < 0 || h->retries < 0))
                return error_set(
                        x->reterr, ERROR_INVALID, "--retries cannot be negative (%s)", retries);
        return 0;
}

static int apply_healthcheck(Effect *x) {
        const char *rest = x->i->rest, *command;
        _cleanup_(freep) char *text = NULL;
        ImageHealthcheck *h;
        int r;

        if (!x->config->healthcheck && !(x->config->healthcheck = new0(ImageHealthcheck, 1)))
                return -ENOMEM;
        h = x->config->healthcheck;
        h->test = strv_free(h->test);
        *h = (ImageHealthcheck) {};
        if (strcasecmp(rest, "NONE") == 0) {
                h->test = strv_new("NONE");
                r = h->test ? quote_list("HEALTHCHECK", h->test, &x->comment) : -ENOMEM;
                return r < 0 ? r : 1;
        }

        command = str_starts_nocase(rest, "CMD");
        if (!command || (*command && !strchr(" \t", *command)))
                return error_set(x->reterr, ERROR_INVALID,
                        "Unknown type \"%.*s\" in HEALTHCHECK (try CMD)",
                        (int) strcspn(rest, " \t"), rest);
        command += strspn(command, " \t");
        if (!*command)
                return error_set(x->reterr, ERROR_INVALID, "Missing command after HEALTHCHECK CMD");
        r = health_flags(x, h);
        if (r >= 0 && *command == '[') {
                _cleanup_(dockerfile_freep) Dockerfile *d = NULL;

                text = str_concat("CMD ", command);
                r = text ? dockerfile_parse(text, strlen(text), "HEALTHCHECK", &d, NULL) : -ENOMEM;
                if (r >= 0 && d->n == 1 && d->list[0].words) {
                        r = strv_set(&h->test, d->list[0].words);
                        if (r >= 0)
                                r = strv_prepend(&h->test, "CMD");
                }
        }
        if (r >= 0 && !h->test && !(h->test = strv_new("CMD-SHELL", command)))
                r = -ENOMEM;
        if (r >= 0)
                r = quote_list("HEALTHCHECK", h->test, &x->comment);
        return r < 0 ? r : 1;
}

static int apply_later(Effect *x) {
        return 0;
}

static const effect_t effects[_INSTRUCTION_KIND_MAX] = {
        [INSTRUCTION_ADD] = apply_later,
        [INSTRUCTION_ARG] = apply_arg,
        [INSTRUCTION_CMD] = apply_cmd,
        [INSTRUCTION_COPY] = apply_later,
        [INSTRUCTION_ENTRYPOINT] = apply_entrypoint,
        [INSTRUCTION_ENV] = apply_env,
        [INSTRUCTION_EXPOSE] = apply_expose,
        [INSTRUCTION_HEALTHCHECK] = apply_healthcheck,
        [INSTRUCTION_LABEL] = apply_label,
        [INSTRUCTION_MAINTAINER] = apply_maintainer,
        [INSTRUCTION_ONBUILD] = apply_onbuild,
        [INSTRUCTION_RUN] = apply_later,
        [INSTRUCTION_SHELL] = apply_shell,
        [INSTRUCTION_STOPSIGNAL] = apply_stopsignal,
        [INSTRUCTION_USER] = apply_user,
        [INSTRUCTION_VOLUME] = apply_volume,
        [INSTRUCTION_WORKDIR] = apply_workdir,
};

int build_apply(BuildState *s, const Dockerfile *d, const Instruction *i,
        const BuildArguments *args, char **ret_comment, Error *reterr) {
        Effect x = {
                .state = s,
                .config = &s->config.config,
                .file = d,
                .i = i,
                .args = args,
                .words = build_words(s, d),
                .reterr = reterr,
        };
        int r;

        assert(s);
        assert(i->kind >= 0 && effects[i->kind]);

        r = effects[i->kind](&x);
        if (r < 0) {
                free(x.comment);
                return error_is_set(reterr) ? dockerfile_error(d, i, r, reterr) : r;
        }
        *ret_comment = x.comment;
        return r;
}
