/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/copy-path.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

int copy_split_word(const char *word, char **ret_container, char **ret_path) {
        const char *colon = strchr(word, ':');
        char *container = NULL, *path = NULL;

        if (word[0] == '/' || !colon || word[0] == '.')
                colon = NULL;
        path = strdup(colon ? colon + 1 : word);
        container = colon ? strndup(word, (size_t) (colon - word)) : NULL;
        if (!path || (colon && !container)) {
                free(path);
                free(container);
                return -ENOMEM;
        }
        *ret_container = container;
        *ret_path = path;
        return 0;
}

bool copy_wants_content(const char *path) {
        return streq(path_last(path), ".");
}

bool copy_wants_folder(const char *path) {
        size_t n = strlen(path);

        return (n > 0 && path[n - 1] == '/') || copy_wants_content(path);
}

int copy_split_path(const char *path, char **ret_folder, char **ret_name) {
        _cleanup_(freep) char *clean = NULL, *folder = NULL, *name = NULL;
        char *slash;
        int r;

        r = path_normalise(path, &clean);
        if (r < 0)
                return r;
        if (copy_wants_content(path) || streq(clean, "/")) {
                folder = strdup(clean);
                name = strdup(streq(clean, "/") && !copy_wants_content(path) ? "/" : ".");
        } else {
                slash = strrchr(clean, '/');
                name = strdup(slash ? slash + 1 : clean);
                folder = !slash         ? strdup(".")
                       : slash == clean ? strdup("/")
                                        : strndup(clean, (size_t) (slash - clean));
        }
        if (!folder || !name)
                return -ENOMEM;
        *ret_folder = TAKE_PTR(folder);
        *ret_name = TAKE_PTR(name);
        return 0;
}

/* Puts "/" or "/." at the end of a clean path where the wish had it. */
static int keep_end(const char *wish, const char *clean, char **ret) {
        const char *end = "";

        if (copy_wants_content(wish) && !copy_wants_content(clean))
                end = streq(clean, "/") ? "." : "/.";
        else if (copy_wants_folder(wish) && !copy_wants_folder(clean))
                end = "/";
        *ret = str_concat(clean, end);
        return *ret ? 0 : -ENOMEM;
}

int copy_absolute(const char *path, char **ret) {
        _cleanup_(freep) char *here = NULL, *whole = NULL, *clean = NULL;
        int r;

        if (!path_is_absolute(path)) {
                here = getcwd(NULL, 0);
                if (!here)
                        return -errno;
        }
        whole = str_concat(str_or_empty(here), here ? "/" : "", path);
        r = whole ? path_normalise(whole, &clean) : -ENOMEM;
        return r < 0 ? r : keep_end(path, clean, ret);
}

int copy_follow(const char *path, const char *target, char **ret) {
        _cleanup_(freep) char *folder = NULL, *name = NULL, *whole = NULL;
        int r;

        if (path_is_absolute(target))
                return path_normalise(target, ret);
        r = copy_split_path(path, &folder, &name);
        if (r < 0)
                return r;
        whole = str_concat(folder, "/", target);
        return whole ? path_normalise(whole, ret) : -ENOMEM;
}

static int last_name(const char *path, char **ret) {
        _cleanup_(freep) char *folder = NULL, *name = NULL;
        int r;

        r = copy_split_path(path, &folder, &name);
        if (r >= 0)
                *ret = TAKE_PTR(name);
        return r;
}

int copy_rename(const char *wish, const char *resolved, char **ret_path, char **ret_name) {
        _cleanup_(freep) char *path = NULL, *old = NULL, *new = NULL;
        int r;

        r = keep_end(wish, resolved, &path);
        if (r >= 0)
                r = last_name(wish, &old);
        if (r >= 0)
                r = last_name(path, &new);
        if (r < 0)
                return r;
        *ret_path = TAKE_PTR(path);
        *ret_name = streq(old, new) ? NULL : TAKE_PTR(old);
        return 0;
}

void copy_plan_done(CopyPlan *p) {
        free(p->folder);
        free(p->base);
        free(p->name);
        *p = (CopyPlan) {};
}

/* "." and "/" are the archive's root. */
static const char *entry_name(const char *name) {
        return STR_IN_SET(name, ".", "/") ? "" : name;
}

int copy_plan(const CopySource *source, const CopyTarget *target, CopyPlan *ret, Error *reterr) {
        _cleanup_(freep) char *from_folder = NULL, *from = NULL, *to_folder = NULL, *to = NULL;
        _cleanup_(copy_plan_done) CopyPlan p = {};
        int r;

        if (target->exists && !target->is_folder && source->is_folder)
                return error_set(reterr, ERROR_INVALID, "cannot copy directory");
        if (!target->exists && !source->is_folder && copy_wants_folder(target->path))
                return error_set(reterr, ERROR_INVALID, "no such directory");

        r = copy_split_path(source->path, &from_folder, &from);
        if (r >= 0)
                r = copy_split_path(target->path, &to_folder, &to);
        if (r >= 0)
                r = str_copy(&p.base, entry_name(from));
        if (r >= 0) {
                bool into = target->exists && target->is_folder;

                r = str_copy(&p.folder, into ? target->path : to_folder);
                if (r >= 0)
                        r = str_copy(
                                &p.name, entry_name(into ? str_or(source->renamed, from) : to));
        }
        if (r < 0)
                return r;
        *ret = TAKE_STRUCT(p);
        return 0;
}
