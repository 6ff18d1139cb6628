/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The Daemon: the loop, the bus, the engine and both faces, in the order in which they need each other. The only place that knows all
 * of them. */

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Daemon Daemon;
typedef struct Settings Settings;

/* settings are taken over in any case. argv is read again at a reload. reterr is the one sentence for the journal. */
int daemon_new(int argc, char *const *argv, Settings *settings, Daemon **ret, Error *reterr);
Daemon *daemon_free(Daemon *d);
DEFINE_CLEANUP(Daemon *, daemon_free);

/* Until SIGTERM, SIGINT, or the bus goes away (then negative: systemd starts us anew, no container notices). */
int daemon_run(Daemon *d);
