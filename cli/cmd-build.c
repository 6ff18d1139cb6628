/* SPDX-License-Identifier: GPL-2.0-or-later */
/* build: the context is packed here, by a process of its own, and the engine's rows are shown while it works. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/build-context.h"
#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/human.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define ROW_MAX (16U * 1024 * 1024)

typedef struct Shown {
        Buffer rows;
        bool json; /* rows as they come */
        bool quiet;
        char *error;
        long long code; /* of a command that failed; 0: none */
        char *id;
} Shown;

static void shown_done(Shown *s) {
        buffer_done(&s->rows);
        free(s->error);
        free(s->id);
}

static int show_row(Shown *s, const char *line, size_t size) {
        _cleanup_(json_unrefp) Json *row = NULL;
        const char *error, *stream, *id;
        int r = 0;

        if (size == strspn(line, "\r\n"))
                return 0;
        if (json_parse(line, size, ROW_MAX, &row, NULL) < 0)
                return -EBADMSG;
        error = json_get_text(row, "error");
        stream = json_get_text(row, "stream");
        id = json_get_text(json_get(row, "aux"), "ID");
        if (id)
                r = str_copy(&s->id, id);
        if (error && r >= 0) {
                s->code = json_get_int64(json_get(row, "errorDetail"), "code", 0);
                r = str_copy(&s->error, error);
        }
        if (s->json)
                fwrite(line, 1, size, stdout);
        else if (stream) {
                _cleanup_(freep) char *text = str_escape_terminal_lines(stream);

                fputs(str_or_empty(text), stdout);
                if (s->quiet && r >= 0 && str_starts(stream, "sha256:"))
                        r = str_copy_n(&s->id, stream, strcspn(stream, "\n"));
        }
        fflush(stdout);
        return r;
}

static int on_data(const char *data, size_t size, void *userdata) {
        Shown *s = userdata;
        size_t n;
        int r;

        r = buffer_append(&s->rows, data, size);
        while (r >= 0 && (n = buffer_line(&s->rows)) > 0) {
                r = show_row(s, buffer_head(&s->rows), n);
                buffer_consume(&s->rows, n);
        }
        return r;
}

/* ---- the request ---- */

/* KEY alone takes the value from our environment. */
static int add_pairs_json(
        char ***query, const char *name, char *const *list, bool from_environment) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        if (strv_empty(list))
                return 0;
        r = json_new_object(&v);
        STRV_FOREACH (x, list) {
                _cleanup_(freep) char *key = strndup(*x, strcspn(*x, "="));
                const char *value = strchr(*x, '=');

                if (!key)
                        return -ENOMEM;
                value = value ? value + 1 : from_environment ? getenv(key) : "";
                if (r >= 0 && value)
                        r = json_set_text(v, key, value);
                else if (r >= 0)
                        r = json_set_null(v, key);
        }
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        return r < 0 ? r : cli_add_pair(query, name, text);
}

static int add_numbers(const Options *o, char ***query) {
        static const struct {
                const char *option, *name;
        } table[] = {
                { "memory", "memory" },
                { "memory-swap", "memswap" },
                { "cpu-shares", "cpushares" },
                { "cpu-period", "cpuperiod" },
                { "cpu-quota", "cpuquota" },
                { "shm-size", "shmsize" },
        };
        int r = 0;

        for (size_t k = 0; r >= 0 && k < ARRAY_SIZE(table); k++) {
                _cleanup_(freep) char *text = NULL;

                if (!options_given(o, table[k].option))
                        continue;
                r = str_printf(&text, "%lld", (long long) options_int(o, table[k].option, 0));
                if (r >= 0)
                        r = cli_add_pair(query, table[k].name, text);
        }
        return r;
}

static int add_flags(const Options *o, char ***query) {
        int r;

        r = cli_add_pair(query, "rm", options_flag_or(o, "rm", true) ? "1" : "0");
        if (r >= 0 && options_flag(o, "quiet"))
                r = cli_add_pair(query, "q", "1");
        if (r >= 0 && options_flag(o, "no-cache"))
                r = cli_add_pair(query, "nocache", "1");
        if (r >= 0 && options_flag(o, "pull"))
                r = cli_add_pair(query, "pull", "1");
        if (r >= 0 && options_flag(o, "force-rm"))
                r = cli_add_pair(query, "forcerm", "1");
        return r;
}

static int build_path(const Options *o, const BuildContext *x, char **ret) {
        static const struct {
                const char *option, *name;
        } texts[] = {
                { "target", "target" },
                { "platform", "platform" },
                { "network", "networkmode" },
                { "cgroup-parent", "cgroupparent" },
                { "cpuset-cpus", "cpusetcpus" },
                { "cpuset-mems", "cpusetmems" },
        };
        _cleanup_(strv_freep) char **query = NULL;
        int r;

        r = cli_add_pairs(&query, "t", options_list(o, "tag"));
        if (r >= 0)
                r = cli_add_pair(&query, "dockerfile", x->dockerfile);
        for (size_t k = 0; r >= 0 && k < ARRAY_SIZE(texts); k++)
                r = cli_add_pair(&query, texts[k].name, options_string(o, texts[k].option));
        if (r >= 0)
                r = add_flags(o, &query);
        if (r >= 0)
                r = add_numbers(o, &query);
        if (r >= 0)
                r = cli_add_pairs(&query, "extrahosts", options_list(o, "add-host"));
        if (r >= 0)
                r = add_pairs_json(&query, "buildargs", options_list(o, "build-arg"),
                        /* from_environment= */ true);
        if (r >= 0)
                r = add_pairs_json(
                        &query, "labels", options_list(o, "label"), /* from_environment= */ false);
        if (r < 0)
                return r;
        *ret = rest_path(REST_PATH("/build"), (const char *const *) query);
        return *ret ? 0 : -ENOMEM;
}

static int write_id(const Options *o, const Shown *s, Error *reterr) {
        const char *file = options_string(o, "iidfile");
        int r;

        if (!file)
                return 0;
        r = file_write_atomic_string(AT_FDCWD, file, str_or_empty(s->id), 0644, 0);
        return r < 0 ? error_set_errno(reterr, r, "write %s", file) : 0;
}

static int cmd_build(Cli *cli, const Options *o, Error *reterr) {
        const char *progress = str_or(options_string(o, "progress"), "auto");
        _cleanup_(shown_done) Shown s = {};
        _cleanup_(build_context_done) BuildContext x = BUILD_CONTEXT_INIT;
        _cleanup_(freep) char *path = NULL;
        RestClient *c;
        int r;

        if (!STR_IN_SET(progress, "auto", "plain", "tty", "json", "rawjson", "quiet"))
                return error_set(reterr, ERROR_INVALID,
                        "invalid value for --progress: %s (auto, plain, tty, json, quiet)",
                        progress);
        s.json = STR_IN_SET(progress, "json", "rawjson");
        s.quiet = options_flag(o, "quiet") || streq(progress, "quiet");
        s.rows.max = ROW_MAX;

        r = build_context_open(&x, options_arguments(o)[0], options_string(o, "file"), reterr);
        if (r >= 0)
                r = build_path(o, &x, &path);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = rest_stream(c, "POST", path, x.fd, on_data, &s, reterr);
        if (r >= 0 || !error_is_set(reterr))
                r = build_context_end(&x, r, reterr);
        if (r >= 0 && s.error)
                r = error_set(reterr, ERROR_INTERNAL, "%s", s.error);
        return r < 0 ? r : write_id(o, &s, reterr);
}

/* ---- prune ---- */

static int cmd_prune_builder(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(freep) char *filters = NULL, *path = NULL;
        _cleanup_(json_unrefp) Json *answer = NULL;
        bool all = options_flag(o, "all");
        char text[HUMAN_SIZE];
        const char *key;
        RestClient *c;
        Json *v;
        int r;

        if (!options_flag(o, "force")) {
                printf("WARNING! This will remove all %sbuild cache.\n", all ? "" : "dangling ");
                if (!cli_confirm("Are you sure you want to continue?"))
                        return 0;
        }
        r = cli_filters(options_list(o, "filter"), &filters, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        path = rest_path(
                REST_PATH("/build/prune"), REST_QUERY("filters", filters, "all", all ? "1" : NULL));
        r = path ? rest_call(c, "POST", path, NULL, &answer, reterr) : -ENOMEM;
        if (r < 0)
                return r;
        if (json_count(json_get(answer, "CachesDeleted")) > 0) {
                printf("Deleted build cache objects:\n");
                JSON_FOREACH (key, v, json_get(answer, "CachesDeleted"))
                        printf("%s\n", str_or_empty(json_to_text(v)));
                printf("\n");
        }
        printf("Total reclaimed space: %s\n",
                human_bytes((uint64_t) MAX(json_get_int64(answer, "SpaceReclaimed", 0), INT64_C(0)),
                        4, text));
        return 0;
}

/* clang-format off */
static const Option prune_options[] = {
        { "all",    'a', OPTION_FLAG,   NULL,     "Remove all unused build cache, not just dangling ones" },
        { "filter", 0,   OPTION_FILTER, "filter", "Provide filter values (e.g. \"until=24h\")" },
        { "force",  'f', OPTION_FLAG,   NULL,     "Do not prompt for confirmation" },
        {}
};

static const Option build_options[] = {
        { "add-host",      0,   OPTION_LIST,   "list",   "Add a custom host-to-IP mapping (\"host:ip\")" },
        { "build-arg",     0,   OPTION_LIST,   "list",   "Set build-time variables" },
        { "cache-from",    0,   OPTION_LIST,   "strings", "Images to consider as cache sources" },
        { "cgroup-parent", 0,   OPTION_STRING, "string", "Set the parent cgroup for the \"RUN\" instructions during build" },
        { "cpu-period",    0,   OPTION_INT,    "int",    "Limit the CPU CFS (Completely Fair Scheduler) period" },
        { "cpu-quota",     0,   OPTION_INT,    "int",    "Limit the CPU CFS (Completely Fair Scheduler) quota" },
        { "cpu-shares",    'c', OPTION_INT,    "int",    "CPU shares (relative weight)" },
        { "cpuset-cpus",   0,   OPTION_STRING, "string", "CPUs in which to allow execution (0-3, 0,1)" },
        { "cpuset-mems",   0,   OPTION_STRING, "string", "MEMs in which to allow execution (0-3, 0,1)" },
        { "file",          'f', OPTION_STRING, "string", "Name of the Dockerfile (Default is \"PATH/Dockerfile\")" },
        { "force-rm",      0,   OPTION_FLAG,   NULL,     "Always remove intermediate containers" },
        { "iidfile",       0,   OPTION_STRING, "string", "Write the image ID to the file" },
        { "label",         0,   OPTION_LIST,   "list",   "Set metadata for an image" },
        { "memory",        'm', OPTION_BYTES,  "bytes",  "Memory limit" },
        { "memory-swap",   0,   OPTION_BYTES,  "bytes",  "Swap limit equal to memory plus swap: -1 to enable unlimited swap" },
        { "network",       0,   OPTION_STRING, "string", "Set the networking mode for the RUN instructions during build" },
        { "no-cache",      0,   OPTION_FLAG,   NULL,     "Do not use cache when building the image" },
        { "platform",      0,   OPTION_STRING, "string", "Set platform if server is multi-platform capable" },
        { "progress",      0,   OPTION_STRING, "string", "Set type of progress output (auto, plain, tty, json, quiet)" },
        { "pull",          0,   OPTION_FLAG,   NULL,     "Always attempt to pull a newer version of the image" },
        { "quiet",         'q', OPTION_FLAG,   NULL,     "Suppress the build output and print image ID on success" },
        { "rm",            0,   OPTION_FLAG,   NULL,     "Remove intermediate containers after a successful build" },
        { "shm-size",      0,   OPTION_BYTES,  "bytes",  "Size of \"/dev/shm\"" },
        { "tag",           't', OPTION_LIST,   "list",   "Name and optionally a tag in the \"name:tag\" format" },
        { "target",        0,   OPTION_STRING, "string", "Set the target build stage to build" },
        {}
};

const Command build_commands[] = {
        { "image",   "build", "build", "[OPTIONS] PATH | -", "Build an image from a Dockerfile", build_options, 1, 1, false, 0, cmd_build },
        { "builder", "build", NULL,    "[OPTIONS] PATH | -", "Build an image from a Dockerfile", build_options, 1, 1, false, 0, cmd_build },
        { "builder", "prune", NULL,    "[OPTIONS]",          "Remove build cache", prune_options, 0, 0, false, 0, cmd_prune_builder },
        {}
};
/* clang-format on */
