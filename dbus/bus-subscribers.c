/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-subscribers.h"

#include <errno.h>

#include "dbus/bus-client.h"
#include "lib/base/alloc.h"
#include "lib/base/list.h"
#include "lib/base/str.h"

typedef struct Subscriber {
        ListNode by_set;
        BusSubscribers *set;
        BusClient *client;
} Subscriber;

struct BusSubscribers {
        sd_bus *bus;
        List subscribers;
        unsigned n_subscribers;
};

int bus_subscribers_new(sd_bus *bus, BusSubscribers **ret) {
        BusSubscribers *s;

        assert(bus);
        assert(ret);

        s = new0(BusSubscribers, 1);
        if (!s)
                return -ENOMEM;
        s->bus = bus;
        list_init(&s->subscribers);
        *ret = s;
        return 0;
}

static Subscriber *subscriber_free(Subscriber *c) {
        if (!c)
                return NULL;

        if (list_node_linked(&c->by_set)) {
                list_remove(&c->by_set);
                c->set->n_subscribers--;
        }
        bus_client_free(c->client);
        return mfree(c);
}
DEFINE_CLEANUP(Subscriber *, subscriber_free);

BusSubscribers *bus_subscribers_free(BusSubscribers *s) {
        Subscriber *c;

        if (!s)
                return NULL;

        LIST_FOREACH_SAFE (c, &s->subscribers, by_set)
                subscriber_free(c);
        return mfree(s);
}

static Subscriber *find(BusSubscribers *s, const char *name) {
        Subscriber *c;

        LIST_FOREACH (c, &s->subscribers, by_set)
                if (str_equal(bus_client_name(c->client), name))
                        return c;
        return NULL;
}

static void on_gone(void *userdata) {
        subscriber_free(userdata);
}

int bus_subscribers_add(BusSubscribers *s, const char *name, Error *reterr) {
        _cleanup_(subscriber_freep) Subscriber *c = NULL;
        int r;

        assert(s);
        assert(name);

        if (find(s, name))
                return 0;
        if (s->n_subscribers >= BUS_SUBSCRIBERS_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "more than %u subscribers of signals",
                        BUS_SUBSCRIBERS_MAX);

        c = new0(Subscriber, 1);
        if (!c)
                return -ENOMEM;
        c->set = s;
        r = bus_client_new(s->bus, name, on_gone, c, &c->client);
        if (r < 0)
                return r;

        list_append(&s->subscribers, &c->by_set);
        s->n_subscribers++;
        TAKE_PTR(c);
        return 0;
}

void bus_subscribers_remove(BusSubscribers *s, const char *name) {
        subscriber_free(find(s, name));
}

static int send_to(BusSubscribers *s, const char *name, const BusSignal *signal) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_signal(s->bus, &m, signal->path, signal->interface, signal->member);
        if (r >= 0)
                r = sd_bus_message_set_destination(m, name);
        if (r >= 0)
                r = signal->fill(m, signal->userdata);
        return r < 0 ? r : sd_bus_send(s->bus, m, NULL);
}

int bus_subscribers_send(BusSubscribers *s, const BusSignal *signal) {
        bool owner_sees = !signal->also_to;
        Subscriber *c;
        int r = 0;

        LIST_FOREACH (c, &s->subscribers, by_set) {
                const char *name = bus_client_name(c->client);
                int k;

                owner_sees = owner_sees || streq(name, signal->also_to);
                k = send_to(s, name, signal);
                r = r < 0 ? r : k;
        }
        if (!owner_sees) {
                int k = send_to(s, signal->also_to, signal);

                r = r < 0 ? r : k;
        }
        return r < 0 ? r : 0;
}

/* ---- properties ---- */

static int append_property(sd_bus_message *m, const char *path, const char *interface,
        const sd_bus_vtable *v, void *object) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *signature = v->x.property.signature;
        void *field = (char *) object + v->x.property.offset;
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', v->x.property.member);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', signature);
        if (r < 0)
                return r;

        if (v->x.property.get)
                r = v->x.property.get(sd_bus_message_get_bus(m), path, interface,
                        v->x.property.member, m, field, &error);
        else if (STR_IN_SET(signature, "s", "o"))
                r = sd_bus_message_append_basic(m, *signature, str_or_empty(*(char **) field));
        else
                r = sd_bus_message_append_basic(m, *signature, field);

        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_append_properties(sd_bus_message *m, const char *path, const char *interface,
        const sd_bus_vtable *vtable, void *object, const char *const *names) {
        int r = 0;

        for (const sd_bus_vtable *v = vtable; r >= 0 && v->type != _SD_BUS_VTABLE_END; v++) {
                if (v->type != _SD_BUS_VTABLE_PROPERTY)
                        continue;
                if (names ? str_in(v->x.property.member, names)
                          : !(v->flags & SD_BUS_VTABLE_PROPERTY_EXPLICIT))
                        r = append_property(m, path, interface, v, object);
        }
        return r;
}
