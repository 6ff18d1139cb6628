/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/mount-source.h"

#define EMPTY JSON_OMIT_EMPTY

/* clang-format off */
const JsonField mount_spec_fields[] = {
        JSON_STRING("type",      MountSpec, type,      0),
        JSON_STRING("source",    MountSpec, source,    EMPTY),
        JSON_STRING("directory", MountSpec, directory, EMPTY),
        JSON_STRING("options",   MountSpec, options,   EMPTY),
        JSON_BOOL  ("read_only", MountSpec, read_only, EMPTY),
        {}
};

const JsonField volume_mount_fields[] = {
        JSON_STRING("folder",  VolumeMount, folder,  JSON_MANDATORY),
        JSON_STRING("type",    VolumeMount, type,    EMPTY),
        JSON_STRING("device",  VolumeMount, device,  EMPTY),
        JSON_STRING("options", VolumeMount, options, EMPTY),
        {}
};

const JsonField placed_mount_fields[] = {
        JSON_STRING("path",      PlacedMount, path,      EMPTY),
        JSON_STRING("source",    PlacedMount, source,    EMPTY),
        JSON_NESTED("image",     PlacedMount, image, mount_spec_fields, 0),
        JSON_STRING("subpath",   PlacedMount, subpath,   EMPTY),
        JSON_BOOL  ("recursive", PlacedMount, recursive, EMPTY),
        {}
};
/* clang-format on */

void mount_spec_done(MountSpec *m) {
        fields_done(mount_spec_fields, m);
}
