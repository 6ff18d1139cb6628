/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define EXIT_ENGINE 125 /* the engine refused */

/* The file must not be there already: two containers in one --cidfile would lose one of them. */
static int open_cidfile(const char *path, Error *reterr) {
        int fd;

        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0 && errno == EEXIST)
                return error_set(reterr, ERROR_EXISTS,
                        "container ID file found, make sure the other container isn't running or "
                        "delete "
                        "%s",
                        path);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot make --cidfile %s", path);
        return fd;
}

static int create(RestClient *c, const Options *o, char **ret_id, Error *reterr) {
        _cleanup_(json_unrefp) Json *body = NULL, *answer = NULL;
        const char *cidfile = options_string(o, "cidfile");
        _cleanup_(fd_closep) int cid_fd = -EBADF;
        _cleanup_(freep) char *path = NULL;
        const char *key;
        Json *warning;
        int r;

        r = run_options_body(o, &body, reterr);
        if (r < 0)
                return r;

        if (cidfile) {
                cid_fd = open_cidfile(cidfile, reterr);
                if (cid_fd < 0)
                        return cid_fd;
        }

        path = rest_path(REST_PATH("/containers/create"),
                REST_QUERY("name", options_string(o, "name"), "platform",
                        options_string(o, "platform")));
        if (!path)
                return -ENOMEM;

        r = rest_call(c, "POST", path, body, &answer, reterr);
        if (r < 0) {
                if (cidfile)
                        (void) unlink(cidfile);
                return r;
        }

        JSON_FOREACH (key, warning, json_get(answer, "Warnings"))
                fprintf(stderr, "WARNING: %s\n", json_to_text(warning));

        r = str_copy(ret_id, json_get_text(answer, "Id"));
        if (r < 0 || !*ret_id)
                return error_set(reterr, ERROR_INTERNAL, "the engine's answer has no Id");
        if (cid_fd >= 0)
                return fd_write_string(cid_fd, *ret_id);
        return 0;
}

static int start(RestClient *c, const char *name, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        int r;

        path = rest_path(REST_PATH("/containers/", name, "/start"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, NULL, NULL, reterr);
        return r < 0 ? r : 0;
}

/* docker tells by the words why a command could not be run. */
static int start_failure_status(const Error *e, int r) {
        const char *text = error_text(e, r);

        if (strstr(text, "executable file not found") || strstr(text, "no such file or directory"))
                return 127;
        if (strstr(text, "permission denied") || strstr(text, "is a directory"))
                return 126;
        return EXIT_ENGINE;
}

static int cmd_create(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(freep) char *id = NULL;
        RestClient *c;
        int r;

        r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = create(c, o, &id, reterr);
        if (r < 0)
                return r;

        puts(id);
        return 0;
}

static int cmd_run(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *id = NULL;
        RestClient *c;
        int r;

        if (!options_flag(o, "detach"))
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "attaching to a container is not implemented: give -d, and follow it by "
                        "'stauer "
                        "logs -f'");

        r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = create(c, o, &id, reterr);
        if (r < 0)
                return r;

        r = start(c, id, &e);
        if (r < 0) {
                cli_print_error(&e, r);
                return start_failure_status(&e, r);
        }

        puts(id);
        return 0;
}

static int start_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        int r;

        r = start(c, name, reterr);
        if (r >= 0)
                puts(name);
        return r;
}

static int cmd_start(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, start_one, reterr);
}

/* clang-format off */
const Command run_commands[] = {
        { "container", "run",    "run",    "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create and run a new container from an image",
          run_options,    1, -1, true,  EXIT_ENGINE, cmd_run },
        { "container", "create", "create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container",
          create_options, 1, -1, true,  0, cmd_create },
        { "container", "start",  "start",  "CONTAINER [CONTAINER...]",           "Start one or more stopped containers",
          NULL,           1, -1, false, 0, cmd_start },
        {}
};
/* clang-format on */
