/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/cmd-volume.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* ---- ls ---- */

/* Docker has these of a volume of a swarm. */
static int get_cluster(Buffer *b, const Json *source, const char *key) {
        const Json *spec = json_get(json_get(source, "ClusterVolume"), "Spec");

        return buffer_append_string(b, spec ? str_or_empty(json_get_text(spec, key)) : "N/A");
}

static int get_availability(Buffer *b, const Json *source, const void *userdata) {
        return get_cluster(b, source, "Availability");
}

static int get_group(Buffer *b, const Json *source, const void *userdata) {
        return get_cluster(b, source, "Group");
}

static int get_status(Buffer *b, const Json *source, const void *userdata) {
        const Json *cluster = json_get(source, "ClusterVolume");
        const Json *info = json_get(cluster, "Info");
        const Json *published = json_get(cluster, "PublishStatus");

        if (!cluster)
                return buffer_append_string(b, "N/A");
        if (!info || str_empty(json_get_text(info, "VolumeID")))
                return buffer_append_string(b, "pending creation");
        return json_count(published) == 0
                     ? buffer_append_string(b, "created")
                     : buffer_printf(b, "in use (%zu node%s)", json_count(published),
                               json_count(published) == 1 ? "" : "s");
}

/* Takes out of rows what is no volume of a swarm. */
static int keep_cluster(Json **rows) {
        _cleanup_(json_unrefp) Json *kept = NULL;
        const char *key;
        Json *row;
        int r;

        r = json_new_list(&kept);
        JSON_FOREACH (key, row, *rows) {
                (void) key;
                if (r >= 0 && !json_is_null(json_get(row, "ClusterVolume")))
                        r = json_append(kept, row);
        }
        if (r < 0)
                return r;
        json_unref(*rows);
        *rows = TAKE_PTR(kept);
        return 0;
}

static int get_driver(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Driver");
}

static int get_labels(Buffer *b, const Json *source, const void *userdata) {
        return row_labels(b, json_get(source, "Labels"));
}

static int get_links(Buffer *b, const Json *source, const void *userdata) {
        const Json *usage = json_get(source, "UsageData");

        if (!usage)
                return buffer_append_string(b, "N/A");
        return buffer_printf(b, "%" PRId64, json_get_int64(usage, "RefCount", 0));
}

static int get_mountpoint(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Mountpoint");
}

static int get_name(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Name");
}

static int get_scope(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Scope");
}

static int get_size(Buffer *b, const Json *source, const void *userdata) {
        int64_t size = json_get_int64(json_get(source, "UsageData"), "Size", -1);
        char text[HUMAN_SIZE];

        return buffer_append_string(b, size < 0 ? "N/A" : human_bytes((uint64_t) size, 4, text));
}

/* clang-format off */
static const RowField volume_fields[] = {
        { "Availability", "AVAILABILITY", get_availability },
        { "Driver",       "DRIVER",       get_driver },
        { "Group",        "GROUP",        get_group },
        { "Labels",       "LABELS",       get_labels },
        { "Links",        "LINKS",        get_links },
        { "Mountpoint",   "MOUNTPOINT",   get_mountpoint },
        { "Name",         "VOLUME NAME",  get_name },
        { "Scope",        "SCOPE",        get_scope },
        { "Size",         "SIZE",         get_size },
        { "Status",       "STATUS",       get_status },
        {}
};
/* clang-format on */

static const RowKind volume_kind = { "*formatter.volumeContext", volume_fields, "Labels" };

int volumes_print(const Json *volumes, const char *format, const char *table, Error *reterr) {
        return rows_print(&volume_kind, format, table, volumes, NULL, reterr);
}

static int cmd_ls(Cli *cli, const Options *o, Error *reterr) {
        const char *format = options_string(o, "format");
        _cleanup_(json_unrefp) Json *rows = NULL;
        int r;

        r = cli_list(cli, "/volumes", "Name", "Volumes", options_list(o, "filter"), &rows, reterr);
        if (r < 0)
                return r;
        if (str_empty(format) && !options_flag(o, "quiet"))
                format = json_get_text(cli_config(cli), "volumesFormat");
        if (options_flag(o, "quiet") && (str_empty(format) || str_starts(format, "table")))
                format = "{{.Name}}";
        if (options_flag(o, "cluster")) {
                r = keep_cluster(&rows);
                if (r < 0)
                        return r;
        }
        return volumes_print(rows, format,
                options_flag(o, "cluster")
                        ? "table {{.Name}}\t{{.Group}}\t{{.Driver}}\t{{.Availability}}\t{{.Status}}"
                        : "table {{.Driver}}\t{{.Name}}",
                reterr);
}

/* ---- create, rm ---- */

static int cmd_create(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(json_unrefp) Json *body = NULL, *answer = NULL;
        const char *name = options_arguments(o)[0];
        Json *options, *labels;
        RestClient *c;
        int r;

        if (name && options_given(o, "name"))
                return error_set(reterr, ERROR_INVALID,
                        "conflicting options: cannot specify a volume-name through both --name and "
                        "as a positional arg");
        if (!name)
                name = str_or_empty(options_string(o, "name"));

        r = json_new_object(&body);
        if (r >= 0)
                r = json_set_text(body, "Name", name);
        if (r >= 0)
                r = json_set_text(body, "Driver", str_or(options_string(o, "driver"), "local"));
        if (r >= 0)
                r = json_set_new_object(body, "DriverOpts", &options);
        if (r >= 0)
                r = cli_set_pairs(options, options_list(o, "opt"));
        if (r >= 0)
                r = json_set_new_object(body, "Labels", &labels);
        if (r >= 0)
                r = cli_set_pairs(labels, options_list(o, "label"));
        if (r >= 0)
                r = volume_set_cluster(body, o, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = rest_call(c, "POST", "/volumes/create", body, &answer, reterr);
        if (r < 0)
                return r;
        puts(str_or_empty(json_get_text(answer, "Name")));
        return 0;
}

static int rm_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        bool force = options_flag(o, "force");
        _cleanup_(freep) char *path =
                rest_path(REST_PATH("/volumes/", name), REST_QUERY("force", force ? "1" : NULL));
        int r;

        if (!path)
                return -ENOMEM;
        r = rest_call(c, "DELETE", path, NULL, NULL, reterr);
        if (r >= 0)
                puts(name);
        return r;
}

static int cmd_rm(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, rm_one, reterr);
}

/* clang-format off */
static const Option ls_options[] = {
        { "cluster", 0,  OPTION_FLAG,   NULL,     "Show only volumes of a swarm, with what they have there" },
        { "filter", 'f', OPTION_FILTER, "filter", "Show only what fits the condition" },
        { "format", 0,   OPTION_STRING, "string", OPTION_FORMAT_HELP },
        { "quiet",  'q', OPTION_FLAG,   NULL,     "Only display volume names" },
        {}
};

static const Option create_options_[] = {
        { "availability",       0,   OPTION_STRING, "string", "Of a volume of a swarm: active, pause or drain", "\"active\"" },
        { "driver",             'd', OPTION_STRING, "string", "Driver of the volume", "\"local\"" },
        { "group",              0,   OPTION_STRING, "string", "Of a volume of a swarm: its group" },
        { "label",              0,   OPTION_KEYED,  "list",   "Set metadata on the volume" },
        { "limit-bytes",        0,   OPTION_BYTES,  "bytes",  "Of a volume of a swarm: its largest size" },
        { "name",               0,   OPTION_STRING, "string", NULL },
        { "opt",                'o', OPTION_KEYED,  "map",    "Option for the driver" },
        { "required-bytes",     0,   OPTION_BYTES,  "bytes",  "Of a volume of a swarm: its smallest size" },
        { "scope",              0,   OPTION_STRING, "string", "Of a volume of a swarm: single or multi", "\"single\"" },
        { "secret",             0,   OPTION_KEYED,  "map",    "Of a volume of a swarm: a secret for its driver" },
        { "sharing",            0,   OPTION_STRING, "string", "Of a volume of a swarm: none, readonly, onewriter or all", "\"none\"" },
        { "topology-preferred", 0,   OPTION_LIST,   "list",   "Of a volume of a swarm: where it should be" },
        { "topology-required",  0,   OPTION_LIST,   "list",   "Of a volume of a swarm: where it must be reached from" },
        { "type",               0,   OPTION_STRING, "string", "Of a volume of a swarm: mount or block", "\"block\"" },
        {}
};

static const Option update_options_[] = {
        { "availability", 0, OPTION_STRING, "string", "active, pause or drain", "\"active\"" },
        {}
};

static const Option rm_options[] = {
        { "force", 'f', OPTION_FLAG, NULL, "One that is not there is no error" },
        {}
};

const Command volume_commands[] = {
        { "volume", "ls",     NULL, "[OPTIONS]",                    "List volumes",               ls_options,      0, 0,  false, 0, cmd_ls },
        { "volume", "create", NULL, "[OPTIONS] [VOLUME]",           "Create a volume",            create_options_, 0, 1,  false, 0, cmd_create },
        { "volume", "rm",     NULL, "[OPTIONS] VOLUME [VOLUME...]", "Remove one or more volumes", rm_options,      1, -1, false, 0, cmd_rm, "volume" },
        { "volume", "update", NULL, "[OPTIONS] [VOLUME]",           "Update a volume of a swarm", update_options_, 1, 1,  false, 0, volume_cmd_update, "volume" },
        {}
};
/* clang-format on */
