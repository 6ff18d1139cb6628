/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part that needs no Augeas: all that a daemon has to do with the lines that another process has read for it (sysconfig-ask.c). */
#include <errno.h>
#include <stdlib.h>

#include "config/sysconfig-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

int sysconfig_new(const char *path, const char *lens_dir, Sysconfig **ret) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        int r;

        s = new0(Sysconfig, 1);
        if (!s)
                return -ENOMEM;
        s->path = realpath(path, NULL);
        if (!s->path) {
                r = str_copy(&s->path, path);
                if (r < 0)
                        return r;
        }
        r = str_copy(&s->lens_dir, lens_dir);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

void sysconfig_free_entries(Sysconfig *s) {
        for (size_t i = 0; i < s->n_entries; i++) {
                free(s->entries[i].name);
                free(s->entries[i].raw);
        }
        s->entries = mfree(s->entries);
        s->n_entries = 0;
}

Sysconfig *sysconfig_free(Sysconfig *s) {
        if (!s)
                return NULL;
        sysconfig_free_entries(s);
        if (s->augeas)
                s->close(s->augeas);
        free(s->path);
        free(s->lens_dir);
        free(s->text);
        return mfree(s);
}

const SysconfigEntry *sysconfig_find(const Sysconfig *s, const char *name) {
        for (size_t i = s->n_entries; i-- > 0;)
                if (streq(s->entries[i].name, name))
                        return s->entries + i;
        return NULL;
}
