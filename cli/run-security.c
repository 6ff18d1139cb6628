/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --security-opt, --cap-add and --cap-drop as docker completes them. */
#include <string.h>

#include "cli/run-values.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define PROFILE_MAX (4U * 1024 * 1024)

/* JSON without the white space between its words. */
static int compact_profile(const char *path, char **ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;
        bool quoted = false;
        size_t size;
        char *to;
        int r;

        r = file_read(path, PROFILE_MAX, &text, &size);
        if (r < 0)
                return error_set(reterr, error_kind_from_errno(r),
                        "opening seccomp profile (%s) failed: open %s: %s", path, path,
                        r == -ENOENT ? "no such file or directory" : strerror(-r));
        r = json_parse(text, size, PROFILE_MAX, &v, &e);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID,
                        "compacting json for seccomp profile (%s) failed: %s", path,
                        error_text(&e, r));

        to = text;
        for (const char *p = text; *p; p++) {
                if (!quoted && strchr(" \t\r\n", *p))
                        continue;
                if (quoted && *p == '\\' && p[1])
                        *to++ = *p++;
                else if (*p == '"')
                        quoted = !quoted;
                *to++ = *p;
        }
        *to = '\0';
        *ret = TAKE_PTR(text);
        return 0;
}

static int security_word(char **word, Error *reterr) {
        size_t n = strcspn(*word, "=");
        _cleanup_(freep) char *text = NULL, *whole = NULL;
        int r;

        if (streq(*word, "systempaths=unconfined"))
                return 1;
        if (!(*word)[n] && !streq(*word, "no-new-privileges"))
                n = strcspn(*word, ":");
        if (n == STRLEN("no-new-privileges") && str_starts(*word, "no-new-privileges"))
                return 0;
        if (!(*word)[n] || !(*word)[n + 1])
                return str_starts(*word, "no-new-privileges:")
                             ? 0
                             : error_set(reterr, ERROR_INVALID, "Invalid --security-opt: \"%s\"",
                                       *word);
        if (n != STRLEN("seccomp") || !str_starts(*word, "seccomp") ||
                STR_IN_SET(*word + n + 1, "unconfined", "builtin"))
                return 0;

        r = compact_profile(*word + n + 1, &text, reterr);
        if (r < 0)
                return r;
        whole = str_concat("seccomp=", text);
        if (!whole)
                return -ENOMEM;
        free(*word);
        *word = TAKE_PTR(whole);
        return 0;
}

/* A profile is sent, not its name; systempaths=unconfined empties two lists instead. */
int run_set_security(HostConfig *h, Error *reterr) {
        char **to = h->security_opt;
        bool open = false;

        STRV_FOREACH (word, h->security_opt) {
                int r = security_word(word, reterr);

                if (r < 0)
                        return r;
                if (r > 0) {
                        open = true;
                        *word = mfree(*word);
                        *word = (char *) ""; /* not NULL: the walk goes on */
                }
        }
        if (!open)
                return 0;

        for (char **word = h->security_opt; *word; word++)
                if (**word)
                        *to++ = *word;
        *to = NULL;
        h->masked_paths = new0(char *, 1);
        h->readonly_paths = new0(char *, 1);
        return h->masked_paths && h->readonly_paths ? 0 : -ENOMEM;
}

static int upper_capability(char **word) {
        _cleanup_(freep) char *whole = NULL;

        for (char *p = *word; *p; p++)
                if (*p >= 'a' && *p <= 'z')
                        *p = (char) (*p - 'a' + 'A');
        if (streq(*word, "ALL") || streq(*word, "RESET") || str_starts(*word, "CAP_"))
                return 0;
        whole = str_concat("CAP_", *word);
        if (!whole)
                return -ENOMEM;
        free(*word);
        *word = TAKE_PTR(whole);
        return 0;
}

static int normalise_capabilities(char ***list) {
        int r = 0;

        STRV_FOREACH (word, *list)
                if (r >= 0)
                        r = upper_capability(word);
        if (r >= 0 && strv_contains(*list, "ALL"))
                return strv_set(list, (char *const[]) { (char *) "ALL", NULL });
        if (*list) {
                strv_sort(*list);
                strv_uniq(*list);
        }
        return r;
}

/* What is added is not dropped. */
int run_set_capabilities(HostConfig *h) {
        int r;

        r = normalise_capabilities(&h->cap_add);
        if (r >= 0)
                r = normalise_capabilities(&h->cap_drop);
        STRV_FOREACH (word, h->cap_add)
                if (h->cap_drop)
                        (void) strv_remove(h->cap_drop, *word);
        if (strv_empty(h->cap_drop))
                h->cap_drop = strv_free(h->cap_drop);
        return r;
}
