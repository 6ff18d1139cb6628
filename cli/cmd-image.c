/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "cli/table.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* ---- images ---- */

static uint64_t size_of(const Json *row, const char *key) {
        return (uint64_t) MAX(json_get_int64(row, key, 0), INT64_C(0));
}

static const char *ago(const Json *row, char ret[static HUMAN_SIZE]) {
        int64_t created = json_get_int64(row, "Created", 0);

        return created <= 0 ? "N/A"
                            : human_duration(clock_realtime_ns() / NSEC_PER_SEC - created, ret);
}

static int images_row(
        Table *t, const Json *row, const char *repository, const char *tag, bool whole) {
        const char *full = str_or_empty(json_get_text(row, "Id"));
        char id[IDENT_SHORT_SIZE], age[HUMAN_SIZE], size[HUMAN_SIZE];
        const char *created = ago(row, age);
        int r;

        r = table_add(t, repository);
        if (r >= 0)
                r = table_add(t, tag);
        if (r >= 0)
                r = table_add(t, whole ? full : ident_short(full, id));
        if (r >= 0)
                r = table_addf(t, "%s%s", created, streq(created, "N/A") ? "" : " ago");
        if (r >= 0)
                r = table_add(t, human_bytes(size_of(row, "Size"), 3, size));
        return r;
}

static int images_rows(Table *t, const Json *row, bool whole) {
        const Json *tags = json_get(row, "RepoTags");
        const char *key;
        Json *tag;
        int r;

        if (json_count(tags) == 0)
                return images_row(t, row, "<none>", "<none>", whole);

        JSON_FOREACH (key, tag, tags) {
                const char *name = str_or_empty(json_to_text(tag)), *colon = strrchr(name, ':');
                _cleanup_(freep) char *repository = NULL;

                r = str_copy_n(&repository, name, colon ? (size_t) (colon - name) : strlen(name));
                if (r >= 0)
                        r = images_row(t, row, repository, colon ? colon + 1 : "<none>", whole);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int cmd_images(Cli *cli, const Options *o, Error *reterr) {
        static const char *const header[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE",
                NULL };
        _cleanup_(freep) char *filters = NULL, *path = NULL;
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(json_unrefp) Json *rows = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        bool whole = options_flag(o, "no-trunc");
        const char *key;
        RestClient *c;
        Json *row;
        int r;

        r = strv_set(&words, options_list(o, "filter"));
        if (r >= 0 && options_count(o) > 0)
                r = strv_addf(&words, "reference=%s", options_arguments(o)[0]);
        if (r >= 0)
                r = cli_filters(words, &filters, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;

        path = rest_path(REST_PATH("/images/json"),
                REST_QUERY("all", options_flag(o, "all") ? "1" : NULL, "filters", filters));
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "GET", path, NULL, &rows, reterr);
        if (r < 0)
                return r;

        if (options_flag(o, "quiet")) {
                cli_print_ids(rows, whole);
                return 0;
        }

        r = table_new(header, &t);
        JSON_FOREACH (key, row, rows)
                if (r >= 0)
                        r = images_rows(t, row, whole);
        if (r < 0)
                return r;
        table_print(t);
        return 0;
}

/* ---- rmi, tag, history ---- */

static int rmi_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        _cleanup_(json_unrefp) Json *actions = NULL;
        _cleanup_(freep) char *path = NULL;
        const char *key;
        Json *action;
        int r;

        path = rest_path(REST_PATH("/images/", name),
                REST_QUERY("force", options_flag(o, "force") ? "1" : NULL, "noprune",
                        options_flag(o, "no-prune") ? "1" : NULL));
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "DELETE", path, NULL, &actions, reterr);
        if (r < 0)
                return r;

        JSON_FOREACH (key, action, actions) {
                const char *untagged = json_get_text(action, "Untagged");

                printf("%s: %s\n", untagged ? "Untagged" : "Deleted",
                        untagged ? untagged : str_or_empty(json_get_text(action, "Deleted")));
        }
        return 0;
}

static int cmd_rmi(Cli *cli, const Options *o, Error *reterr) {
        return cli_for_each(cli, o, rmi_one, reterr);
}

static int cmd_tag(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(freep) char *path = NULL, *repository = NULL;
        char *const *arguments = options_arguments(o);
        const char *tag;
        RestClient *c;
        int r;

        r = cli_split_tag(arguments[1], &repository, &tag);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;

        path = rest_path(REST_PATH("/images/", arguments[0], "/tag"),
                REST_QUERY("repo", repository, "tag", tag));
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, NULL, NULL, reterr);
        return r < 0 ? r : 0;
}

static int cmd_history(Cli *cli, const Options *o, Error *reterr) {
        static const char *const header[] = { "IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT",
                NULL };
        bool whole = options_flag(o, "no-trunc");
        _cleanup_(json_unrefp) Json *rows = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        _cleanup_(freep) char *path = NULL;
        const char *key;
        RestClient *c;
        Json *row;
        int r;

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        path = rest_path(REST_PATH("/images/", options_arguments(o)[0], "/history"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "GET", path, NULL, &rows, reterr);
        if (r >= 0)
                r = table_new(header, &t);

        JSON_FOREACH (key, row, rows) {
                const char *id = str_or_empty(json_get_text(row, "Id"));
                const char *by = str_or_empty(json_get_text(row, "CreatedBy"));
                char small[IDENT_SHORT_SIZE], age[HUMAN_SIZE], size[HUMAN_SIZE];
                const char *created = ago(row, age);

                if (r >= 0)
                        r = table_add(
                                t, whole || streq(id, "<missing>") ? id : ident_short(id, small));
                if (r >= 0)
                        r = table_addf(t, "%s%s", created, streq(created, "N/A") ? "" : " ago");
                if (r >= 0)
                        r = whole || strlen(by) <= 45 ? table_add(t, by)
                                                      : table_addf(t, "%.44s…", by);
                if (r >= 0)
                        r = table_add(t, human_bytes(size_of(row, "Size"), 3, size));
                if (r >= 0)
                        r = table_add(t, json_get_text(row, "Comment"));
        }
        if (r < 0)
                return r;
        table_print(t);
        return 0;
}

/* clang-format off */
static const Option images_options[] = {
        { "all",      'a', OPTION_FLAG, NULL,     "Show all images (default hides intermediate images)" },
        { "filter",   'f', OPTION_LIST, "filter", "Filter output based on conditions provided" },
        { "no-trunc", 0,   OPTION_FLAG, NULL,     "Don't truncate output" },
        { "quiet",    'q', OPTION_FLAG, NULL,     "Only show image IDs" },
        {}
};

static const Option rmi_options[] = {
        { "force",    'f', OPTION_FLAG, NULL, "Force removal of the image" },
        { "no-prune", 0,   OPTION_FLAG, NULL, "Do not delete untagged parents" },
        {}
};

static const Option history_options[] = {
        { "no-trunc", 0,   OPTION_FLAG, NULL, "Don't truncate output" },
        {}
};

const Command image_commands[] = {
        { "image", "ls",      "images",  "[OPTIONS] [REPOSITORY[:TAG]]",                 "List images",                   images_options,  0, 1,  false, 0, cmd_images },
        { "image", "rm",      "rmi",     "[OPTIONS] IMAGE [IMAGE...]",                   "Remove one or more images",     rmi_options,     1, -1, false, 0, cmd_rmi },
        { "image", "tag",     "tag",     "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",        "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", NULL, 2, 2, false, 0, cmd_tag },
        { "image", "history", "history", "[OPTIONS] IMAGE",                              "Show the history of an image",  history_options, 1, 1,  false, 0, cmd_history },
        {}
};
/* clang-format on */
