/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of cli/cmd-volume*.c: the volumes of a swarm. */

#include "cli/commands.h"

/* Adds ClusterVolumeSpec to the body of a creation if one of its options was given. */
int volume_set_cluster(Json *body, const Options *o, Error *reterr);
int volume_cmd_update(Cli *cli, const Options *o, Error *reterr);
