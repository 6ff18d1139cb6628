/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The changes a caller of org.stauer.Config1 proposes: a(sas) in a message, part of dep_bus_config.
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

typedef struct ConfigChanges ConfigChanges;
typedef struct OptionChange OptionChange;

/* Names are borrowed from the message. */
struct ConfigChanges {
        OptionChange *items;
        size_t n;
};

int config_changes_read(sd_bus_message *m, ConfigChanges *ret, sd_bus_error *reterr);
void config_changes_done(ConfigChanges *c);
