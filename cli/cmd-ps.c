/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/human.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define COMMAND_WIDTH 20
#define MOUNT_WIDTH   15

typedef struct PsView {
        bool whole; /* --no-trunc */
} PsView;

static bool whole(const void *userdata) {
        return ((const PsView *) userdata)->whole;
}

/* ---- ports: neighbours with the same address are one range ---- */

typedef struct Port {
        const char *ip, *type;
        int64_t private, public;
} Port;

typedef struct PortGroup {
        const Port *first;
        int64_t last;
} PortGroup;

static int compare_ports(const void *a, const void *b) {
        const Port *p = a, *q = b;
        int r;

        if (p->private != q->private)
                return p->private < q->private ? -1 : 1;
        r = strcmp(p->ip, q->ip);
        if (r == 0 && p->public != q->public)
                r = p->public < q->public ? -1 : 1;
        return r ? r : strcmp(p->type, q->type);
}

static int append_host(Buffer *b, const char *ip) {
        return buffer_printf(b, strchr(ip, ':') ? "[%s]:" : "%s:", ip);
}

static int append_group(Buffer *b, const PortGroup *g) {
        const Port *p = g->first;
        char range[48];
        int r = 0;

        if (g->last == p->private)
                (void) snprintf(range, sizeof range, "%" PRId64, p->private);
        else
                (void) snprintf(range, sizeof range, "%" PRId64 "-%" PRId64, p->private, g->last);

        if (!buffer_empty(b))
                r = buffer_append_string(b, ", ");
        if (r >= 0 && p->ip[0]) {
                r = append_host(b, p->ip);
                if (r >= 0)
                        r = buffer_printf(b, "%s->", range);
        }
        return r < 0 ? r : buffer_printf(b, "%s/%s", range, p->type);
}

static int append_mapping(Buffer *b, const Port *p) {
        int r = buffer_empty(b) ? 0 : buffer_append_string(b, ", ");

        if (r >= 0)
                r = append_host(b, p->ip);
        return r < 0 ? r
                     : buffer_printf(
                               b, "%" PRId64 "->%" PRId64 "/%s", p->public, p->private, p->type);
}

static PortGroup *find_group(PortGroup *groups, size_t n, const Port *p) {
        for (size_t i = 0; i < n; i++)
                if (streq(groups[i].first->ip, p->ip) && streq(groups[i].first->type, p->type))
                        return groups + i;
        return NULL;
}

static int append_ports(Buffer *b, const Port *ports, size_t n) {
        _cleanup_(freep) PortGroup *groups = new0(PortGroup, n + 1);
        _cleanup_(buffer_done) Buffer mappings = {};
        size_t n_groups = 0;
        int r = groups ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                const Port *p = ports + i;
                PortGroup *g;

                if (p->ip[0] && p->public != p->private) {
                        r = append_mapping(&mappings, p);
                        continue;
                }
                g = find_group(groups, n_groups, p);
                if (!g)
                        g = groups + n_groups++;
                else if (p->private == g->last + 1) {
                        g->last = p->private;
                        continue;
                } else
                        r = append_group(b, g);
                *g = (PortGroup) { p, p->private };
        }
        for (size_t i = 0; r >= 0 && i < n_groups; i++)
                r = append_group(b, groups + i);
        if (r >= 0 && !buffer_empty(&mappings) && !buffer_empty(b))
                r = buffer_append_string(b, ", ");
        return r < 0 ? r : buffer_append(b, buffer_head(&mappings), buffer_size(&mappings));
}

static int get_ports(Buffer *b, const Json *source, const void *userdata) {
        const Json *list = json_get(source, "Ports");
        _cleanup_(freep) Port *ports = new0(Port, json_count(list) + 1);
        const char *key;
        size_t n = 0;
        Json *v;

        if (!ports)
                return -ENOMEM;
        JSON_FOREACH (key, v, list)
                ports[n++] = (Port) {
                        .ip = str_or_empty(json_get_text(v, "IP")),
                        .type = str_or_empty(json_get_text(v, "Type")),
                        .private = json_get_int64(v, "PrivatePort", 0),
                        .public = json_get_int64(v, "PublicPort", 0),
                };
        qsort(ports, n, sizeof *ports, compare_ports);
        return append_ports(b, ports, n);
}

/* ---- the other fields ---- */

static int get_command(Buffer *b, const Json *source, const void *userdata) {
        const char *command = str_or_empty(json_get_text(source, "Command"));
        _cleanup_(buffer_done) Buffer cut = {};
        int r;

        r = whole(userdata) ? buffer_append_string(&cut, command)
                            : row_ellipsis(&cut, command, COMMAND_WIDTH);
        if (r >= 0)
                r = buffer_append_char(b, '"');
        for (const char *p = str_or_empty(buffer_string(&cut)); r >= 0 && *p; p++) {
                if (*p == '"' || *p == '\\')
                        r = buffer_append_char(b, '\\');
                if (r >= 0 && (*p == '\n' || *p == '\t'))
                        r = buffer_append_string(b, *p == '\n' ? "\\n" : "\\t");
                else if (r >= 0)
                        r = buffer_append_char(b, *p);
        }
        return r < 0 ? r : buffer_append_char(b, '"');
}

static int get_created(Buffer *b, const Json *source, const void *userdata) {
        return row_time(b, json_get_int64(source, "Created", 0));
}

static int get_running_for(Buffer *b, const Json *source, const void *userdata) {
        return row_ago(b, json_get_int64(source, "Created", 0));
}

static int get_id(Buffer *b, const Json *source, const void *userdata) {
        const char *id = str_or_empty(json_get_text(source, "Id"));
        char small[IDENT_SHORT_SIZE];

        return buffer_append_string(b, whole(userdata) ? id : ident_short(id, small));
}

static int get_image(Buffer *b, const Json *source, const void *userdata) {
        const char *image = str_or_empty(json_get_text(source, "Image")), *at;
        char small[IDENT_SHORT_SIZE];

        if (image[0] == '\0')
                return buffer_append_string(b, "<no image>");
        if (whole(userdata))
                return buffer_append_string(b, image);
        if (str_starts(image, "sha256:"))
                return buffer_append_string(b, ident_short(image, small));
        at = strchr(image, '@'); /* a digest is too long for a column */
        return buffer_append(b, image, at ? (size_t) (at - image) : strlen(image));
}

static int get_labels(Buffer *b, const Json *source, const void *userdata) {
        return row_labels(b, json_get(source, "Labels"));
}

static int get_local_volumes(Buffer *b, const Json *source, const void *userdata) {
        const char *key;
        unsigned n = 0;
        Json *mount;

        JSON_FOREACH (key, mount, json_get(source, "Mounts"))
                n += streq(str_or_empty(json_get_text(mount, "Driver")), "local");
        return buffer_printf(b, "%u", n);
}

static int get_mounts(Buffer *b, const Json *source, const void *userdata) {
        const char *key;
        bool first = true;
        Json *mount;
        int r = 0;

        JSON_FOREACH (key, mount, json_get(source, "Mounts")) {
                const char *name = json_get_text(mount, "Name");

                if (str_empty(name))
                        name = str_or_empty(json_get_text(mount, "Source"));
                if (!first)
                        r = buffer_append_char(b, ',');
                if (r >= 0)
                        r = whole(userdata) ? buffer_append_string(b, name)
                                            : row_ellipsis(b, name, MOUNT_WIDTH);
                if (r < 0)
                        return r;
                first = false;
        }
        return 0;
}

/* Names that links gave ("/other/alias") only with --no-trunc. */
static int get_names(Buffer *b, const Json *source, const void *userdata) {
        bool first = true;
        const char *key;
        Json *v;
        int r = 0;

        JSON_FOREACH (key, v, json_get(source, "Names")) {
                const char *name = str_or_empty(json_to_text(v));

                name += name[0] == '/';
                if (!whole(userdata) && strchr(name, '/'))
                        continue;
                r = buffer_printf(b, "%s%s", first ? "" : ",", name);
                if (r < 0)
                        return r;
                first = false;
        }
        return 0;
}

static int get_networks(Buffer *b, const Json *source, const void *userdata) {
        const Json *networks = json_get(json_get(source, "NetworkSettings"), "Networks");
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) char *text = NULL;
        const char *key;
        int r = 0;
        Json *v;

        JSON_FOREACH (key, v, networks)
                if (r >= 0)
                        r = strv_add(&names, key);
        if (r < 0 || !names)
                return r;
        strv_sort(names);
        text = strv_join(names, ",");
        return text ? buffer_append_string(b, text) : -ENOMEM;
}

static int get_platform(Buffer *b, const Json *source, const void *userdata) {
        return buffer_append_string(b, "null");
}

static int get_size(Buffer *b, const Json *source, const void *userdata) {
        int64_t rw = json_get_int64(source, "SizeRw", 0),
                root = json_get_int64(source, "SizeRootFs", 0);
        char a[HUMAN_SIZE], c[HUMAN_SIZE];
        int r;

        r = buffer_append_string(b, human_bytes((uint64_t) MAX(rw, INT64_C(0)), 3, a));
        if (r < 0 || root <= 0)
                return r;
        return buffer_printf(b, " (virtual %s)", human_bytes((uint64_t) root, 3, c));
}

static int get_state(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "State");
}

static int get_status(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Status");
}

/* clang-format off */
static const RowField ps_fields[] = {
        { "Command",      "COMMAND",       get_command },
        { "CreatedAt",    "CREATED AT",    get_created },
        { "ID",           "CONTAINER ID",  get_id },
        { "Image",        "IMAGE",         get_image },
        { "Labels",       "LABELS",        get_labels },
        { "LocalVolumes", "LOCAL VOLUMES", get_local_volumes },
        { "Mounts",       "MOUNTS",        get_mounts },
        { "Names",        "NAMES",         get_names },
        { "Networks",     "NETWORKS",      get_networks },
        { "Platform",     "PLATFORM",      get_platform, true },
        { "Ports",        "PORTS",         get_ports },
        { "RunningFor",   "CREATED",       get_running_for },
        { "Size",         "SIZE",          get_size },
        { "State",        "STATE",         get_state },
        { "Status",       "STATUS",        get_status },
        {}
};
/* clang-format on */

static const RowKind ps_kind = { "*formatter.ContainerContext", ps_fields, "Labels",
        "failed to parse template", "failed to execute template" };

int containers_print(const Json *containers, const char *format, const char *table, bool no_trunc,
        Error *reterr) {
        PsView view = { .whole = no_trunc };

        return rows_print(&ps_kind, format, table, containers, &view, reterr);
}

#define PS_TABLE \
        "table " \
        "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"

static int list(Cli *cli, const Options *o, const char *format, Json **ret, Error *reterr) {
        int64_t last = options_int(o, "last", -1);
        bool size = options_flag(o, "size") ||
                    (format && (strstr(format, ".Size") || strstr(format, "json .}")));
        _cleanup_(freep) char *filters = NULL, *path = NULL;
        char limit[24] = "";
        RestClient *c;
        int r;

        if (options_flag(o, "latest"))
                last = 1;
        if (last > 0)
                (void) snprintf(limit, sizeof limit, "%" PRId64, last);

        r = cli_filters(options_list(o, "filter"), &filters, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;

        path = rest_path(REST_PATH("/containers/json"),
                REST_QUERY("all", options_flag(o, "all") ? "1" : NULL, "limit",
                        limit[0] ? limit : NULL, "size", size ? "1" : NULL, "filters", filters));
        if (!path)
                return -ENOMEM;
        return rest_call(c, "GET", path, NULL, ret, reterr);
}

static int cmd_ps(Cli *cli, const Options *o, Error *reterr) {
        const char *format = options_string(o, "format");
        _cleanup_(json_unrefp) Json *rows = NULL;
        bool size = options_flag(o, "size");
        int r;

        if (str_empty(format) && !options_flag(o, "quiet"))
                format = json_get_text(cli_config(cli), "psFormat");
        if (options_flag(o, "quiet") && (str_empty(format) || str_starts(format, "table")))
                format = "{{.ID}}";

        r = list(cli, o, format, &rows, reterr);
        if (r < 0)
                return r;
        return containers_print(rows, format, size ? PS_TABLE "\t{{.Size}}" : PS_TABLE,
                options_flag(o, "no-trunc"), reterr);
}

/* clang-format off */
static const Option ps_options[] = {
        { "all",      'a', OPTION_FLAG,   NULL,     "Show all containers (default shows just running)" },
        { "filter",   'f', OPTION_FILTER, "filter", "Show only what fits the condition" },
        { "format",   0,   OPTION_STRING, "string", OPTION_FORMAT_HELP },
        { "last",     'n', OPTION_INT,    "int",    "Show n last created containers (includes all states)", "-1" },
        { "latest",   'l', OPTION_FLAG,   NULL,     "Show the latest created container (includes all states)" },
        { "no-trunc", 0,   OPTION_FLAG,   NULL,     "Don't truncate output" },
        { "quiet",    'q', OPTION_FLAG,   NULL,     "Only display container IDs" },
        { "size",     's', OPTION_FLAG,   NULL,     "Display total file sizes" },
        {}
};

const Command ps_commands[] = {
        { "container", "ls",   "ps",   "[OPTIONS]", "List containers", ps_options, 0, 0, false, 0, cmd_ps },
        {}
};
/* clang-format on */
