/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/sysconfig.h"

#include <augeas.h>
#include <stdlib.h>
#include <string.h>

#include "config/sysconfig-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define LENS "Envfile.lns"

static inline void aug_closep(augeas **a) {
        if (*a)
                aug_close(*a);
}

/* A handle for one reading of the file, its edit included: it goes with the Sysconfig and leaves
 * nothing stale. */
static int augeas_open(const char *lens_dir, augeas **ret, Error *reterr) {
        _cleanup_(aug_closep) augeas *a = NULL;

        /* Nothing of the caller's environment decides which lens a root service compiles. */
        (void) unsetenv("AUGEAS_LENS_LIB");
        (void) unsetenv("AUGEAS_ROOT");
        (void) unsetenv("AUGEAS_DEBUG");

        a = aug_init("/", lens_dir,
                AUG_NO_STDINC | AUG_NO_LOAD | AUG_NO_MODL_AUTOLOAD | AUG_NO_ERR_CLOSE);
        if (!a)
                return -ENOMEM;

        /* A transform makes the module known; its path matches no file. */
        if (aug_error(a) != AUG_NOERROR ||
                aug_transform(a, LENS, "/dev/null/none", /* excl= */ 0) < 0 || aug_load(a) < 0)
                return error_set(reterr, ERROR_INTERNAL,
                        "Cannot load the Augeas lens %s from %s: %s", LENS, lens_dir,
                        str_or(aug_error_details(a), aug_error_message(a)));

        *ret = TAKE_PTR(a);
        return 0;
}

static int augeas_parse(augeas *a, const char *path, const char *text, Error *reterr) {
        const char *line = NULL, *message = NULL;

        if (aug_set(a, "/raw/text", text) < 0)
                return -ENOMEM;
        if (aug_text_store(a, LENS, "/raw/text", "/cfg") >= 0)
                return 0;

        (void) aug_get(a, "/augeas/text/cfg/error/line", &line);
        (void) aug_get(a, "/augeas/text/cfg/error/message", &message);
        if (!line)
                return error_set(reterr, ERROR_INVALID, "%s cannot be read: %s", path,
                        str_or(message, "syntax error"));
        return error_set(reterr, ERROR_INVALID,
                "%s, line %s: this is no line of the form NAME=\"value\"; is a quote left open?",
                path, line);
}

static unsigned count_newlines(const char *s) {
        unsigned n = 0;

        for (; *s; s++)
                n += *s == '\n';
        return n;
}

/* The nodes are the lines in their order; only a value may span several. */
static int read_entries(Sysconfig *s, augeas *a) {
        char **paths = NULL;
        unsigned line = 1;
        int n, r = 0;

        n = aug_match(a, "/cfg/*", &paths);
        if (n < 0)
                return -ENOMEM;

        s->entries = new0(SysconfigEntry, (size_t) n + 1);
        if (!s->entries)
                r = -ENOMEM;

        for (int i = 0; i < n; i++) {
                const char *label = NULL, *value = NULL;

                if (r >= 0 && (aug_label(a, paths[i], &label) < 0 ||
                                      aug_get(a, paths[i], &value) < 0 || !label))
                        r = -EIO;
                if (r >= 0 && (label[0] != '#' || streq(label, "#other"))) {
                        SysconfigEntry *e = s->entries + s->n_entries++;

                        e->line = line;
                        r = str_copy(&e->name, label);
                        if (r >= 0)
                                r = str_copy(&e->raw, str_or_empty(value));
                }
                line += 1 + count_newlines(str_or_empty(value));
                free(paths[i]);
        }

        free(paths);
        return r;
}

/* Augeas wants a newline at the end. Gives 1 when it had to be added. */
static int terminated(const char *text, char **ret) {
        size_t n = strlen(text);
        int r;

        if (n == 0 || text[n - 1] == '\n')
                return str_printf(ret, "%s", text);
        r = str_printf(ret, "%s\n", text);
        return r < 0 ? r : 1;
}

/* s->text into the tree of s->augeas and from there into the entries. 1: a newline was added. */
static int parse(Sysconfig *s, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int r, added_newline;

        added_newline = terminated(s->text, &text);
        if (added_newline < 0)
                return added_newline;
        if (!s->augeas) {
                r = augeas_open(s->lens_dir, &s->augeas, reterr);
                if (r < 0)
                        return r;
                s->close = aug_close;
        }
        r = augeas_parse(s->augeas, s->path, text, reterr);
        if (r < 0)
                return r;

        sysconfig_free_entries(s);
        r = read_entries(s, s->augeas);
        return r < 0 ? r : added_newline;
}

int sysconfig_load(const char *path, const char *lens_dir, Sysconfig **ret, Error *reterr) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        int r;

        assert(path);
        assert(lens_dir);
        assert(ret);

        r = sysconfig_new(path, lens_dir, &s);
        if (r < 0)
                return r;

        r = sysconfig_read(path, &s->st, s->etag, &s->text, reterr);
        if (r < 0)
                return r;
        s->exists = r > 0;
        if (s->exists)
                r = parse(s, reterr);
        else
                r = str_copy(&s->text, "");
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

int sysconfig_parse(
        const char *path, const char *text, const char *lens_dir, Sysconfig **ret, Error *reterr) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        int r;

        assert(path);
        assert(text);
        assert(lens_dir);
        assert(ret);

        r = sysconfig_new(path, lens_dir, &s);
        if (r < 0)
                return r;
        if (!sysconfig_is_text(text, strlen(text)))
                return error_set(reterr, ERROR_INVALID, "%s holds a control character", path);
        r = str_copy(&s->text, text);
        if (r < 0)
                return r;
        r = parse(s, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

/* Names become part of an Augeas path, so they are ours and plain. */
static bool is_plain_name(const char *name) {
        return name[0] != 0 && name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] == 0;
}

int sysconfig_set_raw(Sysconfig *s, const char *name, const char *raw, Error *reterr) {
        _cleanup_(freep) char *node = NULL, *edited = NULL;
        const SysconfigEntry *old;
        const char *out = NULL;
        int r, added_newline;

        assert(s);
        assert(is_plain_name(name));
        assert(raw);

        added_newline = parse(s, reterr);
        if (added_newline < 0)
                return added_newline;
        old = sysconfig_find(s, name);
        if (old && streq(old->raw, raw))
                return 0;

        r = str_printf(&node, old ? "/cfg/%s[last()]" : "/cfg/%s", name);
        if (r < 0)
                return r;
        if (aug_set(s->augeas, node, raw) < 0 ||
                aug_text_retrieve(s->augeas, LENS, "/raw/text", "/cfg", "/raw/out") < 0 ||
                aug_get(s->augeas, "/raw/out", &out) != 1 || !out)
                return error_set(reterr, ERROR_INVALID, "%s: the value %s=%s cannot be written",
                        s->path, name, raw);

        r = str_copy(&edited, out);
        if (r < 0)
                return r;
        if (old && added_newline && str_ends(edited, "\n"))
                edited[strlen(edited) - 1] = 0; /* it had none before, so it has none now */

        free(s->text);
        s->text = TAKE_PTR(edited);
        s->changed = true;

        r = parse(s, reterr);
        if (r < 0)
                return r;
        old = sysconfig_find(s, name);
        if (!old || !streq(old->raw, raw))
                return error_set(reterr, ERROR_INTERNAL,
                        "%s: %s did not read back as it was written", s->path, name);
        return 1;
}
