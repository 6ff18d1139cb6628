/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What has to be looked up on the host for a container and the daemon cannot see, because its own /dev, /home and /tmp are private. */

#include "lib/api/monitor-spec.h"
#include "lib/base/error.h"
#include "lib/base/users.h"

/* Sources of bind mounts: there, or made, or a sentence. */
int host_check_binds(const MonitorSpec *s, Error *reterr);

/* Adds the nodes of s->devices (with a rule each) and, if all are wanted, those of the host's /dev to config. The same rules come back as
 * "c 1:11 rwm" for the scope: only here it is known which nodes a folder or a link stands for. */
int host_add_devices(const MonitorSpec *s, const UserIdentity *user, Json *config,
        char ***ret_rules, Error *reterr);
