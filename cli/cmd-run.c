/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run and create. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/endpoint.h"
#include "cli/foreground.h"
#include "cli/hijack.h"
#include "cli/http.h"
#include "cli/pull.h"
#include "cli/rest-client.h"
#include "cli/run-options.h"
#include "cli/terminal.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define EXIT_ENGINE 125 /* the engine refused */

/* ---- create ---- */

/* The file must not be there already: two containers in one --cidfile would lose one of them. */
static int open_cidfile(const char *path, Error *reterr) {
        int fd;

        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0 && errno == EEXIST)
                return error_set(reterr, ERROR_EXISTS,
                        "container ID file found, make sure the other container isn't running or "
                        "delete %s",
                        path);
        if (fd < 0)
                return error_set_errno(
                        reterr, -errno, "failed to create the container ID file %s", path);
        return fd;
}

/* docker's way: the socket of the engine appears where its clients look for it. */
static int add_api_socket(RestClient *c, ContainerSpec *spec, Error *reterr) {
        const Endpoint *e = rest_client_endpoint(c);
        size_t allocated = spec->host.n_mounts;
        MountRequest *m;
        int r;

        if (e->scheme != ENDPOINT_UNIX)
                return error_set(reterr, ERROR_INVALID,
                        "flag --use-api-socket can't be used with a remote engine (%s)", e->shown);
        r = array_grow(&spec->host.mounts, &allocated, spec->host.n_mounts + 1);
        if (r < 0)
                return r;
        m = spec->host.mounts + spec->host.n_mounts++;
        *m = (MountRequest) { .bind_options = new0(BindOptions, 1) };
        if (!m->bind_options || str_copy(&m->type, "bind") < 0 ||
                str_copy(&m->source, e->host) < 0 ||
                str_copy(&m->target, "/var/run/docker.sock") < 0)
                return -ENOMEM;
        return 0;
}

static void set_console_size(ContainerSpec *spec) {
        unsigned rows, columns;

        if (!spec->config.tty || terminal_size(STDOUT_FILENO, &rows, &columns) == 0)
                return;
        spec->host.console_size[0] = rows;
        spec->host.console_size[1] = columns;
}

static int post_create(RestClient *c, const Options *o, Json *body, Json **ret, Error *reterr) {
        const char *platform = options_string(o, "platform"), *name = options_string(o, "name");
        _cleanup_(freep) char *path = NULL;

        if (!platform)
                platform = getenv("DOCKER_DEFAULT_PLATFORM");
        path = rest_path(REST_PATH("/containers/create"),
                REST_QUERY("name", str_empty(name) ? NULL : name, "platform",
                        str_empty(platform) ? NULL : platform));
        if (!path)
                return -ENOMEM;
        return rest_call(c, "POST", path, body, ret, reterr);
}

static int pull_for(Cli *cli, RestClient *c, const Options *o, const ContainerSpec *spec,
        bool quiet, Error *reterr) {
        const char *platform = options_string(o, "platform");

        if (!platform)
                platform = getenv("DOCKER_DEFAULT_PLATFORM");
        return pull_image(c, cli->config,
                &(const PullWish) { .image = spec->config.image,
                        .platform = platform,
                        .quiet = quiet,
                        .out = stderr },
                reterr);
}

/* --pull: always before, missing when the engine says that there is no such image. */
static int create_or_pull(Cli *cli, RestClient *c, const Options *o, const ContainerSpec *spec,
        Json *body, Json **ret, Error *reterr) {
        const char *pull = str_or(options_string(o, "pull"), "missing");
        bool quiet = options_flag(o, "quiet");
        _cleanup_(error_done) Error e = {};
        int r;

        if (streq(pull, "always")) {
                r = pull_for(cli, c, o, spec, quiet, reterr);
                if (r < 0)
                        return r;
        }
        r = post_create(c, o, body, ret, &e);
        if (r < 0 && e.kind == ERROR_NOT_FOUND && strstr(str_or_empty(e.text), "No such image") &&
                streq(pull, "missing")) {
                if (!quiet)
                        fprintf(stderr, "Unable to find image '%s' locally\n", spec->config.image);
                r = pull_for(cli, c, o, spec, quiet, reterr);
                return r < 0 ? r : post_create(c, o, body, ret, reterr);
        }
        error_move(reterr, &e);
        return r;
}

static int create(Cli *cli, RestClient *c, const Options *o, ContainerSpec *spec, char **ret_id,
        Error *reterr) {
        _cleanup_(json_unrefp) Json *body = NULL, *answer = NULL;
        const char *cidfile = spec->host.container_id_file;
        _cleanup_(fd_closep) int cid_fd = -EBADF;
        const char *key;
        Json *warning;
        int r;

        if (options_flag(o, "use-api-socket")) {
                r = add_api_socket(c, spec, reterr);
                if (r < 0)
                        return r;
        }
        set_console_size(spec);
        r = run_options_body(spec, &body, reterr);
        if (r < 0)
                return r;

        if (!str_empty(cidfile)) {
                cid_fd = open_cidfile(cidfile, reterr);
                if (cid_fd < 0)
                        return cid_fd;
        }

        r = create_or_pull(cli, c, o, spec, body, &answer, reterr);
        if (r < 0) {
                if (cid_fd >= 0)
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

static int refuse_words(Cli *cli, const char *command, const Error *e, int r) {
        cli_print_error(e, r);
        fprintf(stderr, "\nRun '%s %s --help' for more information\n", cli->program, command);
        return EXIT_ENGINE;
}

static int read_words(
        Cli *cli, const Options *o, const char *command, ContainerSpec *spec, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = run_options_spec(o, cli->program, spec, &e);
        if (r >= 0)
                r = cli_proxies(cli, &spec->config.env);
        if (r < 0 && r != -ENOMEM)
                return refuse_words(cli, command, &e, r);
        error_move(reterr, &e);
        return r;
}

static int cmd_create(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(container_spec_done) ContainerSpec spec;
        _cleanup_(freep) char *id = NULL;
        RestClient *c;
        int r;

        container_spec_init(&spec);
        r = read_words(cli, o, "create", &spec, reterr);
        if (r != 0)
                return r;
        r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = create(cli, c, o, &spec, &id, reterr);
        if (r < 0)
                return r;

        puts(id);
        return 0;
}

/* ---- run ---- */

/* docker tells by the words why a command could not be run. */
static int start_failure_status(const char *text) {
        if (strstr(text, "executable file not found") ||
                strstr(text, "no such file or directory") ||
                strstr(text, "system cannot find the file specified"))
                return 127;
        if (strstr(text, "permission denied") || strstr(text, "is a directory"))
                return 126;
        return EXIT_ENGINE;
}

static int refuse_engine(Cli *cli, const Error *e, int r, int status) {
        fflush(stdout);
        fprintf(stderr, "%s: %s\n\nRun '%s run --help' for more information\n", cli->program,
                error_text(e, r), cli->program);
        return status;
}

static int start_failed(Cli *cli, Stream *s, const ContainerSpec *spec, const Error *e, int r) {
        hijack_free(s->hijack);
        s->hijack = NULL;
        if (spec->host.auto_remove && s->wait) /* until it is gone */
                (void) stream_run(s, NULL);
        return refuse_engine(cli, e, r, start_failure_status(error_text(e, r)));
}

static int run_detached(Cli *cli, Stream *s, const ContainerSpec *spec, const char *id) {
        _cleanup_(error_done) Error e = {};
        int r;

        r = foreground_start(s->client, id, &e);
        if (r < 0)
                return start_failed(cli, s, spec, &e, r);
        puts(id);
        return 0;
}

/* Attach and wait before the start, so that nothing of the container is missed. */
static int run_attached(
        Cli *cli, Stream *s, const ContainerSpec *spec, const char *keys, const char *id) {
        const ContainerConfig *c = &spec->config;
        _cleanup_(error_done) Error e = {};
        int r;

        r = foreground_attach(s, c->attach_stdin, c->attach_stdout, c->attach_stderr, keys, &e);
        if (r >= 0)
                r = foreground_wait(s, spec->host.auto_remove ? "removed" : "next-exit", &e);
        if (r >= 0)
                r = stream_catch_signals(s);
        if (r < 0)
                return refuse_engine(cli, &e, r, EXIT_ENGINE);

        r = foreground_start(s->client, id, &e);
        if (r < 0)
                return start_failed(cli, s, spec, &e, r);
        (void) stream_resize(s);

        if (!s->output) { /* only stdin: the id says what came of it */
                puts(id);
                fflush(stdout);
                s->wait = http_free(s->wait);
        }
        r = stream_run(s, &e);
        r = foreground_end(s, r, &e);
        if (r < 0) {
                cli_print_error(&e, r);
                return EXIT_ENGINE;
        }
        return r;
}

static int cmd_run(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(container_spec_done) ContainerSpec spec;
        _cleanup_(stream_done) Stream s = STREAM_INIT;
        _cleanup_(freep) char *id = NULL, *object = NULL;
        _cleanup_(error_done) Error e = {};
        const char *keys;
        int r;

        container_spec_init(&spec);
        r = read_words(cli, o, "run", &spec, reterr);
        if (r != 0)
                return r;
        s.tty = spec.config.tty;
        s.proxy = options_flag_or(o, "sig-proxy", true);

        if (options_flag(o, "detach") && options_given(o, "attach"))
                r = error_set(&e, ERROR_INVALID,
                        "conflicting options: cannot specify both --attach and --detach");
        else
                r = foreground_check_terminal(spec.config.attach_stdin, spec.config.tty, &e);
        if (r >= 0)
                r = foreground_keys(cli, o, &s, &keys, &e);
        if (r < 0) {
                cli_print_error(&e, r);
                return 1;
        }

        r = cli_client(cli, &s.client, &e);
        if (r >= 0)
                r = create(cli, s.client, o, &spec, &id, &e);
        if (r < 0)
                return refuse_engine(cli, &e, r, EXIT_ENGINE);

        object = str_concat("/containers/", id);
        if (!object)
                return -ENOMEM;
        s.object = object;
        return options_flag(o, "detach") ? run_detached(cli, &s, &spec, id)
                                         : run_attached(cli, &s, &spec, keys, id);
}

/* clang-format off */
const Command run_commands[] = {
        { "container", "run",    "run",    "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create and run a new container from an image",
          run_options,    1, -1, true, EXIT_ENGINE, cmd_run, "image", false },
        { "container", "create", "create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new container",
          create_options, 1, -1, true, 0, cmd_create, "image", false },
        {}
};
/* clang-format on */
