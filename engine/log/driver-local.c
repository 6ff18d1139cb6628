/* SPDX-License-Identifier: GPL-2.0-or-later */

/* local: our own compact lines (local-line.h), rotated by size and packed, without attributes. */

#include "engine/log/file-log.h"
#include "engine/log/local-line.h"

static const FileLogFormat format = {
        .write = local_line_write,
        .size_option = "max-size",
        .files_option = "max-file",
        .compress_option = "compress",
        .compress = true,
        .max_size = UINT64_C(20) * 1024 * 1024,
        .max_files = 5,
};

static int local_check(char *const *opts, Error *reterr) {
        return file_log_check(opts, &format, reterr);
}

static int local_open(const LogTarget *t, void **ret_state) {
        return file_log_open(t, &format, (FileLog **) ret_state);
}

static int local_write(void *state, const LogMessage *m) {
        return file_log_write(state, m);
}

static int local_flush(void *state) {
        return file_log_flush(state);
}

static int local_reopen(void *state) {
        return file_log_reopen(state);
}

static void local_place(void *state, LogPlace *ret) {
        file_log_place(state, ret);
}

static bool local_reaped(void *state, const siginfo_t *si) {
        return file_log_reaped(state, si);
}

static uint64_t local_n_lost(void *state, int *ret_errno) {
        return file_log_n_lost(state, ret_errno);
}

static void local_close(void *state) {
        file_log_close(state);
}

static const char *const local_opts[] = { "compress", "max-file", "max-size", NULL };

const LogDriver log_driver_local = {
        .name = "local",
        .opts = local_opts,
        .check = local_check,
        .open = local_open,
        .write = local_write,
        .flush = local_flush,
        .reopen = local_reopen,
        .place = local_place,
        .reaped = local_reaped,
        .n_lost = local_n_lost,
        .close = local_close,
};
