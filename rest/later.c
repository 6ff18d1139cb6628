/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/later.h"

#include "lib/base/macro.h"
#include "lib/json/json.h"
#include "rest/request.h"

static void detach(Request *q) {
        Pending *p = TAKE_PTR(q->data);

        pending_detach(p);
        pending_unref(p);
}

int request_later(Request *q, pending_callback_t callback, Pending **ret) {
        Pending *p;
        int r;

        r = pending_new(callback, q, &p);
        if (r < 0)
                return r;

        q->data = p;
        q->on_gone = detach;
        *ret = p;
        return 0;
}

void request_later_finish(Request *q, int r) {
        pending_unref(TAKE_PTR(q->data));
        request_finish(q, r);
}

int request_later_return(Request *q, int r) {
        if (r >= 0)
                return request_defer(q);
        q->on_gone = NULL;
        pending_unref(TAKE_PTR(q->data));
        return r;
}

void request_later_pruned(
        Request *q, int r, const Error *e, const char *key, char *const *names, uint64_t bytes) {
        _cleanup_(json_unrefp) Json *v = NULL;

        if (r < 0)
                (void) error_copy(&q->error, e);
        else {
                r = json_new_object(&v);
                if (r >= 0)
                        r = names ? json_set_strv(v, key, names) : json_set_null(v, key);
                if (r >= 0)
                        r = json_set_uint64(v, "SpaceReclaimed", bytes);
                if (r >= 0)
                        r = response_json(&q->response, 200, v);
        }
        request_later_finish(q, r);
}

static void finish_empty(Request *q, int r, const Error *e, unsigned status) {
        if (r < 0)
                (void) error_copy(&q->error, e);
        else
                r = response_empty(&q->response, status);
        request_later_finish(q, r);
}

void request_later_200(int r, void *result, const Error *e, void *userdata) {
        finish_empty(userdata, r, e, 200);
}

void request_later_204(int r, void *result, const Error *e, void *userdata) {
        finish_empty(userdata, r, e, 204);
}
