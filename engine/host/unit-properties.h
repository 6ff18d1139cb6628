/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Properties of a unit as plain data: filled by pure code (engine/container/scope.c), written into
 * the message of StartTransientUnit or SetUnitProperties by units.c. In the caller's memory:
 * _cleanup_(unit_properties_done) UnitProperties p = {}; */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct UnitProperties UnitProperties;
typedef struct UnitProperty UnitProperty;
typedef struct sd_bus_message sd_bus_message;

typedef enum UnitPropertyType {
        UNIT_PROPERTY_STRING,   /* s */
        UNIT_PROPERTY_STRV,     /* as */
        UNIT_PROPERTY_BOOL,     /* b */
        UNIT_PROPERTY_UINT64,   /* t */
        UNIT_PROPERTY_BYTES,    /* ay: AllowedCPUs, a bit per CPU */
        UNIT_PROPERTY_PAIR,     /* a(ss): DeviceAllow; repeated ones of a name add up */
        UNIT_PROPERTY_PAIR_U64, /* a(st): IODeviceWeight and its kin */
        UNIT_PROPERTY_PIDS,     /* au */
        _UNIT_PROPERTY_TYPE_MAX,
} UnitPropertyType;

struct UnitProperty {
        const char *name; /* a literal */
        UnitPropertyType type;
        char *text;  /* STRING; path of PAIR, PAIR_U64; BYTES: the bytes */
        char *text2; /* PAIR */
        char **strv;
        size_t size;     /* BYTES */
        uint64_t number; /* BOOL, UINT64, PAIR_U64, PIDS */
        bool same;       /* scratch of unit_properties_subtract() */
};

struct UnitProperties {
        UnitProperty *items;
        size_t n_items;
        size_t n_allocated;
};

void unit_properties_done(UnitProperties *p);

int unit_properties_add_string(UnitProperties *p, const char *name, const char *value);
int unit_properties_add_strv(UnitProperties *p, const char *name, char *const *value);
int unit_properties_add_bool(UnitProperties *p, const char *name, bool value);
int unit_properties_add_u64(UnitProperties *p, const char *name, uint64_t value);
int unit_properties_add_pair(
        UnitProperties *p, const char *name, const char *value, const char *value2);
/* value NULL: the list is emptied. */
int unit_properties_add_pair_u64(
        UnitProperties *p, const char *name, const char *value, uint64_t number);
int unit_properties_add_pid(UnitProperties *p, const char *name, uint32_t pid);
/* list: "0-3,5" as the kernel writes it, checked before. */
int unit_properties_add_cpus(UnitProperties *p, const char *name, const char *list);

/* The first one of that name, NULL: not there. */
const UnitProperty *unit_properties_find(const UnitProperties *p, const char *name);

/* Takes away what old says as well, in the same way: all of a name or nothing. keep (or NULL): a name that stays. */
void unit_properties_subtract(UnitProperties *p, const UnitProperties *old, const char *keep);

/* Appends them as a(sv). */
int unit_properties_append(const UnitProperties *p, sd_bus_message *m);
