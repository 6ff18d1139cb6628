/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_DEFAULT_MAX (1024U * 1024U * 1024U)
#define BUFFER_FIRST_SIZE  256U

void buffer_done(Buffer *b) {
        if (!b)
                return;

        free(b->data);
        *b = (Buffer) { .max = b->max };
}

void buffer_reset(Buffer *b) {
        assert(b);

        b->begin = b->end = 0;
}

int buffer_reserve(Buffer *b, size_t size, char **ret) {
        size_t used, wanted, max;

        assert(b);

        used = buffer_size(b);
        max = b->max ? b->max : BUFFER_DEFAULT_MAX;
        if (used > max || size > max - used)
                return -EFBIG;

        if (b->end + size > b->allocated) {
                if (used + size <= b->allocated && b->begin >= used) {
                        /* Half of it has been read: what is left moves to the front. */
                        memmove(b->data, b->data + b->begin, used);
                } else {
                        char *p;

                        wanted = MAX(b->allocated, (size_t) BUFFER_FIRST_SIZE);
                        while (wanted < used + size)
                                wanted *= 2;
                        p = malloc(wanted);
                        if (!p)
                                return -ENOMEM;
                        if (used > 0)
                                memcpy(p, b->data + b->begin, used);
                        free(b->data);
                        b->data = p;
                        b->allocated = wanted;
                }
                b->begin = 0;
                b->end = used;
        }

        if (ret)
                *ret = b->data ? b->data + b->end : NULL;
        return 0;
}

void buffer_commit(Buffer *b, size_t size) {
        assert(b);
        assert(size <= b->allocated - b->end);

        b->end += size;
}

void buffer_consume(Buffer *b, size_t size) {
        assert(b);
        assert(size <= buffer_size(b));

        b->begin += size;
        if (b->begin == b->end)
                b->begin = b->end = 0;
}

int buffer_append(Buffer *b, const void *data, size_t size) {
        char *p;
        int r;

        assert(data || size == 0);

        r = buffer_reserve(b, size, &p);
        if (r < 0)
                return r;

        if (size > 0) {
                memcpy(p, data, size);
                buffer_commit(b, size);
        }
        return 0;
}

int buffer_append_string(Buffer *b, const char *s) {
        assert(s);

        return buffer_append(b, s, strlen(s));
}

int buffer_append_char(Buffer *b, char c) {
        return buffer_append(b, &c, 1);
}

int buffer_vprintf(Buffer *b, const char *format, va_list ap) {
        va_list again;
        char *p;
        int n, r;

        assert(b);
        assert(format);

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (n < 0)
                return -EINVAL;

        /* vsnprintf() wants room for its NUL, which is not counted. */
        r = buffer_reserve(b, (size_t) n + 1, &p);
        if (r < 0)
                return r;

        (void) vsnprintf(p, (size_t) n + 1, format, ap);
        buffer_commit(b, (size_t) n);
        return 0;
}

int buffer_printf(Buffer *b, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = buffer_vprintf(b, format, ap);
        va_end(ap);
        return r;
}

ssize_t buffer_read_fd(Buffer *b, int fd, size_t size) {
        ssize_t n;
        char *p;
        int r;

        r = buffer_reserve(b, size, &p);
        if (r < 0)
                return r;

        do
                n = read(fd, p, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        buffer_commit(b, (size_t) n);
        return n;
}

ssize_t buffer_write_fd(Buffer *b, int fd) {
        ssize_t n;

        assert(b);

        do
                n = write(fd, buffer_head(b), buffer_size(b));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        buffer_consume(b, (size_t) n);
        return n;
}

size_t buffer_line(const Buffer *b) {
        const char *head, *newline;

        assert(b);

        if (buffer_empty(b))
                return 0;

        head = buffer_head(b);
        newline = memchr(head, '\n', buffer_size(b));
        return newline ? (size_t) (newline - head) + 1 : 0;
}

const char *buffer_string(Buffer *b) {
        size_t max;
        char *p;
        int r;

        assert(b);

        /* The NUL is not content: the limit does not count it. */
        max = b->max;
        b->max = SIZE_MAX / 4;
        r = buffer_reserve(b, 1, &p);
        b->max = max;
        if (r < 0)
                return NULL;

        *p = 0;
        return b->data + b->begin;
}

char *buffer_take_string(Buffer *b, size_t *ret_size) {
        size_t n;
        char *s;

        assert(b);

        n = buffer_size(b);
        if (!buffer_string(b))
                return NULL;

        s = b->data;
        if (b->begin > 0)
                memmove(s, s + b->begin, n + 1);
        *b = (Buffer) { .max = b->max };
        if (ret_size)
                *ret_size = n;
        return s;
}
