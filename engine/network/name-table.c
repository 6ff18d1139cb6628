/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/name-table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "engine/network/dns-message.h"
#include "engine/network/resolver.h"
#include "lib/base/alloc.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Asker Asker;
typedef struct Leg Leg;
typedef struct Names Names;
typedef struct Zone Zone;

/* A container: its legs, the one that is asked first at the front. */
struct Asker {
        char *id;
        List legs;
};

/* A network. */
struct Zone {
        char *id;
        char *name;
        Hashmap *by_name;    /* Names */
        Hashmap *by_address; /* Leg */
        unsigned n_legs;
};

/* All legs of a network with the same name. */
struct Names {
        char *name;
        Leg **legs;
        size_t n;
        size_t n_allocated;
        size_t turn; /* who comes first the next time */
};

struct Leg {
        char *endpoint_id;
        Asker *asker;
        Zone *zone;
        ListNode by_priority; /* in asker->legs */
        char *container_name;
        char **names;   /* lower case, each once */
        Hashmap *links; /* alias to name */
        struct in_addr address4;
        struct in6_addr address6;
        char text4[INET_ADDRSTRLEN]; /* "" without an address; keys of by_address */
        char text6[INET6_ADDRSTRLEN];
        int priority;
        bool internal;
};

struct NameTable {
        Hashmap *legs;   /* by endpoint id */
        Hashmap *askers; /* by container id */
        Hashmap *zones;  /* by network id */
};

static int lower_copy(char **ret, const char *s) {
        int r = str_copy(ret, s);

        if (r >= 0 && *ret)
                str_lower(*ret);
        return r;
}

/* --- what a leg hangs on; goes with the last leg --- */

static void *asker_free(Asker *a) {
        if (a)
                free(a->id);
        free(a);
        return NULL;
}
DEFINE_CLEANUP(Asker *, asker_free);

static void *names_free(Names *n) {
        if (n) {
                free(n->name);
                free(n->legs);
        }
        free(n);
        return NULL;
}
DEFINE_CLEANUP(Names *, names_free);

static void *zone_free(Zone *z) {
        if (z) {
                hashmap_free_with(z->by_name, names_free);
                hashmap_free(z->by_address);
                free(z->id);
                free(z->name);
        }
        free(z);
        return NULL;
}
DEFINE_CLEANUP(Zone *, zone_free);

static int find_asker(NameTable *t, const char *id, Asker **ret) {
        _cleanup_(asker_freep) Asker *a = NULL;
        int r;

        *ret = hashmap_get(t->askers, id);
        if (*ret)
                return 0;
        a = new0(Asker, 1);
        if (!a)
                return -ENOMEM;
        list_init(&a->legs);
        r = str_copy(&a->id, id);
        if (r >= 0)
                r = hashmap_put(t->askers, a->id, a);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(a);
        return 0;
}

static int find_zone(NameTable *t, const char *id, const char *name, Zone **ret) {
        _cleanup_(zone_freep) Zone *z = NULL;
        int r;

        *ret = hashmap_get(t->zones, id);
        if (*ret)
                return 0;
        z = new0(Zone, 1);
        if (!z)
                return -ENOMEM;
        z->by_name = hashmap_new(HASHMAP_STRING);
        z->by_address = hashmap_new(HASHMAP_STRING);
        if (!z->by_name || !z->by_address)
                return -ENOMEM;
        r = str_copy(&z->id, id);
        if (r >= 0)
                r = lower_copy(&z->name, name);
        if (r >= 0)
                r = hashmap_put(t->zones, z->id, z);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(z);
        return 0;
}

static void drop_asker(NameTable *t, Asker *a) {
        if (!a || !list_empty(&a->legs))
                return;
        (void) hashmap_remove(t->askers, a->id);
        asker_free(a);
}

static void drop_zone(NameTable *t, Zone *z) {
        if (!z || z->n_legs > 0)
                return;
        (void) hashmap_remove(t->zones, z->id);
        zone_free(z);
}

/* --- legs --- */

static int names_add(Zone *z, const char *name, Leg *leg) {
        _cleanup_(names_freep) Names *fresh = NULL;
        Names *n = hashmap_get(z->by_name, name);
        int r;

        if (!n) {
                n = fresh = new0(Names, 1);
                if (!n)
                        return -ENOMEM;
                r = str_copy(&n->name, name);
                if (r < 0)
                        return r;
        }
        r = array_grow(&n->legs, &n->n_allocated, n->n + 1);
        if (r < 0)
                return r;
        if (fresh) {
                r = hashmap_put(z->by_name, n->name, n);
                if (r < 0)
                        return r;
                fresh = NULL;
        }
        n->legs[n->n++] = leg;
        return 0;
}

static void names_remove(Zone *z, const char *name, const Leg *leg) {
        Names *n = hashmap_get(z->by_name, name);
        size_t kept = 0;

        if (!n)
                return;
        for (size_t i = 0; i < n->n; i++)
                if (n->legs[i] != leg)
                        n->legs[kept++] = n->legs[i];
        n->n = kept;
        if (kept > 0)
                return;
        (void) hashmap_remove(z->by_name, n->name);
        names_free(n);
}

static Leg *leg_free(NameTable *t, Leg *l) {
        if (!l)
                return NULL;
        if (l->zone) {
                STRV_FOREACH (name, l->names)
                        names_remove(l->zone, *name, l);
                (void) hashmap_remove_value(l->zone->by_address, l->text4, l);
                (void) hashmap_remove_value(l->zone->by_address, l->text6, l);
                l->zone->n_legs--;
                drop_zone(t, l->zone);
        }
        list_remove(&l->by_priority);
        drop_asker(t, l->asker);
        hashmap_free_with(l->links, free);
        strv_free(l->names);
        free(l->container_name);
        free(l->endpoint_id);
        free(l);
        return NULL;
}

static int add_name(Leg *l, const char *name) {
        _cleanup_(freep) char *lower = NULL;
        int r;

        if (str_empty(name))
                return 0;
        r = lower_copy(&lower, name);
        if (r < 0)
                return r;
        if (strv_contains(l->names, lower))
                return 0;
        return strv_take(&l->names, TAKE_PTR(lower));
}

static int add_link(Leg *l, const char *link) {
        _cleanup_(freep) char *target = NULL, *alias = NULL;
        void *old = NULL;
        int r;

        r = str_split_pair(link, ':', &target, &alias);
        if (r == -EINVAL) /* "web" is "web:web" */
                return 0;
        if (r < 0)
                return r;
        str_lower(target);
        str_lower(alias);
        if (!l->links) {
                l->links = hashmap_new(HASHMAP_STRING_COPY);
                if (!l->links)
                        return -ENOMEM;
        }
        r = hashmap_set(l->links, alias, target, &old);
        if (r < 0)
                return r;
        target = NULL;
        free(old);
        return 0;
}

static int fill_leg(Leg *l, const ResolverLeg *from) {
        int r;

        r = str_copy(&l->endpoint_id, from->endpoint_id);
        if (r >= 0)
                r = str_copy(&l->container_name, str_or_empty(from->container_name));
        if (r >= 0)
                r = add_name(l, from->container_name);
        for (char *const *n = from->names; r >= 0 && n && *n; n++)
                r = add_name(l, *n);
        for (char *const *n = from->links; r >= 0 && n && *n; n++)
                r = add_link(l, *n);
        if (r < 0)
                return r;

        l->address4 = from->address4;
        l->address6 = from->address6;
        l->priority = from->priority;
        l->internal = from->internal;
        if (l->address4.s_addr != 0)
                (void) inet_ntop(AF_INET, &l->address4, l->text4, sizeof(l->text4));
        if (!IN6_IS_ADDR_UNSPECIFIED(&l->address6))
                (void) inet_ntop(AF_INET6, &l->address6, l->text6, sizeof(l->text6));
        return 0;
}

static void insert_by_priority(Asker *a, Leg *l) {
        Leg *other;

        LIST_FOREACH (other, &a->legs, by_priority)
                if (l->priority > other->priority ||
                        (l->priority == other->priority &&
                                strcmp(l->zone->name, other->zone->name) < 0)) {
                        list_insert_before(&other->by_priority, &l->by_priority);
                        return;
                }
        list_append(&a->legs, &l->by_priority);
}

/* An address that two have (one of them is on its way out) belongs to who came last. */
static int add_address(Leg *l, const char *text) {
        void *old;

        return str_empty(text) ? 0 : hashmap_set(l->zone->by_address, text, l, &old);
}

static int hang_up(NameTable *t, Leg *l, const ResolverLeg *from) {
        Zone *z;
        int r;

        r = find_asker(t, from->container_id, &l->asker);
        if (r < 0)
                return r;
        r = find_zone(t, from->network_id, from->network_name, &z);
        if (r < 0)
                return r;
        l->zone = z;
        z->n_legs++;
        insert_by_priority(l->asker, l);
        STRV_FOREACH (name, l->names) {
                r = names_add(z, *name, l);
                if (r < 0)
                        return r;
        }
        r = add_address(l, l->text4);
        return r < 0 ? r : add_address(l, l->text6);
}

int name_table_add(NameTable *t, const ResolverLeg *leg) {
        void *old = NULL;
        Leg *l;
        int r;

        assert(t);
        assert(leg && leg->endpoint_id && leg->container_id && leg->network_id);

        l = new0(Leg, 1);
        if (!l)
                return -ENOMEM;
        r = fill_leg(l, leg);
        if (r >= 0)
                r = hang_up(t, l, leg);
        if (r >= 0)
                r = hashmap_set(t->legs, l->endpoint_id, l, &old);
        if (r < 0) {
                leg_free(t, l);
                return r;
        }
        leg_free(t, old);
        return 0;
}

void name_table_remove(NameTable *t, const char *endpoint_id) {
        assert(t);
        assert(endpoint_id);

        leg_free(t, hashmap_remove(t->legs, endpoint_id));
}

int name_table_new(NameTable **ret) {
        _cleanup_(name_table_freep) NameTable *t = NULL;

        assert(ret);

        t = new0(NameTable, 1);
        if (!t)
                return -ENOMEM;
        t->legs = hashmap_new(HASHMAP_STRING);
        t->askers = hashmap_new(HASHMAP_STRING);
        t->zones = hashmap_new(HASHMAP_STRING);
        if (!t->legs || !t->askers || !t->zones)
                return -ENOMEM;
        *ret = TAKE_PTR(t);
        return 0;
}

NameTable *name_table_free(NameTable *t) {
        Leg *l;

        if (!t)
                return NULL;
        while ((l = hashmap_steal_first(t->legs)))
                leg_free(t, l);
        hashmap_free(t->legs);
        hashmap_free(t->askers);
        hashmap_free(t->zones);
        free(t);
        return NULL;
}

/* --- questions --- */

/* Adds the addresses of a family only where no network before this one has had any. */
static void take_addresses(Names *n, NameAnswer *ret) {
        bool want_four = ret->n_four == 0, want_six = ret->n_six == 0;
        size_t first = n->turn++ % n->n;

        for (size_t i = 0; i < n->n && i < NAME_ANSWER_MAX; i++) {
                const Leg *l = n->legs[(first + i) % n->n];

                if (want_four && !str_empty(l->text4))
                        ret->four[ret->n_four++] = l->address4;
                if (want_six && !str_empty(l->text6))
                        ret->six[ret->n_six++] = l->address6;
        }
}

/* A link of ours hides what else has that name. */
static int find_in(const Leg *own, const char *name, NameAnswer *ret) {
        const char *target = hashmap_get(own->links, name);
        Names *n = hashmap_get(own->zone->by_name, target ? target : name);

        if (!n)
                return 0;
        take_addresses(n, ret);
        return 1;
}

/* "a.b.c" as "a.b" in network "c", or "a" in network "b.c". */
static int find_qualified(const Asker *a, const char *name, NameAnswer *ret) {
        char host[DNS_NAME_MAX + 1];
        Leg *own;

        for (size_t n = strlen(name); n-- > 1;) {
                bool found = false;

                if (name[n] != '.' || n >= sizeof(host))
                        continue;
                memcpy(host, name, n);
                host[n] = 0;
                LIST_FOREACH (own, &a->legs, by_priority)
                        if (str_equal(own->zone->name, name + n + 1) && find_in(own, host, ret) > 0)
                                found = true;
                if (found)
                        return 1;
        }
        return 0;
}

int name_table_find(NameTable *t, const char *container_id, const char *name, NameAnswer *ret) {
        bool found = false;
        Asker *a;
        Leg *own;

        assert(t);
        assert(container_id);
        assert(name);
        assert(ret);

        ret->n_four = ret->n_six = 0;
        a = hashmap_get(t->askers, container_id);
        if (!a || !*name)
                return 0;
        LIST_FOREACH (own, &a->legs, by_priority)
                if (find_in(own, name, ret) > 0)
                        found = true;
        return found ? 1 : find_qualified(a, name, ret);
}

int name_table_find_address(const NameTable *t, const char *container_id, int family,
        const void *address, char *ret, size_t size) {
        char text[INET6_ADDRSTRLEN];
        Asker *a;
        Leg *own;

        assert(t);
        assert(container_id);
        assert(address);

        a = hashmap_get(t->askers, container_id);
        if (!a || !inet_ntop(family, address, text, sizeof(text)))
                return 0;
        LIST_FOREACH (own, &a->legs, by_priority) {
                const Leg *l = hashmap_get(own->zone->by_address, text);

                if (l && !str_empty(l->container_name))
                        return snprintf(ret, size, "%s.%s", l->container_name, l->zone->name) <
                               (int) size;
        }
        return 0;
}

bool name_table_leads_outside(const NameTable *t, const char *container_id) {
        const Asker *a = hashmap_get(t->askers, container_id);
        Leg *own;

        if (!a)
                return false;
        LIST_FOREACH (own, &a->legs, by_priority)
                if (!own->internal)
                        return true;
        return false;
}
