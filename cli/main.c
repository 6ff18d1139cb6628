/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client-config.h"
#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "stauer-config.h"

#define EXIT_USAGE 125 /* an option that is none, as docker has it */

static int usage_error(const Error *e, int r, const char *words, const char *usage, int status) {
        cli_print_error(e, r);
        fprintf(stderr, "\nUsage:  %s%s%s\n\nRun '%s --help' for more information\n", words,
                str_empty(usage) ? "" : " ", str_or_empty(usage), words);
        return status;
}

static int check_arguments(
        const Cli *cli, const Command *c, const char *words, const Options *o, Error *reterr) {
        int n = (int) options_count(o), min = c->min_arguments, max = c->max_arguments;

        if (n >= min && (max < 0 || n <= max))
                return 0;

        if (max == 0)
                return error_set(reterr, ERROR_INVALID, "%s: '%s' accepts no arguments",
                        cli->program, words);
        if (min == max)
                return error_set(reterr, ERROR_INVALID, "%s: '%s' requires %d argument%s",
                        cli->program, words, min, min == 1 ? "" : "s");
        if (max < 0)
                return error_set(reterr, ERROR_INVALID, "%s: '%s' requires at least %d argument%s",
                        cli->program, words, min, min == 1 ? "" : "s");
        if (min == 0)
                return error_set(reterr, ERROR_INVALID, "%s: '%s' requires at most %d argument%s",
                        cli->program, words, max, max == 1 ? "" : "s");
        return error_set(reterr, ERROR_INVALID,
                "%s: '%s' requires at least %d and at most %d arguments", cli->program, words, min,
                max);
}

/* What `run` says is told from what its container says. */
static int failed(const Cli *cli, const Command *c, const char *words, const Error *e, int r) {
        if (c->failure == 0) {
                cli_print_error(e, r);
                return 1;
        }
        fflush(stdout);
        fprintf(stderr, "%s: %s\n\nRun '%s --help' for more information\n", cli->program,
                error_text(e, r), words);
        return c->failure;
}

static int run_command(Cli *cli, const Command *c, const char *group, char **argv) {
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(error_done) Error e = {};
        char words[COMMAND_WORDS_SIZE];
        int r;

        command_words(cli, c, group, words);

        r = options_parse(c->options, argv, !c->own_arguments, &o, &e);
        if (r < 0)
                return usage_error(&e, r, words, c->usage, EXIT_USAGE);
        if (options_help(o)) {
                help_print_command(cli, c, group);
                return 0;
        }

        r = check_arguments(cli, c, words, o, &e);
        if (r < 0)
                return usage_error(&e, r, words, c->usage, 1);

        r = c->run(cli, o, &e);
        if (r < 0)
                r = failed(cli, c, words, &e, r);
        if (fflush(stdout) < 0 && r == 0) {
                perror("stauer: stdout");
                r = 1;
        }
        return r;
}

static int unknown_command(const Cli *cli, const char *group, const char *name) {
        _cleanup_(freep) char *harmless = str_escape_terminal(name);

        fprintf(stderr, "%s: unknown command: %s %s%s%s\n", cli->program, cli->program,
                group ? group : "", group ? " " : "", str_or_empty(harmless));
        if (group)
                fprintf(stderr, "\nUsage:  %s %s\n\nRun '%s %s --help' for more information\n",
                        cli->program, group, cli->program, group);
        else
                fprintf(stderr, "\nRun '%s --help' for more information\n", cli->program);
        return 1;
}

static int help_command(const Cli *cli, char *const *words) {
        const char *group = NULL;
        const Command *c = NULL;

        if (!words[0]) {
                help_print(cli, global_options);
                return 0;
        }
        if (command_group_help(words[0])) {
                group = words[0];
                if (!words[1]) {
                        help_print_group(cli, group);
                        return 0;
                }
                c = command_find(group, words[1]);
        } else
                c = command_find(NULL, words[0]);

        if (!c) {
                _cleanup_(freep) char *name = str_escape_terminal(words[group ? 1 : 0]);

                fprintf(stderr, "unknown help topic: %s\n", str_or_empty(name));
                return 1;
        }
        help_print_command(cli, c, group);
        return 0;
}

static bool asks_for_help(char *const *words) {
        for (; *words; words++)
                if (STR_IN_SET(*words, "--help", "-h"))
                        return true;
        return false;
}

static int dispatch(Cli *cli, char *const *words) {
        const char *group = NULL;
        const Command *c;

        if (streq(words[0], "help"))
                return help_command(cli, words + 1);

        if (command_group_help(words[0])) {
                group = *words++;
                if (!words[0] || STR_IN_SET(words[0], "--help", "-h")) {
                        help_print_group(cli, group);
                        return 0;
                }
                if (words[0][0] == '-') {
                        _cleanup_(options_freep) Options *o = NULL;
                        _cleanup_(error_done) Error e = {};
                        char name[COMMAND_WORDS_SIZE];
                        int r;

                        (void) snprintf(name, sizeof name, "%s %s", cli->program, group);
                        r = options_parse(NULL, (char **) words, false, &o, &e);
                        return usage_error(&e, r, name, NULL, EXIT_USAGE);
                }
        }

        c = command_find(group, words[0]);
        if (c)
                return run_command(cli, c, group, (char **) words + 1);
        if (!asks_for_help(words))
                return unknown_command(cli, group, words[0]);
        if (group)
                help_print_group(cli, group);
        else
                help_print(cli, global_options);
        return 0;
}

static void print_version(const Cli *cli) {
        if (streq(cli->program, "docker"))
                printf("Docker version " STAUER_VERSION ", build stauer\n");
        else
                printf("Stauer version " STAUER_VERSION "\n");
}

int main(int argc, char **argv) {
        _cleanup_(client_config_freep) ClientConfig *config = NULL;
        _cleanup_(rest_client_freep) RestClient *client = NULL;
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(freep) char *context = NULL;
        _cleanup_(error_done) Error e = {};
        Cli cli = { .program = "stauer" };
        int r;

        if (argc > 0 && streq(path_last(argv[0]), "docker"))
                cli.program = "docker";

        r = options_parse(global_options, argv + (argc > 0), /* interspersed= */ false, &o, &e);
        if (r < 0)
                return usage_error(&e, r, cli.program, "[OPTIONS] COMMAND [ARG...]", EXIT_USAGE);

        if (options_flag(o, "version")) {
                print_version(&cli);
                return 0;
        }
        if (options_help(o) || options_count(o) == 0) {
                help_print(&cli, global_options);
                return 0;
        }

        r = client_config_load(options_string(o, "config"), &config);
        if (r < 0) {
                cli_print_error(&e, r);
                return 1;
        }
        cli.globals = o;
        cli.config = config;

        r = dispatch(&cli, options_arguments(o));
        client = cli.client;
        context = cli.context;
        return r;
}
