/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The set of Volumes below DATAROOT/volumes. Owned by Engine; containers say which they use. Each change is on disk before the call
 * returns and is published ("create", "destroy", "prune" of type volume). */

#include <stddef.h>
#include <stdint.h>

#include "engine/volume/volume.h"
#include "lib/base/error.h"

typedef struct Filter Filter;
typedef struct Hub Hub;
typedef struct Jobs Jobs;
typedef struct Pending Pending;
typedef struct Workers Workers;

typedef struct VolumesWiring {
        const char *data_root;
        Hub *hub;
        Jobs *jobs;
        Workers *workers;
        void (*on_trash)(void *userdata); /* there is something in DATAROOT/tmp/trash */
        void *userdata;
} VolumesWiring;

/* Reads what is there; a folder without a sound volume.json is left alone and named in the journal. All of w outlives the set. */
int volumes_new(const VolumesWiring *w, Volumes **ret, Error *reterr);
Volumes *volumes_free(Volumes *s);
DEFINE_CLEANUP(Volumes *, volumes_free);

/* Nothing is answered or begun any more; before the jobs go. */
void volumes_end(Volumes *s);

typedef struct VolumeWish {
        const char *name;   /* NULL or "": a random one, and the label of those */
        const char *driver; /* NULL or "": local */
        char *const *labels;
        char *const *options;
} VolumeWish;

/* NULL, or why whoever may make volumes may not make this one by that alone: "mount", it would show what is on the host. */
const char *volume_wish_privilege(const VolumeWish *wish);

/* One that has the name is given back as it is: 0; a new one: 1. ERROR_INVALID for name or option, ERROR_NOT_FOUND for the driver. */
int volumes_create(Volumes *s, const VolumeWish *wish, Volume **ret, Error *reterr);

/* ERROR_NOT_FOUND "get X: no such volume". */
int volumes_find(Volumes *s, const char *name, Volume **ret, Error *reterr);
Volume *volumes_next(Volumes *s, const Volume *after); /* by name; NULL: the first */
unsigned volumes_count(const Volumes *s);

/* By name. The array is the caller's. */
extern const char *const volume_filter_keys[]; /* dangling driver label name */
int volumes_list(Volumes *s, const Filter *f, Volume ***ret, size_t *ret_n, Error *reterr);

/* ERROR_CONFLICT "remove X: volume is in use - [id, …]". The Volume is gone afterwards; its files go behind that. */
int volumes_remove(Volumes *s, Volume *v, Error *reterr);

/* A worker unmounts those of the names (NULL: all) that are mounts and that nobody uses. Fails quietly: the next one tries again. */
int volumes_unmount(Volumes *s, char *const *names);

/* How large they are: a worker walks their folders, size and has_size tell then. The result of p is NULL. */
int volumes_measure(Volumes *s, Volume *const *list, size_t n, Pending *p, Error *reterr);

/* Removes those that nobody uses and that pass; only anonymous ones unless all. One at a time for all callers: ERROR_CONFLICT. Pending's
 * result: const VolumesPruned *. */
typedef struct VolumesPruned {
        char **names;
        uint64_t bytes;
} VolumesPruned;

extern const char *const volume_prune_filter_keys[]; /* all label label! */
int volumes_prune(Volumes *s, const Filter *f, bool all, Pending *p, Error *reterr);
