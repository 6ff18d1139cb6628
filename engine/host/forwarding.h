/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Whether this host forwards packets: net.ipv4.ip_forward, net.ipv6.conf.all.forwarding. */

#include <stdbool.h>

/* Turns it on. 1: it was off until now, 0: it was on (or there is no IPv6). A host that forwards IPv6 no longer listens to routers unless told otherwise: links that did
 * (accept_ra 1) go on doing so (2). note: a file that is made when it was off, so that forwarding_was_off() knows after a restart of ours. */
int forwarding_enable(int family, const char *note);
bool forwarding_was_off(const char *note);
