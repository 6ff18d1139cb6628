/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "config/sysconfig-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"

/* NUL ends a string too early, and the bytes 1 to 4 mean something to Augeas itself: it reads a text
 * with them and cannot print it again. */
bool sysconfig_is_text(const char *text, size_t size) {
        return strlen(text) == size && !strpbrk(text, "\x01\x02\x03\x04");
}

int sysconfig_read_at(int dir_fd, const char *name, struct stat *ret_st, char ret_etag[static 65],
        char **ret_text) {
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        char digest[DIGEST_TEXT_SIZE];
        struct stat st;
        size_t size;
        int r;

        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        r = fd_verify_regular(fd);
        if (r < 0)
                return r;
        r = file_read_fd(fd, SYSCONFIG_SIZE_MAX, &text, &size);
        if (r < 0)
                return r;
        if (!sysconfig_is_text(text, size))
                return -EBADMSG;
        /* Behind the reading: a change during it shows in the times. */
        if (fstat(fd, &st) < 0)
                return -errno;
        r = digest_data(text, size, digest);
        if (r < 0)
                return r;

        if (ret_st)
                *ret_st = st;
        memcpy(ret_etag, digest_hex(digest), 65);
        if (ret_text)
                *ret_text = TAKE_PTR(text);
        return 0;
}

int sysconfig_read(const char *path, struct stat *ret_st, char ret_etag[static 65], char **ret_text,
        Error *reterr) {
        _cleanup_(freep) char *real = NULL;
        int r;

        real = realpath(path, NULL);
        r = real ? sysconfig_read_at(AT_FDCWD, real, ret_st, ret_etag, ret_text) : -errno;
        switch (r) {
        case 0:
                return 1;
        case -ENOENT:
                strcpy(ret_etag, SYSCONFIG_ETAG_MISSING);
                return 0;
        case -EFBIG:
                return error_set(reterr, ERROR_TOO_LARGE, "%s is larger than 1 MiB", path);
        case -EBADMSG:
                return error_set(reterr, ERROR_INVALID,
                        "%s holds a NUL byte or a control character; it is not a text file", path);
        case -EISDIR:
        case -EBADFD:
                return error_set(reterr, ERROR_INVALID, "%s is not a regular file", path);
        default:
                return error_set_errno(reterr, r, "Cannot read %s", path);
        }
}
