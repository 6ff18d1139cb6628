/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/unit-properties.h"

#include <systemd/sd-bus.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define CPUS_MAX 8192U /* CPU_SETSIZE of the largest kernels, and more memory nodes than exist */

static void unit_property_done(UnitProperty *i) {
        free(i->text);
        free(i->text2);
        strv_free(i->strv);
}

void unit_properties_done(UnitProperties *p) {
        for (size_t i = 0; i < p->n_items; i++)
                unit_property_done(p->items + i);
        free(p->items);
        *p = (UnitProperties) {};
}

static int add(UnitProperties *p, const char *name, UnitPropertyType type, UnitProperty **ret) {
        int r;

        r = array_grow(&p->items, &p->n_allocated, p->n_items + 1);
        if (r < 0)
                return r;

        *ret = p->items + p->n_items++;
        **ret = (UnitProperty) { .name = name, .type = type };
        return 0;
}

int unit_properties_add_string(UnitProperties *p, const char *name, const char *value) {
        UnitProperty *i;
        int r;

        r = add(p, name, UNIT_PROPERTY_STRING, &i);
        return r < 0 ? r : str_copy(&i->text, value);
}

int unit_properties_add_strv(UnitProperties *p, const char *name, char *const *value) {
        UnitProperty *i;
        int r;

        r = add(p, name, UNIT_PROPERTY_STRV, &i);
        return r < 0 ? r : strv_set(&i->strv, value);
}

int unit_properties_add_bool(UnitProperties *p, const char *name, bool value) {
        UnitProperty *i;
        int r;

        r = add(p, name, UNIT_PROPERTY_BOOL, &i);
        if (r >= 0)
                i->number = value;
        return r;
}

int unit_properties_add_u64(UnitProperties *p, const char *name, uint64_t value) {
        UnitProperty *i;
        int r;

        r = add(p, name, UNIT_PROPERTY_UINT64, &i);
        if (r >= 0)
                i->number = value;
        return r;
}

int unit_properties_add_pair(
        UnitProperties *p, const char *name, const char *value, const char *value2) {
        UnitProperty *i;
        int r;

        r = add(p, name, UNIT_PROPERTY_PAIR, &i);
        if (r >= 0)
                r = str_copy(&i->text, value);
        return r < 0 ? r : str_copy(&i->text2, value2);
}

int unit_properties_add_pair_u64(
        UnitProperties *p, const char *name, const char *value, uint64_t number) {
        UnitProperty *i;
        int r;

        r = add(p, name, UNIT_PROPERTY_PAIR_U64, &i);
        if (r < 0)
                return r;
        i->number = number;
        return value ? str_copy(&i->text, value) : 0;
}

int unit_properties_add_pid(UnitProperties *p, const char *name, uint32_t pid) {
        UnitProperty *i;
        int r;

        r = add(p, name, UNIT_PROPERTY_PIDS, &i);
        if (r >= 0)
                i->number = pid;
        return r;
}

int unit_properties_add_cpus(UnitProperties *p, const char *name, const char *list) {
        UnitProperty *i;
        unsigned max;
        int r;

        r = parse_cpu_list(list, CPUS_MAX, &max);
        if (r < 0)
                return r;
        r = add(p, name, UNIT_PROPERTY_BYTES, &i);
        if (r < 0)
                return r;
        i->size = max / 8 + 1;
        i->text = new0(char, i->size);
        if (!i->text)
                return -ENOMEM;
        return parse_cpu_set(list, max + 1, (uint8_t *) i->text);
}

const UnitProperty *unit_properties_find(const UnitProperties *p, const char *name) {
        for (size_t i = 0; i < p->n_items; i++)
                if (streq(p->items[i].name, name))
                        return p->items + i;
        return NULL;
}

static bool same_value(const UnitProperty *a, const UnitProperty *b) {
        return a->type == b->type && a->number == b->number && a->size == b->size &&
               (a->type == UNIT_PROPERTY_BYTES ? memcmp(a->text, b->text, a->size) == 0
                                               : str_equal(a->text, b->text)) &&
               str_equal(a->text2, b->text2) && strv_equal(a->strv, b->strv);
}

/* The next one of that name from i on; n_items: none. */
static size_t next_of(const UnitProperties *p, size_t i, const char *name) {
        while (i < p->n_items && !streq(p->items[i].name, name))
                i++;
        return i;
}

static bool same_values(const UnitProperties *a, const UnitProperties *b, const char *name) {
        size_t i = next_of(a, 0, name), k = next_of(b, 0, name);

        while (i < a->n_items && k < b->n_items && same_value(a->items + i, b->items + k)) {
                i = next_of(a, i + 1, name);
                k = next_of(b, k + 1, name);
        }
        return i == a->n_items && k == b->n_items;
}

void unit_properties_subtract(UnitProperties *p, const UnitProperties *old, const char *keep) {
        size_t n = 0;

        assert(p);
        assert(old);

        /* All are compared before any is moved. */
        for (size_t i = 0; i < p->n_items; i++)
                p->items[i].same = (!keep || !streq(p->items[i].name, keep)) &&
                                   same_values(p, old, p->items[i].name);
        for (size_t i = 0; i < p->n_items; i++) {
                if (p->items[i].same)
                        unit_property_done(p->items + i);
                else
                        p->items[n++] = p->items[i];
        }
        p->n_items = n;
}

static int append_value(const UnitProperty *i, sd_bus_message *m) {
        int r;

        switch (i->type) {
        case UNIT_PROPERTY_STRING:
                return sd_bus_message_append(m, "(sv)", i->name, "s", i->text);

        case UNIT_PROPERTY_BOOL:
                return sd_bus_message_append(m, "(sv)", i->name, "b", (int) i->number);

        case UNIT_PROPERTY_UINT64:
                return sd_bus_message_append(m, "(sv)", i->name, "t", i->number);

        case UNIT_PROPERTY_PAIR:
                return sd_bus_message_append(m, "(sv)", i->name, "a(ss)", 1, i->text, i->text2);

        case UNIT_PROPERTY_PAIR_U64:
                if (!i->text)
                        return sd_bus_message_append(m, "(sv)", i->name, "a(st)", 0);
                return sd_bus_message_append(m, "(sv)", i->name, "a(st)", 1, i->text, i->number);

        case UNIT_PROPERTY_PIDS:
                return sd_bus_message_append(m, "(sv)", i->name, "au", 1, (uint32_t) i->number);

        case UNIT_PROPERTY_STRV:
        case UNIT_PROPERTY_BYTES:
                r = sd_bus_message_open_container(m, 'r', "sv");
                if (r < 0)
                        return r;
                r = sd_bus_message_append(m, "s", i->name);
                if (r < 0)
                        return r;
                r = sd_bus_message_open_container(
                        m, 'v', i->type == UNIT_PROPERTY_STRV ? "as" : "ay");
                if (r < 0)
                        return r;
                r = i->type == UNIT_PROPERTY_STRV
                          ? sd_bus_message_append_strv(m, i->strv)
                          : sd_bus_message_append_array(m, 'y', i->text, i->size);
                if (r < 0)
                        return r;
                r = sd_bus_message_close_container(m);
                return r < 0 ? r : sd_bus_message_close_container(m);

        default:
                assert_unreachable();
        }
}

int unit_properties_append(const UnitProperties *p, sd_bus_message *m) {
        int r;

        assert(p);
        assert(m);

        r = sd_bus_message_open_container(m, 'a', "(sv)");
        if (r < 0)
                return r;
        for (size_t i = 0; i < p->n_items; i++) {
                r = append_value(p->items + i, m);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_close_container(m);
}
