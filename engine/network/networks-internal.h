/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/network only: the set, and the moves that one file makes for another. */

#include "engine/network/ipam.h"
#include "engine/network/network.h"
#include "engine/network/networks.h"
#include "engine/network/sandbox.h"
#include "lib/base/hashmap.h"

typedef struct NetworksPrune NetworksPrune;

struct Networks {
        NetworksWiring w;
        char *root; /* DATAROOT/networks */
        int root_fd;
        Ipam *ipam;
        List by_age; /* oldest first; what is being made is not in it */
        Hashmap *by_id;
        Hashmap *by_name; /* also of what is being made */
        List sandboxes;
        NetworksPrune *prune; /* the one under way */
        bool pool_runs;
        bool ending;
};

/* network.c */
int network_new(const char *id, const NetworkSpec *spec, Network **ret);
int network_read_options(Network *n, Error *reterr); /* of spec.options; driver is known */
void network_drop_subnets(Network *n);
bool network_interface_is_valid(const char *name);

/* network-check.c: completes and checks what a user wishes, pure. ERROR_INVALID with all that is wrong. */
int network_check_ipam(const NetworkSpec *s, Error *reterr);

/* network-subnets.c: takes the subnets of spec.ipam from the pools, and writes down what was chosen; nothing is taken after an error. */
int network_take_subnets(Network *n, Error *reterr);

/* network-store.c */
int network_save(Network *n);
int network_forget_file(Network *n);
int networks_load(Networks *s, Error *reterr);
/* Of the text of its file, on its own; then all that is not saved is derived, its subnets are taken, and it is in the set. */
int network_parse(
        Networks *s, const char *id, const char *text, size_t size, Network **ret, Error *reterr);
int network_revive(Networks *s, Network *n, Error *reterr);

/* networks.c */
int networks_add(Networks *s, Network *n); /* in all indexes */
void networks_drop(Networks *s, Network *n);
const NetworkDriver *network_driver_find(const char *name);

/* network-make.c: what stands on the host. network_wake_all: sandboxes that wait for it go on. */
int network_make(Network *n, Error *reterr);
void network_forget_call(Network *n);
void networks_prune_free(Networks *s);

/* sandbox.c: n is ready now, or is not (why). */
void sandboxes_proceed(Networks *s, Network *n);
