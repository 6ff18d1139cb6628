/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Whether this host forwards packets: net.ipv4.ip_forward, net.ipv6.conf.all.forwarding. */

#include <stdbool.h>

/* 1, 0; without IPv6 it is taken as on. */
int forwarding_is_on(int family);

/* Turns it on. A host that forwards IPv6 no longer listens to routers unless told otherwise: links that did (accept_ra 1) go on doing so (2).
 * note: a file that is made if it was off, so that forwarding_was_off() knows after a restart of ours. */
int forwarding_enable(int family, const char *note);
bool forwarding_was_off(const char *note);
