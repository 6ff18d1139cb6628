/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The bundle's config.json: what the daemon wrote, completed by what only the monitor knows. User and HOME come from the mounted image; the
 * cgroup is known when the scope is there. Everything else is printed before that, so that writing it costs nothing on the way. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/users.h"

typedef struct Json Json;

typedef struct Bundle {
        char *top;           /* "{…}" without linux */
        char *linux_section; /* "{…}" without cgroupsPath */
        bool home_added;     /* HOME is that of the user, nobody had given one */
} Bundle;

/* Changes config: process.user, HOME in process.env, root.path; takes linux out of it. */
int bundle_make(Json *config, const UserIdentity *user, Bundle *ret, Error *reterr);
/* process.user, and HOME in process.env unless it is there. */
int bundle_set_user(Json *process, const UserIdentity *user);
void bundle_done(Bundle *b);

/* Writes config.json into the folder. cgroup_path NULL: none is asked for. */
int bundle_write(const Bundle *b, const char *cgroup_path, int bundle_fd);
