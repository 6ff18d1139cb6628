/* SPDX-License-Identifier: GPL-2.0-or-later */

/* json-file, the default: one JSON object a line, rotated by size. */

#include "engine/log/file-log.h"
#include "engine/log/json-line.h"

static const FileLogFormat format = {
        .write = json_line_write,
        .attrs = json_line_attrs,
        .size_option = "max-size",
        .files_option = "max-file",
        .compress_option = "compress",
        .bare_errors = true,
        .max_size = UINT64_C(10) * 1024 * 1024,
        .max_files = 3,
};

static int json_file_check(char *const *opts, Error *reterr) {
        return file_log_check(opts, &format, reterr);
}

static int json_file_open(const LogTarget *t, void **ret_state) {
        return file_log_open(t, &format, (FileLog **) ret_state);
}

static int json_file_write(void *state, const LogMessage *m) {
        return file_log_write(state, m);
}

static int json_file_flush(void *state) {
        return file_log_flush(state);
}

static int json_file_reopen(void *state) {
        return file_log_reopen(state);
}

static void json_file_place(void *state, LogPlace *ret) {
        file_log_place(state, ret);
}

static bool json_file_reaped(void *state, const siginfo_t *si) {
        return file_log_reaped(state, si);
}

static uint64_t json_file_n_lost(void *state, int *ret_errno) {
        return file_log_n_lost(state, ret_errno);
}

static void json_file_close(void *state) {
        file_log_close(state);
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
        .place = json_file_place,
        .reaped = json_file_reaped,
        .n_lost = json_file_n_lost,
        .close = json_file_close,
};
