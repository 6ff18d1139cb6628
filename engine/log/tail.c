/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/tail.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/log/gzip.h"
#include "lib/base/macro.h"

#define BLOCK 16384u

/* Counts line feeds from the end of one file backwards. *n_lines is what is still wanted; 1 with the offset when it is found in here. */
static int tail_file(int fd, uint64_t *n_lines, uint64_t *ret_offset) {
        char block[BLOCK];
        struct stat st;
        uint64_t end;
        bool at_end = true;

        if (fstat(fd, &st) < 0)
                return -errno;
        end = (uint64_t) st.st_size;

        while (end > 0) {
                size_t size = end < BLOCK ? (size_t) end : BLOCK;
                ssize_t n = pread(fd, block, size, (off_t) (end - size));

                if (n < 0)
                        return -errno;
                if ((size_t) n < size)
                        return -EAGAIN; /* cut off meanwhile */
                for (size_t i = size; i-- > 0;) {
                        if (block[i] != '\n') {
                                at_end = false;
                                continue;
                        }
                        if (at_end) { /* the last line's own */
                                at_end = false;
                                continue;
                        }
                        if (--*n_lines == 0) {
                                *ret_offset = end - size + i + 1;
                                return 1;
                        }
                }
                end -= size;
        }

        /* the first line of a file has no line feed before it */
        if (st.st_size > 0 && --*n_lines == 0) {
                *ret_offset = 0;
                return 1;
        }
        return 0;
}

int tail_find(
        const int *fds, size_t n_fds, uint64_t *n_lines, size_t *ret_file, uint64_t *ret_offset) {
        if (n_fds == 0) {
                *ret_file = 0;
                *ret_offset = 0;
                return 0;
        }
        if (*n_lines == 0) {
                struct stat st;

                if (fstat(fds[n_fds - 1], &st) < 0)
                        return -errno;
                *ret_file = n_fds - 1;
                *ret_offset = (uint64_t) st.st_size;
                return 0;
        }
        for (size_t i = n_fds; i-- > 0;) {
                bool packed = gzip_is(fds[i]);
                int r = packed ? 1 : tail_file(fds[i], n_lines, ret_offset);

                if (r < 0)
                        return r;
                if (r > 0) {
                        *ret_file = i;
                        return packed;
                }
        }
        *ret_file = 0;
        *ret_offset = 0;
        return 0;
}
