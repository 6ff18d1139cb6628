/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers of RUN go with their build, at the latest at the next start of the daemon. */
#include <errno.h>

#include "engine/build/build.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/core/pending.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Removal {
        ListNode node;
        Build *build; /* NULL: of an earlier daemon, or it has ended */
        Pending *pending;
} Removal;

static void removal_free(Removal *x) {
        list_remove(&x->node);
        pending_detach(x->pending);
        pending_unref(x->pending);
        free(x);
}

static void on_removed(int r, void *result, const Error *e, void *userdata) {
        Removal *x = userdata;
        Build *b = x->build;

        if (r < 0 && r != -ENOENT)
                log_warning("Failed to remove the container of a build: %s, ignoring",
                        error_text(e, r));
        removal_free(x);
        if (b)
                build_removed(b);
}

void build_remove_container(Builds *s, Build *b, const char *id) {
        _cleanup_(error_done) Error e = {};
        Container *c;
        Removal *x;
        int r;

        if (containers_find(s->containers, id, &c, NULL) < 0 || !(x = new0(Removal, 1)))
                return;
        x->build = b;
        list_append(&s->removals, &x->node);
        r = pending_new(on_removed, x, &x->pending);
        if (b)
                b->n_removals++;
        if (r >= 0)
                r = container_remove(c, /* force= */ true, /* volumes= */ true, x->pending, &e);
        if (r < 0)
                on_removed(r, NULL, &e, x);
}

void build_removals_forget(Builds *s) {
        Removal *x;

        while ((x = list_first(&s->removals, Removal, node)))
                removal_free(x);
}

void builds_settle(Builds *s) {
        _cleanup_(strv_freep) char **ids = NULL;

        for (Container *c = containers_next(s->containers, NULL); c;
                c = containers_next(s->containers, c))
                if (!str_empty(c->spec.build))
                        (void) strv_add(&ids, c->id);
        STRV_FOREACH (id, ids)
                build_remove_container(s, NULL, *id);
}
