/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a stage stands. */
#include <errno.h>
#include <string.h>

#include "engine/build/dockerfile.h"
#include "engine/build/effects.h"
#include "engine/build/plan.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

void build_state_init(BuildState *s) {
        *s = (BuildState) {};
        image_config_init(&s->config);
}

void build_state_done(BuildState *s) {
        image_config_done(&s->config);
        s->scope = strv_free(s->scope);
}

int build_state_copy(const BuildState *from, BuildState *ret) {
        int r;

        build_state_init(ret);
        r = image_config_copy(&from->config, &ret->config);
        if (r >= 0)
                r = strv_set(&ret->scope, from->scope);
        if (r < 0)
                build_state_done(ret);
        ret->cmd_is_own = from->cmd_is_own;
        return r;
}

/* What scratch is: this machine's, empty. */
static int state_name_platform(ImageConfig *c) {
        _cleanup_(strv_freep) char **platform = NULL;
        int r;

        r = build_platform_args(&platform);
        if (r < 0)
                return r;
        return str_copy(&c->os, "linux") < 0 ||
                               str_copy(&c->architecture, strv_env_get(platform, "TARGETARCH")) <
                                       0 ||
                               str_copy(&c->variant, strv_env_get(platform, "TARGETVARIANT")) < 0 ||
                               str_copy(&c->rootfs.type, "layers") < 0
                     ? -ENOMEM
                     : 0;
}

int build_state_from(const ImageConfig *base, BuildState *ret, char ***ret_triggers) {
        ImageRunConfig *c = &ret->config.config;
        int r;

        build_state_init(ret);
        r = base ? image_config_copy(base, &ret->config) : state_name_platform(&ret->config);
        if (r < 0) {
                build_state_done(ret);
                return r;
        }
        *ret_triggers = c->on_build;
        c->on_build = NULL;
        /* As Docker: who has no PATH gets one; an image of nothing does not. */
        if (base && !strv_env_get(c->env, "PATH") && strv_add(&c->env, BUILD_PATH) < 0) {
                build_state_done(ret);
                return -ENOMEM;
        }
        return 0;
}

static const char *state_value(const char *name, void *userdata) {
        const BuildState *s = userdata;

        return strv_env_get(s->config.config.env, name) ?: strv_env_get(s->scope, name);
}

Words build_words(const BuildState *s, const Dockerfile *d) {
        return (Words) { .escape = d->escape, .value = state_value, .userdata = (void *) s };
}

char *const *build_shell(const BuildState *s) {
        static const char *const shell[] = { "/bin/sh", "-c", NULL };

        return strv_empty(s->config.config.shell) ? (char *const *) shell : s->config.config.shell;
}

/* "RUN <<EOF" runs the lines, "RUN cat <<EOF" is the shell's own. */
static int run_script(const Instruction *i, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        if (str_starts(i->rest, "<<") && i->n_heredocs == 1 && !strpbrk(i->rest, " \t"))
                return str_copy(ret, i->heredocs[0].text);
        r = str_copy(&text, i->rest);
        for (size_t k = 0; r >= 0 && k < i->n_heredocs; k++)
                r = str_appendf(&text, "\n%s%s", i->heredocs[k].text, i->heredocs[k].name);
        if (r >= 0)
                *ret = TAKE_PTR(text);
        return r;
}

int build_run_command(const BuildState *s, const Instruction *i, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;
        _cleanup_(freep) char *script = NULL;
        int r = 0;

        if (i->words)
                list = strv_copy(i->words);
        else {
                list = strv_copy(build_shell(s));
                r = run_script(i, &script);
                if (r >= 0 && list)
                        r = strv_add(&list, script);
        }
        if (!list || r < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(list);
        return 0;
}

int build_run_arguments(const BuildState *s, char ***ret) {
        _cleanup_(strv_freep) char **list = strv_new(NULL);

        if (!list)
                return -ENOMEM;
        STRV_FOREACH (a, s->scope) {
                _cleanup_(freep) char *name = strndup(*a, strcspn(*a, "="));

                if (!name)
                        return -ENOMEM;
                if (strchr(*a, '=') && !strv_env_get(s->config.config.env, name) &&
                        strv_add(&list, *a) < 0)
                        return -ENOMEM;
        }
        strv_sort(list);
        *ret = TAKE_PTR(list);
        return 0;
}

int build_add_history(
        BuildState *s, const char *created_by, const char *created, bool empty_layer) {
        ImageHistory *h;

        h = reallocarray(s->config.history, s->config.n_history + 1, sizeof(*h));
        if (!h)
                return -ENOMEM;
        s->config.history = h;
        h += s->config.n_history++;
        *h = (ImageHistory) { .empty_layer = empty_layer };
        return str_copy(&h->created_by, created_by) < 0 || str_copy(&h->created, created) < 0 ||
                               str_copy(&h->author, s->config.author) < 0 ||
                               str_copy(&s->config.created, created) < 0
                     ? -ENOMEM
                     : 0;
}
