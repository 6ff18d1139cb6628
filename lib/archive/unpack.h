/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One run of tar_extract(): what its two files share. tar-extract.c decides where an entry goes, tar-place.c puts it there. Internal to
 * lib/archive. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/archive/tar-attributes.h"
#include "lib/archive/tar-extract.h"
#include "lib/archive/tar-read.h"
#include "lib/base/beneath.h"
#include "lib/base/error.h"

typedef struct Unpack Unpack;

struct Unpack {
        const TarExtract *x;
        const TarLimits *limits;
        TarReader *reader;
        TarDirectories directories;
        TarExtractResult *result;
        bool owners;
        BeneathFlags how; /* of every resolution */
        TarEntry moved;   /* the present entry where it goes in a living tree */
        char *moved_path;
        char *moved_link;

        /* The folder that the last entry was in. */
        int dir_fd;
        char *dir_path;       /* NULL: not to be used for the next entry */
        bool dir_gives_group; /* set-group-id: what is made in it does not get our group */

        uint64_t checked_bytes;
        uint64_t checked_entries;
};

/* Is there still room on the disk? Looks only now and then, unless now. */
int unpack_check_free(Unpack *u, bool now, Error *reterr);

/* The entry becomes e->name in dir_fd, whatever is there now. */
int unpack_place(Unpack *u, const TarEntry *e, int dir_fd, Error *reterr);
