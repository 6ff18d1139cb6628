/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/core/hub.h"

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

struct HubSubscription {
        ListNode by_age;
        Hub *hub;
        hub_callback_t callback; /* NULL: ended while the hub was publishing, freed afterwards */
        void *userdata;
};

struct Hub {
        Event *ring[HUB_RING_MAX]; /* oldest at position % HUB_RING_MAX once it is full */
        size_t position;
        uint64_t last_nsec;
        List subscriptions;
        unsigned n_publishing; /* publishing inside of publishing */
        bool sweep;            /* a subscription ended meanwhile */
};

int hub_new(Hub **ret) {
        Hub *h;

        assert(ret);

        h = new0(Hub, 1);
        if (!h)
                return -ENOMEM;

        list_init(&h->subscriptions);
        *ret = h;
        return 0;
}

Hub *hub_free(Hub *h) {
        if (!h)
                return NULL;

        assert(h->n_publishing == 0);
        assert(list_empty(&h->subscriptions));

        for (size_t i = 0; i < HUB_RING_MAX; i++)
                event_unref(h->ring[i]);
        free(h);
        return NULL;
}

Event *event_ref(Event *e) {
        assert(e && e->n_ref > 0);

        e->n_ref++;
        return e;
}

Event *event_unref(Event *e) {
        if (!e)
                return NULL;

        assert(e->n_ref > 0);
        if (--e->n_ref > 0)
                return NULL;

        free(e->type);
        free(e->action);
        free(e->id);
        strv_free(e->attributes);
        free(e);
        return NULL;
}
DEFINE_CLEANUP(Event *, event_unref);

static int event_new(const char *type, const char *action, const char *id, char *const *attributes,
        Event **ret) {
        _cleanup_(event_unrefp) Event *e = NULL;

        e = new0(Event, 1);
        if (!e)
                return -ENOMEM;

        e->n_ref = 1;
        e->attributes = strv_copy(attributes);
        if (!e->attributes || str_copy(&e->type, type) < 0 || str_copy(&e->action, action) < 0 ||
                str_copy(&e->id, str_or_empty(id)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(e);
        return 0;
}

static void hub_sweep(Hub *h) {
        HubSubscription *s;

        h->sweep = false;
        LIST_FOREACH_SAFE (s, &h->subscriptions, by_age) {
                if (s->callback)
                        continue;
                list_remove(&s->by_age);
                free(s);
        }
}

int hub_publish(
        Hub *h, const char *type, const char *action, const char *id, char *const *attributes) {
        _cleanup_(event_unrefp) Event *e = NULL;
        HubSubscription *s;
        Event **slot;
        int r;

        assert(h);
        assert(type);
        assert(action);

        r = event_new(type, action, id, attributes, &e);
        if (r < 0)
                return r;

        /* Strictly increasing, so that "since the last one I saw" misses none and repeats none. */
        e->time_nsec = MAX((uint64_t) clock_realtime_ns(), h->last_nsec + 1);
        h->last_nsec = e->time_nsec;

        slot = &h->ring[h->position++ % HUB_RING_MAX];
        event_unref(*slot);
        *slot = event_ref(e);

        h->n_publishing++;
        LIST_FOREACH (s, &h->subscriptions, by_age)
                if (s->callback)
                        s->callback(e, s->userdata);
        h->n_publishing--;

        if (h->n_publishing == 0 && h->sweep)
                hub_sweep(h);
        return 0;
}

int hub_subscribe(Hub *h, hub_callback_t callback, void *userdata, HubSubscription **ret) {
        HubSubscription *s;

        assert(h);
        assert(callback);
        assert(ret);

        s = new0(HubSubscription, 1);
        if (!s)
                return -ENOMEM;

        s->hub = h;
        s->callback = callback;
        s->userdata = userdata;
        list_append(&h->subscriptions, &s->by_age);

        *ret = s;
        return 0;
}

HubSubscription *hub_subscription_free(HubSubscription *s) {
        if (!s)
                return NULL;

        if (s->hub->n_publishing > 0) {
                s->callback = NULL;
                s->hub->sweep = true;
                return NULL;
        }

        list_remove(&s->by_age);
        free(s);
        return NULL;
}

unsigned hub_count_subscriptions(const Hub *h) {
        HubSubscription *s;
        unsigned n = 0;

        assert(h);

        LIST_FOREACH (s, &h->subscriptions, by_age)
                n += s->callback != NULL;
        return n;
}

void hub_replay(
        Hub *h, uint64_t since_nsec, uint64_t until_nsec, hub_callback_t callback, void *userdata) {
        size_t first, last;

        assert(h);
        assert(callback);

        /* Events that the callback publishes are not replayed: the subscribers have seen them. */
        last = h->position;
        first = last > HUB_RING_MAX ? last - HUB_RING_MAX : 0;
        for (size_t i = first; i < last; i++) {
                _cleanup_(event_unrefp) Event *e = NULL;

                if (!h->ring[i % HUB_RING_MAX])
                        continue;
                e = event_ref(h->ring[i % HUB_RING_MAX]);
                if (e->time_nsec >= since_nsec && e->time_nsec < until_nsec)
                        callback(e, userdata);
        }
}
