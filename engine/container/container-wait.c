/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

typedef struct ContainerWait {
        ListNode node;
        ContainerWaitCondition condition;
        Pending *pending;
} ContainerWait;

static const char *const condition_table[_CONTAINER_WAIT_MAX] = {
        [CONTAINER_WAIT_NOT_RUNNING] = "not-running",
        [CONTAINER_WAIT_NEXT_EXIT] = "next-exit",
        [CONTAINER_WAIT_REMOVED] = "removed",
};

ContainerWaitCondition container_wait_condition_from_string(const char *s) {
        if (str_empty(s))
                return CONTAINER_WAIT_NOT_RUNNING;
        return (ContainerWaitCondition) str_table_find(
                condition_table, ARRAY_SIZE(condition_table), s);
}

int container_wait(Container *c, ContainerWaitCondition condition, Pending *p, Error *reterr) {
        ContainerWait *w;

        assert(c);
        assert(condition >= 0 && condition < _CONTAINER_WAIT_MAX);
        assert(p);

        if (condition == CONTAINER_WAIT_NOT_RUNNING &&
                !(container_is_up(c) || c->state == CONTAINER_STARTING)) {
                pending_complete(p, 0, &c->exit_code, NULL);
                return 0;
        }

        w = new0(ContainerWait, 1);
        if (!w)
                return -ENOMEM;
        w->condition = condition;
        w->pending = pending_ref(p);
        list_append(&c->waits, &w->node);
        return 0;
}

/* Takes out those that match first: a waiter may wait again while it is told. */
void container_waits_tell(Container *c, bool removed) {
        int64_t code = c->exit_code;
        ContainerWait *w;
        List due = {};

        list_init(&due);
        LIST_FOREACH_SAFE (w, &c->waits, node) {
                if (!removed && w->condition == CONTAINER_WAIT_REMOVED)
                        continue;
                list_remove(&w->node);
                list_append(&due, &w->node);
        }
        while ((w = list_first(&due, ContainerWait, node))) {
                list_remove(&w->node);
                pending_complete(w->pending, 0, &code, NULL);
                pending_unref(w->pending);
                free(w);
        }
}

/* r == 0: without a word, the engine goes. */
void container_waits_fail(Container *c, int r, const Error *e) {
        ContainerWait *w;

        while ((w = list_first(&c->waits, ContainerWait, node))) {
                list_remove(&w->node);
                if (r < 0)
                        pending_complete(w->pending, r, NULL, e);
                pending_unref(w->pending);
                free(w);
        }
}
