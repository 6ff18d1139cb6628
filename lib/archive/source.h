/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A ByteSource hands out a stream piece by piece: from an fd, from inside another archive, through a hash. What next() gives is
 * borrowed until the next call. 1: a piece of at least one byte, 0: the end (again and again), negative errno. */

#include <stddef.h>
#include <stdint.h>

typedef struct ByteSource ByteSource;
typedef struct FdSource FdSource;
typedef struct MemorySource MemorySource;

struct ByteSource {
        int (*next)(void *userdata, const void **ret_data, size_t *ret_size);
        void *userdata;
};

static inline int byte_source_next(const ByteSource *s, const void **ret_data, size_t *ret_size) {
        return s->next(s->userdata, ret_data, ret_size);
}

/* Reads and forgets what is left. */
int byte_source_drain(const ByteSource *s);

/* An fd that may be a pipe or socket, read from where it stands. The memory is the caller's. */
#define FD_SOURCE_BUFFER ((size_t) 256 * 1024)

struct FdSource {
        int fd;        /* borrowed */
        int cancel_fd; /* when this gets readable, next() answers -ECANCELED; -EBADF: none */
        char *buffer;
        uint64_t n_read;
};

int fd_source_init(FdSource *s, int fd);
void fd_source_done(FdSource *s);
ByteSource fd_source(FdSource *s);

/* Bytes in memory, at most step of them at a time (0: all at once). */
struct MemorySource {
        const void *data;
        size_t size;
        size_t position;
        size_t step;
};

ByteSource memory_source(MemorySource *s);
