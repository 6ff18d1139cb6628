/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "cli/table.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* ---- ps ---- */

#define COMMAND_WIDTH 20

static int ps_command(Table *t, const char *command, bool whole) {
        size_t n = strlen(command);

        if (whole || n <= COMMAND_WIDTH)
                return table_addf(t, "\"%s\"", command);
        return table_addf(t, "\"%.*s…\"", COMMAND_WIDTH - 1, command);
}

static int ps_ports(Table *t, const Json *ports) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *key;
        Json *port;
        int r = 0;

        JSON_FOREACH (key, port, ports) {
                const char *ip = json_get_text(port, "IP");
                int64_t public = json_get_int64(port, "PublicPort", 0);

                if (!buffer_empty(&b))
                        r = buffer_append_string(&b, ", ");
                if (r >= 0 && public > 0)
                        r = buffer_printf(&b, "%s:%" PRId64 "->", str_or(ip, "0.0.0.0"), public);
                if (r >= 0)
                        r = buffer_printf(&b, "%" PRId64 "/%s",
                                json_get_int64(port, "PrivatePort", 0),
                                str_or_empty(json_get_text(port, "Type")));
                if (r < 0)
                        return r;
        }
        return table_add(t, buffer_string(&b));
}

static int ps_names(Table *t, const Json *names) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *key;
        Json *name;
        int r = 0;

        JSON_FOREACH (key, name, names) {
                const char *s = str_or_empty(json_to_text(name));

                if (!buffer_empty(&b))
                        r = buffer_append_char(&b, ',');
                if (r >= 0)
                        r = buffer_append_string(&b, s[0] == '/' ? s + 1 : s);
                if (r < 0)
                        return r;
        }
        return table_add(t, buffer_string(&b));
}

static const char *image_name(const char *image, bool whole, char id[static IDENT_SHORT_SIZE]) {
        if (!whole && str_starts(image, "sha256:"))
                return ident_short(image, id);
        return image;
}

static int ps_row(Table *t, const Json *row, bool whole, bool with_size) {
        char id[IDENT_SHORT_SIZE], image[IDENT_SHORT_SIZE], duration[HUMAN_SIZE], size[HUMAN_SIZE];
        const char *full = str_or_empty(json_get_text(row, "Id"));
        int64_t age = clock_realtime_ns() / NSEC_PER_SEC - json_get_int64(row, "Created", 0);
        int r;

        r = table_add(t, whole ? full : ident_short(full, id));
        if (r >= 0)
                r = table_add(
                        t, image_name(str_or_empty(json_get_text(row, "Image")), whole, image));
        if (r >= 0)
                r = ps_command(t, str_or_empty(json_get_text(row, "Command")), whole);
        if (r >= 0)
                r = table_addf(t, "%s ago", human_duration(age, duration));
        if (r >= 0)
                r = table_add(t, json_get_text(row, "Status"));
        if (r >= 0)
                r = ps_ports(t, json_get(row, "Ports"));
        if (r >= 0)
                r = ps_names(t, json_get(row, "Names"));
        if (r >= 0 && with_size)
                r = table_add(
                        t, human_bytes((uint64_t) MAX(json_get_int64(row, "SizeRw", 0), INT64_C(0)),
                                   3, size));
        return r;
}

static int cmd_ps(Cli *cli, const Options *o, Error *reterr) {
        static const char *const header[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
                "STATUS", "PORTS", "NAMES", NULL };
        static const char *const header_size[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
                "STATUS", "PORTS", "NAMES", "SIZE", NULL };
        bool whole = options_flag(o, "no-trunc"), size = options_flag(o, "size");
        const char *limit = options_flag(o, "latest") ? "1" : options_string(o, "last");
        _cleanup_(freep) char *filters = NULL, *path = NULL;
        _cleanup_(json_unrefp) Json *rows = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        const char *key;
        RestClient *c;
        Json *row;
        int r;

        r = cli_filters(options_list(o, "filter"), &filters, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;

        path = rest_path(REST_PATH("/containers/json"),
                REST_QUERY("all", options_flag(o, "all") ? "1" : NULL, "limit", limit, "size",
                        size ? "1" : NULL, "filters", filters));
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "GET", path, NULL, &rows, reterr);
        if (r < 0)
                return r;

        if (options_flag(o, "quiet")) {
                cli_print_ids(rows, whole);
                return 0;
        }

        r = table_new(size ? header_size : header, &t);
        JSON_FOREACH (key, row, rows)
                if (r >= 0)
                        r = ps_row(t, row, whole, size);
        if (r < 0)
                return r;
        table_print(t);
        return 0;
}

/* ---- verbs ---- */

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

static int stop_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        const char *timeout = options_string(o, "timeout");

        return verb(c, "POST", name, "/stop",
                REST_QUERY("t", timeout ? timeout : options_string(o, "time"), "signal",
                        options_string(o, "signal")),
                reterr);
}

static int cmd_stop(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, stop_one, reterr);
}

static int kill_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        return verb(c, "POST", name, "/kill", REST_QUERY("signal", options_string(o, "signal")),
                reterr);
}

static int cmd_kill(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, kill_one, reterr);
}

static int rm_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        bool force = options_flag(o, "force");
        int r;

        r = verb(c, "DELETE", name, "",
                REST_QUERY(
                        "force", force ? "1" : NULL, "v", options_flag(o, "volumes") ? "1" : NULL),
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

/* clang-format off */
static const Option ps_options[] = {
        { "all",      'a', OPTION_FLAG,   NULL,     "Show all containers (default shows just running)" },
        { "filter",   'f', OPTION_FILTER,  "filter", "Filter output based on conditions provided" },
        { "last",     'n', OPTION_INT, "int",    "Show n last created containers (includes all states)" },
        { "latest",   'l', OPTION_FLAG,   NULL,     "Show the latest created container (includes all states)" },
        { "no-trunc", 0,   OPTION_FLAG,   NULL,     "Don't truncate output" },
        { "quiet",    'q', OPTION_FLAG,   NULL,     "Only display container IDs" },
        { "size",     's', OPTION_FLAG,   NULL,     "Display total file sizes" },
        {}
};

static const Option stop_options[] = {
        { "signal",  's', OPTION_STRING, "string", "Signal to send to the container" },
        { "timeout", 't', OPTION_INT, "int",    "Seconds to wait before killing the container" },
        { "time",    0,   OPTION_INT, "int",    NULL },
        {}
};

static const Option kill_options[] = {
        { "signal",  's', OPTION_STRING, "string", "Signal to send to the container" },
        {}
};

static const Option rm_options[] = {
        { "force",   'f', OPTION_FLAG, NULL, "Force the removal of a running container (uses SIGKILL)" },
        { "volumes", 'v', OPTION_FLAG, NULL, "Remove anonymous volumes associated with the container" },
        {}
};

const Command container_commands[] = {
        { "container", "ls",   "ps",   "[OPTIONS]",                          "List containers",                        ps_options,   0, 0,  false, 0, cmd_ps },
        { "container", "stop", "stop", "[OPTIONS] CONTAINER [CONTAINER...]", "Stop one or more running containers",    stop_options, 1, -1, false, 0, cmd_stop },
        { "container", "kill", "kill", "[OPTIONS] CONTAINER [CONTAINER...]", "Kill one or more running containers",    kill_options, 1, -1, false, 0, cmd_kill },
        { "container", "wait", "wait", "CONTAINER [CONTAINER...]",           "Block until containers stop, then print their exit codes", NULL, 1, -1, false, 0, cmd_wait },
        { "container", "rm",   "rm",   "[OPTIONS] CONTAINER [CONTAINER...]", "Remove one or more containers",          rm_options,   1, -1, false, 0, cmd_rm },
        {}
};
/* clang-format on */
