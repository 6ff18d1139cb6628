/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The words of a mount's "options" in config.json and what they mean to the kernel's mount calls. Pure: no system call,
 * so that hostile lists can be tried by the fuzzer. A word that is not in the table is data for the file system. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct MountOptions MountOptions;

#define MOUNT_OPTIONS_MAX  256U   /* words of one mount */
#define MOUNT_OPTIONS_SIZE 65536U /* bytes of all of them: overlay's lowerdir lists are long */

struct MountOptions {
        uint64_t set; /* MOUNT_ATTR_* of this mount */
        uint64_t clear;
        uint64_t recursive_set; /* the same for it and all mounts below ("rro") */
        uint64_t recursive_clear;
        uint64_t propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE; 0: not given */
        bool propagation_recursive;
        bool bind;
        bool recursive; /* rbind: mounts below the source come along */
        bool remount;
        bool copy_up; /* tmpfs: starts with what the image has at this place */
        bool id_map;  /* idmap, ridmap */
        char **data;  /* "key" or "key=value", in their order */
};

int mount_options_parse(char *const *options, MountOptions *ret, Error *reterr);
void mount_options_done(MountOptions *o);

/* The other direction: a sorted list that mount_options_parse() reads as the same options. */
int mount_options_format(const MountOptions *o, char ***ret);

/* All words of the table in its order, NULL-terminated; for `features`. Not to be freed. */
const char *const *mount_options_names(void);
