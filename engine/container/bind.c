/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/bind.h"

#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define BIND_SIZE_MAX 8192U

void bind_done(Bind *b) {
        free(b->source);
        free(b->target);
        free(b->mode);
        free(b->propagation);
        *b = (Bind) {};
}

bool bind_propagation_is_valid(const char *word) {
        return STR_IN_SET(word, "private", "rprivate", "shared", "rshared", "slave", "rslave");
}

int bind_check_target(const char *path, Error *reterr) {
        _cleanup_(freep) char *normal = NULL;
        int r;

        if (str_empty(path) || !path_is_absolute(path))
                return error_set(reterr, ERROR_INVALID,
                        "invalid mount path: '%s' mount path must be absolute", str_or_empty(path));
        if (str_has_control(path) || strlen(path) > BIND_SIZE_MAX)
                return error_set(reterr, ERROR_INVALID, "invalid mount path: '%s'", path);
        r = path_normalise(path, &normal);
        if (r < 0)
                return r;
        if (streq(normal, "/"))
                return error_set(
                        reterr, ERROR_INVALID, "invalid specification: destination can't be '/'");
        return 0;
}

/* rw ro, one propagation; labels, copying and the consistency words of other systems mean nothing here. */
static int read_mode(Bind *b, const char *text, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        bool access = false;
        int r;

        r = strv_split(b->mode, ",", /* keep_empty= */ true, &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                if (STR_IN_SET(*word, "rw", "ro")) {
                        if (access)
                                goto invalid;
                        access = true;
                        b->read_only = streq(*word, "ro");
                } else if (bind_propagation_is_valid(*word)) {
                        if (b->propagation)
                                goto invalid;
                        r = str_copy(&b->propagation, *word);
                        if (r < 0)
                                return r;
                } else if (streq(*word, "nocopy") && b->is_volume)
                        b->no_copy = true;
                else if (!STR_IN_SET(*word, "z", "Z", "consistent", "cached", "delegated", ""))
                        goto invalid;
        }
        return b->propagation ? 0 : str_copy(&b->propagation, "rprivate");

invalid:
        return error_set(reterr, ERROR_INVALID, "invalid mode: %s", b->mode);
}

int bind_parse(const char *text, Bind *ret, Error *reterr) {
        _cleanup_(strv_freep) char **parts = NULL;
        _cleanup_(bind_done) Bind b = {};
        size_t n;
        int r;

        assert(text);
        assert(ret);

        if (strlen(text) > BIND_SIZE_MAX)
                return error_set(reterr, ERROR_INVALID, "invalid volume specification: too long");
        r = strv_split(text, ":", /* keep_empty= */ true, &parts);
        if (r < 0)
                return r;
        n = strv_length(parts);
        if (n < 2 || n > 3 || !parts[0][0] || !parts[1][0] || str_has_control(text))
                return error_set(reterr, ERROR_INVALID, "invalid volume specification: '%s'", text);

        r = bind_check_target(parts[1], reterr);
        if (r < 0)
                return r;
        r = path_normalise(parts[1], &b.target);
        if (r < 0)
                return r;
        b.is_volume = !path_is_absolute(parts[0]);
        if (b.is_volume) {
                if (!ident_is_name(parts[0]))
                        return error_set(reterr, ERROR_INVALID,
                                "create %s: \"%s\" includes invalid characters for a local volume "
                                "name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you "
                                "intended to pass a host directory, use absolute path",
                                parts[0], parts[0]);
                r = str_copy(&b.source, parts[0]);
        } else
                r = path_normalise(parts[0], &b.source);
        if (r < 0)
                return r;
        r = str_copy(&b.mode, n == 3 ? parts[2] : "");
        if (r < 0)
                return r;
        r = read_mode(&b, text, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(b);
        return 0;
}
