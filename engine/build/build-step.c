/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One step: what it is made of, whether that is there already, and what becomes of its result. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/build/build.h"
#include "engine/image/image-build.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define KEY_VERSION "1" /* of what is hashed below */

int build_unknown(const Build *b, Error *reterr, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;
        return error_set(reterr, ERROR_NOT_IMPLEMENTED, "%s:%u:%u: %s %s", b->step_file->name,
                b->step_i->line, b->step_i->column, instruction_kind_to_string(b->step_i->kind),
                text);
}

int build_config_text(const BuildState *s, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_write(&s->config.config, image_run_config_fields, &v);
        return r < 0 ? r : json_print(v, JSON_COMPACT, ret);
}

static void hash_part(Digest *d, const char *s) {
        char size[24];

        (void) snprintf(size, sizeof(size), "%zu:", strlen(s));
        digest_update(d, size, strlen(size));
        digest_update(d, s, strlen(s));
}

int build_make_key(Build *b, const char *kind, char *const *parts) {
        _cleanup_(digest_freep) Digest *d = NULL;
        char text[DIGEST_TEXT_SIZE];
        int r;

        r = digest_new(DIGEST_SHA256, &d);
        if (r < 0)
                return r;
        hash_part(d, KEY_VERSION);
        hash_part(d, str_or_empty(b->image));
        hash_part(d, kind);
        STRV_FOREACH (p, parts)
                hash_part(d, *p);
        return str_copy(&b->key, digest_hex(digest_text(d, text)));
}

int build_take_image(Build *b, const char *id, Error *reterr) {
        const Image *i = images_get(b->set->images, id);
        int r;

        if (!i)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "image %s was removed while the build used it", id);
        image_config_done(&b->state.config);
        image_config_init(&b->state.config);
        r = image_config_copy(&i->config, &b->state.config);
        if (r >= 0)
                r = str_copy(&b->image, id);
        if (r >= 0)
                build_say_image(b);
        return r;
}

int build_take_cached(Build *b, Error *reterr) {
        const Image *i = b->o.no_cache ? NULL : images_find_step(b->set->images, b->key);
        int r;

        if (!i)
                return 0;
        build_say(b, " ---> Using cache\n");
        r = build_take_image(b, i->id, reterr);
        return r < 0 ? r : 1;
}

int build_keep(Build *b, TaskSpec *task) {
        int r = build_config_text(&b->state, &task->config);

        task->image = b->image;
        task->name = b->created_by;
        task->author = b->state.config.author;
        task->no_empty_layer = true;
        task->quiet = true;
        return r;
}

/* ---- steps that change no file ---- */

static int make_config_step(Build *b, const char *comment, Error *reterr) {
        _cleanup_(freep) char *created_by = NULL, *config = NULL, *shell = NULL;
        char now[CLOCK_TEXT_SIZE];
        Image *i;
        int r;

        r = build_config_text(&b->state, &config);
        if (r >= 0)
                r = build_make_key(b, "config",
                        (char *[]) { (char *) comment, config,
                                (char *) str_or_empty(b->state.config.author), NULL });
        if (r >= 0)
                r = build_take_cached(b, reterr);
        if (r != 0)
                return r;

        shell = strv_join(build_shell(&b->state), " ");
        if (!shell || str_printf(&created_by, "%s #(nop)  %s", shell, comment) < 0)
                return -ENOMEM;
        (void) clock_format(clock_realtime_ns(), now);
        r = build_add_history(&b->state, created_by, now, /* empty_layer= */ true);
        if (r >= 0)
                r = images_make_step(
                        b->set->images, b->image, &b->state.config, b->key, &i, reterr);
        return r < 0 ? r : build_take_image(b, i->id, reterr);
}

int build_do_labels(Build *b, Error *reterr) {
        _cleanup_(freep) char *comment = strdup("LABEL");
        const char *key, *value;
        int r = comment ? 0 : -ENOMEM;

        PAIRS_FOREACH(key, value, b->o.labels) {
                if (r >= 0)
                        r = str_appendf(&comment, " %s=%s", key, value);
                if (r >= 0)
                        r = pairs_set(&b->state.config.config.labels, key, value);
        }
        if (r < 0)
                return r;
        build_say(b, "Step %u/%u : %s\n", ++b->step, b->n_steps, comment);
        r = make_config_step(b, comment, reterr);
        if (r >= 0)
                build_proceed(b);
        return r < 0 ? r : 0;
}

int build_do_step(Build *b, const Dockerfile *d, const Instruction *i, Error *reterr) {
        const BuildArguments args = { b->o.args, b->plan->meta_args, &b->asked };
        _cleanup_(freep) char *comment = NULL;
        int r;

        b->step_file = d;
        b->step_i = i;
        r = build_apply(&b->state, d, i, &args, &comment, reterr);
        if (r < 0)
                return r;
        if (r > 0) {
                r = make_config_step(b, comment, reterr);
                if (r >= 0)
                        build_proceed(b);
                return r < 0 ? r : 0;
        }

        switch (i->kind) {
        case INSTRUCTION_RUN:
                return build_do_run(b, reterr);
        case INSTRUCTION_WORKDIR:
                return build_do_workdir(b, comment, reterr);
        default:
                return build_do_copy(b, reterr);
        }
}

/* ---- FROM ---- */

static int read_triggers(Build *b, char *const *triggers, Error *reterr) {
        size_t n = strv_length(triggers);

        b->triggers = new0(Dockerfile *, n + 1);
        if (!b->triggers)
                return -ENOMEM;
        STRV_FOREACH (t, triggers) {
                int r = dockerfile_parse_trigger(*t, b->triggers + b->n_triggers, reterr);

                if (r < 0)
                        return r;
                b->n_triggers++;
        }
        return 0;
}

static int from_image(Build *b, const BuildStage *s, const Image **ret, Error *reterr) {
        const char *platform = s->platform ?: b->o.platform;
        _cleanup_(error_done) Error e = {};
        Image *i;
        int r;

        r = images_find(b->set->images, s->base, &i, &e);
        if (r < 0 && e.kind == ERROR_NOT_FOUND) {
                b->step_i = s->from;
                return build_unknown(b, reterr,
                        "%s: there is no such image here, and a build does not pull yet", s->base);
        }
        if (r < 0) {
                error_move(reterr, &e);
                return r;
        }
        if (!str_empty(platform)) {
                _cleanup_(freep) char *own = NULL;

                if (str_printf(&own, "%s/%s", str_or_empty(i->config.os),
                            str_or_empty(i->config.architecture)) < 0)
                        return -ENOMEM;
                if (!str_starts(platform, own) && !streq(platform, str_or_empty(i->config.os)))
                        return error_set(reterr, ERROR_NOT_FOUND,
                                "image with reference %s was found but does not provide the "
                                "specified platform (%s)",
                                s->base, platform);
        }
        *ret = i;
        return 0;
}

int build_do_from(Build *b, const BuildStage *s, Error *reterr) {
        _cleanup_(strv_freep) char **triggers = NULL;
        const Image *i = NULL;
        int r;

        b->step_file = b->file;
        b->step_i = s->from;
        b->image = mfree(b->image);
        build_state_done(&b->state);
        build_state_init(&b->state);

        if (s->base_stage >= 0) {
                const BuildResult *x = b->results + s->base_stage;

                r = str_copy(&b->image, x->image);
                if (r >= 0)
                        r = build_state_from(&x->state.config, &b->state, &triggers);
        } else if (streq(s->base, "scratch"))
                r = build_state_from(NULL, &b->state, &triggers);
        else {
                r = from_image(b, s, &i, reterr);
                if (r >= 0)
                        r = str_copy(&b->image, i->id);
                if (r >= 0)
                        r = build_state_from(&i->config, &b->state, &triggers);
        }
        if (r >= 0)
                r = read_triggers(b, triggers, reterr);
        if (r < 0)
                return r;
        build_say_image(b);
        build_proceed(b);
        return 0;
}
