/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The changes a caller of org.stauer.Config1 proposes: a(sas) in a message, and what is wrong with
 * them. Part of dep_bus_config. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct ConfigChanges ConfigChanges;
typedef struct OptionChange OptionChange;
typedef struct Options Options;

/* Names are borrowed from the message. */
struct ConfigChanges {
        OptionChange *items;
        size_t n;
};

int config_changes_read(sd_bus_message *m, ConfigChanges *ret, sd_bus_error *reterr);
void config_changes_done(ConfigChanges *c);

/* Makes the changes in o and appends (sss) for each problem. */
int config_changes_check(
        Options *o, const ConfigChanges *changes, sd_bus_message *reply, bool *ret_valid);

/* The text behind DOCKER_OPTS= as it stands in o. */
const char *config_raw_options(const Options *o);
