/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One line of our `local` log, and of the cache of drivers that cannot be read:
 *
 *     KIND TIME TEXT
 *
 * KIND is one letter: o or e for a whole line of standard output or error, O or E for a piece of one that goes on (or never got its line feed).
 * TIME follows at once, nanoseconds since the epoch in hexadecimal, then one space. TEXT is what the container wrote, byte for byte but for
 * the line feed (\n), the backslash (\\) and NUL (\0); the line feed that a whole line ends with is not in TEXT. So a line costs 19 bytes
 * more than its text, and grep finds what is in it. Pure. */

#include <stddef.h>

#include "engine/log/json-line.h"

/* Longest line that is read. */
#define LOCAL_LINE_MAX (2 * LOG_MESSAGE_MAX + 64)

/* Appends the line with its line feed. attrs: not kept. */
int local_line_write(Buffer *b, const LogMessage *m, const char *attrs);

/* line: without its line feed. -EBADMSG when it is no such line. */
int local_line_parse(const char *line, size_t size, JsonLine *ret);
