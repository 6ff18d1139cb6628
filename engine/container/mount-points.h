/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The binds and volumes of a container as one list, whatever words they were asked for with (-v, --mount, --volumes-from, VOLUME of the image):
 * made once at create, saved with the container. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/json/fields.h"

typedef struct Container Container;
typedef struct Containers Containers;
typedef struct ContainerSpec ContainerSpec;
typedef struct PlacedMount PlacedMount;
typedef struct TaskMount TaskMount;
typedef struct VolumeMount VolumeMount;

typedef struct MountPoint {
        char *type;        /* bind, volume, image */
        char *name;        /* of the volume; empty until it has been made for an anonymous one */
        char *image_id;    /* sha256:…; source is what the user called it */
        char *layer;       /* its top layer; empty: it has none */
        char *subpath;     /* of volume or image: only this file or folder */
        char *source;      /* on the host; of a volume its folder */
        char *destination; /* normalised */
        char *mode;        /* the words of -v as they were given */
        char *propagation; /* of a bind: rprivate unless asked */
        bool read_only;
        bool non_recursive;           /* what is mounted below the source is left out */
        bool read_only_non_recursive; /* what is mounted below may be written to */
        bool create;                  /* a missing source becomes a folder */
        bool anonymous;               /* a volume without a name of its own: goes with "rm -v" */
        bool no_copy;                 /* the image's content is not copied into the new volume */
        bool inherited;               /* from another container */
} MountPoint;

typedef struct MountPoints {
        MountPoint *items;
        size_t n;
        size_t n_allocated;
} MountPoints;

extern const JsonField mount_point_fields[];

void mount_points_done(MountPoints *l);

/* The place for a mount at destination, empty but for that; what l has there goes. */
int mount_points_put(MountPoints *l, const char *destination, MountPoint **ret);

/* Those of binds, mounts and of the image, behind what l has already; a wish of the user takes the place of an inherited one, and the image's volume
 * that of nothing. spec has been checked. Pure. */
int mount_points_add(MountPoints *l, const ContainerSpec *spec);

/* A word of VolumesFrom: "CONTAINER[:ro|:rw]". ERROR_INVALID. Pure; container is the caller's. */
int volumes_from_parse(const char *text, char **ret_container, bool *ret_read_only, Error *reterr);

/* At create: all of the above for c, and its volumes, which are made when they are missing and then have c as user. ret_made (strv): names of the new
 * ones, for mount_points_undo(). */
int mount_points_make(Container *c, char ***ret_made, Error *reterr);
void mount_points_undo(Container *c, char *const *made);

/* After a start of the engine: c is a user of its volumes again. */
void mount_points_restore(Container *c);

/* Before c goes, with (or, if that failed, without) its anonymous volumes. */
void mount_points_mark_leaving(Container *c, bool leaving);
/* After all containers have been loaded: what a killed daemon had still to remove. */
void mount_points_finish_leaving(Containers *s);

/* The container is gone. anonymous: so are those of its volumes that had no name and no other user. */
void mount_points_leave(Container *c, bool anonymous);

/* What a worker shall copy from the image into volumes that are empty; no mounts: nothing. The caller frees. */
int mount_points_copy_up(Container *c, TaskMount **ret, size_t *ret_n);

/* "mount" and "unmount" of each volume. */
void mount_points_publish(Container *c, bool mounted);

/* ---- mount-sources.c ---- */

/* It is not simply a path of the host: the monitor has to make it (lib/api/mount-source.h), at a path of its own in the bundle. */
bool mount_point_is_placed(const MountPoint *m);
int mount_point_place(const MountPoints *l, size_t i, const char *bundle_dir, char **ret);

/* For monitor and worker; the caller frees by mount_sources_free(). */
int mount_points_volume_mounts(const Container *c, VolumeMount **ret, size_t *ret_n);
int mount_points_places(const Container *c, const char *bundle_dir, PlacedMount **ret,
        size_t *ret_n, Error *reterr);
VolumeMount *volume_mounts_free(VolumeMount *list, size_t n);

/* c does not use its volumes any more, for now. */
void mount_points_unmount(Container *c);
