/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who gets our signals. What happens to containers and images is nobody's business who may not look at them, but what is broadcast on a bus
 * everybody sees. So each signal goes to those alone who called Manager.Subscribe, for which polkit was asked (view), until they call
 * Unsubscribe or leave the bus. Whoever began a job gets that job's signals as well. Owned by BusSignals. */

#include <systemd/sd-bus.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

#define BUS_SUBSCRIBERS_MAX 256U

typedef struct BusSubscribers BusSubscribers;

int bus_subscribers_new(sd_bus *bus, BusSubscribers **ret);
BusSubscribers *bus_subscribers_free(BusSubscribers *s);

/* name: a unique name. Once more is fine, too. */
int bus_subscribers_add(BusSubscribers *s, const char *name, Error *reterr);
void bus_subscribers_remove(BusSubscribers *s, const char *name);

/* Fills a message; called once per receiver, not at all without one. */
typedef int (*bus_fill_t)(sd_bus_message *m, const void *userdata);

typedef struct BusSignal {
        const char *path;
        const char *interface;
        const char *member;
        const char *also_to; /* a unique name that need not have subscribed, or NULL */
        bus_fill_t fill;
        const void *userdata;
} BusSignal;

int bus_subscribers_send(BusSubscribers *s, const BusSignal *signal);

/* Properties of object as sd-bus itself would show them: an open a{sv} gets those with the given names, or, NULL, all that are not explicit. */
int bus_append_properties(sd_bus_message *m, const char *path, const char *interface,
        const sd_bus_vtable *vtable, void *object, const char *const *names);
