/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing what nobody uses, after docker's question. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/human.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef struct Pruned {
        const char *path;
        const char *title;  /* "Deleted Containers:" */
        const char *member; /* of the answer */
        bool has_space;
} Pruned;

static const Pruned containers = { "/containers/prune", "Containers", "ContainersDeleted", true };
static const Pruned networks = { "/networks/prune", "Networks", "NetworksDeleted", false };
static const Pruned volumes = { "/volumes/prune", "Volumes", "VolumesDeleted", true };
static const Pruned images = { "/images/prune", "Images", "ImagesDeleted", true };

/* Filters of the command and, where they do not contradict, of config.json. */
static int prune_filters(Cli *cli, const Options *o, const char *more, char ***ret) {
        const char *key;
        Json *v;
        int r;

        r = strv_set(ret, options_list(o, "filter"));
        JSON_FOREACH (key, v, json_get(cli_config(cli), "pruneFilters")) {
                const char *word = str_or_empty(json_to_text(v)), *value;
                _cleanup_(freep) char *opposite = NULL;

                value = strchr(word, '=');
                if (r < 0 || !value)
                        continue;
                opposite = str_starts(word, "label!=") ? str_concat("label", value)
                                                       : str_concat("label!", value);
                if (!opposite)
                        return -ENOMEM;
                if (!str_starts(word, "label") || !strv_contains(*ret, opposite))
                        r = strv_add(ret, word);
        }
        return r < 0 || !more ? r : strv_add(ret, more);
}

static void print_deleted(const Pruned *p, const Json *answer) {
        const Json *list = json_get(answer, p->member);
        const char *key;
        Json *v;

        if (json_count(list) == 0)
                return;
        printf("Deleted %s:\n", p->title);
        JSON_FOREACH (key, v, list) {
                const char *untagged = json_get_text(v, "Untagged"),
                           *deleted = json_get_text(v, "Deleted");
                _cleanup_(freep) char *text = NULL;

                text = str_escape_terminal(json_to_text(v)        ? json_to_text(v)
                                           : !str_empty(untagged) ? untagged
                                                                  : deleted);
                printf("%s%s\n",
                        json_to_text(v)        ? ""
                        : !str_empty(untagged) ? "untagged: "
                                               : "deleted: ",
                        str_or_empty(text));
        }
        printf("\n");
}

static int prune(Cli *cli, const Options *o, const Pruned *p, const char *more, int64_t *space,
        Error *reterr) {
        _cleanup_(freep) char *filters = NULL, *path = NULL;
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_(json_unrefp) Json *answer = NULL;
        RestClient *c;
        int r;

        r = prune_filters(cli, o, more, &words);
        if (r >= 0)
                r = cli_filters(words, &filters, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        path = rest_path(REST_PATH(p->path), REST_QUERY("filters", filters));
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, NULL, &answer, reterr);
        if (r < 0)
                return r;
        print_deleted(p, answer);
        *space += json_get_int64(answer, "SpaceReclaimed", 0);
        return 0;
}

static void print_space(int64_t space) {
        char text[HUMAN_SIZE];

        printf("Total reclaimed space: %s\n",
                human_bytes((uint64_t) MAX(space, INT64_C(0)), 4, text));
}

static int ask_and_prune(Cli *cli, const Options *o, const Pruned *p, const char *warning,
        const char *more, Error *reterr) {
        int64_t space = 0;
        int r;

        if (!options_flag(o, "force")) {
                printf("WARNING! This will remove %s.\n", warning);
                if (!cli_confirm("Are you sure you want to continue?"))
                        return 0;
        }
        r = prune(cli, o, p, more, &space, reterr);
        if (r >= 0 && p->has_space)
                print_space(space);
        return r;
}

static int cmd_prune_containers(Cli *cli, const Options *o, Error *reterr) {
        return ask_and_prune(cli, o, &containers, "all stopped containers", NULL, reterr);
}

static int cmd_prune_networks(Cli *cli, const Options *o, Error *reterr) {
        return ask_and_prune(cli, o, &networks,
                "all custom networks not used by at least one container", NULL, reterr);
}

static int cmd_prune_volumes(Cli *cli, const Options *o, Error *reterr) {
        if (options_flag(o, "all"))
                return ask_and_prune(cli, o, &volumes,
                        "all local volumes not used by at least one container", "all=true", reterr);
        return ask_and_prune(cli, o, &volumes,
                "anonymous local volumes not used by at least one container", NULL, reterr);
}

static int cmd_prune_images(Cli *cli, const Options *o, Error *reterr) {
        if (options_flag(o, "all"))
                return ask_and_prune(cli, o, &images,
                        "all images without at least one container associated to them",
                        "dangling=false", reterr);
        return ask_and_prune(cli, o, &images, "all dangling images", "dangling=true", reterr);
}

/* ---- system prune ---- */

static bool ask_for_all(Cli *cli, const Options *o, bool all, bool with_volumes) {
        _cleanup_(strv_freep) char **words = NULL;

        printf("WARNING! This will remove:\n"
               "  - all stopped containers\n"
               "  - all networks not used by at least one container\n");
        if (with_volumes)
                printf("  - all anonymous volumes not used by at least one container\n");
        printf(all ? "  - all images without at least one container associated to them\n"
                   : "  - all dangling images\n");
        if (prune_filters(cli, o, NULL, &words) >= 0 && !strv_empty(words)) {
                printf("\n  Items to be pruned will be filtered with:\n");
                STRV_FOREACH (word, words)
                        printf("  - %s\n", *word);
        }
        printf("\n");
        return cli_confirm("Are you sure you want to continue?");
}

static int cmd_prune_system(Cli *cli, const Options *o, Error *reterr) {
        bool all = options_flag(o, "all"), with_volumes = options_flag(o, "volumes");
        int64_t space = 0;
        int r;

        if (with_volumes)
                STRV_FOREACH (word, options_list(o, "filter"))
                        if (str_starts(*word, "until="))
                                return error_set(reterr, ERROR_INVALID,
                                        "ERROR: The \"until\" filter is not supported with "
                                        "\"--volumes\"");
        if (!options_flag(o, "force") && !ask_for_all(cli, o, all, with_volumes))
                return 0;

        r = prune(cli, o, &containers, NULL, &space, reterr);
        if (r >= 0)
                r = prune(cli, o, &networks, NULL, &space, reterr);
        if (r >= 0 && with_volumes)
                r = prune(cli, o, &volumes, NULL, &space, reterr);
        if (r >= 0)
                r = prune(
                        cli, o, &images, all ? "dangling=false" : "dangling=true", &space, reterr);
        if (r >= 0)
                print_space(space);
        return r;
}

/* clang-format off */
#define FILTER { "filter", 0,   OPTION_FILTER, "filter", "Only what fits the condition (until=TIME, label=KEY[=VALUE])" }
#define FORCE  { "force",  'f', OPTION_FLAG,   NULL,     "Do not ask" }

static const Option prune_options[] = { FILTER, FORCE, {} };
static const Option image_options[] = {
        { "all", 'a', OPTION_FLAG, NULL, "Remove all unused images, not just dangling ones" },
        FILTER, FORCE, {}
};
static const Option volume_options[] = {
        { "all", 'a', OPTION_FLAG, NULL, "Remove all unused volumes, not just anonymous ones" },
        FILTER, FORCE, {}
};
static const Option system_options[] = {
        { "all", 'a', OPTION_FLAG, NULL, "Remove all unused images, not just dangling ones" },
        FILTER, FORCE,
        { "volumes", 0, OPTION_FLAG, NULL, "Anonymous volumes as well" },
        {}
};

const Command prune_commands[] = {
        { "container", "prune", NULL, "[OPTIONS]", "Remove all stopped containers", prune_options,  0, 0, false, 0, cmd_prune_containers },
        { "image",     "prune", NULL, "[OPTIONS]", "Remove unused images",          image_options,  0, 0, false, 0, cmd_prune_images },
        { "network",   "prune", NULL, "[OPTIONS]", "Remove all unused networks",    prune_options,  0, 0, false, 0, cmd_prune_networks },
        { "volume",    "prune", NULL, "[OPTIONS]", "Remove unused local volumes",   volume_options, 0, 0, false, 0, cmd_prune_volumes },
        { "system",    "prune", NULL, "[OPTIONS]", "Remove unused data",            system_options, 0, 0, false, 0, cmd_prune_system },
        {}
};
/* clang-format on */
