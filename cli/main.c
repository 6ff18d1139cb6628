/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/str.h"
#include "stauer-config.h"

static const Command *const tables[] = {
        run_commands,
        container_commands,
        logs_commands,
        image_commands,
        transfer_commands,
        system_commands,
};

#define FOREACH_COMMAND(c)                                                \
        for (size_t table_i = 0; table_i < ARRAY_SIZE(tables); table_i++) \
                for (const Command *c = tables[table_i]; c->name; c++)

/* clang-format off */
static const Option global_options[] = {
        { "config",    0,   OPTION_STRING, "string", NULL },
        { "context",   'c', OPTION_STRING, "string", NULL },
        { "debug",     'D', OPTION_FLAG,   NULL,     NULL },
        { "host",      'H', OPTION_STRING, "string", "Engine socket to connect to (unix:///run/docker.sock)" },
        { "log-level", 'l', OPTION_STRING, "string", NULL },
        { "version",   'v', OPTION_FLAG,   NULL,     "Print version information and quit" },
        {}
};

static const struct { const char *name, *help; } groups[] = {
        { "container", "Manage containers" },
        { "image",     "Manage images" },
        { "system",    "Manage Stauer" },
};
/* clang-format on */

static const char *command_words(const Command *c, char *buffer, size_t size) {
        if (c->alias || !c->group)
                (void) snprintf(buffer, size, "stauer %s", c->alias ? c->alias : c->name);
        else
                (void) snprintf(buffer, size, "stauer %s %s", c->group, c->name);
        return buffer;
}

static void print_command_help(const Command *c) {
        char words[64];

        printf("Usage:  %s %s\n\n%s\n", command_words(c, words, sizeof words), c->usage, c->help);
        if (c->group && c->alias)
                printf("\nAliases:\n  stauer %s %s, stauer %s\n", c->group, c->name, c->alias);
        options_print("Options", c->options);
}

static void print_group_help(const char *group) {
        printf("Usage:  stauer %s COMMAND\n\nCommands:\n", group);
        FOREACH_COMMAND(c)
        if (c->group && streq(c->group, group))
                printf("  %-11s %s\n", c->name, c->help);
        printf("\nRun 'stauer %s COMMAND --help' for more information on a command.\n", group);
}

static void print_help(void) {
        printf("Usage:  stauer [OPTIONS] COMMAND\n\nThe command line of the Stauer container "
               "engine, with docker's "
               "words\n\nManagement Commands:\n");
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                printf("  %-11s %s\n", groups[i].name, groups[i].help);
        printf("\nCommands:\n");
        FOREACH_COMMAND(c)
        if (c->alias || !c->group)
                printf("  %-11s %s\n", c->alias ? c->alias : c->name, c->help);
        options_print("Global Options", global_options);
        printf("\nRun 'stauer COMMAND --help' for more information on a command.\n");
}

static bool is_group(const char *word) {
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                if (streq(groups[i].name, word))
                        return true;
        return false;
}

static const Command *find_command(const char *group, const char *name) {
        FOREACH_COMMAND(c) {
                if (!group &&
                        (c->alias ? streq(c->alias, name) : !c->group && streq(c->name, name)))
                        return c;
                if (group && c->group && streq(c->group, group) &&
                        (streq(c->name, name) || (streq(c->name, "ls") && streq(name, "list")) ||
                                (streq(c->name, "rm") && streq(name, "remove"))))
                        return c;
        }
        return NULL;
}

static int check_arguments(const Command *c, const Options *o, Error *reterr) {
        size_t n = options_count(o);
        char words[64];

        command_words(c, words, sizeof words);
        if (n < (size_t) c->min_arguments && c->min_arguments == c->max_arguments)
                return error_set(reterr, ERROR_INVALID, "\"%s\" requires exactly %d argument%s.",
                        words, c->min_arguments, c->min_arguments == 1 ? "" : "s");
        if (n < (size_t) c->min_arguments)
                return error_set(reterr, ERROR_INVALID, "\"%s\" requires at least %d argument%s.",
                        words, c->min_arguments, c->min_arguments == 1 ? "" : "s");
        if (c->max_arguments >= 0 && n > (size_t) c->max_arguments)
                return error_set(reterr, ERROR_INVALID, "\"%s\" accepts at most %d argument%s.",
                        words, c->max_arguments, c->max_arguments == 1 ? "" : "s");
        return 0;
}

static int usage_error(const Error *e, int r, const char *words, int status) {
        cli_print_error(e, r);
        fprintf(stderr, "See '%s --help'.\n", words);
        return status;
}

static int run_command(Cli *cli, const Command *c, char **argv) {
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(error_done) Error e = {};
        char words[64];
        int r;

        command_words(c, words, sizeof words);

        r = options_parse(c->options, argv, !c->own_arguments, &o, &e);
        if (r < 0)
                return usage_error(&e, r, words, 125);
        if (options_help(o)) {
                print_command_help(c);
                return 0;
        }

        r = check_arguments(c, o, &e);
        if (r < 0)
                return usage_error(&e, r, words, 1);

        r = c->run(cli, o, &e);
        if (r < 0) {
                cli_print_error(&e, r);
                r = c->failure ? c->failure : 1;
        }
        if (fflush(stdout) < 0 && r == 0) {
                perror("stauer: stdout");
                r = 1;
        }
        return r;
}

static int dispatch(Cli *cli, char *const *words) {
        const char *group = NULL;
        const Command *c;

        if (is_group(words[0])) {
                group = *words++;
                if (!words[0] || streq(words[0], "--help") || streq(words[0], "-h")) {
                        print_group_help(group);
                        return 0;
                }
        } else if (streq(words[0], "help")) {
                if (words[1] && (c = find_command(NULL, words[1])))
                        print_command_help(c);
                else
                        print_help();
                return 0;
        }

        c = find_command(group, words[0]);
        if (!c) {
                fprintf(stderr,
                        "stauer: '%s%s%s' is not a stauer command.\nSee 'stauer%s%s --help'\n",
                        group ? group : "", group ? " " : "", words[0], group ? " " : "",
                        group ? group : "");
                return 1;
        }

        return run_command(cli, c, (char **) words + 1);
}

int main(int argc, char **argv) {
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(error_done) Error e = {};
        Cli cli = {};
        int r;

        (void) setlocale(LC_ALL, "");

        r = options_parse(global_options, argv + 1, /* interspersed= */ false, &o, &e);
        if (r < 0)
                return usage_error(&e, r, "stauer", 125);

        if (options_flag(o, "version")) {
                printf("Stauer version " STAUER_VERSION "\n");
                return 0;
        }
        if (options_help(o) || options_count(o) == 0) {
                print_help();
                return 0;
        }

        cli.host = options_string(o, "host");
        if (!cli.host)
                cli.host = getenv("DOCKER_HOST");

        r = dispatch(&cli, options_arguments(o));
        rest_client_free(cli.client);
        return r;
}
