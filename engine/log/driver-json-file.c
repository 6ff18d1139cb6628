/* SPDX-License-Identifier: GPL-2.0-or-later */

/* json-file, the default: one JSON object a line, rotated by size. A line is in the file whole or not at all: when the disk is full, what was
 * half written is cut off again and counted as lost, and the container goes on. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/log/driver.h"
#include "engine/log/json-line.h"
#include "engine/log/logs.h"
#include "engine/log/rotate.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define SIZE_DEFAULT  (UINT64_C(10) * 1024 * 1024)
#define FILES_DEFAULT 3u
#define BATCH_MAX     ((size_t) 64 * 1024) /* lines gather up to here before they are written */
#define FILE_MODE     0640

typedef struct JsonFile {
        const char *path;
        char *attrs; /* JSON text */
        uint64_t max_size;
        unsigned max_files;
        int fd;
        uint64_t size;      /* of the file, without batch */
        uint64_t rotate_at; /* at this size */
        Buffer batch;       /* whole lines */
        uint64_t n_batch;   /* how many */
        uint64_t n_lost;
        int lost_errno;
} JsonFile;

/* "-1": no limit, never rotates. */
static int parse_max_size(const char *s, uint64_t *ret) {
        int r;

        if (streq(s, "-1")) {
                *ret = UINT64_MAX;
                return 0;
        }
        r = parse_size(s, ret);
        return r < 0 ? r : *ret == 0 ? -EINVAL : 0;
}

static int json_file_check(char *const *opts, Error *reterr) {
        const char *size = logs_option(opts, "max-size"), *files = logs_option(opts, "max-file"),
                   *compress = logs_option(opts, "compress");
        unsigned n_files = FILES_DEFAULT;
        uint64_t max_size;
        bool b;

        if (size && parse_max_size(size, &max_size) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid value for max-size: '%s', must be a size such as 10m, or -1",
                        size);
        if (files &&
                (parse_unsigned(files, &n_files) < 0 || n_files < 1 || n_files > ROTATE_FILES_MAX))
                return error_set(reterr, ERROR_INVALID,
                        "invalid value for max-file: '%s', must be a number from 1 to %u", files,
                        ROTATE_FILES_MAX);
        if (compress && parse_bool(compress, &b) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid value for compress: '%s', must be true or false", compress);
        if (compress && b)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "log opt 'compress=true' is not supported: rotated files are kept as they "
                        "are");
        return 0;
}

static void json_file_close(void *state);

static int json_file_open_path(JsonFile *j) {
        struct stat st;
        int fd;

        fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
                FILE_MODE);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
                (void) close(fd);
                return -EBADFD;
        }
        (void) fd_close(j->fd);
        j->fd = fd;
        j->size = (uint64_t) st.st_size;
        j->rotate_at = j->max_size;
        return 0;
}

static int json_file_open(const LogTarget *t, void **ret_state) {
        const char *size = logs_option(t->opts, "max-size"),
                   *files = logs_option(t->opts, "max-file");
        JsonFile *j;
        int r;

        j = new0(JsonFile, 1);
        if (!j)
                return -ENOMEM;
        j->path = t->path;
        j->fd = -EBADF;
        j->max_size = SIZE_DEFAULT;
        j->max_files = FILES_DEFAULT;

        r = json_line_attrs(t->fields, &j->attrs);
        if (r >= 0 && size)
                r = parse_max_size(size, &j->max_size);
        if (r >= 0 && files)
                r = parse_unsigned(files, &j->max_files);
        if (r >= 0)
                r = json_file_open_path(j);
        if (r < 0) {
                json_file_close(j);
                return r;
        }
        *ret_state = j;
        return 0;
}

static void json_file_lose(JsonFile *j, int r) {
        j->n_lost += j->n_batch;
        j->lost_errno = -r;
        j->n_batch = 0;
        buffer_reset(&j->batch);
}

static int json_file_flush(void *state) {
        JsonFile *j = state;
        int r;

        if (buffer_empty(&j->batch))
                return 0;
        r = j->fd < 0 ? json_file_open_path(j) : 0;
        if (r >= 0)
                r = fd_write_full(j->fd, buffer_head(&j->batch), buffer_size(&j->batch));
        if (r < 0) {
                if (j->fd >= 0)
                        (void) !ftruncate(j->fd, (off_t) j->size);
                json_file_lose(j, r);
                return 0;
        }
        j->size += buffer_size(&j->batch);
        j->n_batch = 0;
        buffer_reset(&j->batch);
        return 0;
}

static void json_file_rotate(JsonFile *j) {
        int r;

        r = rotate_shift(j->path, j->max_files);
        if (r >= 0)
                r = json_file_open_path(j);
        if (r < 0) {
                /* go on in the file that is open: a log that is too long is better than none */
                j->lost_errno = -r;
                if (ADD_OVERFLOWS(j->size, j->max_size, &j->rotate_at))
                        j->rotate_at = UINT64_MAX;
        }
}

static int json_file_write(void *state, const LogMessage *m) {
        JsonFile *j = state;
        size_t before;
        int r;

        if (j->size + buffer_size(&j->batch) >= j->rotate_at) {
                (void) json_file_flush(j);
                if (j->size >= j->rotate_at)
                        json_file_rotate(j);
        }

        before = buffer_size(&j->batch);
        r = json_line_write(&j->batch, m, j->attrs);
        if (r < 0) {
                j->batch.end -= buffer_size(&j->batch) - before;
                j->n_lost++;
                j->lost_errno = -r;
                return 0;
        }
        j->n_batch++;
        return buffer_size(&j->batch) >= BATCH_MAX ? json_file_flush(j) : 0;
}

static int json_file_reopen(void *state) {
        JsonFile *j = state;

        (void) json_file_flush(j);
        return json_file_open_path(j);
}

static uint64_t json_file_n_lost(void *state, int *ret_errno) {
        JsonFile *j = state;

        *ret_errno = j->lost_errno;
        return j->n_lost;
}

static void json_file_close(void *state) {
        JsonFile *j = state;

        if (!j)
                return;
        (void) json_file_flush(j);
        (void) fd_close(j->fd);
        buffer_done(&j->batch);
        free(j->attrs);
        free(j);
}

static const char *const json_file_opts[] = {
        "compress",
        "env",
        "env-regex",
        "labels",
        "labels-regex",
        "max-file",
        "max-size",
        "tag",
        NULL,
};

const LogDriver log_driver_json_file = {
        .name = "json-file",
        .opts = json_file_opts,
        .check = json_file_check,
        .open = json_file_open,
        .write = json_file_write,
        .flush = json_file_flush,
        .reopen = json_file_reopen,
        .n_lost = json_file_n_lost,
        .close = json_file_close,
};
