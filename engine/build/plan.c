/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/build/plan.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "engine/build/arguments.h"
#include "engine/build/dockerfile.h"
#include "engine/build/words.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

BuildPlan *build_plan_free(BuildPlan *p) {
        if (!p)
                return NULL;
        for (size_t k = 0; k < p->n_stages; k++) {
                free(p->stages[k].name);
                free(p->stages[k].base);
                free(p->stages[k].platform);
        }
        free(p->stages);
        strv_free(p->meta_args);
        strv_free(p->asked);
        return mfree(p);
}

int build_platform_args(char ***ret) {
        static const struct {
                const char *machine, *architecture, *variant;
        } known[] = {
                { "x86_64", "amd64", "" },
                { "aarch64", "arm64", "" },
                { "armv7l", "arm", "v7" },
                { "i686", "386", "" },
        };
        static const char *const which[] = { "BUILD", "TARGET" };
        const char *architecture, *variant = "";
        struct utsname u;

        if (uname(&u) < 0)
                return -errno;
        architecture = u.machine;
        for (size_t k = 0; k < ARRAY_SIZE(known); k++)
                if (streq(u.machine, known[k].machine)) {
                        architecture = known[k].architecture;
                        variant = known[k].variant;
                }
        for (size_t k = 0; k < ARRAY_SIZE(which); k++)
                if (strv_addf(ret, "%sPLATFORM=linux/%s%s%s", which[k], architecture,
                            *variant ? "/" : "", variant) < 0 ||
                        strv_addf(ret, "%sOS=linux", which[k]) < 0 ||
                        strv_addf(ret, "%sARCH=%s", which[k], architecture) < 0 ||
                        strv_addf(ret, "%sVARIANT=%s", which[k], variant) < 0)
                        return -ENOMEM;
        return 0;
}

static const char *meta_value(const char *name, void *userdata) {
        const BuildPlan *p = userdata;

        return strv_env_get(p->meta_args, name);
}

static bool stage_name_is_valid(const char *s) {
        if (!islower((unsigned char) *s))
                return false;
        while (islower((unsigned char) *s) || isdigit((unsigned char) *s) ||
                (*s && strchr("-_.", *s)))
                s++;
        return !*s;
}

int build_plan_find_stage(const BuildPlan *p, const char *name, size_t limit) {
        unsigned number;

        for (size_t k = MIN(limit, p->n_stages); k > 0; k--) /* the nearest before */
                if (p->stages[k - 1].name && strcasecmp(p->stages[k - 1].name, name) == 0)
                        return (int) k - 1;
        if (parse_unsigned(name, &number) >= 0 && number < MIN(limit, p->n_stages))
                return (int) number;
        return BUILD_NO_STAGE;
}

static int plan_add_stage(BuildPlan *p, const Dockerfile *d, const Instruction *i, Error *reterr) {
        const Words words = { .escape = d->escape, .value = meta_value, .userdata = p };
        const char *platform = instruction_flag(i, "platform");
        _cleanup_(strv_freep) char **raw = NULL;
        BuildStage *s;
        int r;

        r = words_split_raw(d->escape, i->rest, &raw);
        if (r < 0)
                return r;
        s = p->stages + p->n_stages++;
        *s = (BuildStage) { .from = i, .list = i + 1 };
        r = words_expand(&words, raw[0], &s->base, reterr);
        if (r >= 0 && platform)
                r = words_expand(&words, platform, &s->platform, reterr);
        if (r >= 0 && raw[1]) {
                r = str_copy(&s->name, raw[2]);
                if (r >= 0) {
                        str_lower(s->name);
                        if (!stage_name_is_valid(s->name))
                                return error_set(reterr, ERROR_INVALID,
                                        "invalid name for build stage: \"%s\", name can't start "
                                        "with a number or contain symbols",
                                        raw[2]);
                }
        }
        if (r < 0)
                return r;
        if (str_empty(s->base))
                return error_set(
                        reterr, ERROR_INVALID, "base name (%s) should not be blank", raw[0]);
        s->base_stage = build_plan_find_stage(p, s->base, p->n_stages - 1);
        if (s->base_stage >= 0 && (!p->stages[s->base_stage].name ||
                                          strcasecmp(p->stages[s->base_stage].name, s->base) != 0))
                s->base_stage = BUILD_NO_STAGE; /* a number is an image here */
        return 0;
}

static int plan_read(BuildPlan *p, const Dockerfile *d, char *const *args, Error *reterr) {
        size_t n_from = 0;
        int r = 0;

        for (size_t k = 0; k < d->n; k++)
                n_from += d->list[k].kind == INSTRUCTION_FROM;
        p->stages = new0(BuildStage, n_from + 1);
        if (!p->stages)
                return -ENOMEM;

        for (size_t k = 0; r >= 0 && k < d->n; k++) {
                const Instruction *i = d->list + k;

                if (i->kind == INSTRUCTION_FROM)
                        r = plan_add_stage(p, d, i, reterr);
                else if (p->n_stages > 0)
                        p->stages[p->n_stages - 1].n++;
                else if (i->kind == INSTRUCTION_ARG) {
                        const Words words = {
                                .escape = d->escape, .value = meta_value, .userdata = p
                        };

                        r = arguments_declare(&words, i->rest, args, NULL, &p->meta_args, &p->asked,
                                NULL, reterr);
                } else
                        r = error_set(reterr, ERROR_INVALID, "no build stage in current context");
                if (error_is_set(reterr))
                        return dockerfile_error(d, i, r, reterr);
        }
        if (r >= 0 && p->n_stages == 0)
                return error_set(reterr, ERROR_INVALID, "no build stage in current context");
        return r;
}

/* Marks the stage and what it is made of. A stage leads only to those before it. */
static void plan_mark(BuildPlan *p) {
        for (size_t k = p->target + 1; k > 0; k--) {
                BuildStage *s = p->stages + k - 1;

                if (!s->needed)
                        continue;
                if (s->base_stage >= 0)
                        p->stages[s->base_stage].needed = true;
                for (size_t i = 0; i < s->n; i++) {
                        const Instruction *x = s->list + i;

                        for (char **f = x->flags; f && *f; f += 2) {
                                const char *from = streq(*f, "from") ? f[1] : NULL;
                                _cleanup_(freep) char *word = NULL;
                                int other;

                                if (streq(*f, "mount") && (from = strstr(f[1], "from=")))
                                        word = strndup(from + 5, strcspn(from + 5, ","));
                                other = from ? build_plan_find_stage(p, word ?: from, k - 1)
                                             : BUILD_NO_STAGE;
                                if (other >= 0)
                                        p->stages[other].needed = true;
                        }
                }
        }
}

int build_plan_new(const Dockerfile *d, char *const *args, const char *target, BuildPlan **ret,
        Error *reterr) {
        _cleanup_(build_plan_freep) BuildPlan *p = new0(BuildPlan, 1);
        int r;

        assert(d);
        assert(ret);

        if (!p)
                return -ENOMEM;
        r = build_platform_args(&p->meta_args);
        if (r >= 0)
                r = plan_read(p, d, args, reterr);
        if (r < 0)
                return r;

        p->target = p->n_stages - 1;
        if (!str_empty(target)) {
                int found = build_plan_find_stage(p, target, p->n_stages);

                if (found < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "target stage \"%s\" could not be found", target);
                p->target = (size_t) found;
        }
        p->stages[p->target].needed = true;
        plan_mark(p);

        *ret = TAKE_PTR(p);
        return 0;
}
