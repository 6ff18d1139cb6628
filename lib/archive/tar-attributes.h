/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What is set on an unpacked file besides its content: owner, extended attributes, mode, times, in the order that keeps setuid bits
 * and capabilities. Directories are remembered and get theirs at the end, because unpacking into them would change the times,
 * default ACLs would be inherited, and a mode without w would stop an engine that is not root. Internal to lib/archive. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/archive/tar-read.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/hashmap.h"

typedef struct TarDirectories TarDirectories;
typedef struct TarDirectory TarDirectory;
typedef struct TarWishes TarWishes;

struct TarDirectories {
        TarDirectory *items;
        Hashmap *by_inode; /* index + 1 */
        size_t n;
        size_t allocated;
        size_t memory;
        size_t memory_max;
};

/* May an archive set this attribute? trusted.* and the overlay ones would be orders to the storage driver. */
bool tar_xattr_is_allowed(const char *name);

struct TarWishes {
        bool owners;   /* we are root: owners and security.* can be set */
        bool is_ours;  /* the file has the right owner already */
        bool has_mode; /* … and the right mode */
};

/* Everything, on an fd that is open for writing. */
int tar_attributes_apply(TarReader *t, const TarEntry *e, int fd, const TarWishes *wishes,
        uint64_t *n_dropped, Error *reterr);
/* Owner and times (mode too if set_mode) of something that cannot or should not be opened. */
int tar_attributes_apply_at(
        const TarEntry *e, int dir_fd, const char *name, bool owners, bool set_mode, Error *reterr);

void tar_directories_done(TarDirectories *d);
int tar_directories_add(TarDirectories *d, TarReader *t, const TarEntry *e, const struct stat *st,
        uint64_t *n_dropped, Error *reterr);
int tar_directories_apply(TarDirectories *d, int root_fd, BeneathFlags how, bool owners,
        uint64_t *n_dropped, Error *reterr);
