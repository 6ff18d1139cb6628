/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Firewalld keeps bridges in a zone of firewalld, while that is on the bus: otherwise it would reject what they forward. The zone is "docker" if
 * there is one (dockerd makes it, an administrator may), else "trusted"; a bridge that has a zone already keeps it. Only the running
 * configuration is changed, and set again whenever firewalld comes or has reloaded. Asynchronous; what goes wrong is logged. */

#include "lib/base/macro.h"

typedef struct Firewalld Firewalld;
typedef struct sd_bus sd_bus;

/* It has come, or has reloaded: whatever it does to rules is done. */
typedef void (*firewalld_reloaded_t)(void *userdata);

int firewalld_new(sd_bus *bus, firewalld_reloaded_t reloaded, void *userdata, Firewalld **ret);
Firewalld *firewalld_free(Firewalld *f);
DEFINE_CLEANUP(Firewalld *, firewalld_free);

int firewalld_add(Firewalld *f, const char *bridge); /* again is fine */
void firewalld_remove(Firewalld *f, const char *bridge);
