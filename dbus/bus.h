/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The D-Bus face as a whole: org.stauer.Engine1 on the system bus. Objects come and go with the engine's sets; nothing is kept here but the
 * registrations. The contract is in the XML files beside this one. Whoever may not view gets nothing: a filter asks polkit before any property or
 * the list of objects is read. */

#include <systemd/sd-bus.h>

#include "lib/base/macro.h"

#define BUS_NAME "org.stauer.Engine1"

typedef struct Bus Bus;
typedef struct Engine Engine;

/* Registers everything on bus; the caller requests BUS_NAME when the engine is ready. */
int bus_new(sd_bus *bus, Engine *e, Bus **ret);
Bus *bus_free(Bus *b);
DEFINE_CLEANUP(Bus *, bus_free);
