/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Docker's multiplexed stream: an 8 byte header (stream, 0, 0, 0, size as big-endian uint32), then the payload. */

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_SIZE 8

enum {
        FRAME_STDIN = 0,
        FRAME_STDOUT = 1,
        FRAME_STDERR = 2,
        FRAME_SYSTEM_ERROR = 3, /* text of a failure on the daemon's side */
};

void frame_header(uint8_t header[static FRAME_HEADER_SIZE], uint8_t stream, uint32_t size);
