/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* org.stauer.Config1 over config/. Linked by stauer-configd only, which owns the BusConfig. */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "lib/base/macro.h"

typedef struct BusConfig BusConfig;
typedef struct Options Options;

struct BusConfig {
        sd_bus *bus;
        sd_bus_slot *slot;
        sd_bus_slot *filter;
        sd_event_source *watch; /* the file's folder */
        char *sysconfig_file;
        char *config_file;
        char *lens_dir;
        char etag[65];           /* of what was told last */
        uint64_t last_used_usec; /* CLOCK_MONOTONIC, of the last call */
};

int bus_config_new(sd_bus *bus, const char *sysconfig_file, const char *config_file,
        const char *lens_dir, BusConfig **ret);
BusConfig *bus_config_free(BusConfig *c);
DEFINE_CLEANUP(BusConfig *, bus_config_free);

/* The answer of ListOptions (bus-config-options.c). */
int bus_config_append_options(sd_bus_message *m, const Options *o);
