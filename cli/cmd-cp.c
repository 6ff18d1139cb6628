/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <unistd.h>

#include "cli/commands.h"
#include "cli/copy.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

static int copy_words(Copy *c, char *const *arguments, char **container, char **source,
        char **target, Error *reterr) {
        _cleanup_(freep) char *from = NULL, *to = NULL;
        int r;

        if (str_empty(arguments[0]) || str_empty(arguments[1]))
                return error_set(reterr, ERROR_INVALID, "%s can not be empty",
                        str_empty(arguments[0]) ? "source" : "destination");
        r = copy_split_word(arguments[0], &from, source);
        if (r >= 0)
                r = copy_split_word(arguments[1], &to, target);
        if (r < 0)
                return r;
        if (!str_empty(from) && !str_empty(to))
                return error_set(
                        reterr, ERROR_INVALID, "copying between containers is not supported");
        if (str_empty(from) && str_empty(to))
                return error_set(
                        reterr, ERROR_INVALID, "must specify at least one container source");

        r = str_empty(from);
        *container = r ? TAKE_PTR(to) : TAKE_PTR(from);
        c->container = *container;
        c->source = *source;
        c->target = *target;
        return r;
}

static int cmd_cp(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(freep) char *container = NULL, *source = NULL, *target = NULL;
        Copy c = {
                .archive = options_flag(o, "archive"),
                .follow_link = options_flag(o, "follow-link"),
                .quiet = options_flag_or(o, "quiet", !isatty(STDOUT_FILENO)),
        };
        int into, r;

        into = copy_words(&c, options_arguments(o), &container, &source, &target, reterr);
        if (into < 0)
                return into;
        r = cli_client(cli, &c.client, reterr);
        if (r < 0)
                return r;
        return into ? copy_to_container(&c, reterr) : copy_from_container(&c, reterr);
}

/* clang-format off */
static const Option cp_options[] = {
        { "archive",     'a', OPTION_FLAG, NULL, "Keep owners when copying from a container (as root); into one: give all to its user, if it has one" },
        { "follow-link", 'L', OPTION_FLAG, NULL, "A source that is a symbolic link is what it leads to" },
        { "quiet",       'q', OPTION_FLAG, NULL, "Say nothing about how far it is; so it is without a terminal" },
        {}
};

const Command cp_commands[] = {
        { "container", "cp", "cp", "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n        cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH", "Copy files/folders between a container and the local filesystem", cp_options, 2, 2, false, 0, cmd_cp, "copy" },
        {}
};
/* clang-format on */
