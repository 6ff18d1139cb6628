/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Devices of the container device interface, as the files in some folders describe them now: read when they are asked for, kept nowhere. A
 * later folder is stronger than an earlier one; a device that two files of one folder have is no device. A file that cannot be read is left
 * out and said why. Folders and files that are not there are fine. */

#include <stddef.h>

#include "lib/base/macro.h"

typedef struct CdiDevices CdiDevices;
typedef struct CdiEdits CdiEdits;
typedef struct Error Error;

#define CDI_FILES_MAX 256u /* in one folder */

/* Reads *.json, *.yaml and *.yml below dirs: short, and inline. */
int cdi_devices_read(char *const *dirs, CdiDevices **ret);
CdiDevices *cdi_devices_free(CdiDevices *d);
DEFINE_CLEANUP(CdiDevices *, cdi_devices_free);

/* Qualified names, sorted. */
int cdi_devices_list(const CdiDevices *d, char ***ret);

/* The edits for the devices in names, those of a file before those of its devices and only once. What *ret points to is d's, the array the
 * caller's to free. ERROR_INTERNAL, as dockerd has it, with dockerd's sentence, which has all the names that are unknown. */
int cdi_devices_find(const CdiDevices *d, char *const *names, const CdiEdits ***ret, size_t *ret_n,
        Error *reterr);
