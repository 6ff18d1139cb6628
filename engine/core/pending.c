/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/core/pending.h"

#include "lib/base/alloc.h"

struct Pending {
        unsigned n_ref;
        pending_callback_t callback; /* NULL after it was detached or called */
        void *userdata;
        bool completed;
};

int pending_new(pending_callback_t callback, void *userdata, Pending **ret) {
        Pending *p;

        assert(ret);

        p = new0(Pending, 1);
        if (!p)
                return -ENOMEM;

        *p = (Pending) {
                .n_ref = 1,
                .callback = callback,
                .userdata = userdata,
        };

        *ret = p;
        return 0;
}

Pending *pending_ref(Pending *p) {
        assert(p && p->n_ref > 0);

        p->n_ref++;
        return p;
}

Pending *pending_unref(Pending *p) {
        if (!p)
                return NULL;

        assert(p->n_ref > 0);
        if (--p->n_ref == 0)
                free(p);
        return NULL;
}

void pending_detach(Pending *p) {
        if (p)
                p->callback = NULL;
}

void pending_complete(Pending *p, int r, void *result, const Error *e) {
        pending_callback_t callback;

        assert(p && p->n_ref > 0);
        assert(!p->completed);

        p->completed = true;
        callback = TAKE_PTR(p->callback);
        if (callback)
                callback(r, result, e, p->userdata);
}

void pending_answer(int r, const Error *e, void *userdata) {
        Pending *p = userdata;

        pending_complete(p, r, NULL, e);
        pending_unref(p);
}
