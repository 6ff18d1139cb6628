/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What overlayfs can do here, found out without mounting: the daemon must not. */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct OverlayFeatures OverlayFeatures;

/* The mount option exists in this kernel (then we switch it off: image layers must not depend on how the kernel was configured). */
struct OverlayFeatures {
        bool index;
        bool metacopy;
        bool redirect_dir;
};

/* 1 usable below root_fd; 0 not, reterr says why. */
int overlay_probe(int root_fd, Error *reterr);
void overlay_features(OverlayFeatures *ret);

/* Docker's word for the file system: "extfs", "xfs", "btrfs", …; "unknown". */
const char *overlay_backing_name(int root_fd);
