/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The AppArmor profile of containers that name none. The kernel forgets profiles at a reboot and an administrator may remove one, so
 * the monitor, which the daemon's sandbox does not hold, looks before each start and loads it with apparmor_parser when it is
 * not there. A profile of that name which is loaded already is left as it is: it may be the administrator's own. */

#include "lib/base/error.h"

typedef struct Json Json;

#define APPARMOR_DEFAULT  "docker-default"
#define APPARMOR_PROFILES "/sys/kernel/security/apparmor/profiles"

/* config: config.json. Nothing happens for a process with another profile, or none. */
int apparmor_prepare(const Json *config, Error *reterr);

/* Pure: whether the text of the kernel's list names the profile. */
bool apparmor_list_has(const char *list, const char *name);
