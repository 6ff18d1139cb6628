/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Making and ending the set: for engine/engine.c only. */

#include "engine/container/containers.h"

typedef struct Hub Hub;
typedef struct Images Images;
typedef struct Jobs Jobs;
typedef struct Launcher Launcher;
typedef struct Networks Networks;
typedef struct Settings Settings;
typedef struct Storage Storage;
typedef struct SysInfo SysInfo;
typedef struct Units Units;
typedef struct Volumes Volumes;
typedef struct Workers Workers;
typedef struct sd_event sd_event;

/* The sets below, all borrowed. */
typedef struct ContainersWiring {
        sd_event *event;
        const Settings *settings;
        const SysInfo *sysinfo;
        Hub *hub;
        Jobs *jobs;
        Units *units;
        Launcher *launcher;
        Workers *workers;
        Workers *copiers;
        Storage *storage;
        Images *images;
        Networks *networks;
        Volumes *volumes;
        const char *seccomp_file; /* the default profile; NULL: unconfined */
} ContainersWiring;

int containers_new(const ContainersWiring *w, Containers **ret, Error *reterr);

/* Everything that waits for the launcher, systemd or a monitor is forgotten: before those go. */
void containers_detach(Containers *s);

/* Lets go of the rest; containers run on. */
Containers *containers_free(Containers *s);
DEFINE_CLEANUP(Containers *, containers_free);

/* restore.c: reads what is on disk, links to the monitors that live, ends what a crash left half done. Once, at start. */
int containers_restore(Containers *s, Error *reterr);

/* By a worker, one at a time; also when something was in it at start. */
void containers_empty_trash(Containers *s);
