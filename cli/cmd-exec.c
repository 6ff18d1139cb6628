/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/foreground.h"
#include "cli/hijack.h"
#include "cli/rest-client.h"
#include "cli/run-values.h"
#include "cli/terminal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static int environment(const Options *o, char ***env, Error *reterr) {
        int r = 0;

        STRV_FOREACH (path, options_list(o, "env-file"))
                if (r >= 0)
                        r = run_to_env_file(*path, env, reterr);
        STRV_FOREACH (word, options_list(o, "env"))
                if (r >= 0) {
                        r = run_to_env(*word, env, reterr);
                        if (r < 0)
                                r = error_prefix(reterr, r,
                                        "invalid argument \"%s\" for \"-e, --env\" flag", *word);
                }
        return r;
}

static int set_console_size(Json *body) {
        unsigned rows, columns;
        Json *size;
        int r;

        if (terminal_size(STDOUT_FILENO, &rows, &columns) == 0)
                return 0;
        r = json_set_new_list(body, "ConsoleSize", &size);
        if (r >= 0)
                r = json_append_int64(size, rows);
        return r < 0 ? r : json_append_int64(size, columns);
}

static int create_body(const Options *o, const char *keys, Json **ret, Error *reterr) {
        bool detach = options_flag(o, "detach"), tty = options_flag(o, "tty");
        _cleanup_(json_unrefp) Json *body = NULL;
        _cleanup_(strv_freep) char **env = NULL;
        int r;

        r = environment(o, &env, reterr);
        if (r >= 0)
                r = json_new_object(&body);
        if (r >= 0)
                r = json_set_text(body, "User", str_or_empty(options_string(o, "user")));
        if (r >= 0)
                r = json_set_bool(body, "Privileged", options_flag(o, "privileged"));
        if (r >= 0)
                r = json_set_bool(body, "Tty", tty);
        if (r >= 0 && tty && !detach)
                r = set_console_size(body);
        if (r >= 0)
                r = json_set_bool(body, "AttachStdin", options_flag(o, "interactive") && !detach);
        if (r >= 0)
                r = json_set_bool(body, "AttachStderr", !detach);
        if (r >= 0)
                r = json_set_bool(body, "AttachStdout", !detach);
        if (r >= 0 && keys)
                r = json_set_text(body, "DetachKeys", keys);
        if (r >= 0)
                r = env ? json_set_strv(body, "Env", env) : json_set_null(body, "Env");
        if (r >= 0)
                r = json_set_text(body, "WorkingDir", str_or_empty(options_string(o, "workdir")));
        if (r >= 0)
                r = json_set_strv(body, "Cmd", options_arguments(o) + 1);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(body);
        return 0;
}

static int create(
        RestClient *c, const Options *o, const char *keys, char **ret_object, Error *reterr) {
        _cleanup_(json_unrefp) Json *body = NULL, *answer = NULL;
        _cleanup_(freep) char *path = NULL;
        const char *id;
        int r;

        r = create_body(o, keys, &body, reterr);
        if (r < 0)
                return r;
        path = rest_path(REST_PATH("/containers/", options_arguments(o)[0], "/exec"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, body, &answer, reterr);
        if (r < 0)
                return r;
        id = json_get_text(answer, "Id");
        if (!id)
                return error_set(reterr, ERROR_INTERNAL, "the engine's answer has no Id");
        *ret_object = str_concat("/exec/", id);
        return *ret_object ? 0 : -ENOMEM;
}

static int start_body(const Options *o, Json **ret) {
        bool detach = options_flag(o, "detach"), tty = options_flag(o, "tty");
        _cleanup_(json_unrefp) Json *body = NULL;
        int r;

        r = json_new_object(&body);
        if (r >= 0)
                r = json_set_bool(body, "Detach", detach);
        if (r >= 0)
                r = json_set_bool(body, "Tty", tty);
        if (r >= 0 && tty && !detach)
                r = set_console_size(body);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(body);
        return 0;
}

static int exit_status(RestClient *c, const char *object, Error *reterr) {
        _cleanup_(json_unrefp) Json *answer = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        path = rest_path(REST_PATH(object, "/json"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "GET", path, NULL, &answer, reterr);
        return r < 0 ? r : (int) (json_get_int64(answer, "ExitCode", 0) & 0xff);
}

static int cmd_exec(Cli *cli, const Options *o, Error *reterr) {
        bool detach = options_flag(o, "detach"), input = options_flag(o, "interactive");
        _cleanup_(freep) char *object = NULL, *path = NULL;
        _cleanup_(stream_done) Stream s = STREAM_INIT;
        _cleanup_(json_unrefp) Json *body = NULL;
        const char *keys;
        int r;

        s.tty = options_flag(o, "tty");
        s.input = input;
        s.output = true;
        r = detach ? 0 : foreground_check_terminal(input, s.tty, reterr);
        if (r >= 0)
                r = foreground_keys(cli, o, &s, &keys, reterr);
        if (r >= 0)
                r = cli_client(cli, &s.client, reterr);
        if (r >= 0)
                r = create(s.client, o, keys, &object, reterr);
        if (r >= 0)
                r = start_body(o, &body);
        if (r < 0)
                return r;

        path = rest_path(REST_PATH(object, "/start"), NULL);
        if (!path)
                return -ENOMEM;
        if (detach) {
                r = rest_call(s.client, "POST", path, body, NULL, reterr);
                return r < 0 ? r : 0;
        }

        s.object = object;
        r = hijack_open(s.client, "POST", path, body, &s.hijack, reterr);
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
        return r < 0 ? r : exit_status(s.client, object, reterr);
}

/* clang-format off */
static const Option exec_options[] = {
        { "detach",      'd', OPTION_FLAG,   NULL,     "Detached mode: run command in the background" },
        { "detach-keys", 0,   OPTION_STRING, "string", "Override the key sequence for detaching a container" },
        { "env",         'e', OPTION_LIST,   "list",   "Set environment variables" },
        { "env-file",    0,   OPTION_LIST,   "list",   "Read in a file of environment variables" },
        { "interactive", 'i', OPTION_FLAG,   NULL,     "Keep STDIN open even if not attached" },
        { "privileged",  0,   OPTION_FLAG,   NULL,     "Give extended privileges to the command" },
        { "tty",         't', OPTION_FLAG,   NULL,     "Allocate a pseudo-TTY" },
        { "user",        'u', OPTION_STRING, "string", "Username or UID (format: \"<name|uid>[:<group|gid>]\")" },
        { "workdir",     'w', OPTION_STRING, "string", "Working directory inside the container" },
        {}
};

const Command exec_commands[] = {
        { "container", "exec", "exec", "[OPTIONS] CONTAINER COMMAND [ARG...]", "Execute a command in a running container",
          exec_options, 2, -1, true, 0, cmd_exec, "running", false },
        {}
};
/* clang-format on */
