/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Small ustar archives in memory, for tests. */

#include <stdio.h>
#include <string.h>

#include "lib/base/buffer.h"

static inline void tar_make(Buffer *b, const char *name, char kind, const char *link, unsigned mode,
        const char *content) {
        char block[512] = "";
        size_t size = content ? strlen(content) : 0;
        unsigned sum = 0;

        (void) snprintf(block, 100, "%s", name);
        (void) snprintf(block + 100, 8, "%07o", mode);
        (void) snprintf(block + 108, 8, "%07o", 0);
        (void) snprintf(block + 116, 8, "%07o", 0);
        (void) snprintf(block + 124, 12, "%011o", (unsigned) size);
        (void) snprintf(block + 136, 12, "%011o", 1000000000u);
        block[156] = kind;
        (void) snprintf(block + 157, 100, "%s", link ? link : "");
        memcpy(block + 257, "ustar\00000", 8);
        memset(block + 148, ' ', 8);
        for (size_t i = 0; i < sizeof(block); i++)
                sum += (unsigned char) block[i];
        (void) snprintf(block + 148, 8, "%06o", sum);

        (void) buffer_append(b, block, sizeof(block));
        if (size > 0) {
                char zeros[512] = "";

                (void) buffer_append(b, content, size);
                (void) buffer_append(b, zeros, (512 - size % 512) % 512);
        }
}

static inline void tar_make_end(Buffer *b) {
        char zeros[1024] = "";

        (void) buffer_append(b, zeros, sizeof(zeros));
}
