/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A growing byte buffer that is read from the front. Zeroed memory is an empty Buffer; .max (0:
 * 1 GiB) is a limit on what it holds unread, beyond it -EFBIG. A Buffer lives in the caller's
 * memory: _cleanup_(buffer_done) Buffer b = {}; */

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct Buffer Buffer;

struct Buffer {
        char *data;   /* use buffer_head() */
        size_t begin; /* bytes consumed */
        size_t end;
        size_t allocated;
        size_t max;
};

void buffer_done(Buffer *b);  /* frees; may be used again, max stays */
void buffer_reset(Buffer *b); /* empties, keeps the memory */

static inline size_t buffer_size(const Buffer *b) {
        return b->end - b->begin;
}
static inline bool buffer_empty(const Buffer *b) {
        return b->end == b->begin;
}
static inline const char *buffer_head(const Buffer *b) {
        return b->data ? b->data + b->begin : "";
}

int buffer_append(Buffer *b, const void *data, size_t size);
int buffer_append_string(Buffer *b, const char *s);
int buffer_append_char(Buffer *b, char c);
int buffer_printf(Buffer *b, const char *format, ...) _printf_(2, 3);
int buffer_vprintf(Buffer *b, const char *format, va_list ap) _printf_(2, 0);

/* Room for size bytes at the end, to be filled by the caller and then counted by
 * buffer_commit(). */
int buffer_reserve(Buffer *b, size_t size, char **ret);
void buffer_commit(Buffer *b, size_t size);
void buffer_consume(Buffer *b, size_t size);

/* One read() of at most size bytes: how many, 0 end of file, -EAGAIN … */
ssize_t buffer_read_fd(Buffer *b, int fd, size_t size);
/* One write() of what is there; what was written is consumed. How many, -EAGAIN … */
ssize_t buffer_write_fd(Buffer *b, int fd);

/* The next line including its newline inside the buffer: its length, 0 when no whole line is
 * there. */
size_t buffer_line(const Buffer *b) _pure_;

/* The unread bytes with a NUL behind them; the buffer is empty afterwards. NULL when out of
 * memory. ret_size may be NULL. */
char *buffer_take_string(Buffer *b, size_t *ret_size);
/* The unread bytes as a string inside the buffer, valid until it changes. NULL when out of
 * memory. */
const char *buffer_string(Buffer *b);
