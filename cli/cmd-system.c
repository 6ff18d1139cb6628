/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "stauer-config.h"

#define EVENT_MAX (1024U * 1024)

static int get(Cli *cli, const char *path, Json **ret, Error *reterr) {
        _cleanup_(freep) char *full = NULL;
        RestClient *c;
        int r;

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        full = rest_path(REST_PATH(path), NULL);
        if (!full)
                return -ENOMEM;
        return rest_call(c, "GET", full, NULL, ret, reterr);
}

/* ---- version ---- */

static void print_pair(const char *indent, const char *label, const char *value) {
        _cleanup_(freep) char *text = str_escape_terminal(value);

        if (!str_empty(value) && text)
                printf("%s%-18s%s\n", indent, label, text);
}

static int cmd_version(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        printf("Client: Stauer\n");
        print_pair(" ", "Version:", STAUER_VERSION);
        print_pair(" ", "API version:", REST_CLIENT_API);
        printf("\n");
        fflush(stdout);

        r = get(cli, "/version", &v, reterr);
        if (r < 0)
                return r;

        printf("Server: %s\n", str_or_empty(json_get_text(json_get(v, "Platform"), "Name")));
        printf(" Engine:\n");
        print_pair("  ", "Version:", json_get_text(v, "Version"));
        printf("  %-18s%s (minimum version %s)\n",
                "API version:", str_or_empty(json_get_text(v, "ApiVersion")),
                str_or_empty(json_get_text(v, "MinAPIVersion")));
        printf("  %-18s%s/%s\n", "OS/Arch:", str_or_empty(json_get_text(v, "Os")),
                str_or_empty(json_get_text(v, "Arch")));
        print_pair("  ", "Kernel:", json_get_text(v, "KernelVersion"));
        return 0;
}

/* ---- info ---- */

typedef struct InfoRow {
        const char *label;
        const char *key;
} InfoRow;

static void print_info_value(const char *label, const Json *v) {
        _cleanup_(freep) char *text = NULL;

        if (json_is_null(v))
                return;
        if (json_type_of(v) == JSON_TYPE_STRING)
                text = str_escape_terminal(json_to_text(v));
        else
                (void) json_print(v, JSON_COMPACT, &text);
        if (!str_empty(text))
                printf(" %s: %s\n", label, text);
}

static void print_status_rows(const Json *rows) {
        const char *key;
        Json *row;

        JSON_FOREACH (key, row, rows) {
                _cleanup_(freep) char *label = str_escape_terminal(json_to_text(json_at(row, 0)));
                _cleanup_(freep) char *value = str_escape_terminal(json_to_text(json_at(row, 1)));

                printf("  %s: %s\n", str_or_empty(label), str_or_empty(value));
        }
}

static void print_list(const char *label, const Json *list) {
        const char *key;
        Json *item;

        if (json_count(list) == 0)
                return;
        printf(" %s:\n", label);
        JSON_FOREACH (key, item, list) {
                _cleanup_(freep) char *text = str_escape_terminal(json_to_text(item));

                printf("  %s\n", str_or_empty(text));
        }
}

static void print_runtimes(const Json *runtimes) {
        const char *key;
        Json *runtime;

        printf(" Runtimes:");
        JSON_FOREACH (key, runtime, runtimes)
                printf(" %s", key);
        printf("\n");
}

static int cmd_info(Cli *cli, const Options *o, Error *reterr) {
        /* clang-format off */
        static const InfoRow rows[] = {
                { "Logging Driver",   "LoggingDriver" },
                { "Cgroup Driver",    "CgroupDriver" },
                { "Cgroup Version",   "CgroupVersion" },
                { "Default Runtime",  "DefaultRuntime" },
                { "Kernel Version",   "KernelVersion" },
                { "Operating System", "OperatingSystem" },
                { "OSType",           "OSType" },
                { "Architecture",     "Architecture" },
                { "CPUs",             "NCPU" },
                { "Name",             "Name" },
                { "ID",               "ID" },
                { "Docker Root Dir",  "DockerRootDir" },
                { "Debug Mode",       "Debug" },
                { "Live Restore Enabled", "LiveRestoreEnabled" },
        };
        /* clang-format on */
        _cleanup_(json_unrefp) Json *v = NULL;
        char memory[HUMAN_SIZE];
        const char *key;
        Json *warning;
        int r;

        printf("Client: Stauer\n");
        print_pair(" ", "Version:", STAUER_VERSION);
        fflush(stdout);

        r = get(cli, "/info", &v, reterr);
        if (r < 0)
                return r;

        printf("\nServer:\n Containers: %" PRId64 "\n", json_get_int64(v, "Containers", 0));
        printf("  Running: %" PRId64 "\n", json_get_int64(v, "ContainersRunning", 0));
        printf("  Paused: %" PRId64 "\n", json_get_int64(v, "ContainersPaused", 0));
        printf("  Stopped: %" PRId64 "\n", json_get_int64(v, "ContainersStopped", 0));
        printf(" Images: %" PRId64 "\n", json_get_int64(v, "Images", 0));
        print_info_value("Server Version", json_get(v, "ServerVersion"));
        print_info_value("Storage Driver", json_get(v, "Driver"));
        print_status_rows(json_get(v, "DriverStatus"));
        print_runtimes(json_get(v, "Runtimes"));
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                print_info_value(rows[i].label, json_get(v, rows[i].key));
        printf(" Total Memory: %s\n",
                human_bytes_binary(
                        (uint64_t) MAX(json_get_int64(v, "MemTotal", 0), INT64_C(0)), memory));
        print_list("Security Options", json_get(v, "SecurityOptions"));
        print_list("Labels", json_get(v, "Labels"));

        JSON_FOREACH (key, warning, json_get(v, "Warnings"))
                fprintf(stderr, "%s\n", str_or_empty(json_to_text(warning)));
        return 0;
}

/* ---- events ---- */

static int append_attributes(Buffer *b, const Json *attributes) {
        bool first = true;
        const char *key;
        Json *value;
        int r = 0;

        JSON_FOREACH (key, value, attributes) {
                r = buffer_printf(
                        b, "%s%s=%s", first ? " (" : ", ", key, str_or_empty(json_to_text(value)));
                if (r < 0)
                        return r;
                first = false;
        }
        return first ? 0 : buffer_append_char(b, ')');
}

static int print_event(const char *line, size_t size) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        char time[CLOCK_TEXT_SIZE];
        int r;

        if (size == strspn(line, "\r\n"))
                return 0;
        r = json_parse(line, size, EVENT_MAX, &v, NULL);
        if (r < 0)
                return -EBADMSG;

        r = buffer_printf(&b, "%s %s %s %s",
                clock_format_fixed(json_get_int64(v, "timeNano", 0), time),
                str_or_empty(json_get_text(v, "Type")), str_or_empty(json_get_text(v, "Action")),
                str_or_empty(json_get_text(json_get(v, "Actor"), "ID")));
        if (r >= 0)
                r = append_attributes(&b, json_get(json_get(v, "Actor"), "Attributes"));
        if (r < 0)
                return r;

        text = str_escape_terminal_n(buffer_head(&b), buffer_size(&b));
        if (!text)
                return -ENOMEM;
        puts(text);
        fflush(stdout);
        return 0;
}

static int on_events(const char *data, size_t size, void *userdata) {
        Buffer *b = userdata;
        size_t n;
        int r;

        r = buffer_append(b, data, size);
        while (r >= 0 && (n = buffer_line(b)) > 0) {
                r = print_event(buffer_head(b), n);
                buffer_consume(b, n);
        }
        return r;
}

static int cmd_events(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(freep) char *filters = NULL, *since = NULL, *until = NULL, *path = NULL;
        _cleanup_(buffer_done) Buffer b = { .max = EVENT_MAX };
        RestClient *c;
        int r;

        r = cli_filters(options_list(o, "filter"), &filters, reterr);
        if (r >= 0)
                r = cli_point_in_time(options_string(o, "since"), "since", &since, reterr);
        if (r >= 0)
                r = cli_point_in_time(options_string(o, "until"), "until", &until, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;

        path = rest_path(REST_PATH("/events"),
                REST_QUERY("since", since, "until", until, "filters", filters));
        if (!path)
                return -ENOMEM;
        r = rest_stream(c, "GET", path, -EBADF, on_events, &b, reterr);
        return r < 0 ? r : 0;
}

/* clang-format off */
static const Option events_options[] = {
        { "filter", 'f', OPTION_LIST,   "filter", "Filter output based on conditions provided" },
        { "since",  0,   OPTION_STRING, "string", "Show all events created since timestamp" },
        { "until",  0,   OPTION_STRING, "string", "Stream events until this timestamp" },
        {}
};

const Command system_commands[] = {
        { NULL,        "version", NULL,     "",                                  "Show the Stauer version information",        NULL,            0, 0,  false, 0, cmd_version },
        { "system",    "info",    "info",   "",                                  "Display system-wide information",            NULL,            0, 0,  false, 0, cmd_info },
        { "system",    "events",  "events", "[OPTIONS]",                         "Get real time events from the server",       events_options,  0, 0,  false, 0, cmd_events },
        {}
};
/* clang-format on */
