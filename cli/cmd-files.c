/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff, export, commit: what has become of a container's files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static int cmd_diff(Cli *cli, const Options *o, Error *reterr) {
        static const char letters[] = "CAD";
        _cleanup_(json_unrefp) Json *rows = NULL;
        _cleanup_(freep) char *path = NULL;
        RestClient *c;
        int r;

        path = rest_path(
                REST_PATH("/containers/", options_arguments(o)[0], "/changes"), REST_QUERY(NULL));
        if (!path)
                return -ENOMEM;
        r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = rest_call(c, "GET", path, NULL, &rows, reterr);
        if (r < 0)
                return r;

        for (size_t i = 0; i < json_count(rows); i++) {
                const Json *row = json_at(rows, i);
                _cleanup_(freep) char *name =
                        str_escape_terminal(str_or_empty(json_get_text(row, "Path")));
                int64_t kind = json_get_int64(row, "Kind", -1);

                if (!name)
                        return -ENOMEM;
                printf("%c %s\n", kind >= 0 && kind < 3 ? letters[kind] : '?', name);
        }
        return 0;
}

static int write_data(const char *data, size_t size, void *userdata) {
        return fd_write_full(*(int *) userdata, data, size);
}

/* Beside the name, and under it only when all of it has come. */
static int export_to(RestClient *c, const char *path, const char *output, Error *reterr) {
        _cleanup_(file_temporary_discard) FileTemporary t = FILE_TEMPORARY_NONE;
        _cleanup_(fd_closep) int folder = -EBADF;
        _cleanup_(freep) char *copy = strdup(output);
        const char *name = output;
        char *slash;
        int r;

        if (!copy)
                return -ENOMEM;
        slash = strrchr(copy, '/');
        if (slash) {
                name = output + (slash - copy) + 1;
                slash[slash == copy] = '\0';
        }
        if (str_empty(name))
                return error_set(reterr, ERROR_INVALID,
                        "failed to export container: invalid output path: \"%s\" is a directory",
                        output);

        folder = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
                return error_set(reterr, ERROR_INVALID,
                        "failed to export container: invalid output path: directory \"%s\" does "
                        "not "
                        "exist",
                        slash ? copy : ".");
        r = file_temporary_open(folder, name, 0600, &t);
        if (r < 0)
                return error_set_errno(reterr, r, "failed to export container: %s", output);
        r = rest_stream(c, "GET", path, -EBADF, write_data, &t.fd, reterr);
        if (r < 0)
                return r;
        r = file_temporary_commit(&t, name, 0);
        if (r < 0)
                return error_set_errno(reterr, r, "failed to export container: %s", output);
        return 0;
}

static int cmd_export(Cli *cli, const Options *o, Error *reterr) {
        const char *output = options_string(o, "output");
        _cleanup_(freep) char *path = NULL;
        int out = STDOUT_FILENO, r;
        RestClient *c;

        if (str_empty(output) && isatty(STDOUT_FILENO))
                return error_set(reterr, ERROR_INVALID,
                        "cowardly refusing to save to a terminal. Use the -o flag or redirect");

        path = rest_path(
                REST_PATH("/containers/", options_arguments(o)[0], "/export"), REST_QUERY(NULL));
        if (!path)
                return -ENOMEM;
        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        return str_empty(output) ? rest_stream(c, "GET", path, -EBADF, write_data, &out, reterr)
                                 : export_to(c, path, output, reterr);
}

static int commit_path(const Options *o, char **ret) {
        char *const *arguments = options_arguments(o);
        _cleanup_(strv_freep) char **query = NULL;
        int r = 0;

        if (arguments[1])
                r = cli_add_target(&query, arguments[1]);
        if (r >= 0)
                r = cli_add_pair(&query, "container", arguments[0]);
        if (r >= 0)
                r = cli_add_pair(&query, "author", options_string(o, "author"));
        if (r >= 0)
                r = cli_add_pair(&query, "comment", options_string(o, "message"));
        if (r >= 0 && (options_flag(o, "no-pause") || !options_flag_or(o, "pause", true)))
                r = cli_add_pair(&query, "pause", "0");
        if (r >= 0)
                r = cli_add_pairs(&query, "changes", options_list(o, "change"));
        if (r < 0)
                return r;

        *ret = rest_path(REST_PATH("/commit"), (const char *const *) query);
        return *ret ? 0 : -ENOMEM;
}

static int cmd_commit(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(json_unrefp) Json *answer = NULL;
        _cleanup_(freep) char *path = NULL;
        RestClient *c;
        int r;

        r = commit_path(o, &path);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = rest_call(c, "POST", path, NULL, &answer, reterr);
        if (r >= 0)
                puts(str_or_empty(json_get_text(answer, "Id")));
        return r;
}

/* clang-format off */
static const Option no_options[] = { {} };

static const Option export_options[] = {
        { "output", 'o', OPTION_STRING, "string", "Write to a file, instead of STDOUT" },
        {}
};

static const Option commit_options[] = {
        { "author",  'a', OPTION_STRING, "string", "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")" },
        { "change",  'c', OPTION_LIST,   "list",   "Apply Dockerfile instruction to the created image" },
        { "message", 'm', OPTION_STRING, "string", "Commit message" },
        { "no-pause", 0, OPTION_FLAG,    NULL,     "Do not pause the container while it is copied" },
        { "pause",   'p', OPTION_FLAG,   NULL,     "Pause the container while it is copied", "true" },
        {}
};

const Command files_commands[] = {
        { "container", "diff",   "diff",   "CONTAINER",                                     "Inspect changes to files or directories on a container's filesystem", no_options, 1, 1, false, 0, cmd_diff,   "container" },
        { "container", "export", "export", "[OPTIONS] CONTAINER",                           "Export a container's filesystem as a tar archive", export_options, 1, 1, false, 0, cmd_export, "container" },
        { "container", "commit", "commit", "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",        "Create a new image from a container's changes",    commit_options, 1, 2, false, 0, cmd_commit, "container" },
        {}
};
/* clang-format on */
