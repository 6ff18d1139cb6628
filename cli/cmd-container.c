/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs on containers that are one request each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static int verb(RestClient *c, const char *method, const char *name, const char *tail,
        const char *const *query, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        int r;

        path = rest_path(REST_PATH("/containers/", name, tail), query);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, method, path, NULL, NULL, reterr);
        if (r >= 0)
                puts(name);
        return r;
}

/* --time is the old name of --timeout. */
static int stop_or_restart(
        RestClient *c, const Options *o, const char *name, const char *tail, Error *reterr) {
        const char *timeout = options_string(o, "timeout");

        return verb(c, "POST", name, tail,
                REST_QUERY("t", timeout ? timeout : options_string(o, "time"), "signal",
                        options_string(o, "signal")),
                reterr);
}

static int check_timeout(const Options *o, Error *reterr) {
        if (options_given(o, "time") && options_given(o, "timeout"))
                return error_set(reterr, ERROR_INVALID,
                        "conflicting options: cannot specify both --timeout and --time");
        return 0;
}

static int stop_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        return stop_or_restart(c, o, name, "/stop", reterr);
}

static int cmd_stop(Cli *cli, const Options *o, Error *reterr) {
        int r = check_timeout(o, reterr);

        return r < 0 ? r : cli_for_each(cli, o, stop_one, reterr);
}

static int restart_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        return stop_or_restart(c, o, name, "/restart", reterr);
}

static int cmd_restart(Cli *cli, const Options *o, Error *reterr) {
        int r = check_timeout(o, reterr);

        return r < 0 ? r : cli_for_each(cli, o, restart_one, reterr);
}

static int kill_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        return verb(c, "POST", name, "/kill", REST_QUERY("signal", options_string(o, "signal")),
                reterr);
}

static int cmd_kill(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, kill_one, reterr);
}

static int pause_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        return verb(c, "POST", name, "/pause", NULL, reterr);
}

static int cmd_pause(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, pause_one, reterr);
}

static int unpause_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        return verb(c, "POST", name, "/unpause", NULL, reterr);
}

static int cmd_unpause(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, unpause_one, reterr);
}

static int rm_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        bool force = options_flag(o, "force");
        int r;

        name += name[0] == '/';
        if (str_empty(name))
                return error_set(reterr, ERROR_INVALID, "container name cannot be empty");
        r = verb(c, "DELETE", name, "",
                REST_QUERY("force", force ? "1" : NULL, "link",
                        options_flag(o, "link") ? "1" : NULL, "v",
                        options_flag(o, "volumes") ? "1" : NULL),
                reterr);
        if (r < 0 && force && reterr->kind == ERROR_NOT_FOUND)
                cli_print_error(reterr, r), r = 0; /* gone is what was asked for */
        return r;
}

static int cmd_rm(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, rm_one, reterr);
}

static int wait_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        _cleanup_(json_unrefp) Json *answer = NULL;
        _cleanup_(freep) char *path = NULL;
        const char *message;
        int r;

        path = rest_path(REST_PATH("/containers/", name, "/wait"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, NULL, &answer, reterr);
        if (r < 0)
                return r;

        message = json_get_text(json_get(answer, "Error"), "Message");
        if (!str_empty(message))
                return error_set(reterr, ERROR_INTERNAL, "%s", message);

        printf("%" PRId64 "\n", json_get_int64(answer, "StatusCode", -1));
        return 0;
}

static int cmd_wait(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, wait_one, reterr);
}

static int cmd_rename(Cli *cli, const Options *o, Error *reterr) {
        char *const *words = options_arguments(o);
        _cleanup_(freep) char *path = NULL;
        RestClient *c;
        int r;

        for (size_t i = 0; i < 2; i++)
                if (words[i][strspn(words[i], " \t")] == '\0')
                        return error_set(reterr, ERROR_INVALID,
                                "Error: Neither old nor new names may be empty");

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        path = rest_path(
                REST_PATH("/containers/", words[0], "/rename"), REST_QUERY("name", words[1]));
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, NULL, NULL, reterr);
        if (r >= 0)
                return 0;

        cli_print_error(reterr, r);
        error_done(reterr);
        return error_set(
                reterr, ERROR_INTERNAL, "Error: failed to rename container named %s", words[0]);
}

/* ---- port ---- */

static int add_bindings(char ***lines, const char *port, const Json *bindings, bool with_port) {
        const char *key;
        Json *binding;

        JSON_FOREACH (key, binding, bindings) {
                const char *ip = str_or_empty(json_get_text(binding, "HostIp"));
                const char *host = str_or_empty(json_get_text(binding, "HostPort"));
                bool v6 = strchr(ip, ':');
                int r;

                r = strv_addf(lines, "%s%s%s%s%s:%s", with_port ? port : "",
                        with_port ? " -> " : "", v6 ? "[" : "", ip, v6 ? "]" : "", host);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int cmd_port(Cli *cli, const Options *o, Error *reterr) {
        char *const *words = options_arguments(o);
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *path = NULL, *wanted = NULL;
        const Json *ports;
        const char *key;
        RestClient *c;
        Json *bindings;
        int r;

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        path = rest_path(REST_PATH("/containers/", words[0], "/json"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "GET", path, NULL, &v, reterr);
        if (r < 0)
                return r;
        ports = json_get(json_get(v, "NetworkSettings"), "Ports");

        if (words[1]) {
                wanted = str_concat(words[1], strchr(words[1], '/') ? "" : "/tcp");
                if (!wanted)
                        return -ENOMEM;
                r = add_bindings(&lines, wanted, json_get(ports, wanted), false);
                if (r >= 0 && !lines)
                        return error_set(reterr, ERROR_NOT_FOUND,
                                "Error: No public port '%s' published for %s", words[1], words[0]);
        } else
                JSON_FOREACH (key, bindings, ports)
                        if (r >= 0)
                                r = add_bindings(&lines, key, bindings, true);
        if (r < 0)
                return r;

        strv_sort(lines);
        STRV_FOREACH (line, lines)
                puts(*line);
        return 0;
}

/* clang-format off */
static const Option stop_options[] = {
        { "signal",  's', OPTION_STRING, "string", "Signal to send to the container" },
        { "timeout", 't', OPTION_INT,    "int",    "Seconds to wait before killing the container" },
        { "time",    0,   OPTION_INT,    "int",    NULL },
        {}
};

static const Option kill_options[] = {
        { "signal",  's', OPTION_STRING, "string", "Signal to send to the container" },
        {}
};

static const Option rm_options[] = {
        { "force",   'f', OPTION_FLAG, NULL, "Force the removal of a running container (uses SIGKILL)" },
        { "link",    'l', OPTION_FLAG, NULL, "Remove the link that is named" },
        { "volumes", 'v', OPTION_FLAG, NULL, "Remove anonymous volumes associated with the container" },
        {}
};

#define MANY     "CONTAINER [CONTAINER...]"
#define OPT_MANY "[OPTIONS] " MANY

const Command container_commands[] = {
        { "container", "stop",    "stop",    OPT_MANY, "Stop one or more running containers", stop_options, 1, -1, false, 0, cmd_stop, "running" },
        { "container", "restart", "restart", OPT_MANY, "Restart one or more containers",      stop_options, 1, -1, false, 0, cmd_restart, "container" },
        { "container", "kill",    "kill",    OPT_MANY, "Kill one or more running containers", kill_options, 1, -1, false, 0, cmd_kill, "running" },
        { "container", "pause",   "pause",   MANY,     "Freeze all processes of one or more containers", NULL, 1, -1, false, 0, cmd_pause, "running" },
        { "container", "unpause", "unpause", MANY,     "Let all processes of one or more containers go on", NULL, 1, -1, false, 0, cmd_unpause, "container" },
        { "container", "wait",    "wait",    MANY,     "Block until containers stop, then print their exit codes", NULL, 1, -1, false, 0, cmd_wait, "container" },
        { "container", "rename",  "rename",  "CONTAINER NEW_NAME", "Rename a container",      NULL,         2, 2,  false, 0, cmd_rename, "container" },
        { "container", "port",    "port",    "CONTAINER [PRIVATE_PORT[/PROTO]]", "List port mappings or one of them", NULL, 1, 2, false, 0, cmd_port, "container" },
        { "container", "rm",      "rm",      OPT_MANY, "Remove one or more containers",       rm_options,   1, -1, false, 0, cmd_rm, "container" },
        {}
};
/* clang-format on */
