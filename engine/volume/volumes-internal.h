/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/volume only. */

#include "engine/volume/volumes.h"
#include "lib/base/hashmap.h"

typedef struct VolumePrune VolumePrune;

struct Volumes {
        const char *data_root;
        Hub *hub;
        Jobs *jobs;
        Workers *workers;
        void (*on_trash)(void *userdata);
        void *userdata;

        char *root; /* DATAROOT/volumes */
        int root_fd;
        int tmp_fd;
        int trash_fd;

        Hashmap *by_name;
        Volume **sorted; /* by name */
        size_t n_sorted;
        size_t n_sorted_allocated;
        VolumePrune *prune; /* the one under way */
        bool ending;
};

/* volume.c */
int volume_new(Volumes *s, Volume **ret);
Volume *volume_free(Volume *v);
DEFINE_CLEANUP(Volume *, volume_free);
int volume_save(const Volume *v, int folder_fd); /* volume.json, durable */
int volume_load(Volumes *s, const char *name, int folder_fd, Volume **ret);
int volume_parse(Volumes *s, const char *name, const char *text, size_t size, Volume **ret);

/* volume-size.c: nobody is told */
VolumePrune *volume_prune_free(VolumePrune *x);

void volumes_publish(Volumes *s, const char *name, const char *action, const char *attribute);
