/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-hold.h"

#include <errno.h>

#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/event/loop.h"

#define HOLD_MARK "held" /* RUNROOT/containers/ID/held: frozen by us, not by a person */

typedef enum HoldState {
        HOLD_WAITS,  /* for being frozen */
        HOLD_HOLDS,  /* was told */
        HOLD_LEAVES, /* for being thawed */
        _HOLD_STATE_MAX,
} HoldState;

struct ContainerHold {
        ListNode node;        /* in the container's list */
        Container *container; /* NULL: it is gone */
        HoldState state;
        container_held_t callback;
        void *userdata;
        sd_event_source *gone; /* tells that */
};

static int mark(const Container *c, bool on) {
        _cleanup_(fd_closep) int folder = file_open_dir(c->set->run_fd, c->id);

        if (folder < 0)
                return folder;
        return on ? file_write_atomic_string(folder, HOLD_MARK, "", 0600, 0)
                  : file_unlink(folder, HOLD_MARK);
}

/* h may be gone afterwards. */
static void hold_tell(ContainerHold *h) {
        container_held_t callback = h->callback;
        void *userdata = h->userdata;

        if (h->state == HOLD_LEAVES) {
                list_remove(&h->node);
                loop_source_free(h->gone);
                free(h);
        } else
                h->state = HOLD_HOLDS;
        callback(userdata);
}

static bool has(Container *c, HoldState state) {
        ContainerHold *h;

        LIST_FOREACH (h, &c->holds, node)
                if (h->state == state)
                        return true;
        return false;
}

static void tell_all(Container *c, HoldState state) {
        ContainerHold *h;

        LIST_FOREACH_SAFE (h, &c->holds, node)
                if (h->state == state)
                        hold_tell(h);
}

static void settle(Container *c);

static void on_frozen(int r, void *result, const Error *e, void *userdata) {
        Container *c = userdata;

        c->hold_moves = false;
        c->held = r >= 0;
        if (r < 0) {
                (void) mark(c, false);
                if (container_is_running(c))
                        (void) log_container_warning(c, r,
                                "It cannot be frozen for a commit: %s, ignoring", error_text(e, r));
        }
        tell_all(c, HOLD_WAITS);
        settle(c);
}

static void on_thawed(int r, void *result, const Error *e, void *userdata) {
        Container *c = userdata;

        c->hold_moves = false;
        if (r < 0 && container_is_running(c))
                (void) log_container_warning(
                        c, r, "It cannot be thawed after a commit: %s", error_text(e, r));
        settle(c);
}

/* The mark goes first, so that a later daemon knows whose it is. */
static void move(Container *c, bool freeze) {
        pending_callback_t callback = freeze ? on_frozen : on_thawed;
        _cleanup_(pending_unrefp) Pending *p = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = freeze ? mark(c, true) : 0;
        if (r >= 0)
                r = pending_new(callback, c, &p);
        if (r >= 0) {
                c->hold_moves = true;
                r = freeze ? container_pause(c, p, &e) : container_unpause(c, p, &e);
        }
        if (r < 0)
                callback(r, NULL, &e, c);
}

/* What is to be done for those that are there now. */
static void settle(Container *c) {
        bool frozen = c->state == CONTAINER_PAUSED;

        if (c->hold_moves)
                return;
        c->held = c->held && frozen; /* a person was earlier, or it has ended */

        if (has(c, HOLD_WAITS) && !frozen && container_is_running(c))
                move(c, /* freeze= */ true);
        else if (has(c, HOLD_WAITS) || has(c, HOLD_HOLDS)) {
                tell_all(c, HOLD_WAITS);
                tell_all(c, HOLD_LEAVES);
        } else if (c->held) {
                c->held = false;
                move(c, /* freeze= */ false);
        } else {
                if (!frozen) /* else it could not be thawed: the next daemon tries again */
                        (void) mark(c, false);
                tell_all(c, HOLD_LEAVES);
        }
}

int container_hold(Container *c, container_held_t on_held, void *userdata, ContainerHold **ret) {
        bool frozen = c->state == CONTAINER_PAUSED && !c->hold_moves;
        ContainerHold *h;

        assert(c);
        assert(on_held);
        assert(ret);

        *ret = NULL;
        if (!container_is_running(c) || (frozen && !c->held))
                return 0;

        h = new0(ContainerHold, 1);
        if (!h)
                return -ENOMEM;
        h->container = c;
        h->callback = on_held;
        h->userdata = userdata;
        h->state = frozen ? HOLD_HOLDS : HOLD_WAITS;
        list_append(&c->holds, &h->node);
        *ret = h;
        settle(c);
        return !frozen;
}

void container_hold_end(ContainerHold *h, container_held_t on_ended, void *userdata) {
        assert(h);
        assert(on_ended);

        h->gone = loop_source_free(h->gone);
        h->state = HOLD_LEAVES;
        h->callback = on_ended;
        h->userdata = userdata;
        if (h->container)
                settle(h->container);
        else
                hold_tell(h);
}

ContainerHold *container_hold_free(ContainerHold *h) {
        if (!h)
                return NULL;

        list_remove(&h->node);
        loop_source_free(h->gone);
        return mfree(h);
}

static int on_gone(sd_event_source *source, void *userdata) {
        ContainerHold *h = userdata;

        h->gone = loop_source_free(h->gone);
        hold_tell(h);
        return 0;
}

/* Who waits is told from the loop: never inside of what removes the container. */
void container_holds_forget(Container *c) {
        ContainerHold *h;

        c->held = c->hold_moves = false;
        LIST_FOREACH_SAFE (h, &c->holds, node) {
                list_remove(&h->node);
                h->container = NULL;
                if (h->state != HOLD_HOLDS && loop_defer(c->set->event, LOOP_SYSTEM,
                                                      "container-hold", on_gone, h, &h->gone) < 0)
                        hold_tell(h);
        }
}

void container_holds_restore(Container *c) {
        _cleanup_(fd_closep) int folder = file_open_dir(c->set->run_fd, c->id);

        if (folder < 0 || file_exists_at(folder, HOLD_MARK) <= 0)
                return;
        c->held = true;
        settle(c);
}
