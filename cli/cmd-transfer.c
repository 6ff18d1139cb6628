/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define ROW_MAX (1024U * 1024)

/* Docker's progress stream: JSON rows. Text for the user goes to stdout; progress is one line on a terminal's stderr, overwritten in place. */
typedef struct Progress {
        Buffer rows;
        bool terminal;
        bool shown;
        char *error;
        char *status; /* the last row's: import's result */
} Progress;

static void progress_done(Progress *p) {
        buffer_done(&p->rows);
        free(p->error);
        free(p->status);
}

static void progress_clear(Progress *p) {
        if (p->shown)
                fputs("\r\033[K", stderr);
        p->shown = false;
}

static void progress_show(Progress *p, const Json *row, const char *status) {
        _cleanup_(freep) char *text = str_escape_terminal(status);
        const Json *detail = json_get(row, "progressDetail");
        int64_t current = json_get_int64(detail, "current", 0),
                total = json_get_int64(detail, "total", 0);

        if (!p->terminal || !text)
                return;
        progress_clear(p);
        if (total > 0)
                fprintf(stderr, "%s %3d%%", text, (int) (MIN(current, total) * 100 / total));
        else
                fputs(text, stderr);
        fflush(stderr);
        p->shown = true;
}

static int progress_row(Progress *p, const char *line, size_t size) {
        _cleanup_(json_unrefp) Json *row = NULL;
        const char *stream, *status, *error;
        int r;

        if (size == strspn(line, "\r\n"))
                return 0;
        r = json_parse(line, size, ROW_MAX, &row, NULL);
        if (r < 0)
                return -EBADMSG;

        error = json_get_text(row, "error");
        stream = json_get_text(row, "stream");
        status = json_get_text(row, "status");
        if (error)
                return str_copy(&p->error, error);
        if (stream) {
                _cleanup_(freep) char *text = str_escape_terminal_lines(stream);

                progress_clear(p);
                fputs(str_or_empty(text), stdout);
                fflush(stdout);
        } else if (status) {
                progress_show(p, row, status);
                return str_copy(&p->status, status);
        }
        return 0;
}

static int on_data(const char *data, size_t size, void *userdata) {
        Progress *p = userdata;
        size_t n;
        int r;

        r = buffer_append(&p->rows, data, size);
        while (r >= 0 && (n = buffer_line(&p->rows)) > 0) {
                r = progress_row(p, buffer_head(&p->rows), n);
                buffer_consume(&p->rows, n);
        }
        return r;
}

static int open_input(const char *name, Error *reterr) {
        int fd;

        if (!name || streq(name, "-")) {
                if (isatty(STDIN_FILENO))
                        return error_set(reterr, ERROR_INVALID,
                                "requested load from stdin, but stdin is empty");
                return fd_dup(STDIN_FILENO);
        }

        fd = open(name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "open %s", name);
        return fd;
}

static int transfer(Cli *cli, const char *input, const char *path, Progress *p, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        RestClient *c;
        int r;

        p->rows.max = ROW_MAX;

        fd = open_input(input, reterr);
        if (fd < 0)
                return fd;

        r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = rest_stream(c, "POST", path, fd, on_data, p, reterr);
        progress_clear(p);
        if (r >= 0 && p->error)
                r = error_set(reterr, ERROR_INTERNAL, "%s", p->error);
        return r < 0 ? r : 0;
}

static int cmd_load(Cli *cli, const Options *o, Error *reterr) {
        bool quiet = options_flag(o, "quiet") || !isatty(STDERR_FILENO);
        _cleanup_(progress_done) Progress p = { .terminal = !quiet };
        _cleanup_(freep) char *path = NULL;

        path = rest_path(REST_PATH("/images/load"), REST_QUERY("quiet", quiet ? "1" : "0"));
        if (!path)
                return -ENOMEM;
        return transfer(cli, options_string(o, "input"), path, &p, reterr);
}

static int import_path(const Options *o, char **ret) {
        char *const *arguments = options_arguments(o);
        _cleanup_(strv_freep) char **query = NULL;
        int r = 0;

        if (arguments[1])
                r = cli_add_target(&query, arguments[1]);
        if (r >= 0)
                r = cli_add_pair(&query, "fromSrc", "-");
        if (r >= 0)
                r = cli_add_pair(&query, "message", options_string(o, "message"));
        if (r >= 0)
                r = cli_add_pair(&query, "platform", options_string(o, "platform"));
        if (r >= 0)
                r = cli_add_pairs(&query, "changes", options_list(o, "change"));
        if (r < 0)
                return r;

        *ret = rest_path(REST_PATH("/images/create"), (const char *const *) query);
        return *ret ? 0 : -ENOMEM;
}

static int cmd_import(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(progress_done) Progress p = { .terminal = isatty(STDERR_FILENO) };
        _cleanup_(freep) char *path = NULL;
        int r;

        r = import_path(o, &path);
        if (r >= 0)
                r = transfer(cli, options_arguments(o)[0], path, &p, reterr);
        if (r >= 0)
                puts(str_or_empty(p.status));
        return r;
}

/* clang-format off */
static const Option load_options[] = {
        { "input",   'i', OPTION_STRING, "string", "Read from tar archive file, instead of STDIN" },
        { "quiet",   'q', OPTION_FLAG,   NULL,     "Suppress the load output" },
        {}
};

static const Option import_options[] = {
        { "change",   'c', OPTION_LIST,   "list",   "Apply Dockerfile instruction to the created image" },
        { "message",  'm', OPTION_STRING, "string", "Set commit message for imported image" },
        { "platform", 0,   OPTION_STRING, "string", "Set platform if server is multi-platform capable" },
        {}
};

const Command transfer_commands[] = {
        { "image", "load",   "load",   "[OPTIONS]",                               "Load an image from a tar archive or STDIN", load_options,   0, 0, false, 0, cmd_load },
        { "image", "import", "import", "[OPTIONS] file|- [REPOSITORY[:TAG]]",     "Import the contents from a tarball to create a filesystem image", import_options, 1, 2, false, 0, cmd_import },
        {}
};
/* clang-format on */
