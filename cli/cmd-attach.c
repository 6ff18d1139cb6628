/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach, and start with and without it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/foreground.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

static int inspect(RestClient *c, const char *name, Json **ret, Error *reterr) {
        _cleanup_(freep) char *path = NULL;

        path = rest_path(REST_PATH("/containers/", name, "/json"), NULL);
        return path ? rest_call(c, "GET", path, NULL, ret, reterr) : -ENOMEM;
}

/* s for the container of an inspection: with its whole id, its terminal, our options. */
static int prepare(Cli *cli, const Options *o, Json *document, Stream *s, char **ret_object,
        const char **ret_keys, Error *reterr) {
        const char *id = json_get_text(document, "Id");

        if (!id)
                return error_set(reterr, ERROR_INTERNAL, "the engine's answer has no Id");
        *ret_object = str_concat("/containers/", id);
        if (!*ret_object)
                return -ENOMEM;
        s->object = *ret_object;
        s->tty = json_get_bool(json_get(document, "Config"), "Tty", false);
        s->proxy = options_flag_or(o, "sig-proxy", true) && !s->tty;
        return foreground_keys(cli, o, s, ret_keys, reterr);
}

static int check_running(Json *document, Error *reterr) {
        const Json *state = json_get(document, "State");

        if (!json_get_bool(state, "Running", false))
                return error_set(reterr, ERROR_CONFLICT,
                        "You cannot attach to a stopped container, start it first");
        if (json_get_bool(state, "Paused", false))
                return error_set(reterr, ERROR_CONFLICT,
                        "You cannot attach to a paused container, unpause it first");
        if (json_get_bool(state, "Restarting", false))
                return error_set(reterr, ERROR_CONFLICT,
                        "You cannot attach to a restarting container, wait until it is running");
        return 0;
}

static int cmd_attach(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(json_unrefp) Json *document = NULL;
        _cleanup_(stream_done) Stream s = STREAM_INIT;
        _cleanup_(freep) char *object = NULL;
        const char *keys;
        bool input;
        int r;

        r = cli_client(cli, &s.client, reterr);
        if (r >= 0)
                r = inspect(s.client, options_arguments(o)[0], &document, reterr);
        if (r >= 0)
                r = check_running(document, reterr);
        if (r >= 0)
                r = prepare(cli, o, document, &s, &object, &keys, reterr);
        if (r < 0)
                return r;

        input = !options_flag(o, "no-stdin") &&
                json_get_bool(json_get(document, "Config"), "OpenStdin", false);
        r = foreground_check_terminal(input, s.tty, reterr);
        if (r >= 0)
                r = foreground_wait(&s, NULL, reterr);
        if (r >= 0)
                r = foreground_attach(&s, input, true, true, keys, reterr);
        if (r >= 0)
                r = stream_catch_signals(&s);
        if (r < 0)
                return r;

        (void) stream_resize(&s);
        r = stream_run(&s, reterr);
        if (r == 1) { /* as docker: an error of the command */
                fprintf(stderr, "read escape sequence\n");
                return 1;
        }
        return foreground_end(&s, r, reterr);
}

/* ---- start ---- */

static int start_attached(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(json_unrefp) Json *document = NULL;
        _cleanup_(stream_done) Stream s = STREAM_INIT;
        const Json *config;
        _cleanup_(freep) char *object = NULL;
        const char *keys;
        bool input, removed;
        int r;

        r = cli_client(cli, &s.client, reterr);
        if (r >= 0)
                r = inspect(s.client, options_arguments(o)[0], &document, reterr);
        if (r >= 0)
                r = prepare(cli, o, document, &s, &object, &keys, reterr);
        if (r < 0)
                return r;

        config = json_get(document, "Config");
        removed = json_get_bool(json_get(document, "HostConfig"), "AutoRemove", false);
        input = options_flag(o, "interactive") && json_get_bool(config, "OpenStdin", false);
        r = foreground_check_terminal(input, s.tty, reterr);
        if (r >= 0)
                r = foreground_attach(&s, input, true, true, keys, reterr);
        if (r >= 0)
                r = foreground_wait(&s, removed ? "removed" : "next-exit", reterr);
        if (r >= 0)
                r = stream_catch_signals(&s);
        if (r >= 0)
                r = foreground_start(s.client, options_arguments(o)[0], reterr);
        if (r < 0)
                return r;

        (void) stream_resize(&s);
        r = stream_run(&s, reterr);
        return foreground_end(&s, r, reterr);
}

static int start_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        int r;

        (void) o;
        r = foreground_start(c, name, reterr);
        if (r >= 0)
                puts(name);
        return r;
}

static int cmd_start(Cli *cli, const Options *o, Error *reterr) {
        if (options_given(o, "checkpoint") || options_given(o, "checkpoint-dir"))
                return error_set(reterr, ERROR_NOT_IMPLEMENTED, "checkpoints are not supported");
        if (!options_flag(o, "attach") && !options_flag(o, "interactive"))
                return cli_for_each(cli, o, start_one, reterr);
        if (options_count(o) > 1)
                return error_set(reterr, ERROR_INVALID,
                        "you cannot start and attach multiple containers at once");
        return start_attached(cli, o, reterr);
}

/* clang-format off */
static const Option attach_options[] = {
        { "detach-keys", 0, OPTION_STRING, "string", "Override the key sequence for detaching a container" },
        { "no-stdin",    0, OPTION_FLAG,   NULL,     "Do not attach STDIN" },
        { "sig-proxy",   0, OPTION_FLAG,   NULL,     "Proxy all received signals to the process", "true" },
        {}
};

static const Option start_options[] = {
        { "attach",         'a', OPTION_FLAG,   NULL,     "Attach STDOUT/STDERR and forward signals" },
        { "checkpoint",     0,   OPTION_STRING, "string", NULL },
        { "checkpoint-dir", 0,   OPTION_STRING, "string", NULL },
        { "detach-keys",    0,   OPTION_STRING, "string", "Override the key sequence for detaching a container" },
        { "interactive",    'i', OPTION_FLAG,   NULL,     "Attach container's STDIN" },
        {}
};

const Command attach_commands[] = {
        { "container", "attach", "attach", "[OPTIONS] CONTAINER", "Attach local standard input, output, and error streams to a running container",
          attach_options, 1, 1,  false, 0, cmd_attach, "running", false },
        { "container", "start",  "start",  "[OPTIONS] CONTAINER [CONTAINER...]", "Start one or more stopped containers",
          start_options,  1, -1, false, 0, cmd_start,  "container", false },
        {}
};
/* clang-format on */
