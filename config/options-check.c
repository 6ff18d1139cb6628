/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "config/options.h"
#include "config/settings-table.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Problems {
        OptionProblem *items;
        size_t n, allocated;
        bool fatal;
} Problems;

OptionProblem *option_problems_free(OptionProblem *problems, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(problems[i].name);
                free(problems[i].text);
        }
        return mfree(problems);
}

static void problems_done(Problems *p) {
        p->items = option_problems_free(p->items, p->n);
}

static int add(Problems *p, bool fatal, const char *name, const char *text) {
        int r;

        r = array_grow(&p->items, &p->allocated, p->n + 1);
        if (r < 0)
                return r;
        r = str_copy(&p->items[p->n].text, text);
        if (r < 0)
                return r;
        p->n++;
        p->items[p->n - 1].fatal = fatal;
        p->fatal = p->fatal || fatal;
        return str_copy(&p->items[p->n - 1].name, name);
}

static int check_each(Options *o, const OptionChange *change, Problems *p) {
        const Setting *row = setting_resolve(setting_find(change->name));
        _cleanup_(error_done) Error e = {};
        int r;

        r = options_change(o, change, 1, &e);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return add(p, /* fatal= */ true, change->name, error_text(&e, r));
        if (row && !(row->flags & SETTING_ACTS) && !strv_empty(change->values))
                return add(p, /* fatal= */ false, change->name,
                        "This option is known but has no effect in this version");
        return 0;
}

int options_check_all(
        Options *o, const OptionChange *changes, size_t n, OptionProblem **ret, size_t *ret_n) {
        _cleanup_(problems_done) Problems p = {};
        _cleanup_(freep) char *warning = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        assert(o);
        assert(ret);
        assert(ret_n);

        for (size_t i = 0; i < n; i++) {
                r = check_each(o, changes + i, &p);
                if (r < 0)
                        return r;
        }

        r = options_check(o, &warning, &e);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                r = add(&p, /* fatal= */ true, NULL, error_text(&e, r));
        else if (r == 0)
                /* It was wrong before the changes too; without changes that is the answer. */
                r = add(&p, /* fatal= */ n == 0, NULL, warning);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(p.items);
        *ret_n = TAKE(p.n, 0);
        return !p.fatal;
}
