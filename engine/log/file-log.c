/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/file-log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/log/gzip.h"
#include "engine/log/logs.h"
#include "engine/log/rotate.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/parse.h"
#include "lib/base/process.h"
#include "lib/base/str.h"

#define BATCH_MAX ((size_t) 64 * 1024) /* lines gather up to here before they are written */
#define FILE_MODE 0640

struct FileLog {
        char *path;
        const FileLogFormat *format;
        char *attrs; /* in the words of the format */
        uint64_t max_size;
        unsigned max_files;
        int fd;
        uint64_t size;      /* of the file, without batch */
        uint64_t rotate_at; /* at this size */
        Buffer batch;       /* whole lines */
        uint64_t n_batch;   /* how many */
        uint64_t n_lost;
        int lost_errno;

        bool compress;
        char *packing;   /* the packer's file; gets its name when it is whole */
        pid_t packer;    /* 0: none at work */
        unsigned i_pack; /* the piece, by its present place in the row */
};

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

/* dockerd's sentences. */
typedef enum Wrong {
        WRONG_SIZE,
        WRONG_SIZE_RANGE,
        WRONG_FILES,
        WRONG_FILES_FEW,
        WRONG_FILES_MANY,
        WRONG_COMPRESS,
} Wrong;

static int refuse(const FileLogFormat *format, Wrong wrong, const char *option, const char *value,
        Error *reterr) {
        _cleanup_(freep) char *why = NULL;
        int r = 0;

        switch (wrong) {
        case WRONG_SIZE:
                r = str_printf(&why, "invalid size: '%s'", value);
                break;
        case WRONG_SIZE_RANGE:
                r = str_printf(&why, "%s must be a positive number", option);
                break;
        case WRONG_FILES:
                r = str_printf(&why, "strconv.Atoi: parsing \"%s\": invalid syntax", value);
                break;
        case WRONG_FILES_FEW:
                r = str_printf(&why, "%s cannot be less than 1", option);
                break;
        case WRONG_FILES_MANY:
                r = str_printf(&why, "%s cannot be more than %u", option, ROTATE_FILES_MAX);
                break;
        case WRONG_COMPRESS:
                r = str_printf(&why, "%sstrconv.ParseBool: parsing \"%s\": invalid syntax",
                        format->bare_errors ? "" : "error reading compress log option: ", value);
                break;
        }
        if (r < 0)
                return r;
        if (format->bare_errors || wrong == WRONG_COMPRESS)
                return error_set(
                        reterr, ERROR_INVALID, "failed to initialize logging driver: %s", why);
        return error_set(reterr, ERROR_INVALID,
                "failed to initialize logging driver: invalid value for %s: %s: %s", option, value,
                why);
}

int file_log_check(char *const *opts, const FileLogFormat *format, Error *reterr) {
        const char *size = logs_option(opts, format->size_option),
                   *files = logs_option(opts, format->files_option),
                   *compress = logs_option(opts, format->compress_option);
        unsigned n_files = format->max_files;
        uint64_t max_size;
        bool b;

        if (size && parse_max_size(size, &max_size) < 0)
                return refuse(format,
                        parse_size(size, &max_size) < 0 ? WRONG_SIZE : WRONG_SIZE_RANGE,
                        format->size_option, size, reterr);
        if (files && parse_unsigned(files, &n_files) < 0)
                return refuse(format, WRONG_FILES, format->files_option, files, reterr);
        if (files && (n_files < 1 || n_files > ROTATE_FILES_MAX))
                return refuse(format, n_files < 1 ? WRONG_FILES_FEW : WRONG_FILES_MANY,
                        format->files_option, files, reterr);
        if (compress && parse_bool(compress, &b) < 0)
                return refuse(format, WRONG_COMPRESS, format->compress_option, compress, reterr);
        if (compress && b && format->bare_errors &&
                (n_files < 2 || !size || max_size == UINT64_MAX))
                return error_set(reterr, ERROR_INVALID,
                        "failed to initialize logging driver: compress cannot be true when "
                        "max-file is less than 2 or max-size is not set");
        if (compress && b && n_files < 2)
                return error_set(reterr, ERROR_INVALID,
                        "failed to initialize logging driver: compression cannot be enabled when "
                        "max file count is 1");
        return 0;
}

static int file_log_open_path(FileLog *j) {
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

int file_log_open(const LogTarget *t, const FileLogFormat *format, FileLog **ret) {
        const char *size = logs_option(t->opts, format->size_option),
                   *files = logs_option(t->opts, format->files_option),
                   *compress = logs_option(t->opts, format->compress_option);
        FileLog *j;
        int r;

        j = new0(FileLog, 1);
        if (!j)
                return -ENOMEM;
        j->fd = -EBADF;
        j->format = format;
        j->compress = format->compress;
        j->max_size = format->max_size;
        j->max_files = format->max_files;

        r = str_copy(&j->path, t->path);
        if (r >= 0 && format->attrs)
                r = format->attrs(t->fields, &j->attrs);
        if (r >= 0 && size)
                r = parse_max_size(size, &j->max_size);
        if (r >= 0 && files)
                r = parse_unsigned(files, &j->max_files);
        if (r >= 0 && compress)
                r = parse_bool(compress, &j->compress);
        if (r >= 0 && j->compress)
                r = str_printf(&j->packing, "%s.packing", j->path);
        if (r >= 0)
                r = file_log_open_path(j);
        if (r < 0) {
                file_log_close(j);
                return r;
        }
        *ret = j;
        return 0;
}

static void file_log_lose(FileLog *j, int r) {
        j->n_lost += j->n_batch;
        j->lost_errno = -r;
        j->n_batch = 0;
        buffer_reset(&j->batch);
}

int file_log_flush(FileLog *j) {
        int r;

        if (buffer_empty(&j->batch))
                return 0;
        r = j->fd < 0 ? file_log_open_path(j) : 0;
        if (r >= 0)
                r = fd_write_full(j->fd, buffer_head(&j->batch), buffer_size(&j->batch));
        if (r < 0) {
                if (j->fd >= 0)
                        (void) !ftruncate(j->fd, (off_t) j->size);
                file_log_lose(j, r);
                return 0;
        }
        j->size += buffer_size(&j->batch);
        j->n_batch = 0;
        buffer_reset(&j->batch);
        return 0;
}

/* ---- packing ---- */

int file_log_pack(void) {
        return gzip_pack(STDIN_FILENO, STDOUT_FILENO);
}

static int start_packer(FileLog *j, int piece_fd) {
        _cleanup_(fd_closep) int program_fd = -EBADF, out_fd = -EBADF;
        ProcessFd fds[2];

        program_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
        if (program_fd < 0)
                return -errno;
        out_fd = open(j->packing, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
        if (out_fd < 0)
                return -errno;
        fds[0] = (ProcessFd) { piece_fd, STDIN_FILENO };
        fds[1] = (ProcessFd) { out_fd, STDOUT_FILENO };
        return process_spawn(
                &(ProcessSpec) {
                        .exec_fd = program_fd,
                        .argv = (char *[]) { (char *) "stauer-monitor", (char *) FILE_LOG_PACKER,
                                NULL },
                        .fds = fds,
                        .n_fds = ARRAY_SIZE(fds),
                },
                &j->packer, NULL);
}

/* The next piece, if there is one and nobody is at work: also one that an earlier run left. */
static void pack_next(FileLog *j) {
        _cleanup_(fd_closep) int piece_fd = -EBADF;

        if (!j->compress || j->packer > 0)
                return;
        piece_fd = rotate_open_unpacked(j->path, j->max_files, &j->i_pack);
        if (piece_fd >= 0 && start_packer(j, piece_fd) < 0) {
                j->packer = 0;
                (void) unlink(j->packing);
        }
}

bool file_log_reaped(FileLog *j, const siginfo_t *si) {
        bool dropped = j->i_pack >= j->max_files; /* the row went on meanwhile */

        if (j->packer == 0 || si->si_pid != j->packer)
                return false;
        j->packer = 0;
        if (dropped || process_exit_code(si) != EXIT_SUCCESS ||
                rotate_packed(j->path, j->packing, j->i_pack) < 0) {
                (void) unlink(j->packing);
                if (!dropped)
                        return true; /* it stays as it is; after the next rotation the disk may have room */
        }
        pack_next(j);
        return true;
}

static void stop_packer(FileLog *j) {
        siginfo_t si;

        if (j->packer == 0)
                return;
        (void) kill(j->packer, SIGKILL);
        while (waitid(P_PID, (id_t) j->packer, &si, WEXITED) < 0 && errno == EINTR)
                ;
        j->packer = 0;
        (void) unlink(j->packing);
}

static void file_log_rotate(FileLog *j) {
        int r;

        r = rotate_shift(j->path, j->max_files);
        if (r >= 0 && j->packer > 0)
                j->i_pack++;
        if (r >= 0)
                r = file_log_open_path(j);
        pack_next(j);
        if (r < 0) {
                /* go on in the file that is open: a log that is too long is better than none */
                j->lost_errno = -r;
                if (ADD_OVERFLOWS(j->size, j->max_size, &j->rotate_at))
                        j->rotate_at = UINT64_MAX;
        }
}

int file_log_write(FileLog *j, const LogMessage *m) {
        size_t before;
        int r;

        if (j->size + buffer_size(&j->batch) >= j->rotate_at) {
                (void) file_log_flush(j);
                if (j->size >= j->rotate_at)
                        file_log_rotate(j);
        }

        before = buffer_size(&j->batch);
        r = j->format->write(&j->batch, m, j->attrs);
        if (r < 0) {
                j->batch.end -= buffer_size(&j->batch) - before;
                j->n_lost++;
                j->lost_errno = -r;
                return 0;
        }
        j->n_batch++;
        return buffer_size(&j->batch) >= BATCH_MAX ? file_log_flush(j) : 0;
}

int file_log_reopen(FileLog *j) {
        (void) file_log_flush(j);
        return file_log_open_path(j);
}

void file_log_place(FileLog *j, LogPlace *ret) {
        struct stat st;

        (void) file_log_flush(j);
        if (j->fd >= 0 && fstat(j->fd, &st) >= 0)
                *ret = (LogPlace) { .inode = st.st_ino, .offset = j->size };
}

uint64_t file_log_n_lost(const FileLog *j, int *ret_errno) {
        *ret_errno = j->lost_errno;
        return j->n_lost;
}

void file_log_close(FileLog *j) {
        if (!j)
                return;
        (void) file_log_flush(j);
        stop_packer(j);
        (void) fd_close(j->fd);
        buffer_done(&j->batch);
        free(j->packing);
        free(j->attrs);
        free(j->path);
        free(j);
}
