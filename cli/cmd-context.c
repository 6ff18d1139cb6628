/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd-context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client-config.h"
#include "cli/commands.h"
#include "cli/endpoint.h"
#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define DEFAULT_DESCRIPTION "Current DOCKER_HOST based configuration"

static void warn_about_environment(const char *what) {
        if (str_empty(getenv("DOCKER_HOST")))
                return;
        fflush(stdout);
        fprintf(stderr,
                "Warning: DOCKER_HOST environment variable overrides the active context. To use "
                "%s, "
                "either set the global --context flag, or unset DOCKER_HOST environment "
                "variable.\n",
                what);
}

int context_default_host(const Cli *cli, char **ret, Error *reterr) {
        const char *host = options_string(cli->globals, "host");
        _cleanup_(endpoint_done) Endpoint e = {};
        int r;

        r = endpoint_parse(host ? host : getenv("DOCKER_HOST"), false, &e, reterr);
        return r < 0 ? r : str_copy(ret, e.shown);
}

/* ---- ls ---- */

static int get_current(Buffer *b, const Json *source, const void *userdata) {
        return buffer_append_string(b, json_get_bool(source, "Current", false) ? "true" : "false");
}

static int get_description(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Description");
}

static int get_endpoint(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Host");
}

static int get_error(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Error");
}

static int get_name(Buffer *b, const Json *source, const void *userdata) {
        return row_text(b, source, "Name");
}

/* clang-format off */
static const RowField context_fields[] = {
        { "Current",        "",                get_current, true },
        { "Description",    "DESCRIPTION",     get_description },
        { "DockerEndpoint", "DOCKER ENDPOINT", get_endpoint },
        { "Error",          "ERROR",           get_error },
        { "Name",           "NAME",            get_name },
        {}
};
/* clang-format on */

static const RowKind context_kind = { "*formatter.clientContextContext", context_fields, NULL };

static int add_row(
        Json *rows, const char *name, const char *description, const char *host, bool current) {
        Json *row;
        int r;

        r = json_append_new_object(rows, &row);
        if (r >= 0)
                r = json_set_text(row, "Name", name);
        if (r >= 0)
                r = json_set_text(row, "Description", str_or_empty(description));
        if (r >= 0)
                r = json_set_text(row, "Host", str_or_empty(host));
        return r < 0 ? r : json_set_bool(row, "Current", current);
}

static int add_context(Cli *cli, Json *rows, const char *name, const char *current) {
        _cleanup_(context_freep) Context *x = NULL;
        _cleanup_(freep) char *host = NULL;
        int r;

        if (streq(name, "default")) {
                r = context_default_host(cli, &host, NULL);
                return r < 0 ? r
                             : add_row(rows, name, DEFAULT_DESCRIPTION, host, streq(name, current));
        }
        r = context_load(cli->config, name, &x, NULL);
        return r < 0 ? r : add_row(rows, name, x->description, x->host, streq(name, current));
}

static int cmd_ls(Cli *cli, const Options *o, Error *reterr) {
        const char *format = options_string(o, "format"), *current;
        _cleanup_(json_unrefp) Json *rows = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = cli_context(cli, &current, reterr);
        if (r >= 0)
                r = context_list(cli->config, &names);
        if (r >= 0)
                r = strv_add(&names, "default");
        if (r >= 0)
                r = json_new_list(&rows);
        strv_sort(names);
        STRV_FOREACH (name, names)
                if (r >= 0)
                        r = add_context(cli, rows, *name, current);
        if (r < 0)
                return r;

        if (options_flag(o, "quiet"))
                format = "{{.Name}}";
        r = rows_print(&context_kind, format,
                "table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t"
                "{{.Error}}",
                rows, NULL, reterr);
        if (r >= 0)
                warn_about_environment("a context");
        return r;
}

/* ---- show, use ---- */

static int cmd_show(Cli *cli, const Options *o, Error *reterr) {
        const char *name;
        int r;

        r = cli_context(cli, &name, reterr);
        if (r >= 0)
                puts(name);
        return r;
}

static int cmd_use(Cli *cli, const Options *o, Error *reterr) {
        const char *name = options_arguments(o)[0];
        bool is_default = streq(name, "default");
        _cleanup_(context_freep) Context *x = NULL;
        _cleanup_(freep) char *quoted = NULL;
        int r = 0;

        if (!is_default)
                r = context_load(cli->config, name, &x, reterr);
        if (r >= 0)
                r = client_config_set(
                        cli->config, "currentContext", is_default ? NULL : name, reterr);
        if (r < 0)
                return r;
        quoted = str_concat("\"", name, "\"");
        printf("%s\n", name);
        fflush(stdout);
        fprintf(stderr, "Current context is now \"%s\"\n", name);
        if (!is_default && quoted)
                warn_about_environment(quoted);
        return 0;
}

/* ---- create, update ---- */

/* --docker "host=tcp://x,ca=FILE,cert=FILE,key=FILE,skip-tls-verify=true" */
static int set_endpoint(Context *x, Endpoint *files, char *const *words, Error *reterr) {
        struct {
                const char *key;
                char **target;
        } keys[] = { { "host", &x->host }, { "ca", &files->ca }, { "cert", &files->cert },
                { "key", &files->key } };

        STRV_FOREACH (word, words) {
                _cleanup_(freep) char *key = NULL, *value = NULL;
                bool known = false;
                int r;

                r = str_split_pair(*word, '=', &key, &value);
                if (r < 0)
                        return r == -ENOMEM ? r
                                            : error_set(reterr, ERROR_INVALID,
                                                      "invalid argument \"%s\" for \"--docker\" "
                                                      "flag: %s must be formatted as key=value",
                                                      *word, *word);
                for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                        if (streq(keys[i].key, key)) {
                                r = str_copy(keys[i].target, value);
                                if (r < 0)
                                        return r;
                                known = true;
                        }
                if (streq(key, "skip-tls-verify"))
                        x->skip_verify = streq(value, "true") || streq(value, "1");
                else if (!known)
                        return error_set(reterr, ERROR_INVALID,
                                "unable to create docker endpoint config: unrecognized config key: "
                                "%s",
                                key);
        }
        return 0;
}

static int check_host(const Context *x, Error *reterr) {
        _cleanup_(endpoint_done) Endpoint e = {};

        if (str_empty(x->host))
                return 0;
        return endpoint_parse(x->host, false, &e, reterr);
}

/* --from: everything of the other context, its TLS material too. */
static int copy_from(Cli *cli, const char *from, Context *x, Endpoint *files, Error *reterr) {
        _cleanup_(context_freep) Context *other = NULL;
        int r;

        if (streq(from, "default"))
                return context_default_host(cli, &x->host, reterr);
        r = context_load(cli->config, from, &other, reterr);
        if (r < 0)
                return r;

        x->skip_verify = other->skip_verify;
        r = str_copy(&x->host, other->host);
        if (r >= 0)
                r = str_copy(&x->description, other->description);
        if (r >= 0 && other->ca)
                files->ca = path_join(other->tls_folder, "docker/ca.pem");
        if (r >= 0 && other->cert)
                files->cert = path_join(other->tls_folder, "docker/cert.pem");
        if (r >= 0 && other->key)
                files->key = path_join(other->tls_folder, "docker/key.pem");
        return r;
}

int context_check_new(const Cli *cli, const char *name, Error *reterr) {
        _cleanup_(context_freep) Context *there = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        if (streq(name, "default"))
                return error_set(reterr, ERROR_INVALID, "\"default\" is a reserved context name");
        if (!context_name_is_valid(name))
                return error_set(reterr, ERROR_INVALID,
                        "context name \"%s\" is invalid, names are validated against regexp "
                        "\"^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$\"",
                        name);

        r = context_load(cli->config, name, &there, &e);
        if (r >= 0)
                return error_set(reterr, ERROR_EXISTS, "context \"%s\" already exists", name);
        if (r != -ENOENT) { /* there, but not to be read: nothing of it is ours to replace */
                error_move(reterr, &e);
                return r;
        }
        return 0;
}

static int cmd_create(Cli *cli, const Options *o, Error *reterr) {
        const char *name = options_arguments(o)[0], *from = options_string(o, "from"), *current;
        _cleanup_(context_freep) Context *x = NULL;
        _cleanup_(endpoint_done) Endpoint files = {};
        int r;

        r = context_check_new(cli, name, reterr);
        if (r < 0)
                return r;

        x = new0(Context, 1);
        if (!x)
                return -ENOMEM;
        r = str_copy(&x->name, name);
        if (r >= 0 && !from && !options_given(o, "docker")) {
                r = cli_context(cli, &current, reterr);
                from = current;
        }
        if (r >= 0 && from)
                r = copy_from(cli, from, x, &files, reterr);
        if (r >= 0 && from && streq(from, "default") && !options_given(o, "description"))
                r = str_copy(&x->description, DEFAULT_DESCRIPTION);
        if (r >= 0 && options_given(o, "description"))
                r = str_copy(&x->description, options_string(o, "description"));
        if (r >= 0)
                r = set_endpoint(x, &files, options_list(o, "docker"), reterr);
        if (r >= 0)
                r = check_host(x, reterr);
        if (r >= 0)
                r = context_save(cli->config, x, &files, reterr);
        if (r < 0)
                return r;
        printf("%s\n", name);
        fflush(stdout);
        fprintf(stderr, "Successfully created context \"%s\"\n", name);
        return 0;
}

static int cmd_update(Cli *cli, const Options *o, Error *reterr) {
        const char *name = options_arguments(o)[0];
        _cleanup_(context_freep) Context *x = NULL;
        _cleanup_(endpoint_done) Endpoint files = {};
        int r;

        r = context_load(cli->config, name, &x, reterr);
        if (r >= 0 && options_given(o, "description"))
                r = str_copy(&x->description, options_string(o, "description"));
        if (r >= 0)
                r = set_endpoint(x, &files, options_list(o, "docker"), reterr);
        if (r >= 0)
                r = check_host(x, reterr);
        if (r >= 0)
                r = context_save(cli->config, x, &files, reterr);
        if (r < 0)
                return r;
        printf("%s\n", name);
        fflush(stdout);
        fprintf(stderr, "Successfully updated context \"%s\"\n", name);
        return 0;
}

/* ---- rm ---- */

static int remove_one(Cli *cli, const char *name, bool force, Error *reterr) {
        const char *current = json_get_text(cli_config(cli), "currentContext");
        _cleanup_(context_freep) Context *x = NULL;
        int r;

        if (streq(name, "default"))
                return error_set(reterr, ERROR_INVALID, "context \"default\" cannot be removed");
        if (context_load(cli->config, name, &x, NULL) < 0 && !force)
                return error_set(reterr, ERROR_NOT_FOUND, "context \"%s\" does not exist", name);
        if (current && streq(current, name)) {
                if (!force)
                        return error_set(reterr, ERROR_CONFLICT,
                                "context \"%s\" is in use, set -f flag to force remove", name);
                r = client_config_set(cli->config, "currentContext", NULL, reterr);
                if (r < 0)
                        return r;
        }
        r = context_remove(cli->config, name, reterr);
        if (r >= 0)
                puts(name);
        return r;
}

static int cmd_rm(Cli *cli, const Options *o, Error *reterr) {
        int status = 0;

        STRV_FOREACH (name, options_arguments(o)) {
                _cleanup_(error_done) Error e = {};
                int r = remove_one(cli, *name, options_flag(o, "force"), &e);

                if (r < 0) {
                        cli_print_error(&e, r);
                        status = 1;
                }
        }
        return status;
}

/* clang-format off */
#define DOCKER { "docker", 0, OPTION_STRINGS, "stringToString", "The engine: host=…, ca=FILE, cert=FILE, key=FILE, skip-tls-verify=true" }

static const Option ls_options[] = {
        { "format", 0,   OPTION_STRING, "string", OPTION_FORMAT_HELP },
        { "quiet",  'q', OPTION_FLAG,   NULL,     "Only show context names" },
        {}
};

static const Option create_options_[] = {
        { "description", 0, OPTION_STRING, "string", "Description of the context" },
        DOCKER,
        { "from",        0, OPTION_STRING, "string", "Begin with a copy of this context" },
        {}
};

static const Option update_options[] = {
        { "description", 0, OPTION_STRING, "string", "Description of the context" },
        DOCKER,
        {}
};

static const Option rm_options[] = {
        { "force", 'f', OPTION_FLAG, NULL, "Also one that is in use" },
        {}
};

const Command context_commands[] = {
        { "context", "create",  NULL, "[OPTIONS] CONTEXT",             "Create a context",                    create_options_, 1, 1,  false, 0, cmd_create },
        { "context", "ls",      NULL, "[OPTIONS]",                     "List contexts",                       ls_options,      0, 0,  false, 0, cmd_ls },
        { "context", "rm",      NULL, "CONTEXT [CONTEXT...]",          "Remove one or more contexts",         rm_options,      1, -1, false, 0, cmd_rm, "context" },
        { "context", "show",    NULL, "",                              "Print the name of the context in use", NULL,           0, 0,  false, 0, cmd_show },
        { "context", "update",  NULL, "[OPTIONS] CONTEXT",             "Update a context",                    update_options,  1, 1,  false, 0, cmd_update, "context" },
        { "context", "use",     NULL, "CONTEXT",                       "Set the current context",             NULL,            1, 1,  false, 0, cmd_use, "context" },
        {}
};
/* clang-format on */
