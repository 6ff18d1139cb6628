/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the command table is made of. A command gets its parsed options and a client, prints to stdout, and returns the program's exit status (0, or what
 * docker gives) or a negative errno with reterr filled; main() prints that and exits 1, or 125 when the command says so. */

#include <stdbool.h>

#include "cli/options.h"
#include "lib/base/error.h"

typedef struct Cli Cli;
typedef struct ClientConfig ClientConfig;
typedef struct Command Command;
typedef struct Json Json;
typedef struct RestClient RestClient;

struct Cli {
        const char
                *program; /* "stauer", or "docker" when called so: the word for help and errors */
        const Options *globals; /* what stood before the command */
        ClientConfig *config;   /* never NULL in a command */
        RestClient *client;     /* made by cli_client() */
        char *context;          /* the name in use; made by cli_context() */
};

struct Command {
        const char *group; /* container, image, system; NULL: none */
        const char *name;  /* within the group */
        const char *alias; /* at top level: "ps" for container ls; NULL: none */
        const char *usage;
        const char *help;
        const Option *options;
        int min_arguments;
        int max_arguments;  /* -1: any */
        bool own_arguments; /* what follows the first argument is not ours: run IMAGE COMMAND -x */
        int failure;        /* exit status of an engine's error; 0: 1 */
        int (*run)(Cli *cli, const Options *o, Error *reterr);
        const char *
                completes; /* what its arguments are: container, running, image, network, volume, context, file, copy (of cp); NULL: nothing */
        bool hidden;       /* works, but is not in the help */
};

/* Help of --format of lists, and of one document. */
#define OPTION_FORMAT_HELP                                                                     \
        "How to print: table (default), table TEMPLATE, json, or TEMPLATE, a template of the " \
        "kind "                                                                                \
        "that docker takes"
#define OPTION_DOCUMENT_HELP \
        "How to print: json, or TEMPLATE, a template of the kind that docker takes"

/* Each ends with a row without name. */
extern const Command run_commands[];
extern const Command attach_commands[];
extern const Command exec_commands[];
extern const Command stats_commands[];
extern const Command container_commands[];
extern const Command files_commands[];
extern const Command cp_commands[];
extern const Command logs_commands[];
extern const Command image_commands[];
extern const Command build_commands[];
extern const Command transfer_commands[];
extern const Command pull_commands[];
extern const Command system_commands[];
extern const Command ps_commands[];
extern const Command update_commands[];
extern const Command inspect_commands[];
extern const Command events_commands[];
extern const Command df_commands[];
extern const Command prune_commands[];
extern const Command network_commands[];
extern const Command volume_commands[];
extern const Command context_commands[];
extern const Command context_files_commands[];
extern const Command completion_commands[];
extern const Command dial_commands[];

/* What stands before the command. */
extern const Option global_options[];

/* The table of all tables, ended by NULL; and how one looks in it (group NULL: at top level). */
extern const Command *const command_tables[];
const Command *command_find(const char *group, const char *name);
/* A management word: its line of help, NULL when there is no such group. */
const char *command_group_help(const char *name);

/* How it was called: "stauer ps", "stauer container ls". */
#define COMMAND_WORDS_SIZE 64
const char *command_words(
        const Cli *cli, const Command *c, const char *group, char ret[static COMMAND_WORDS_SIZE]);

/* Help on stdout: of everything, of a management word, of a command. */
void help_print(const Cli *cli, const Option *globals);
void help_print_group(const Cli *cli, const char *group);
void help_print_command(const Cli *cli, const Command *c, const char *group);

/* The client for the endpoint that -H, --context, the environment and the configuration say. */
int cli_client(Cli *cli, RestClient **ret, Error *reterr);
/* The context's name by the same rules; "default" when none. Borrowed from cli. */
int cli_context(Cli *cli, const char **ret, Error *reterr);
/* ~/.docker/config.json; {} without the file. */
Json *cli_config(const Cli *cli);
/* Adds the proxies of the configuration to the environment of a container. */
int cli_proxies(Cli *cli, char ***env);
/* One question with "y" as yes, on stdin and stdout. */
bool cli_confirm(const char *question);

/* Runs verb for each argument as docker does: prints what succeeded, goes on after an error, which is printed to stderr; 1 when any failed. */
int cli_for_each(Cli *cli, const Options *o,
        int (*verb)(RestClient *c, const Options *o, const char *name, Error *reterr),
        Error *reterr);

void cli_print_error(const Error *e, int r);

/* "filters" parameter of repeated "key=value" words; NULL without any. */
int cli_filters(char *const *words, char **ret, Error *reterr);

/* The ids of a list's rows, one a line. */
void cli_print_ids(const Json *rows, bool whole);

/* "host:5000/x:tag" → "host:5000/x" and "tag" (inside name; NULL: none). */
int cli_split_tag(const char *name, char **ret_repository, const char **ret_tag);

/* Query pairs for rest_path(): one, unless value is NULL; one for each word; "repo" and "tag" of a name. */
int cli_add_pair(char ***query, const char *name, const char *value);
int cli_add_pairs(char ***query, const char *name, char *const *values);
int cli_add_target(char ***query, const char *name);

/* docker's point in time (RFC 3339, or a duration before now) → seconds since the epoch with a fraction, which the API wants. option: its name, for the
 * error; NULL: not told. */
int cli_point_in_time(const char *value, const char *option, char **ret, Error *reterr);

/* A list endpoint with filters; member (or NULL) of the answer is the list; sorted by a text, numbers in it as numbers ("a2" before "a10"). */
int cli_list(Cli *cli, const char *path, const char *sort_by, const char *member,
        char *const *filters, Json **ret, Error *reterr);
/* "key=value" words (without "=": value "") into an object. */
int cli_set_pairs(Json *object, char *const *words);

/* Tables that system df shows as well. whole: ids are not cut. */
int images_print(const Json *images, const char *format, const char *table, bool whole,
        bool digests, Error *reterr);
int containers_print(
        const Json *containers, const char *format, const char *table, bool whole, Error *reterr);
int volumes_print(const Json *volumes, const char *format, const char *table, Error *reterr);

/* A list of documents as inspect prints it: JSON, or each through format. */
int inspect_print(const Json *list, const char *format, Error *reterr);
