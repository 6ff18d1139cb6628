/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The REST face as a whole: its listening sockets, each with an Http. Sockets come from systemd (name "rest") or from -H. */

#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Auth Auth;
typedef struct Engine Engine;
typedef struct Rest Rest;
typedef struct Settings Settings;

/* fds: listening sockets from systemd, moved in any case. Without any, the -H of settings; without those, unix:///run/docker.sock. */
int rest_new(Engine *e, Auth *auth, const Settings *settings, int *fds, size_t n_fds, Rest **ret,
        Error *reterr);
Rest *rest_free(Rest *r);
DEFINE_CLEANUP(Rest *, rest_free);
