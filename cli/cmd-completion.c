/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion of words in shells: the scripts are small and ask "stauer __complete WORD...", which looks in the same tables as everything else and asks
 * the engine for names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client-config.h"
#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define FILES ":files" /* the shell completes names of files itself */

/* bash cuts words at ":" and "=": they are put together again, and of what is found only the part behind the last cut is wanted. */
static const char bash_script[] =
        "_stauer() {\n"
        "        local line cut last= i IFS=$'\\n'\n"
        "        local -a words=()\n"
        "        for ((i = 1; i <= COMP_CWORD; i++)); do\n"
        "                if [[ $i -gt 1 && (${COMP_WORDS[i]} == [:=]* || $last == *[:=]) ]]; then\n"
        "                        words[${#words[@]}-1]+=${COMP_WORDS[i]}\n"
        "                else\n"
        "                        words+=(\"${COMP_WORDS[i]}\")\n"
        "                fi\n"
        "                last=${COMP_WORDS[i]}\n"
        "        done\n"
        "        last=${words[${#words[@]}-1]}\n"
        "        cut=${last%\"${last##*[:=]}\"}\n"
        "        COMPREPLY=()\n"
        "        while read -r line; do\n"
        "                if [[ $line == :files ]]; then\n"
        "                        compopt -o default\n"
        "                else\n"
        "                        COMPREPLY+=(\"${line#\"$cut\"}\")\n"
        "                fi\n"
        "        done < <(stauer __complete -- \"${words[@]}\" 2>/dev/null)\n"
        "        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[:=] ]] && compopt -o nospace\n"
        "}\n"
        "complete -F _stauer stauer\n";

static const char zsh_script[] = "#compdef stauer\n"
                                 "_stauer() {\n"
                                 "        local -a found\n"
                                 "        found=(\"${(@f)$(stauer __complete -- "
                                 "\"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
                                 "        (( ${found[(I):files]} )) && _files\n"
                                 "        found=(${${found:#}:#:files})\n"
                                 "        compadd -S '' -- ${(M)found:#*[:=]}\n"
                                 "        compadd -- ${found:#*[:=]}\n"
                                 "}\n"
                                 "compdef _stauer stauer\n";

static const char fish_script[] =
        "function __stauer_complete\n"
        "        set -l words (commandline -opc) (commandline -ct)\n"
        "        stauer __complete -- $words[2..-1] 2>/dev/null | string match -v ':files'\n"
        "end\n"
        "complete -c stauer -f -a '(__stauer_complete)'\n"
        "complete -c stauer -n 'stauer __complete -- (commandline -opc)[2..-1] (commandline -ct) "
        "2>/dev/null | string match -q :files' -F\n";

static int cmd_completion(Cli *cli, const Options *o, Error *reterr) {
        const char *shell = options_arguments(o)[0];

        if (streq(shell, "bash"))
                fputs(bash_script, stdout);
        else if (streq(shell, "zsh"))
                fputs(zsh_script, stdout);
        else if (streq(shell, "fish"))
                fputs(fish_script, stdout);
        else
                return error_set(reterr, ERROR_INVALID,
                        "no completion for the shell \"%s\": bash, zsh or fish", shell);
        return 0;
}

/* ---- candidates ---- */

static void offer(const char *word, const char *candidate) {
        if (candidate && str_starts(candidate, word) && !str_needs_escape(candidate))
                puts(candidate);
}

static void offer_name(const char *word, const char *name, const char *end) {
        _cleanup_(freep) char *text = name ? str_concat(name + (name[0] == '/'), end) : NULL;

        offer(word, text);
}

/* end: what stands behind each. */
static void offer_names(Cli *cli, const char *word, const char *path, const char *list_key,
        const char *name_key, const char *end) {
        _cleanup_(json_unrefp) Json *answer = NULL;
        const char *key, *k;
        RestClient *c;
        Json *row, *name;

        if (cli_client(cli, &c, NULL) < 0 || rest_call(c, "GET", path, NULL, &answer, NULL) < 0)
                return;
        JSON_FOREACH (key, row, list_key ? json_get(answer, list_key) : answer) {
                const Json *names = json_get(row, name_key);

                if (json_to_text(names))
                        offer_name(word, json_to_text(names), end);
                JSON_FOREACH (k, name, names)
                        offer_name(word, json_to_text(name), end);
        }
}

static void offer_objects(Cli *cli, const char *word, const char *kind) {
        static const struct {
                const char *kind, *path, *list, *name, *end;
        } lists[] = {
                { "container", "/containers/json?all=1", NULL, "Names", "" },
                { "copy", "/containers/json?all=1", NULL, "Names", ":" },
                { "running", "/containers/json", NULL, "Names", "" },
                { "image", "/images/json", NULL, "RepoTags", "" },
                { "network", "/networks", NULL, "Name", "" },
                { "volume", "/volumes", "Volumes", "Name", "" },
        };
        _cleanup_(strv_freep) char **names = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                if (streq(kind, lists[i].kind))
                        offer_names(cli, word, lists[i].path, lists[i].list, lists[i].name,
                                lists[i].end);
        if (STR_IN_SET(kind, "file", "copy"))
                puts(FILES);
        else if (streq(kind, "context")) {
                offer(word, "default");
                if (context_list(cli->config, &names) >= 0)
                        STRV_FOREACH (name, names)
                                offer(word, *name);
        }
}

static void offer_commands(const char *word, const char *group) {
        static const char *const management[] = { "container", "context", "image", "network",
                "system", "volume", NULL };

        for (size_t t = 0; command_tables[t]; t++)
                for (const Command *c = command_tables[t]; c->name; c++) {
                        if (c->hidden)
                                continue;
                        if (group && c->group && streq(c->group, group))
                                offer(word, c->name);
                        else if (!group)
                                offer(word, c->alias ? c->alias : c->group ? NULL : c->name);
                }
        for (size_t i = 0; !group && management[i]; i++)
                if (command_group_help(management[i]))
                        offer(word, management[i]);
}

static void offer_options(const char *word, const Option *table) {
        for (const Option *o = table; o && o->name; o++) {
                _cleanup_(freep) char *text = str_concat("--", o->name);

                if (o->help)
                        offer(word, text);
        }
        offer(word, "--help");
}

/* What stands behind an option: what its name or its kind says. */
static void offer_value(Cli *cli, const char *word, const Option *o) {
        static const struct {
                const char *option, *kind;
        } kinds[] = { { "network", "network" }, { "volumes-from", "container" },
                { "link", "container" }, { "from", "context" }, { "context", "context" },
                { "config-from", "network" } };

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (streq(kinds[i].option, o->name)) {
                        offer_objects(cli, word, kinds[i].kind);
                        return;
                }
        puts(FILES);
}

/* The option that wants the word behind this one; NULL: none does. */
static const Option *wants_value(const Option *table, const char *word) {
        const Option *o = NULL;

        if (!word || word[0] != '-' || !word[1] || strchr(word, '='))
                return NULL;
        if (word[1] == '-')
                o = options_find(table, word + 2);
        else
                for (const Option *p = table; p && p->name; p++)
                        if (p->letter == word[strlen(word) - 1])
                                o = p;
        return o && o->kind != OPTION_FLAG ? o : NULL;
}

/* Arguments of a command so far, options and their values left out. */
static size_t count_arguments(const Command *c, char *const *words, size_t n) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                if (wants_value(c->options, words[i]))
                        i++;
                else if (words[i][0] != '-')
                        count++;
        }
        return count;
}

static void offer_arguments(Cli *cli, const Command *c, const char *word, size_t n) {
        if (c->max_arguments >= 0 && n >= (size_t) c->max_arguments)
                return;
        if (n > 0 && c->own_arguments) {
                puts(FILES);
                return;
        }
        if (n == 1 && STR_IN_SET(c->name, "connect", "disconnect"))
                offer_objects(cli, word, "container");
        else if (c->completes && (n == 0 || c->max_arguments != 2 || streq(c->completes, "copy")))
                offer_objects(cli, word, c->completes);
}

static int cmd_complete(Cli *cli, const Options *o, Error *reterr) {
        char *const *words = options_arguments(o);
        size_t n = options_count(o), i = 0;
        const char *word, *group = NULL;
        const Option *option;
        const Command *c;

        if (n == 0)
                return 0;
        word = words[n - 1];

        for (; i < n - 1 && words[i][0] == '-'; i++) /* global options */
                if (wants_value(global_options, words[i])) {
                        if (i + 1 == n - 1) {
                                offer_value(cli, word, wants_value(global_options, words[i]));
                                return 0;
                        }
                        i++;
                }
        if (i < n - 1 && command_group_help(words[i]))
                group = words[i++];
        if (i >= n - 1) {
                if (word[0] == '-' && !group)
                        offer_options(word, global_options);
                else
                        offer_commands(word, group);
                return 0;
        }

        c = command_find(group, words[i++]);
        if (!c)
                return 0;
        option = i < n - 1 ? wants_value(c->options, words[n - 2]) : NULL;
        if (option)
                offer_value(cli, word, option);
        else if (word[0] == '-')
                offer_options(word, c->options);
        else
                offer_arguments(cli, c, word, count_arguments(c, words + i, n - 1 - i));
        return 0;
}

/* clang-format off */
const Command completion_commands[] = {
        { NULL, "completion", NULL, "bash|zsh|fish", "Print the shell's completion script", NULL, 1, 1, false, 0, cmd_completion },
        { NULL, "__complete", NULL, "WORD...", "Words that fit the last one", NULL, 0, -1, true, 0, cmd_complete, NULL, true },
        {}
};
/* clang-format on */
