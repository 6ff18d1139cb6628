/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All commands, how one is found by its words, and their help. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

const Command *const command_tables[] = {
        run_commands,
        attach_commands,
        exec_commands,
        stats_commands,
        container_commands,
        ps_commands,
        update_commands,
        inspect_commands,
        network_commands,
        volume_commands,
        prune_commands,
        completion_commands,
        dial_commands,
        context_commands,
        context_files_commands,
        df_commands,
        events_commands,
        files_commands,
        cp_commands,
        logs_commands,
        image_commands,
        transfer_commands,
        pull_commands,
        build_commands,
        system_commands,
        NULL,
};

/* clang-format off */
static const struct { const char *name, *help; } groups[] = {
        { "builder",   "Manage builds" },
        { "container", "Manage containers" },
        { "context",   "Manage the engines to talk to" },
        { "image",     "Manage images" },
        { "network",   "Manage networks" },
        { "system",    "Look at the engine as a whole" },
        { "volume",    "Manage volumes" },
};

/* Other names within the groups. */
static const struct { const char *group, *name, *other; } others[] = {
        { NULL,        "ls", "list" },
        { NULL,        "rm", "remove" },
        { "container", "ls", "ps" },
};
/* clang-format on */

/* clang-format off */
const Option global_options[] = {
        { "config",    0,   OPTION_STRING, "string", "Folder of the client's configuration", "\"~/.docker\"" },
        { "context",   'c', OPTION_STRING, "string", "Name of the context to use (goes before DOCKER_HOST and the context set with \"context use\")" },
        { "debug",     'D', OPTION_FLAG,   NULL,     "Accepted for docker's sake" },
        { "host",      'H', OPTION_STRING, "string", "Engine to connect to: unix:///path, tcp://host:port, ssh://user@host", "\"unix:///run/docker.sock\"" },
        { "log-level", 'l', OPTION_STRING, "string", "Accepted for docker's sake", "\"info\"" },
        { "tls",       0,   OPTION_FLAG,   NULL,     "Use TLS; implied by --tlsverify" },
        { "tlscacert", 0,   OPTION_STRING, "string", "Trust certificates signed by this one only", "\"~/.docker/ca.pem\"" },
        { "tlscert",   0,   OPTION_STRING, "string", "Our certificate", "\"~/.docker/cert.pem\"" },
        { "tlskey",    0,   OPTION_STRING, "string", "Its key", "\"~/.docker/key.pem\"" },
        { "tlsverify", 0,   OPTION_FLAG,   NULL,     "Use TLS and verify the engine's certificate" },
        { "version",   'v', OPTION_FLAG,   NULL,     "Print version information and quit" },
        {}
};
/* clang-format on */

#define FOREACH_COMMAND(c)                            \
        for (size_t t_ = 0; command_tables[t_]; t_++) \
                for (const Command *c = command_tables[t_]; c->name; c++)

static bool is_other_name(const Command *c, const char *group, const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (streq(c->name, others[i].name) && streq(name, others[i].other) &&
                        (!others[i].group || streq(group, others[i].group)))
                        return true;
        return false;
}

static const char *top_name(const Command *c) {
        return c->alias ? c->alias : c->group ? NULL : c->name;
}

const Command *command_find(const char *group, const char *name) {
        FOREACH_COMMAND(c) {
                const char *top = top_name(c);

                if (!group && top && streq(top, name))
                        return c;
                if (group && c->group && streq(c->group, group) &&
                        (streq(c->name, name) || is_other_name(c, group, name)))
                        return c;
        }
        return NULL;
}

static bool group_has_commands(const char *group) {
        FOREACH_COMMAND(c)
        if (c->group && streq(c->group, group))
                return true;
        return false;
}

const char *command_group_help(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                if (streq(groups[i].name, name) && group_has_commands(name))
                        return groups[i].help;
        return NULL;
}

const char *command_words(
        const Cli *cli, const Command *c, const char *group, char ret[static COMMAND_WORDS_SIZE]) {
        if (group)
                (void) snprintf(ret, COMMAND_WORDS_SIZE, "%s %s %s", cli->program, group, c->name);
        else
                (void) snprintf(ret, COMMAND_WORDS_SIZE, "%s %s", cli->program, top_name(c));
        return ret;
}

/* ---- help ---- */

static unsigned screen_width(void) {
        struct winsize size = {};

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return 80;
        return size.ws_col;
}

typedef struct Row {
        const char *name, *help;
} Row;

static int compare_rows(const void *a, const void *b) {
        return strcmp(((const Row *) a)->name, ((const Row *) b)->name);
}

/* The commands of a group, or (NULL) those at top level that are not common ones. */
static const char *const common[] = { "run", "exec", "ps", "images", "version", "info", NULL };

static void print_commands(const char *group) {
        _cleanup_(freep) Row *rows = NULL;
        size_t n = 0, allocated = 0;

        FOREACH_COMMAND(c) {
                const char *name = group ? c->name : top_name(c);

                if (c->hidden || !name || (group && (!c->group || !streq(c->group, group))) ||
                        (!group && str_in(name, common)) ||
                        array_grow(&rows, &allocated, n + 1) < 0)
                        continue;
                rows[n++] = (Row) { name, c->help };
        }
        qsort(rows, n, sizeof *rows, compare_rows);
        for (size_t i = 0; i < n; i++)
                printf("  %-11s %s\n", rows[i].name, rows[i].help);
}

void help_print(const Cli *cli, const Option *globals) {
        printf("Usage:  %s [OPTIONS] COMMAND\n\n"
               "The command line of the Stauer container engine, with docker's words\n\n"
               "Common Commands:\n",
                cli->program);
        for (size_t i = 0; common[i]; i++) {
                const Command *c = command_find(NULL, common[i]);

                if (c)
                        printf("  %-11s %s\n", common[i], c->help);
        }
        printf("\nManagement Commands:\n");
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                if (group_has_commands(groups[i].name))
                        printf("  %-11s %s\n", groups[i].name, groups[i].help);
        printf("\nCommands:\n");
        print_commands(NULL);
        options_print("Global Options", globals, screen_width());
        printf("\nRun '%s COMMAND --help' for more information on a command.\n", cli->program);
}

void help_print_group(const Cli *cli, const char *group) {
        printf("Usage:  %s %s COMMAND\n\n%s\n\nCommands:\n", cli->program, group,
                str_or_empty(command_group_help(group)));
        print_commands(group);
        printf("\nRun '%s %s COMMAND --help' for more information on a command.\n", cli->program,
                group);
}

static void print_aliases(const Cli *cli, const Command *c) {
        bool first = true;

        if (!c->group)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                if (!is_other_name(c, c->group, others[i].other) ||
                        (others[i].group && !streq(others[i].group, c->group)))
                        continue;
                if (first)
                        printf("\nAliases:\n  %s %s %s", cli->program, c->group, c->name);
                printf(", %s %s %s", cli->program, c->group, others[i].other);
                first = false;
        }
        if (c->alias && first)
                printf("\nAliases:\n  %s %s %s", cli->program, c->group, c->name);
        if (c->alias)
                printf(", %s %s", cli->program, c->alias);
        if (c->alias || !first)
                putchar('\n');
}

void help_print_command(const Cli *cli, const Command *c, const char *group) {
        char words[COMMAND_WORDS_SIZE];

        printf("Usage:  %s%s%s\n\n%s\n", command_words(cli, c, group, words),
                str_empty(c->usage) ? "" : " ", c->usage, c->help);
        print_aliases(cli, c);
        options_print("Options", c->options, screen_width());
}
