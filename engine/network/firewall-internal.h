/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What firewall.c and firewall-network.c share: the firewall in terms of rules, without networks. */

#include "engine/network/firewall-rules.h"

typedef struct Firewall Firewall;

RuleNetwork *rule_network_free(RuleNetwork *n);
DEFINE_CLEANUP(RuleNetwork *, rule_network_free);
RuleEndpoint *rule_endpoint_free(RuleEndpoint *e);
DEFINE_CLEANUP(RuleEndpoint *, rule_endpoint_free);

/* Both take what they are given in any case. */
int firewall_set_network(Firewall *f, RuleNetwork *n, Error *reterr);
int firewall_set_endpoint(Firewall *f, RuleEndpoint *e, Error *reterr);
