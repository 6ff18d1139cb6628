/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version and info, in docker's layout: tools read it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/human.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "stauer-config.h"

static int get(Cli *cli, const char *path, Json **ret, Error *reterr) {
        RestClient *c;
        int r;

        r = cli_client(cli, &c, reterr);
        return r < 0 ? r : rest_call(c, "GET", path, NULL, ret, reterr);
}

/* Go's name of this machine's architecture. */
static const char *architecture(void) {
        static const char *const names[][2] = { { "x86_64", "amd64" }, { "aarch64", "arm64" },
                { "i686", "386" }, { "armv7l", "arm" }, { "riscv64", "riscv64" },
                { "ppc64le", "ppc64le" }, { "s390x", "s390x" } };
        static struct utsname u;

        if (uname(&u) < 0)
                return "";
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(u.machine, names[i][0]))
                        return names[i][1];
        return u.machine;
}

static void print_line(const char *label, int width, const char *value) {
        _cleanup_(freep) char *text = str_escape_terminal(value);

        printf("%-*s%s\n", width, label, str_or_empty(text));
}

/* ---- version ---- */

#define CLIENT_WIDTH 20
#define SERVER_WIDTH 20

static int client_version(Cli *cli, const char *api, Json **ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *context;
        int r;

        r = cli_context(cli, &context, reterr);
        if (r >= 0)
                r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Version", STAUER_VERSION);
        if (r >= 0)
                r = json_set_text(v, "ApiVersion", api);
        if (r >= 0)
                r = json_set_text(v, "DefaultAPIVersion", REST_CLIENT_API);
        if (r >= 0)
                r = json_set_text(v, "GitCommit", "");
        if (r >= 0)
                r = json_set_text(v, "GoVersion", "");
        if (r >= 0)
                r = json_set_text(v, "Os", "linux");
        if (r >= 0)
                r = json_set_text(v, "Arch", architecture());
        if (r >= 0)
                r = json_set_text(v, "BuildTime", "");
        if (r >= 0)
                r = json_set_text(v, "Context", context);
        if (r >= 0)
                *ret = TAKE_PTR(v);
        return r;
}

static void print_client(const Json *v) {
        const char *api = json_get_text(v, "ApiVersion"), *arch = json_get_text(v, "Arch");

        printf("Client: Stauer\n");
        print_line(" Version:", CLIENT_WIDTH, json_get_text(v, "Version"));
        if (streq(api, REST_CLIENT_API))
                print_line(" API version:", CLIENT_WIDTH, api);
        else
                printf("%-*s%s (downgraded from " REST_CLIENT_API ")\n", CLIENT_WIDTH,
                        " API version:", api);
        printf("%-*slinux/%s\n", CLIENT_WIDTH, " OS/Arch:", arch);
        print_line(" Context:", CLIENT_WIDTH, json_get_text(v, "Context"));
        fflush(stdout);
}

static void print_component(const Json *component) {
        const Json *details = json_get(component, "Details");
        _cleanup_(freep) char *name = str_escape_terminal(json_get_text(component, "Name"));
        static const char *const labels[][2] = { { "GoVersion", "  Go version:" },
                { "GitCommit", "  Git commit:" }, { "BuildTime", "  Built:" } };

        printf(" %s:\n", str_or_empty(name));
        print_line("  Version:", SERVER_WIDTH, json_get_text(component, "Version"));
        if (json_get(details, "ApiVersion"))
                printf("%-*s%s (minimum version %s)\n", SERVER_WIDTH,
                        "  API version:", str_or_empty(json_get_text(details, "ApiVersion")),
                        str_or_empty(json_get_text(details, "MinAPIVersion")));
        for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
                if (!str_empty(json_get_text(details, labels[i][0])))
                        print_line(
                                labels[i][1], SERVER_WIDTH, json_get_text(details, labels[i][0]));
        if (json_get(details, "Os"))
                printf("%-*s%s/%s\n", SERVER_WIDTH,
                        "  OS/Arch:", str_or_empty(json_get_text(details, "Os")),
                        str_or_empty(json_get_text(details, "Arch")));
        if (!str_empty(json_get_text(details, "KernelVersion")))
                print_line("  Kernel:", SERVER_WIDTH, json_get_text(details, "KernelVersion"));
        if (json_get(details, "Experimental"))
                print_line("  Experimental:", SERVER_WIDTH, json_get_text(details, "Experimental"));
}

static int cmd_version(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(json_unrefp) Json *client = NULL, *server = NULL, *both = NULL;
        const char *format = options_string(o, "format"), *api = REST_CLIENT_API, *key;
        _cleanup_(error_done) Error e = {};
        Json *component;
        RestClient *c;
        int r, failed;

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        failed = rest_client_api(c, &api, &e);
        if (failed >= 0)
                failed = get(cli, "/version", &server, &e);
        r = client_version(cli, api, &client, reterr);
        if (r < 0)
                return r;

        if (!str_empty(format)) {
                r = json_new_object(&both);
                if (r >= 0 && !strstr(format, "json")) /* templates see Go's names, JSON its own */
                        r = json_set_text(client, "APIVersion", api);
                if (r >= 0 && server && !strstr(format, "json"))
                        r = json_set_text(
                                server, "APIVersion", json_get_text(server, "ApiVersion"));
                if (r >= 0)
                        r = json_set(both, "Client", client);
                if (r >= 0)
                        r = server ? json_set(both, "Server", server)
                                   : json_set_null(both, "Server");
                if (r >= 0)
                        r = rows_print_document(
                                format, "version", "system.versionInfo", both, reterr);
        } else {
                print_client(client);
                if (server) {
                        _cleanup_(freep) char *name = str_escape_terminal(
                                json_get_text(json_get(server, "Platform"), "Name"));

                        printf("\nServer:%s%s\n", str_empty(name) ? "" : " ", str_or_empty(name));
                        JSON_FOREACH (key, component, json_get(server, "Components"))
                                print_component(component);
                }
        }
        if (r == 0 && failed < 0) {
                error_move(reterr, &e);
                return failed;
        }
        return r;
}

/* ---- info ---- */

static void print_value(const char *label, const Json *v) {
        _cleanup_(freep) char *text = NULL;

        if (json_type_of(v) == JSON_TYPE_STRING)
                text = str_escape_terminal(json_to_text(v));
        else if (!json_is_null(v))
                (void) json_print(v, JSON_COMPACT, &text);
        printf(" %s: %s\n", label, str_or_empty(text));
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

static void print_words(const char *label, const Json *list) {
        const char *key;
        Json *v;

        printf("%s:%s", label, json_count(list) == 0 ? " " : "");
        JSON_FOREACH (key, v, list) {
                _cleanup_(freep) char *text = str_escape_terminal(key ? key : json_to_text(v));

                printf(" %s", str_or_empty(text));
        }
        printf("\n");
}

static void print_list(const char *label, const Json *list, bool always) {
        const char *key;
        Json *item;

        if (json_count(list) == 0 && !always)
                return;
        printf(" %s:\n", label);
        JSON_FOREACH (key, item, list) {
                _cleanup_(freep) char *text = str_escape_terminal(json_to_text(item));

                printf("  %s\n", str_or_empty(text));
        }
}

/* "name=seccomp,profile=default" */
static void print_security(const Json *list) {
        const char *key;
        Json *item;

        if (json_count(list) == 0)
                return;
        printf(" Security Options:\n");
        JSON_FOREACH (key, item, list) {
                _cleanup_(freep) char *text = str_escape_terminal(json_to_text(item));
                _cleanup_(strv_freep) char **parts = NULL;

                if (!text || strv_split(text, ",", /* keep_empty= */ false, &parts) < 0)
                        continue;
                STRV_FOREACH (part, parts) {
                        const char *value;

                        if ((value = str_starts(*part, "name=")))
                                printf("  %s\n", value);
                        else if ((value = str_starts(*part, "profile=")))
                                printf("   Profile: %s\n", value);
                }
        }
}

static void print_debug(const Json *v) {
        if (!json_get_bool(v, "Debug", false))
                return;
        printf("  File Descriptors: %" PRId64 "\n", json_get_int64(v, "NFd", 0));
        printf("  Goroutines: %" PRId64 "\n", json_get_int64(v, "NGoroutines", 0));
        printf("  System Time: %s\n", str_or_empty(json_get_text(v, "SystemTime")));
        printf("  EventsListeners: %" PRId64 "\n", json_get_int64(v, "NEventsListener", 0));
}

static void print_registries(const Json *v) {
        const Json *config = json_get(v, "RegistryConfig");
        const char *key;
        Json *item;

        printf(" Insecure Registries:\n");
        JSON_FOREACH (key, item, json_get(config, "IndexConfigs"))
                if (!json_get_bool(item, "Secure", true))
                        printf("  %s\n", str_or_empty(json_get_text(item, "Name")));
        JSON_FOREACH (key, item, json_get(config, "InsecureRegistryCIDRs"))
                printf("  %s\n", str_or_empty(json_to_text(item)));
        print_list("Registry Mirrors", json_get(config, "Mirrors"), false);
}

static void print_rows(const Json *v, const char *const (*rows)[2], size_t n) {
        for (size_t i = 0; i < n; i++)
                print_value(rows[i][0], json_get(v, rows[i][1]));
}

/* clang-format off */
static const char *const host_rows[][2] = {
        { "Kernel Version",   "KernelVersion" },
        { "Operating System", "OperatingSystem" },
        { "OSType",           "OSType" },
        { "Architecture",     "Architecture" },
        { "CPUs",             "NCPU" },
};
static const char *const proxy_rows[][2] = {
        { "HTTP Proxy",  "HttpProxy" },
        { "HTTPS Proxy", "HttpsProxy" },
        { "No Proxy",    "NoProxy" },
};
/* clang-format on */

static void print_server(const Json *v) {
        const Json *plugins = json_get(v, "Plugins");
        char memory[HUMAN_SIZE];

        printf(" Containers: %" PRId64 "\n", json_get_int64(v, "Containers", 0));
        printf("  Running: %" PRId64 "\n", json_get_int64(v, "ContainersRunning", 0));
        printf("  Paused: %" PRId64 "\n", json_get_int64(v, "ContainersPaused", 0));
        printf("  Stopped: %" PRId64 "\n", json_get_int64(v, "ContainersStopped", 0));
        printf(" Images: %" PRId64 "\n", json_get_int64(v, "Images", 0));
        print_value("Server Version", json_get(v, "ServerVersion"));
        print_value("Storage Driver", json_get(v, "Driver"));
        print_status_rows(json_get(v, "DriverStatus"));
        print_value("Logging Driver", json_get(v, "LoggingDriver"));
        print_value("Cgroup Driver", json_get(v, "CgroupDriver"));
        print_value("Cgroup Version", json_get(v, "CgroupVersion"));
        printf(" Plugins:\n");
        print_words("  Volume", json_get(plugins, "Volume"));
        print_words("  Network", json_get(plugins, "Network"));
        if (json_count(json_get(plugins, "Authorization")) > 0)
                print_words("  Authorization", json_get(plugins, "Authorization"));
        print_words("  Log", json_get(plugins, "Log"));
        print_list("CDI spec directories", json_get(v, "CDISpecDirs"), false);
        print_value("Swarm", json_get(json_get(v, "Swarm"), "LocalNodeState"));
        print_words(" Runtimes", json_get(v, "Runtimes"));
        print_value("Default Runtime", json_get(v, "DefaultRuntime"));
        print_value("Init Binary", json_get(v, "InitBinary"));
        print_value("containerd version", json_get(json_get(v, "ContainerdCommit"), "ID"));
        print_value("runc version", json_get(json_get(v, "RuncCommit"), "ID"));
        print_value("init version", json_get(json_get(v, "InitCommit"), "ID"));
        print_security(json_get(v, "SecurityOptions"));
        print_rows(v, host_rows, ARRAY_SIZE(host_rows));
        printf(" Total Memory: %s\n",
                human_bytes_binary(
                        (uint64_t) MAX(json_get_int64(v, "MemTotal", 0), INT64_C(0)), memory));
        print_value("Name", json_get(v, "Name"));
        print_value("ID", json_get(v, "ID"));
        print_value("Docker Root Dir", json_get(v, "DockerRootDir"));
        print_value("Debug Mode", json_get(v, "Debug"));
        print_debug(v);
        for (size_t i = 0; i < ARRAY_SIZE(proxy_rows); i++)
                if (!str_empty(json_get_text(v, proxy_rows[i][1])))
                        print_rows(v, proxy_rows + i, 1);
        print_list("Labels", json_get(v, "Labels"), false);
        print_value("Experimental", json_get(v, "ExperimentalBuild"));
        print_registries(v);
        print_value("Live Restore Enabled", json_get(v, "LiveRestoreEnabled"));
        if (!str_empty(json_get_text(v, "ProductLicense")))
                print_value("Product License", json_get(v, "ProductLicense"));
        printf("\n");
}

static int add_client_info(Cli *cli, Json *v, Error *reterr) {
        _cleanup_(json_unrefp) Json *client = NULL;
        int r;

        r = client_version(cli, REST_CLIENT_API, &client, reterr);
        if (r >= 0)
                r = json_set_bool(client, "Debug", options_flag(cli->globals, "debug"));
        return r < 0 ? r : json_set(v, "ClientInfo", client);
}

static int cmd_info(Cli *cli, const Options *o, Error *reterr) {
        const char *format = options_string(o, "format"), *context, *key;
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *warning;
        int r;

        if (!str_empty(format)) {
                r = get(cli, "/info", &v, reterr);
                if (r >= 0)
                        r = add_client_info(cli, v, reterr);
                return r < 0 ? r : rows_print_document(format, "", "system.dockerInfo", v, reterr);
        }

        r = cli_context(cli, &context, reterr);
        if (r < 0)
                return r;
        printf("Client:\n Version:    " STAUER_VERSION
               "\n Context:    %s\n Debug Mode: %s\n\nServer:\n",
                context, options_flag(cli->globals, "debug") ? "true" : "false");
        fflush(stdout);

        r = get(cli, "/info", &v, reterr);
        if (r < 0)
                return r;
        print_server(v);
        fflush(stdout);
        JSON_FOREACH (key, warning, json_get(v, "Warnings")) {
                _cleanup_(freep) char *text = str_escape_terminal(json_to_text(warning));

                fprintf(stderr, "%s\n", str_or_empty(text));
        }
        return 0;
}

/* clang-format off */
static const Option document_options[] = {
        { "format", 'f', OPTION_STRING, "string", OPTION_DOCUMENT_HELP },
        {}
};

const Command system_commands[] = {
        { NULL,     "version", NULL,   "[OPTIONS]", "Show the versions of client and engine", document_options, 0, 0, false, 0, cmd_version },
        { "system", "info",    "info", "[OPTIONS]", "Display system-wide information",        document_options, 0, 0, false, 0, cmd_info },
        {}
};
/* clang-format on */
