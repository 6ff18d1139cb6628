/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/pull.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/oci/reference.h"

static int cmd_pull(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(freep) char *full = NULL;
        PullWish wish = {
                .image = options_arguments(o)[0],
                .platform = options_string(o, "platform") ?: getenv("DOCKER_DEFAULT_PLATFORM"),
                .all_tags = options_flag(o, "all-tags"),
                .quiet = options_flag(o, "quiet"),
                .out = stdout,
        };
        RestClient *c;
        int r;

        r = reference_parse_untagged(wish.image, &ref);
        if (r < 0)
                return r == -ENOMEM ? r
                                    : error_set(reterr, ERROR_INVALID, "invalid reference format");
        if (wish.all_tags && (ref.tag || ref.digest))
                return error_set(reterr, ERROR_INVALID, "tag can't be used with --all-tags/-a");
        if (!wish.all_tags && !ref.tag && !ref.digest) {
                r = str_copy(&ref.tag, "latest");
                if (r < 0)
                        return r;
                if (!wish.quiet)
                        puts("Using default tag: latest");
        }

        r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = pull_image(c, cli->config, &wish, reterr);
        if (r >= 0)
                r = reference_format(&ref, &full);
        if (r < 0)
                return r;
        puts(full);
        return 0;
}

/* clang-format off */
static const Option pull_options[] = {
        { "all-tags",              'a', OPTION_FLAG,   NULL,     "Download all tagged images in the repository" },
        { "disable-content-trust", 0,   OPTION_FLAG,   NULL,     "Skip image verification (accepted for docker's sake)", "true" },
        { "platform",              0,   OPTION_STRING, "string", "Set platform if server is multi-platform capable" },
        { "quiet",                 'q', OPTION_FLAG,   NULL,     "Suppress verbose output" },
        {}
};

const Command pull_commands[] = {
        { "image", "pull", "pull", "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry", pull_options, 1, 1, false, 0, cmd_pull },
        {}
};
/* clang-format on */
