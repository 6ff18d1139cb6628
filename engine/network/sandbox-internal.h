/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of sandbox*.c only. */

#include "engine/network/ipam.h"
#include "engine/network/sandbox.h"

/* sandbox.c */
void sandbox_leave_now(Sandbox *b);             /* the leave that has waited (.leave_waits) */
void sandbox_take_out(Sandbox *b, Endpoint *e); /* leaves and frees e; errors are logged */

/* sandbox-reserve.c */
IpamSubnet *network_subnet_of(const Network *n, const IpamAddress *a); /* NULL: none of its */
int endpoint_make_names(Endpoint *e);

/* sandbox-join.c */
void sandbox_tell_done(Sandbox *b, int r, const Error *e); /* done, once, if anybody waits */
void sandbox_choose_gateways(Sandbox *b);                  /* sets default4 and default6 */
void sandbox_reroute(
        Sandbox *b); /* the routes inside follow default4 and default6; errors are logged */
int sandbox_reserve_ports(Sandbox *b, Error *reterr);
int sandbox_publish(Sandbox *b, Error *reterr); /* all ports where they belong now */
void sandbox_unpublish(Endpoint *e);
void sandbox_tell_resolver(Sandbox *b);
