/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A log in a row of files that are rotated by size, one line a message: what json-file, local and the cache of drivers that cannot be read have
 * in common. A line is in the file whole or not at all: when the disk is full, what was half written is cut off again and counted as lost, and
 * the container goes on. Runs in the monitor. With "compress" the pieces that were rotated are packed one after the other by a process, the packer
 * (gzip.h); nobody waits for it, and what it had not done when the log was closed is done after the next rotation. */

#include "engine/log/driver.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"

typedef struct FileLog FileLog;

/* How a message becomes a line, what the options are called, and what holds without them. */
typedef struct FileLogFormat {
        int (*write)(Buffer *b, const LogMessage *m, const char *attrs); /* appends a line */
        int (*attrs)(char *const *fields, char **ret); /* optional: text for write() */
        const char *size_option, *files_option, *compress_option;
        bool compress;     /* unless the option says otherwise */
        bool bare_errors;  /* as dockerd has it: without the name of the option */
        uint64_t max_size; /* bytes; UINT64_MAX: never rotated */
        unsigned max_files;
} FileLogFormat;

/* Values of the three options; -EINVAL with reterr. */
int file_log_check(char *const *opts, const FileLogFormat *format, Error *reterr);

/* Opens t->path. format must stay. */
int file_log_open(const LogTarget *t, const FileLogFormat *format, FileLog **ret);
void file_log_close(FileLog *f); /* takes NULL; what was taken is written */

/* As the LogDriver's of the same name. */
int file_log_write(FileLog *f, const LogMessage *m);
int file_log_flush(FileLog *f);
int file_log_reopen(FileLog *f);
void file_log_place(FileLog *f, LogPlace *ret);
bool file_log_reaped(FileLog *f, const siginfo_t *si);
uint64_t file_log_n_lost(const FileLog *f, int *ret_errno);

/* Fd 0 is to be packed into fd 1: what the packer does. It is this program, called with this word. */
#define FILE_LOG_PACKER "--pack"
int file_log_pack(void);
