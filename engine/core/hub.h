/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The Hub is where news goes up: whoever changed something publishes once, after the change is on disk and in memory; faces and sets
 * subscribe. Keeps the last HUB_RING_MAX events for "since". One per engine; outlives all subscribers. */

#include <stdint.h>

#include "lib/base/macro.h"

#define HUB_RING_MAX 256 /* as many as Docker keeps */

typedef struct Hub Hub;
typedef struct HubSubscription HubSubscription;

/* Docker's event: Type, Action, Actor.ID, Actor.Attributes, timeNano. Immutable once published, reference counted. */
typedef struct Event {
        unsigned n_ref;
        char *type;   /* container, image, daemon, network, volume */
        char *action; /* create, start, die, … */
        char *id;
        char **attributes;  /* KEY=VALUE, in order */
        uint64_t time_nsec; /* since the epoch; strictly increasing within one hub */
} Event;

typedef void (*hub_callback_t)(const Event *e, void *userdata);

int hub_new(Hub **ret);
Hub *hub_free(Hub *h);
DEFINE_CLEANUP(Hub *, hub_free);

Event *event_ref(Event *e);
Event *event_unref(Event *e);

/* attributes may be NULL; copied. Subscribers are called at once, in the order in which they subscribed; one may unsubscribe itself
 * or others meanwhile. */
int hub_publish(
        Hub *h, const char *type, const char *action, const char *id, char *const *attributes);

int hub_subscribe(Hub *h, hub_callback_t callback, void *userdata, HubSubscription **ret);
HubSubscription *hub_subscription_free(HubSubscription *s);
DEFINE_CLEANUP(HubSubscription *, hub_subscription_free);

unsigned hub_count_subscriptions(const Hub *h); /* NEventsListener of /info */

/* Calls callback for each kept event with since <= time < until (nsec; until UINT64_MAX: no end), oldest first. */
void hub_replay(
        Hub *h, uint64_t since_nsec, uint64_t until_nsec, hub_callback_t callback, void *userdata);
