/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

static int get_active(Buffer *b, const Json *source, const void *userdata) {
        return buffer_printf(b, "%" PRId64, json_get_int64(source, "Active", 0));
}

static int get_reclaimable(Buffer *b, const Json *source, const void *userdata) {
        int64_t free_bytes = json_get_int64(source, "Reclaimable", 0),
                size = json_get_int64(source, "Size", 0);
        char text[HUMAN_SIZE];

        (void) human_bytes((uint64_t) MAX(free_bytes, INT64_C(0)), 4, text);
        if (size <= 0 || json_get_bool(source, "Plain", false))
                return buffer_append_string(b, text);
        return buffer_printf(b, "%s (%" PRId64 "%%)", text, free_bytes * 100 / size);
}

static int get_size(Buffer *b, const Json *source, const void *userdata) {
        char text[HUMAN_SIZE];

        return buffer_append_string(
                b, human_bytes(
                           (uint64_t) MAX(json_get_int64(source, "Size", 0), INT64_C(0)), 4, text));
}

static int get_total(Buffer *b, const Json *source, const void *userdata) {
        return buffer_printf(b, "%" PRId64, json_get_int64(source, "Total", 0));
}

static int get_type(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Type");
}

/* clang-format off */
static const RowField df_fields[] = {
        { "Active",      "ACTIVE",      get_active },
        { "Reclaimable", "RECLAIMABLE", get_reclaimable },
        { "Size",        "SIZE",        get_size },
        { "TotalCount",  "TOTAL",       get_total },
        { "Type",        "TYPE",        get_type },
        {}
};
/* clang-format on */

static const RowKind df_kind = { "*formatter.diskUsageContext", df_fields, NULL };

typedef struct Sum {
        int64_t total, active, size, reclaimable;
} Sum;

static int add_sum(Json *rows, const char *type, const Sum *s, bool plain) {
        Json *row;
        int r;

        r = json_append_new_object(rows, &row);
        if (r >= 0)
                r = json_set_text(row, "Type", type);
        if (r >= 0)
                r = json_set_int64(row, "Total", s->total);
        if (r >= 0)
                r = json_set_int64(row, "Active", s->active);
        if (r >= 0)
                r = json_set_int64(row, "Size", s->size);
        if (r >= 0)
                r = json_set_int64(row, "Reclaimable", s->reclaimable);
        return r < 0 ? r : json_set_bool(row, "Plain", plain);
}

/* What containers use is what their images do not share with others. */
static Sum sum_images(const Json *v) {
        Sum s = { .size = json_get_int64(v, "LayersSize", 0) };
        int64_t used = 0;
        const char *key;
        Json *image;

        JSON_FOREACH (key, image, json_get(v, "Images")) {
                int64_t size = json_get_int64(image, "Size", -1),
                        shared = json_get_int64(image, "SharedSize", -1);

                s.total++;
                if (json_get_int64(image, "Containers", 0) <= 0)
                        continue;
                s.active++;
                if (size >= 0 && shared >= 0)
                        used += size - shared;
        }
        s.reclaimable = s.size - used;
        return s;
}

static Sum sum_containers(const Json *v) {
        const char *key;
        Json *container;
        Sum s = {};

        JSON_FOREACH (key, container, json_get(v, "Containers")) {
                int64_t size = json_get_int64(container, "SizeRw", 0);
                bool active = STR_IN_SET(str_or_empty(json_get_text(container, "State")), "running",
                        "paused", "restarting");

                s.total++;
                s.active += active;
                s.size += size;
                s.reclaimable += active ? 0 : size;
        }
        return s;
}

static Sum sum_volumes(const Json *v) {
        const char *key;
        Json *volume;
        Sum s = {};

        JSON_FOREACH (key, volume, json_get(v, "Volumes")) {
                const Json *usage = json_get(volume, "UsageData");
                int64_t size = json_get_int64(usage, "Size", -1),
                        links = json_get_int64(usage, "RefCount", 0);

                s.total++;
                s.active += links > 0;
                if (size < 0)
                        continue;
                s.size += size;
                s.reclaimable += links == 0 ? size : 0;
        }
        return s;
}

static Sum sum_cache(const Json *v) {
        const char *key;
        Json *record;
        Sum s = {};

        JSON_FOREACH (key, record, json_get(v, "BuildCache")) {
                int64_t size = json_get_int64(record, "Size", 0);
                bool used = json_get_bool(record, "InUse", false);

                s.total++;
                s.active += used;
                if (json_get_bool(record, "Shared", false))
                        continue;
                s.size += size;
                s.reclaimable += used ? 0 : size;
        }
        return s;
}

static int print_summary(const Json *v, const char *format, Error *reterr) {
        _cleanup_(json_unrefp) Json *rows = NULL;
        Sum images = sum_images(v), containers = sum_containers(v), volumes = sum_volumes(v),
            cache = sum_cache(v);
        int r;

        r = json_new_list(&rows);
        if (r >= 0)
                r = add_sum(rows, "Images", &images, false);
        if (r >= 0)
                r = add_sum(rows, "Containers", &containers, false);
        if (r >= 0)
                r = add_sum(rows, "Local Volumes", &volumes, false);
        if (r >= 0)
                r = add_sum(rows, "Build Cache", &cache, true);
        if (r < 0)
                return r;
        return rows_print(&df_kind, format,
                "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}", rows,
                NULL, reterr);
}

static int print_verbose(const Json *v, Error *reterr) {
        char size[HUMAN_SIZE];
        const char *key;
        Json *container;
        int r;

        /* What the image holds is not the container's. */
        JSON_FOREACH (key, container, json_get(v, "Containers"))
                json_unset(container, "SizeRootFs");

        printf("Images space usage:\n\n");
        r = images_print(json_get(v, "Images"), NULL,
                "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t"
                "{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
                false, false, reterr);
        if (r < 0)
                return r;
        printf("\nContainers space usage:\n\n");
        r = containers_print(json_get(v, "Containers"), NULL,
                "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t"
                "{{.RunningFor}}\t{{.Status}}\t{{.Names}}",
                false, reterr);
        if (r < 0)
                return r;
        printf("\nLocal Volumes space usage:\n\n");
        r = volumes_print(
                json_get(v, "Volumes"), NULL, "table {{.Name}}\t{{.Links}}\t{{.Size}}", reterr);
        printf("\nBuild cache usage: %s\n\n"
               "CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED\n",
                human_bytes((uint64_t) MAX(sum_cache(v).size, INT64_C(0)), 4, size));
        return r;
}

static int cmd_df(Cli *cli, const Options *o, Error *reterr) {
        const char *format = options_string(o, "format");
        _cleanup_(json_unrefp) Json *v = NULL;
        RestClient *c;
        int r;

        if (options_flag(o, "verbose") && !str_empty(format) && !streq(format, "json") &&
                !streq(format, "table"))
                return error_set(
                        reterr, ERROR_INVALID, "the verbose and the format options conflict");
        r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = rest_call(c, "GET", "/system/df", NULL, &v, reterr);
        if (r < 0)
                return r;
        return options_flag(o, "verbose") ? print_verbose(v, reterr)
                                          : print_summary(v, format, reterr);
}

/* clang-format off */
static const Option df_options[] = {
        { "format",  0,   OPTION_STRING, "string", OPTION_FORMAT_HELP },
        { "verbose", 'v', OPTION_FLAG,   NULL,     "Show each object" },
        {}
};

const Command df_commands[] = {
        { "system", "df", NULL, "[OPTIONS]", "Show what the disk is used for", df_options, 0, 0, false, 0, cmd_df },
        {}
};
/* clang-format on */
