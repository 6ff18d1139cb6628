/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The set of networks: the predefined "host" and "none". Owned by Engine. */

#include "engine/network/network.h"

typedef struct Networks Networks;

int networks_new(Networks **ret);
Networks *networks_free(Networks *s);
DEFINE_CLEANUP(Networks *, networks_free);

/* name, id, or unique prefix of an id. ERROR_NOT_FOUND "network X not found". */
int networks_find(Networks *s, const char *name, Network **ret, Error *reterr);
Network *networks_next(Networks *s, Network *after); /* NULL: first */

/* HostConfig.NetworkMode to the network: "" and "default" are Docker's "bridge". What is not there yet is
 * ERROR_NOT_IMPLEMENTED with a sentence that says what works. By name only, no id. */
int networks_find_mode(Networks *s, const char *mode, Network **ret, Error *reterr);
