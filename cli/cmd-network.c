/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/ident.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* ---- ls ---- */

/* As Go prints a moment of UTC, with its fraction. */
static int get_created(Buffer *b, const Json *source, const void *userdata) {
        const char *created = str_or_empty(json_get_text(source, "Created"));
        char text[CLOCK_TEXT_SIZE];
        int64_t ns;

        if (clock_parse(created, &ns) < 0)
                return buffer_append_string(b, created);
        (void) clock_format(ns, text);
        return buffer_printf(
                b, "%.10s %.*s +0000 UTC", text, (int) strcspn(text + 11, "Z"), text + 11);
}

static int get_driver(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Driver");
}

static int get_id(Buffer *b, const Json *source, const void *userdata) {
        const char *id = str_or_empty(json_get_text(source, "Id"));
        char small[IDENT_SHORT_SIZE];

        return buffer_append_string(b, *(const bool *) userdata ? id : ident_short(id, small));
}

static int put_bool(Buffer *b, const Json *source, const char *key, bool otherwise) {
        return buffer_append_string(b, json_get_bool(source, key, otherwise) ? "true" : "false");
}

static int get_ipv4(Buffer *b, const Json *source, const void *userdata) {
        return put_bool(b, source, "EnableIPv4", true);
}

static int get_ipv6(Buffer *b, const Json *source, const void *userdata) {
        return put_bool(b, source, "EnableIPv6", false);
}

static int get_internal(Buffer *b, const Json *source, const void *userdata) {
        return put_bool(b, source, "Internal", false);
}

static int get_labels(Buffer *b, const Json *source, const void *userdata) {
        return row_labels(b, json_get(source, "Labels"));
}

static int get_name(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Name");
}

static int get_scope(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Scope");
}

/* clang-format off */
static const RowField network_fields[] = {
        { "CreatedAt", "CREATED AT", get_created },
        { "Driver",    "DRIVER",     get_driver },
        { "ID",        "NETWORK ID", get_id },
        { "IPv4",      "IPV4",       get_ipv4 },
        { "IPv6",      "IPV6",       get_ipv6 },
        { "Internal",  "INTERNAL",   get_internal },
        { "Labels",    "LABELS",     get_labels },
        { "Name",      "NAME",       get_name },
        { "Scope",     "SCOPE",      get_scope },
        {}
};
/* clang-format on */

static const RowKind network_kind = { "*network.networkContext", network_fields, "Labels" };

static int cmd_ls(Cli *cli, const Options *o, Error *reterr) {
        const char *format = options_string(o, "format");
        _cleanup_(json_unrefp) Json *rows = NULL;
        bool whole = options_flag(o, "no-trunc");
        int r;

        r = cli_list(cli, "/networks", "Name", NULL, options_list(o, "filter"), &rows, reterr);
        if (r < 0)
                return r;
        if (str_empty(format) && !options_flag(o, "quiet"))
                format = json_get_text(cli_config(cli), "networksFormat");
        if (options_flag(o, "quiet") && (str_empty(format) || str_starts(format, "table")))
                format = "{{.ID}}";
        return rows_print(&network_kind, format,
                "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}", rows, &whole, reterr);
}

/* ---- create ---- */

/* "10.0.0.0/8" or an address holds the address (of another subnet). */
static bool contains(const char *subnet, const char *address) {
        _cleanup_(freep) char *net = NULL, *prefix = NULL, *host = NULL;
        unsigned char a[16] = {}, b[16] = {};
        int family = strchr(subnet, ':') ? AF_INET6 : AF_INET;
        unsigned bits;

        if (str_split_pair(subnet, '/', &net, &prefix) < 0 || parse_unsigned(prefix, &bits) < 0 ||
                bits > (family == AF_INET ? 32U : 128U) ||
                str_copy_n(&host, address, strcspn(address, "/")) < 0 ||
                inet_pton(family, net, a) != 1 || inet_pton(family, host, b) != 1)
                return false;
        if (memcmp(a, b, bits / 8) != 0)
                return false;
        return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

/* Puts an address or range into the subnet that it is in. */
static int set_in_subnet(
        Json *configs, const char *key, const char *value, const char *what, Error *reterr) {
        const char *k;
        Json *config;

        JSON_FOREACH (k, config, configs) {
                if (!contains(json_get_text(config, "Subnet"), value))
                        continue;
                if (json_get(config, key))
                        return error_set(reterr, ERROR_INVALID,
                                "cannot configure multiple %ss (%s, %s) on the same subnet (%s)",
                                what, value, json_get_text(config, key),
                                json_get_text(config, "Subnet"));
                return json_set_text(config, key, value);
        }
        return error_set(reterr, ERROR_INVALID, "no matching subnet for %s %s", what, value);
}

static int set_auxiliary(Json *configs, const char *word, Error *reterr) {
        _cleanup_(freep) char *name = NULL, *address = NULL;
        const char *k;
        Json *config;
        int r;

        r = str_split_pair(word, '=', &name, &address);
        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID,
                        "invalid argument \"%s\" for \"--aux-address\" flag: %s must be formatted "
                        "as "
                        "key=value",
                        word, word);
        if (r < 0)
                return r;

        JSON_FOREACH (k, config, configs) {
                Json *addresses;

                if (!contains(json_get_text(config, "Subnet"), address))
                        continue;
                addresses = json_get(config, "AuxiliaryAddresses");
                r = addresses ? 0 : json_set_new_object(config, "AuxiliaryAddresses", &addresses);
                return r < 0 ? r : json_set_text(addresses, name, address);
        }
        return error_set(reterr, ERROR_INVALID, "no matching subnet for aux-address %s", address);
}

static int set_ipam(Json *body, const Options *o, Error *reterr) {
        Json *ipam, *options, *configs, *config;
        int r;

        r = json_set_new_object(body, "IPAM", &ipam);
        if (r >= 0)
                r = json_set_text(
                        ipam, "Driver", str_or(options_string(o, "ipam-driver"), "default"));
        if (r >= 0)
                r = json_set_new_object(ipam, "Options", &options);
        if (r >= 0)
                r = cli_set_pairs(options, options_list(o, "ipam-opt"));
        if (r >= 0)
                r = json_set_new_list(ipam, "Config", &configs);

        STRV_FOREACH (subnet, options_list(o, "subnet")) {
                const char *k;
                Json *other;

                JSON_FOREACH (k, other, configs) {
                        const char *s = json_get_text(other, "Subnet");

                        if (contains(s, *subnet) || contains(*subnet, s))
                                return error_set(reterr, ERROR_INVALID,
                                        "multiple overlapping subnet configuration is not "
                                        "supported");
                }
                if (r >= 0)
                        r = json_append_new_object(configs, &config);
                if (r >= 0)
                        r = json_set_text(config, "Subnet", *subnet);
        }
        if (r >= 0 && !options_list(o, "subnet") &&
                (options_list(o, "gateway") || options_list(o, "ip-range")))
                return error_set(reterr, ERROR_INVALID,
                        "every ip-range or gateway must have a corresponding subnet");
        STRV_FOREACH (range, options_list(o, "ip-range"))
                if (r >= 0)
                        r = set_in_subnet(configs, "IPRange", *range, "range", reterr);
        STRV_FOREACH (gateway, options_list(o, "gateway"))
                if (r >= 0)
                        r = set_in_subnet(configs, "Gateway", *gateway, "gateway", reterr);
        STRV_FOREACH (word, options_list(o, "aux-address"))
                if (r >= 0)
                        r = set_auxiliary(configs, *word, reterr);
        return r;
}

static int set_flag(Json *body, const Options *o, const char *key, const char *option) {
        return options_given(o, option) ? json_set_bool(body, key, options_flag(o, option)) : 0;
}

static int create_body(const Options *o, Json **ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *body = NULL;
        const char *from = options_string(o, "config-from");
        Json *options, *labels, *other;
        int r;

        r = json_new_object(&body);
        if (r >= 0)
                r = json_set_text(body, "Name", options_arguments(o)[0]);
        if (r >= 0)
                r = json_set_text(body, "Driver", str_or(options_string(o, "driver"), "bridge"));
        if (r >= 0 && options_given(o, "scope"))
                r = json_set_text(body, "Scope", options_string(o, "scope"));
        if (r >= 0)
                r = set_flag(body, o, "EnableIPv4", "ipv4");
        if (r >= 0)
                r = set_flag(body, o, "EnableIPv6", "ipv6");
        if (r >= 0)
                r = set_flag(body, o, "Internal", "internal");
        if (r >= 0)
                r = set_flag(body, o, "Attachable", "attachable");
        if (r >= 0)
                r = set_flag(body, o, "Ingress", "ingress");
        if (r >= 0)
                r = set_flag(body, o, "ConfigOnly", "config-only");
        if (r >= 0 && from) {
                r = json_set_new_object(body, "ConfigFrom", &other);
                if (r >= 0)
                        r = json_set_text(other, "Network", from);
        }
        if (r >= 0)
                r = set_ipam(body, o, reterr);
        if (r >= 0)
                r = json_set_new_object(body, "Options", &options);
        if (r >= 0)
                r = cli_set_pairs(options, options_list(o, "opt"));
        if (r >= 0)
                r = json_set_new_object(body, "Labels", &labels);
        if (r >= 0)
                r = cli_set_pairs(labels, options_list(o, "label"));
        if (r >= 0)
                *ret = TAKE_PTR(body);
        return r;
}

static int cmd_create(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(json_unrefp) Json *body = NULL, *answer = NULL;
        RestClient *c;
        int r;

        r = create_body(o, &body, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = rest_call(c, "POST", "/networks/create", body, &answer, reterr);
        if (r < 0)
                return r;
        puts(str_or_empty(json_get_text(answer, "Id")));
        return 0;
}

/* ---- rm, connect, disconnect ---- */

static int rm_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        _cleanup_(freep) char *path = rest_path(REST_PATH("/networks/", name), NULL);
        int r;

        if (!path)
                return -ENOMEM;
        r = rest_call(c, "DELETE", path, NULL, NULL, reterr);
        if (r < 0 && options_flag(o, "force") && reterr->kind == ERROR_NOT_FOUND)
                return 0;
        if (r >= 0)
                puts(name);
        return r;
}

static int cmd_rm(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, rm_one, reterr);
}

static int set_endpoint(Json *config, const Options *o) {
        char *const *local = options_list(o, "link-local-ip");
        Json *ipam, *options;
        int r = 0;

        if (options_given(o, "ip") || options_given(o, "ip6") || local) {
                r = json_set_new_object(config, "IPAMConfig", &ipam);
                if (r >= 0 && options_given(o, "ip"))
                        r = json_set_text(ipam, "IPv4Address", options_string(o, "ip"));
                if (r >= 0 && options_given(o, "ip6"))
                        r = json_set_text(ipam, "IPv6Address", options_string(o, "ip6"));
                if (r >= 0 && local)
                        r = json_set_strv(ipam, "LinkLocalIPs", local);
        }
        if (r >= 0 && options_given(o, "link"))
                r = json_set_strv(config, "Links", options_list(o, "link"));
        if (r >= 0 && options_given(o, "alias"))
                r = json_set_strv(config, "Aliases", options_list(o, "alias"));
        if (r >= 0 && options_given(o, "gw-priority"))
                r = json_set_int64(config, "GwPriority", options_int(o, "gw-priority", 0));
        if (r >= 0 && options_given(o, "driver-opt")) {
                r = json_set_new_object(config, "DriverOpts", &options);
                if (r >= 0)
                        r = cli_set_pairs(options, options_list(o, "driver-opt"));
        }
        return r;
}

static int connect_or_not(Cli *cli, const Options *o, bool on, Error *reterr) {
        _cleanup_(json_unrefp) Json *body = NULL;
        _cleanup_(freep) char *path = NULL;
        RestClient *c;
        Json *config;
        int r;

        r = json_new_object(&body);
        if (r >= 0)
                r = json_set_text(body, "Container", options_arguments(o)[1]);
        if (r >= 0 && on) {
                r = json_set_new_object(body, "EndpointConfig", &config);
                if (r >= 0)
                        r = set_endpoint(config, o);
        } else if (r >= 0)
                r = json_set_bool(body, "Force", options_flag(o, "force"));
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;

        path = rest_path(
                REST_PATH("/networks/", options_arguments(o)[0], on ? "/connect" : "/disconnect"),
                NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, body, NULL, reterr);
        return r < 0 ? r : 0;
}

static int cmd_connect(Cli *cli, const Options *o, Error *reterr) {
        return connect_or_not(cli, o, true, reterr);
}

static int cmd_disconnect(Cli *cli, const Options *o, Error *reterr) {
        return connect_or_not(cli, o, false, reterr);
}

/* clang-format off */
static const Option ls_options[] = {
        { "filter",   'f', OPTION_FILTER, "filter", "Show only what fits the condition" },
        { "format",   0,   OPTION_STRING, "string", OPTION_FORMAT_HELP },
        { "no-trunc", 0,   OPTION_FLAG,   NULL,     "Don't truncate output" },
        { "quiet",    'q', OPTION_FLAG,   NULL,     "Only display network IDs" },
        {}
};

static const Option create_options_[] = {
        { "attachable",  0,   OPTION_FLAG,    NULL,      "Containers may be attached by hand" },
        { "aux-address", 0,   OPTION_KEYED,   "map",     "Addresses that are not given to containers (name=ip)" },
        { "config-from", 0,   OPTION_STRING,  "string",  "Network to copy the configuration from" },
        { "config-only", 0,   OPTION_FLAG,    NULL,      "Create a configuration only" },
        { "driver",      'd', OPTION_STRING,  "string",  "Driver of the network", "\"bridge\"" },
        { "gateway",     0,   OPTION_STRINGS, "strings", "Gateway of a subnet" },
        { "ingress",     0,   OPTION_FLAG,    NULL,      "Create swarm routing-mesh network" },
        { "internal",    0,   OPTION_FLAG,    NULL,      "No way to the outside" },
        { "ip-range",    0,   OPTION_STRINGS, "strings", "Give addresses of this part of a subnet only" },
        { "ipam-driver", 0,   OPTION_STRING,  "string",  "Driver of the addresses", "\"default\"" },
        { "ipam-opt",    0,   OPTION_KEYED,   "map",     "Option for the driver of the addresses" },
        { "ipv4",        0,   OPTION_FLAG,    NULL,      "IPv4 addresses", "true" },
        { "ipv6",        0,   OPTION_FLAG,    NULL,      "IPv6 addresses" },
        { "label",       0,   OPTION_KEYED,   "list",    "Set metadata on the network" },
        { "opt",         'o', OPTION_KEYED,   "map",     "Option for the driver" },
        { "scope",       0,   OPTION_STRING,  "string",  "Scope of the network" },
        { "subnet",      0,   OPTION_STRINGS, "strings", "Subnet (CIDR)" },
        {}
};

static const Option rm_options[] = {
        { "force", 'f', OPTION_FLAG, NULL, "One that is not there is no error" },
        {}
};

static const Option connect_options[] = {
        { "alias",         0, OPTION_STRINGS, "strings", "Name of the container in this network" },
        { "driver-opt",    0, OPTION_STRINGS, "strings", "Option for the driver" },
        { "gw-priority",   0, OPTION_INT,     "int",     "The network with the highest one gives the default gateway" },
        { "ip",            0, OPTION_STRING,  "ip",      "IPv4 address" },
        { "ip6",           0, OPTION_STRING,  "ip",      "IPv6 address" },
        { "link",          0, OPTION_LIST,    "list",    "Link to another container" },
        { "link-local-ip", 0, OPTION_STRINGS, "ipSlice", "Link-local address" },
        {}
};

static const Option disconnect_options[] = {
        { "force", 'f', OPTION_FLAG, NULL, "Also a container that is gone" },
        {}
};

const Command network_commands[] = {
        { "network", "ls",         NULL, "[OPTIONS]",                    "List networks",                  ls_options,         0, 0,  false, 0, cmd_ls },
        { "network", "create",     NULL, "[OPTIONS] NETWORK",            "Create a network",               create_options_,    1, 1,  false, 0, cmd_create },
        { "network", "rm",         NULL, "NETWORK [NETWORK...]",         "Remove one or more networks",    rm_options,         1, -1, false, 0, cmd_rm, "network" },
        { "network", "connect",    NULL, "[OPTIONS] NETWORK CONTAINER",  "Connect a container to a network", connect_options,  2, 2,  false, 0, cmd_connect, "network" },
        { "network", "disconnect", NULL, "[OPTIONS] NETWORK CONTAINER",  "Disconnect a container from a network", disconnect_options, 2, 2, false, 0, cmd_disconnect, "network" },
        {}
};
/* clang-format on */
