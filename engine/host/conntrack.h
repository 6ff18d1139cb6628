/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Conntrack makes the kernel forget flows to ports of this host: a flow keeps the translation that its first packet got (or got not), so a UDP
 * client that goes on sending would not notice that a port is published now, or leads to another container. Asynchronous: the kernel's table
 * is walked once for all ports that are asked for meanwhile. */

#include <stdint.h>

#include "lib/base/macro.h"

typedef struct Conntrack Conntrack;
typedef struct sd_event sd_event;

int conntrack_new(sd_event *e, Conntrack **ret); /* opens nothing before the first call */
Conntrack *conntrack_free(Conntrack *c);         /* what is under way is not finished */
DEFINE_CLEANUP(Conntrack *, conntrack_free);

/* Flows of this protocol that were begun to this port of any address of the host. Best effort: what goes wrong is logged for debugging. */
int conntrack_forget(Conntrack *c, int family, uint8_t protocol, uint16_t port);
