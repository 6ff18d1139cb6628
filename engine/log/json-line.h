/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One line of Docker's json-file: {"log":"…\n","stream":"stdout","attrs":{…},"time":"RFC 3339"}. Written byte for byte as Docker does, for other
 * programs read these files. Pure. */

#include <stddef.h>
#include <stdint.h>

#include "engine/log/driver.h"
#include "lib/base/buffer.h"

/* Longest line that is read: a piece of 16 KiB with every byte escaped is a tenth of that, the rest is for attributes. */
#define JSON_LINE_MAX ((size_t) 1024 * 1024)

/* Appends the line with its line feed. attrs: the text of a JSON object, or NULL. */
int json_line_write(Buffer *b, const LogMessage *m, const char *attrs);

/* The text of attributes, for json_line_write(). fields: sorted KEY=VALUE; none gives NULL. */
int json_line_attrs(char *const *fields, char **ret);

/* A line that was read. message.data and attrs live in here until it is filled again; zeroed memory is an empty one. */
typedef struct JsonLine {
        LogMessage message;
        Buffer text;
        char **attrs;
} JsonLine;

void json_line_done(JsonLine *l);

/* line: without its line feed. Any order of members and any others are fine. -EBADMSG when it is no such object. */
int json_line_parse(const char *line, size_t size, JsonLine *ret);

/* Length of the valid UTF-8 sequence that begins at s with a byte of 0x80 or more; 0 when there is none. */
size_t json_line_utf8_length(const char *s, size_t n);
