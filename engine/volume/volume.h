/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Volume: a folder DATAROOT/volumes/NAME/_data that outlives the containers it is mounted into. What it was made with is beside it, in
 * volume.json, and never changes. Owned by Volumes; the fields are for reading. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/ident.h"
#include "lib/base/macro.h"

typedef struct Hashmap Hashmap;
typedef struct Volume Volume;
typedef struct VolumeMount VolumeMount;
typedef struct Volumes Volumes;

#define VOLUME_DRIVER          "local" /* the only one there is */
#define VOLUME_ANONYMOUS_LABEL "com.docker.volume.anonymous"

struct Volume {
        Volumes *set;

        /* saved */
        char *name;
        char **labels;  /* pairs */
        char **options; /* pairs: of volume-options.h */
        int64_t created_ns;

        /* volatile */
        Hashmap *users; /* ids of the containers that have it, running or not */
        bool has_size;
        uint64_t size; /* bytes when it was last measured */
};

/* It was made without a name. */
bool volume_is_anonymous(const Volume *v);
/* DATAROOT/volumes/NAME/_data; NULL when out of memory. */
char *volume_mountpoint(const Volume *v);
int volume_is_empty(const Volume *v); /* 1 (also when that is not known), 0, negative errno */
/* It has the options type, o and device: what is in it is known only while somebody uses it. */
bool volume_is_mount(const Volume *v);
int volume_describe_mount(const Volume *v, VolumeMount *ret);
unsigned volume_count_users(const Volume *v);

/* Who uses it stands in the way of its removal. Adding one that is there does nothing. */
int volume_add_user(Volume *v, const char *container_id);
void volume_remove_user(Volume *v, const char *container_id);

/* It is to be removed with that container (NULL: not any more), whose removal comes next: so that the next daemon goes on where one that was killed
 * between the two left off. Not synced: the container's folder vanishes after it. */
int volume_mark_leaving(const Volume *v, const char *container_id);
int volume_read_leaving(const Volume *v, char ret[static IDENT_SIZE]); /* 1, 0: no such mark */
