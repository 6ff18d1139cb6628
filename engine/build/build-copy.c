/* SPDX-License-Identifier: GPL-2.0-or-later */
/* COPY, ADD and WORKDIR: a worker first says what would be copied, and if that is not there already another one copies it. */
#include <errno.h>
#include <string.h>

#include "engine/build/build.h"
#include "engine/image/image-build.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

struct BuildCopyWish {
        char *context;
        char *source_layer;
        char **sources;
        char **exclude;
        char **files; /* pairs */
        char *target;
        char *chown;
        char *chmod;
        bool unpack, parents;
};

BuildCopyWish *build_copy_free(BuildCopyWish *w) {
        if (!w)
                return NULL;
        free(w->context);
        free(w->source_layer);
        free(w->target);
        free(w->chown);
        free(w->chmod);
        strv_free(w->sources);
        strv_free(w->exclude);
        strv_free(w->files);
        return mfree(w);
}

static TaskSpec wish_task(const BuildCopyWish *w, int kind) {
        return (TaskSpec) {
                .kind = kind,
                .context = w->context,
                .source_layer = w->source_layer,
                .sources = w->sources,
                .exclude = w->exclude,
                .files = w->files,
                .path = w->target,
                .user = w->chown,
                .chmod = w->chmod,
                .unpack = w->unpack,
                .parents = w->parents,
                .quiet = true,
        };
}

/* ---- what is wished ---- */

static int expand(Build *b, const char *text, char **ret, Error *reterr) {
        const Words words = build_words(&b->state, b->step_file);

        return words_expand(&words, text, ret, reterr);
}

static int wish_flag(Build *b, const char *name, char **ret, Error *reterr) {
        const char *value = instruction_flag(b->step_i, name);

        return value ? expand(b, value, ret, reterr) : 0;
}

static bool is_remote(const char *source) {
        return str_starts(source, "http://") || str_starts(source, "https://") ||
               str_starts(source, "git@") || str_starts(source, "git://") ||
               str_starts(source, "ssh://");
}

static int wish_heredoc(Build *b, BuildCopyWish *w, size_t k, Error *reterr) {
        const Heredoc *h = b->step_i->heredocs + k;
        _cleanup_(freep) char *text = NULL;
        int r;

        if (h->expand) {
                Words words = build_words(&b->state, b->step_file);

                words.keep_quotes = true;
                r = words_expand(&words, h->text, &text, reterr);
        } else
                r = str_copy(&text, h->text);
        if (r >= 0 && strchr(h->name, '/'))
                r = error_set(
                        reterr, ERROR_INVALID, "a heredoc's name is a file name: %s", h->name);
        return r < 0 ? r : pairs_set(&w->files, h->name, text);
}

/* Relative ones go below the working directory; a slash at the end means a folder. */
static int wish_target(Build *b, BuildCopyWish *w, const char *target) {
        _cleanup_(freep) char *joined = NULL, *clean = NULL;
        size_t n = strlen(target);
        bool folder = n == 0 || target[n - 1] == '/' || streq(path_last(target), ".") ||
                      streq(path_last(target), "..");
        int r;

        joined = path_is_absolute(target)
                       ? strdup(target)
                       : str_concat("/", str_or_empty(b->state.config.config.working_dir), "/",
                                 target);
        r = joined ? path_normalise(joined, &clean) : -ENOMEM;
        return r < 0 ? r
                     : str_printf(
                               &w->target, "%s%s", clean, folder && !streq(clean, "/") ? "/" : "");
}

static int wish_words(Build *b, BuildCopyWish *w, Error *reterr) {
        const Words words = build_words(&b->state, b->step_file);
        const Instruction *i = b->step_i;
        _cleanup_(strv_freep) char **list = NULL;
        size_t n, n_files = 0;
        int r = 0;

        if (i->words)
                STRV_FOREACH (x, i->words) {
                        char *word = NULL;

                        if (r >= 0)
                                r = words_expand(&words, *x, &word, reterr);
                        if (r >= 0)
                                r = strv_take(&list, word);
                }
        else
                r = words_split(&words, i->rest, &list, reterr);
        n = strv_length(list);
        if (r >= 0 && n < 2)
                r = error_set(reterr, ERROR_INVALID, "%s requires at least two arguments",
                        instruction_kind_to_string(i->kind));
        for (size_t k = 0; r >= 0 && k < n - 1; k++)
                if (n_files < i->n_heredocs && str_starts(list[k], "<<"))
                        r = wish_heredoc(b, w, n_files++, reterr);
                else if (w->unpack && is_remote(list[k]))
                        r = error_set(reterr, ERROR_NOT_IMPLEMENTED,
                                "ADD of %s: fetching is not implemented", list[k]);
                else
                        r = strv_add(&w->sources, list[k]);
        if (r >= 0 && w->parents && !strv_empty(w->files))
                r = error_set(reterr, ERROR_INVALID, "--parents cannot be used with a heredoc");
        return r < 0 ? r : wish_target(b, w, list[n - 1]);
}

/* --from: a stage before this one, or an image. */
static int wish_from(Build *b, BuildCopyWish *w, Error *reterr) {
        const char *from = instruction_flag(b->step_i, "from"), *id = NULL;
        _cleanup_(freep) char *name = NULL;
        Image *i = NULL;
        int r, stage;

        if (!from)
                return str_printf(&w->context, "build-%s", b->id);
        r = expand(b, from, &name, reterr);
        if (r < 0)
                return r;
        stage = build_plan_find_stage(b->plan, name, b->stage);
        if (stage >= 0) {
                if (!b->results[stage].there)
                        return error_set(reterr, ERROR_INVALID,
                                "--from=%s: a stage that only a variable names is not built; write "
                                "its name",
                                from);
                id = b->results[stage].image;
                i = id ? images_get(b->set->images, id) : NULL;
        } else {
                r = images_find(b->set->images, name, &i, NULL);
                if (r < 0)
                        return error_set(reterr, ERROR_NOT_FOUND,
                                "invalid from flag value %s: No such image: %s", from, name);
        }
        if (!i || !image_top_layer(i))
                return error_set(reterr, ERROR_NOT_FOUND, "--from=%s: it has no files", from);
        return str_copy(&w->source_layer, image_top_layer(i));
}

static int wish_excludes(Build *b, BuildCopyWish *w, Error *reterr) {
        for (char **f = b->step_i->flags; f && *f; f += 2) {
                char *word = NULL;
                int r;

                if (!streq(*f, "exclude"))
                        continue;
                r = expand(b, f[1], &word, reterr);
                if (r >= 0)
                        r = strv_take(&w->exclude, word);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int wish_read(Build *b, BuildCopyWish *w, Error *reterr) {
        int r;

        if (instruction_flag(b->step_i, "checksum") || instruction_flag(b->step_i, "keep-git-dir"))
                return error_set(reterr, ERROR_INVALID,
                        "--%s is for remote sources only, which are not implemented",
                        instruction_flag(b->step_i, "checksum") ? "checksum" : "keep-git-dir");
        w->unpack = b->step_i->kind == INSTRUCTION_ADD;
        w->parents = str_equal(instruction_flag(b->step_i, "parents"), "true");
        r = wish_words(b, w, reterr);
        if (str_equal(instruction_flag(b->step_i, "unpack"), "false"))
                w->unpack = false;
        if (r >= 0)
                r = wish_from(b, w, reterr);
        if (r >= 0)
                r = wish_flag(b, "chown", &w->chown, reterr);
        if (r >= 0)
                r = wish_flag(b, "chmod", &w->chmod, reterr);
        return r < 0 ? r : wish_excludes(b, w, reterr);
}

/* ---- doing it ---- */

static void on_copied(Build *b, const char *line) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = build_take_image(b, line, &e);
        if (r < 0)
                build_fail(b, r, &e);
        else
                build_proceed(b);
}

static int start_copy(Build *b, Error *reterr) {
        TaskSpec task = wish_task(b->copy, TASK_BUILD_COPY);
        const Image *base = b->image ? images_get(b->set->images, b->image) : NULL;
        char id[IDENT_SIZE];
        Job *j = NULL;
        int r;

        if (b->image && !base)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "image %s was removed while the build used it", b->image);
        task.layer_id = ident_random(id);
        task.layer_parent = base ? (char *) image_top_layer(base) : NULL;
        r = build_keep(b, &task);
        if (r >= 0)
                r = images_start_step(b->set->images, &task, b->key, &j, reterr);
        free(task.config);
        return r < 0 ? r : build_wait_task(b, j, on_copied);
}

/* 0 or negative; what is there already is taken. */
static int copy_or_take(Build *b, char *const *parts, Error *reterr) {
        int r;

        r = build_make_key(b, "copy", parts);
        if (r >= 0)
                r = build_take_cached(b, reterr);
        if (r > 0) {
                build_proceed(b);
                return 0;
        }
        return r < 0 ? r : start_copy(b, reterr);
}

static int nop(Build *b, const char *comment) {
        _cleanup_(freep) char *shell = strv_join(build_shell(&b->state), " ");

        return shell ? str_printf(&b->created_by, "%s #(nop) %s", shell, comment) : -ENOMEM;
}

/* digest: what the sources are. */
static void on_digest(Build *b, const char *digest) {
        _cleanup_(freep) char *comment = NULL, *exclude = NULL;
        _cleanup_(error_done) Error e = {};
        const BuildCopyWish *w = b->copy;
        int r;

        r = str_printf(&comment, "%s %s in %s ", instruction_kind_to_string(b->step_i->kind),
                digest, w->target);
        if (r >= 0)
                r = nop(b, comment);
        if (r >= 0)
                r = str_printf(&exclude, "%d%d", w->unpack, w->parents);
        if (r >= 0)
                r = copy_or_take(b,
                        (char *[]) { comment, (char *) str_or_empty(w->chown),
                                (char *) str_or_empty(w->chmod), exclude, NULL },
                        &e);
        if (r < 0)
                build_fail(b, r, &e);
}

static int new_wish(Build *b) {
        b->copy = build_copy_free(b->copy);
        b->copy = new0(BuildCopyWish, 1);
        return b->copy ? 0 : -ENOMEM;
}

int build_do_copy(Build *b, Error *reterr) {
        TaskSpec task;
        Job *j = NULL;
        int r;

        r = new_wish(b);
        if (r >= 0)
                r = wish_read(b, b->copy, reterr);
        if (r < 0)
                return error_is_set(reterr) ? dockerfile_error(b->step_file, b->step_i, r, reterr)
                                            : r;
        task = wish_task(b->copy, TASK_BUILD_DIGEST);
        r = images_start_build_task(b->set->images, &task, -EBADF, &j, reterr);
        return r < 0 ? r : build_wait_task(b, j, on_digest);
}

int build_do_workdir(Build *b, const char *comment, Error *reterr) {
        _cleanup_(freep) char *spaced = str_concat(" ", comment);
        int r;

        r = new_wish(b);
        if (r >= 0)
                r = str_printf(&b->copy->target, "%s/", b->state.config.config.working_dir);
        if (r >= 0)
                r = spaced ? nop(b, spaced) : -ENOMEM;
        return r < 0 ? r : copy_or_take(b, (char *[]) { (char *) comment, NULL }, reterr);
}
