/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The engine as a whole: makes, wires and owns every set; the one thing both faces get. No logic of its own. */

#include "engine/network/driver.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Builds Builds;
typedef struct Containers Containers;
typedef struct FdStore FdStore;
typedef struct Hub Hub;
typedef struct Images Images;
typedef struct Jobs Jobs;
typedef struct Launcher Launcher;
typedef struct Networks Networks;
typedef struct Settings Settings;
typedef struct Stats Stats;
typedef struct Storage Storage;
typedef struct SysInfo SysInfo;
typedef struct Units Units;
typedef struct Volumes Volumes;
typedef struct Workers Workers;
typedef struct sd_bus sd_bus;
typedef struct sd_event sd_event;

typedef struct Engine {
        sd_event *event;
        sd_bus *bus;       /* the system bus; shared by units and the D-Bus face */
        FdStore *fd_store; /* the daemon's: sockets that outlive it */
        const Settings *settings;
        SysInfo *sysinfo;
        Hub *hub;
        Jobs *jobs;
        Units *units;
        Launcher *launcher;
        Workers *workers;
        Workers *pullers; /* for images from registries, which may be slow */
        Workers *copiers; /* the same for tasks that feed a client or are fed by one */
        Storage *storage;
        Images *images;
        NetworkGround ground;
        Networks *networks;
        Volumes *volumes;
        Containers *containers;
        Builds *builds;
        Stats *stats;
        int lock_fd;        /* of the data root */
        bool trash_is_full; /* at start */
        char *id;           /* of this data root: "ID" of /info */
} Engine;

/* Opens the data root (0710, refuses another engine's data with the way out), the storage driver, the sets; reads all state; links to the
 * monitors that live. Refuses a host without cgroup v2. reterr holds the one sentence for the administrator. fd_store stays the caller's and must
 * outlive the engine. */
int engine_new(sd_event *event, sd_bus *bus, FdStore *fd_store, const Settings *settings,
        Engine **ret, Error *reterr);

/* Lets go of everything; containers run on. */
Engine *engine_free(Engine *e);
DEFINE_CLEANUP(Engine *, engine_free);

const char *engine_storage_driver(const Engine *e); /* name of the one in use */

/* The settings that may change while we run have changed: event "reload". */
void engine_reloaded(Engine *e);
