/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/sysconfig-ask.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/settings.h"
#include "config/sysconfig-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/clock.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

#define ASK_TIMEOUT_USEC (20 * USEC_PER_SEC)
#define ASK_SIZE_MAX     ((size_t) 64 * 1024 * 1024) /* 1 MiB of lines that are all empty */

typedef struct Told Told;
typedef struct ToldEntry ToldEntry;

struct ToldEntry {
        char *name;
        char *raw; /* base64: it need not be UTF-8 */
        uint32_t line;
};

struct Told {
        bool exists;
        ToldEntry *entries;
        size_t n_entries;
        char *kind; /* of an error, else NULL */
        char *text;
};

static const JsonField told_entry_fields[] = {
        JSON_STRING("Name", ToldEntry, name, JSON_MANDATORY),
        JSON_STRING("Raw", ToldEntry, raw, JSON_MANDATORY),
        JSON_UINT32("Line", ToldEntry, line, 0),
        {},
};

static const JsonField told_fields[] = {
        JSON_BOOL("Exists", Told, exists, JSON_OMIT_EMPTY),
        JSON_ARRAY(
                "Entries", Told, entries, n_entries, ToldEntry, told_entry_fields, JSON_OMIT_EMPTY),
        JSON_STRING("Kind", Told, kind, JSON_OMIT_EMPTY),
        JSON_STRING("Text", Told, text, JSON_OMIT_EMPTY),
        {},
};

static void told_done(Told *t) {
        fields_done(told_fields, t);
}

int sysconfig_tell(const Sysconfig *s, char **ret) {
        _cleanup_(told_done) Told t = { .exists = s->exists };
        int r;

        assert(ret);

        t.entries = new0(ToldEntry, s->n_entries + 1);
        if (!t.entries)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_entries; i++) {
                const SysconfigEntry *e = s->entries + i;
                ToldEntry *o = t.entries + t.n_entries++;

                r = str_copy(&o->name, e->name);
                if (r < 0)
                        return r;
                o->raw = new0(char, BASE64_SIZE(strlen(e->raw)));
                if (!o->raw)
                        return -ENOMEM;
                base64_encode(e->raw, strlen(e->raw), o->raw);
                o->line = e->line;
        }

        return json_write_text(&t, told_fields, ret);
}

int sysconfig_tell_error(const Error *e, int r, char **ret) {
        _cleanup_(told_done) Told t = {};
        ErrorKind kind = error_is_set(e) ? e->kind : error_kind_from_errno(r);
        int k;

        assert(ret);

        k = str_copy(&t.kind, error_kind_to_string(kind));
        if (k < 0)
                return k;
        k = str_copy(&t.text, error_text(e, r));
        if (k < 0)
                return k;

        return json_write_text(&t, told_fields, ret);
}

static int take_entries(const Told *t, Sysconfig *s) {
        int r;

        s->entries = new0(SysconfigEntry, t->n_entries + 1);
        if (!s->entries)
                return -ENOMEM;
        for (size_t i = 0; i < t->n_entries; i++) {
                SysconfigEntry *e = s->entries + s->n_entries++;
                _cleanup_(freep) char *raw = NULL;
                size_t size;

                r = str_copy(&e->name, t->entries[i].name);
                if (r < 0)
                        return r;
                r = base64_decode(t->entries[i].raw, &raw, &size);
                if (r < 0)
                        return r;
                e->raw = strndup(raw, size);
                if (!e->raw)
                        return -ENOMEM;
                e->line = t->entries[i].line;
        }

        s->exists = t->exists;
        return 0;
}

static int take_answer(
        const char *program, int code, const char *text, Sysconfig *s, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(told_done) Told t = {};
        ErrorKind kind;
        int r;

        r = json_parse(text, strlen(text), ASK_SIZE_MAX, &v, NULL);
        if (r >= 0)
                r = json_read(v, told_fields, &t, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || (code != 0 && str_empty(t.text)))
                return error_set(reterr, ERROR_INTERNAL,
                        "%s did not say what is in %s (it ended with %d)", program, s->path, code);
        if (!str_empty(t.text)) {
                kind = error_kind_from_string(str_or_empty(t.kind));
                return error_set(reterr, kind < 0 ? ERROR_INTERNAL : kind, "%s", t.text);
        }

        return take_entries(&t, s);
}

int sysconfig_ask(const Settings *s, Sysconfig **ret, Error *reterr) {
        _cleanup_(sysconfig_freep) Sysconfig *file = NULL;
        _cleanup_(freep) char *output = NULL;
        const ProcessFd standard_error = { STDERR_FILENO, STDERR_FILENO };
        int code, r;

        assert(s);
        assert(ret);

        r = sysconfig_new(s->sysconfig_file, s->lens_dir, &file);
        if (r < 0)
                return r;
        if (access(s->sysconfig_file, F_OK) < 0 && errno == ENOENT) {
                *ret = TAKE_PTR(file);
                return 0;
        }

        code = process_run(
                &(const ProcessSpec) {
                        .path = s->configd,
                        .argv = (char *[]) { s->configd, (char *) "--tell",
                                (char *) "--sysconfig-file", s->sysconfig_file,
                                (char *) "--lens-dir", s->lens_dir, NULL },
                        .fds = &standard_error,
                        .n_fds = 1,
                        .keep_dir = true,
                },
                ASK_TIMEOUT_USEC, ASK_SIZE_MAX, &output);
        if (code < 0)
                return error_set_errno(
                        reterr, code, "Cannot read %s: %s", s->sysconfig_file, s->configd);
        r = take_answer(s->configd, code, output, file, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(file);
        return 0;
}
