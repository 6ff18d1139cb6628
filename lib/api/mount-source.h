/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a container mounts when that is more than a path of the host: a volume that has to be mounted itself, and a part of a volume or of an image. Of
 * MonitorSpec and TaskSpec; service/rootfs does it. */

#include <stdbool.h>

#include "lib/json/fields.h"

/* One mount that the storage driver asked for. options may hold names relative to directory
 * (overlay's lowerdir must fit into a page), so the monitor enters directory before it mounts.
 * type "bind" binds source. */
typedef struct MountSpec {
        char *type;
        char *source;
        char *directory;
        char *options;
        bool read_only;
} MountSpec;

/* A volume with the options type, o and device: mounted at FOLDER/_data of the host while somebody uses it. */
typedef struct VolumeMount {
        char *folder; /* DATAROOT/volumes/NAME */
        char *type;
        char *device;
        char *options; /* as for mount(8); may hold a password */
} VolumeMount;

/* A file or folder beneath a root, found without leaving it. */
typedef struct PlacedMount {
        char *path;   /* where the monitor shows it, for a bind mount of config.json */
        char *source; /* the root: a folder of the host; empty: image */
        MountSpec image;
        char *subpath; /* empty: the root itself */
        bool recursive;
} PlacedMount;

extern const JsonField mount_spec_fields[];
extern const JsonField volume_mount_fields[];
extern const JsonField placed_mount_fields[];

void mount_spec_done(MountSpec *m);
