/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/frames.h"

#include <endian.h>
#include <string.h>

void frame_header(uint8_t header[static FRAME_HEADER_SIZE], uint8_t stream, uint32_t size) {
        uint32_t be = htobe32(size);

        memset(header, 0, FRAME_HEADER_SIZE);
        header[0] = stream;
        memcpy(header + 4, &be, sizeof be);
}
