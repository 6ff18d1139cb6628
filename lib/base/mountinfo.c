/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/mountinfo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define MOUNTINFO_ENTRIES_MAX 100000U
#define MOUNTINFO_SIZE_MAX    (64U * 1024U * 1024U)

static void entry_done(MountEntry *m) {
        free(m->root);
        free(m->target);
        free(m->options);
        free(m->propagation);
        free(m->type);
        free(m->source);
        free(m->super_options);
}

void mountinfo_done(MountTable *t) {
        if (!t)
                return;

        for (size_t i = 0; i < t->n_entries; i++)
                entry_done(t->entries + i);
        free(t->entries);
        *t = (MountTable) {};
}

/* The kernel writes space, tab, newline, backslash (and '#' in a source) as three octal digits. */
static void unescape(char *s) {
        char *to = s;

        for (; *s; s++)
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
                        s[3] >= '0' && s[3] <= '7') {
                        *to++ = (char) ((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
                        s += 3;
                } else
                        *to++ = *s;
        *to = 0;
}

/* "36 35 98:0 /root /target rw,noatime shared:1 master:2 - ext4 /dev/root rw" */
static int parse_line(const char *line, MountEntry *ret) {
        _cleanup_(strv_freep) char **words = NULL, **optional = NULL;
        unsigned id, parent, major, minor;
        size_t n, dash = 6;
        int r;

        r = strv_split(line, " ", /* keep_empty= */ true, &words);
        if (r < 0)
                return r;

        n = strv_length(words);
        while (dash < n && !streq(words[dash], "-"))
                dash++;
        /* The source may be empty, and old kernels leave the last field out then. */
        if (n < 7 || dash + 2 >= n || dash > 64)
                return -EBADMSG;
        if (parse_unsigned(words[0], &id) < 0 || parse_unsigned(words[1], &parent) < 0 ||
                parse_devnum(words[2], &major, &minor) < 0)
                return -EBADMSG;

        for (size_t i = 6; i < dash; i++) {
                r = strv_add(&optional, words[i]);
                if (r < 0)
                        return r;
        }

        *ret = (MountEntry) {
                .id = (int) id,
                .parent_id = (int) parent,
                .device = makedev(major, minor),
                .root = TAKE_PTR(words[3]),
                .target = TAKE_PTR(words[4]),
                .options = TAKE_PTR(words[5]),
                .propagation = strv_join(optional, " "),
                .type = TAKE_PTR(words[dash + 1]),
                .source = TAKE_PTR(words[dash + 2]),
                .super_options = strdup(dash + 3 < n ? words[dash + 3] : ""),
        };
        /* What was taken left NULLs in the vector: strv_free() would stop there. */
        for (size_t i = 0; i < n; i++)
                words[i] = mfree(words[i]);

        if (!ret->propagation || !ret->super_options) {
                entry_done(ret);
                return -ENOMEM;
        }

        unescape(ret->root);
        unescape(ret->target);
        unescape(ret->type);
        unescape(ret->source);
        return 0;
}

int mountinfo_parse(const char *text, MountTable *ret) {
        _cleanup_(mountinfo_done) MountTable t = {};
        size_t allocated = 0;
        int r;

        assert(text);
        assert(ret);

        while (*text) {
                _cleanup_(freep) char *line = NULL;
                size_t n = strcspn(text, "\n");

                line = alloc_copy0(text, n);
                if (!line)
                        return -ENOMEM;
                text += n + (text[n] == '\n');

                if (t.n_entries >= MOUNTINFO_ENTRIES_MAX)
                        return -E2BIG;
                r = array_grow(&t.entries, &allocated, t.n_entries + 1);
                if (r < 0)
                        return r;
                r = parse_line(line, t.entries + t.n_entries);
                if (r < 0)
                        return r;
                t.n_entries++;
        }

        *ret = TAKE_STRUCT(t);
        return 0;
}

int mountinfo_read(const char *path, MountTable *ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = file_read(path ? path : "/proc/self/mountinfo", MOUNTINFO_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;

        return mountinfo_parse(text, ret);
}

const MountEntry *mountinfo_find(const MountTable *t, const char *target) {
        assert(t);
        assert(target);

        for (size_t i = t->n_entries; i > 0; i--)
                if (streq(t->entries[i - 1].target, target))
                        return t->entries + i - 1;
        return NULL;
}

const MountEntry *mountinfo_find_above(const MountTable *t, const char *path) {
        const MountEntry *best = NULL;
        size_t best_length = 0;

        assert(t);
        assert(path);

        for (size_t i = 0; i < t->n_entries; i++) {
                size_t length = strlen(t->entries[i].target);

                if (length >= best_length && path_is_below(path, t->entries[i].target)) {
                        best = t->entries + i;
                        best_length = length;
                }
        }
        return best;
}
