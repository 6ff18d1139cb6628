/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of engine/storage share. Nobody else includes it. */

#include "engine/storage/driver.h"
#include "engine/storage/storage.h"

struct Storage {
        char *data_root;
        char *path; /* DATAROOT/layers/DRIVER */
        char **options;
        const StorageDriver *driver;
        void *state;
        int root_fd;
        int layers_fd; /* DATAROOT/layers/DRIVER */
        int tmp_fd;
        int trash_fd;
};

#define LAYER_PARENT_LINK "parent"
#define LAYER_DIFF        "diff"
#define LAYER_RECORD      "layer.json"

/* The 64 digits of "sha256:…" or of an id as it is; NULL for anything else. Inside s. */
const char *storage_layer_digits(const char *s);

/* The layer and those below it, top first, as digits. */
int storage_chain(Storage *s, const char *digits, char ***ret);

/* An empty folder below DATAROOT/tmp under a name of its own. */
int storage_folder_make(Storage *s, char **ret_name);
/* Its driver part, the link to its parent, then its real name: one rename. */
int storage_folder_publish(
        Storage *s, const char *folder, const char *digits, const char *parent_digits);
