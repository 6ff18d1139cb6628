/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef struct ImageView {
        bool whole;   /* --no-trunc */
        bool machine; /* history --human=false */
} ImageView;

/* ---- images: a row for each name. The row's document is the image with Repository, Tag and Digest added ---- */

static int add_row(
        Json *rows, Json *image, const char *repository, const char *tag, const char *digest) {
        _cleanup_(json_unrefp) Json *row = NULL;
        const char *key;
        Json *v;
        int r;

        r = json_new_object(&row);
        JSON_FOREACH (key, v, image)
                if (r >= 0 && v)
                        r = json_set(row, key, v);
        if (r >= 0)
                r = json_set_text(row, "Repository", repository);
        if (r >= 0)
                r = json_set_text(row, "Tag", tag);
        if (r >= 0)
                r = json_set_text(row, "Digest", digest);
        return r < 0 ? r : json_append(rows, row);
}

/* Rows of one name: with digests one for each of the repository's. */
static int add_name(
        Json *rows, Json *image, const char *repository, const char *tag, bool digests) {
        unsigned n = 0;
        const char *key;
        Json *v;
        int r = 0;

        JSON_FOREACH (key, v, json_get(image, "RepoDigests")) {
                const char *text = str_or_empty(json_to_text(v)), *at = strchr(text, '@');

                if (r < 0 || !digests || !at || strlen(repository) != (size_t) (at - text) ||
                        strncmp(text, repository, strlen(repository)) != 0)
                        continue;
                r = add_row(rows, image, repository, tag, at + 1);
                n++;
        }
        return r < 0 || n > 0 ? r : add_row(rows, image, repository, tag, "<none>");
}

static bool has_tag_of(const Json *image, const char *repository, size_t n) {
        const char *key;
        Json *v;

        JSON_FOREACH (key, v, json_get(image, "RepoTags")) {
                const char *text = str_or_empty(json_to_text(v)), *colon = strrchr(text, ':');

                if (colon && (size_t) (colon - text) == n && strncmp(text, repository, n) == 0)
                        return true;
        }
        return false;
}

static int add_image(Json *rows, Json *image, bool digests) {
        const Json *tags = json_get(image, "RepoTags"),
                   *repo_digests = json_get(image, "RepoDigests");
        const char *key;
        Json *v;
        int r = 0;

        if (json_count(tags) == 0 && json_count(repo_digests) == 0)
                return add_row(rows, image, "<none>", "<none>", "<none>");

        JSON_FOREACH (key, v, tags) {
                _cleanup_(freep) char *repository = NULL;
                const char *tag;

                if (r >= 0)
                        r = cli_split_tag(str_or_empty(json_to_text(v)), &repository, &tag);
                if (r >= 0)
                        r = add_name(rows, image, repository, str_or(tag, "<none>"), digests);
        }
        JSON_FOREACH (key, v, repo_digests) {
                const char *text = str_or_empty(json_to_text(v)), *at = strchr(text, '@');
                _cleanup_(freep) char *repository = NULL;

                if (r < 0 || !at || has_tag_of(image, text, (size_t) (at - text)))
                        continue;
                r = str_copy_n(&repository, text, (size_t) (at - text));
                if (r >= 0)
                        r = add_row(rows, image, repository, "<none>", digests ? at + 1 : "<none>");
        }
        return r;
}

/* ---- fields ---- */

static int get_id(Buffer *b, const Json *source, const void *userdata) {
        const char *id = str_or_empty(json_get_text(source, "Id"));
        const ImageView *view = userdata;
        char small[IDENT_SHORT_SIZE];

        return buffer_append_string(b, view->whole || id[0] == '<' ? id : ident_short(id, small));
}

static int put_size(Buffer *b, const Json *source, const char *key, int digits) {
        int64_t n = json_get_int64(source, key, -1);
        char text[HUMAN_SIZE];

        return buffer_append_string(b, n < 0 ? "N/A" : human_bytes((uint64_t) n, digits, text));
}

static int get_containers(Buffer *b, const Json *source, const void *userdata) {
        int64_t n = json_get_int64(source, "Containers", -1);

        return n < 0 ? buffer_append_string(b, "N/A") : buffer_printf(b, "%" PRId64, n);
}

static int get_created_at(Buffer *b, const Json *source, const void *userdata) {
        return row_time(b, json_get_int64(source, "Created", 0));
}

static int get_created_since(Buffer *b, const Json *source, const void *userdata) {
        int64_t created = json_get_int64(source, "Created", 0);

        return created <= 0 ? buffer_append_string(b, "N/A") : row_ago(b, created);
}

static int get_digest(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Digest");
}

static int get_repository(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Repository");
}

static int get_shared(Buffer *b, const Json *source, const void *userdata) {
        return put_size(b, source, "SharedSize", 4);
}

static int get_size(Buffer *b, const Json *source, const void *userdata) {
        return put_size(b, source, "Size", 3);
}

static int get_tag(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Tag");
}

static int get_unique(Buffer *b, const Json *source, const void *userdata) {
        int64_t size = json_get_int64(source, "Size", -1),
                shared = json_get_int64(source, "SharedSize", -1);
        char text[HUMAN_SIZE];

        if (size < 0 || shared < 0)
                return buffer_append_string(b, "N/A");
        return buffer_append_string(b, human_bytes((uint64_t) (size - shared), 4, text));
}

static int get_virtual(Buffer *b, const Json *source, const void *userdata) {
        return put_size(b, source, "Size", 4);
}

/* clang-format off */
static const RowField image_fields[] = {
        { "Containers",   "CONTAINERS",   get_containers },
        { "CreatedAt",    "CREATED AT",   get_created_at },
        { "CreatedSince", "CREATED",      get_created_since },
        { "Digest",       "DIGEST",       get_digest },
        { "ID",           "IMAGE ID",     get_id },
        { "Repository",   "REPOSITORY",   get_repository },
        { "SharedSize",   "SHARED SIZE",  get_shared },
        { "Size",         "SIZE",         get_size },
        { "Tag",          "TAG",          get_tag },
        { "UniqueSize",   "UNIQUE SIZE",  get_unique },
        { "VirtualSize",  "SIZE",         get_virtual },
        {}
};
/* clang-format on */

static const RowKind image_kind = { "*formatter.imageContext", image_fields, "Labels" };

int images_print(const Json *images, const char *format, const char *table, bool whole,
        bool digests, Error *reterr) {
        _cleanup_(json_unrefp) Json *rows = NULL;
        ImageView view = { .whole = whole };
        const char *key;
        Json *image;
        int r;

        r = json_new_list(&rows);
        JSON_FOREACH (key, image, images)
                if (r >= 0)
                        r = add_image(rows, image, digests);
        return r < 0 ? r : rows_print(&image_kind, format, table, rows, &view, reterr);
}

#define IMAGE_TABLE(digest) \
        "table {{.Repository}}\t{{.Tag}}\t" digest "{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"

static int cmd_images(Cli *cli, const Options *o, Error *reterr) {
        bool digests = options_flag(o, "digests"), quiet = options_flag(o, "quiet");
        const char *format = options_string(o, "format");
        _cleanup_(freep) char *filters = NULL, *path = NULL;
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(json_unrefp) Json *rows = NULL;
        RestClient *c;
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

        if (str_empty(format) && !quiet)
                format = json_get_text(cli_config(cli), "imagesFormat");
        if (quiet && (str_empty(format) || str_starts(format, "table"))) {
                cli_print_ids(rows, options_flag(o, "no-trunc"));
                return 0;
        }
        return images_print(rows, format, digests ? IMAGE_TABLE("{{.Digest}}\t") : IMAGE_TABLE(""),
                options_flag(o, "no-trunc"), digests || (format && strstr(format, ".Digest")),
                reterr);
}

/* ---- rmi, tag ---- */

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
        if (r < 0 && options_flag(o, "force") && reterr->kind == ERROR_NOT_FOUND) {
                cli_print_error(reterr, r);
                return 0;
        }
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

/* ---- history ---- */

#define CREATED_BY_WIDTH 45

static int get_comment(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Comment");
}

static int get_layer_created(Buffer *b, const Json *source, const void *userdata) {
        int64_t created = json_get_int64(source, "Created", 0);
        char text[CLOCK_TEXT_SIZE];

        return buffer_append_string(b, clock_format(created * NSEC_PER_SEC, text));
}

static int get_created_by(Buffer *b, const Json *source, const void *userdata) {
        _cleanup_(freep) char *by = NULL;
        const ImageView *view = userdata;
        int r;

        r = str_copy(&by, str_or_empty(json_get_text(source, "CreatedBy")));
        if (r < 0)
                return r;
        for (char *p = by; *p; p++)
                if (*p == '\t')
                        *p = ' ';
        return view->whole ? buffer_append_string(b, by) : row_ellipsis(b, by, CREATED_BY_WIDTH);
}

static int get_layer_since(Buffer *b, const Json *source, const void *userdata) {
        const ImageView *view = userdata;

        return view->machine ? get_layer_created(b, source, userdata)
                             : get_created_since(b, source, userdata);
}

static int get_layer_size(Buffer *b, const Json *source, const void *userdata) {
        const ImageView *view = userdata;

        if (view->machine)
                return buffer_printf(b, "%" PRId64, json_get_int64(source, "Size", 0));
        return put_size(b, source, "Size", 3);
}

/* clang-format off */
static const RowField history_fields[] = {
        { "Comment",      "COMMENT",    get_comment },
        { "CreatedAt",    "CREATED AT", get_layer_created },
        { "CreatedBy",    "CREATED BY", get_created_by },
        { "CreatedSince", "CREATED",    get_layer_since },
        { "ID",           "IMAGE",      get_id },
        { "Size",         "SIZE",       get_layer_size },
        {}
};
/* clang-format on */

static const RowKind history_kind = { "*formatter.historyContext", history_fields, NULL };

#define HISTORY_TABLE(created) \
        "table {{.ID}}\t{{." created "}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"

static int cmd_history(Cli *cli, const Options *o, Error *reterr) {
        ImageView view = { .whole = options_flag(o, "no-trunc"),
                .machine = !options_flag_or(o, "human", true) };
        const char *format = options_string(o, "format");
        _cleanup_(json_unrefp) Json *rows = NULL;
        _cleanup_(freep) char *path = NULL;
        RestClient *c;
        int r;

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        path = rest_path(REST_PATH("/images/", options_arguments(o)[0], "/history"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "GET", path, NULL, &rows, reterr);
        if (r < 0)
                return r;
        if (options_flag(o, "quiet") && (str_empty(format) || str_starts(format, "table")))
                format = "{{.ID}}";
        return rows_print(&history_kind, format,
                view.machine ? HISTORY_TABLE("CreatedAt") : HISTORY_TABLE("CreatedSince"), rows,
                &view, reterr);
}

/* clang-format off */
static const Option images_options[] = {
        { "all",      'a', OPTION_FLAG,   NULL,     "Show all images (default hides intermediate images)" },
        { "digests",  0,   OPTION_FLAG,   NULL,     "Show digests" },
        { "filter",   'f', OPTION_FILTER, "filter", "Show only what fits the condition" },
        { "format",   0,   OPTION_STRING, "string", OPTION_FORMAT_HELP },
        { "no-trunc", 0,   OPTION_FLAG,   NULL,     "Don't truncate output" },
        { "quiet",    'q', OPTION_FLAG,   NULL,     "Only show image IDs" },
        {}
};

static const Option rmi_options[] = {
        { "force",    'f', OPTION_FLAG, NULL, "Force removal of the image" },
        { "no-prune", 0,   OPTION_FLAG, NULL, "Do not delete untagged parents" },
        {}
};

static const Option history_options[] = {
        { "format",   0,   OPTION_STRING, "string", OPTION_FORMAT_HELP },
        { "human",    'H', OPTION_FLAG,   NULL,     "Print sizes and dates in human readable form", "true" },
        { "no-trunc", 0,   OPTION_FLAG,   NULL,     "Don't truncate output" },
        { "quiet",    'q', OPTION_FLAG,   NULL,     "Only show image IDs" },
        {}
};

const Command image_commands[] = {
        { "image", "ls",      "images",  "[OPTIONS] [REPOSITORY[:TAG]]",          "List images",                  images_options,  0, 1,  false, 0, cmd_images, "image" },
        { "image", "rm",      "rmi",     "[OPTIONS] IMAGE [IMAGE...]",            "Remove one or more images",    rmi_options,     1, -1, false, 0, cmd_rmi, "image" },
        { "image", "tag",     "tag",     "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", NULL, 2, 2, false, 0, cmd_tag, "image" },
        { "image", "history", "history", "[OPTIONS] IMAGE",                       "Show the history of an image", history_options, 1, 1,  false, 0, cmd_history, "image" },
        {}
};
/* clang-format on */
