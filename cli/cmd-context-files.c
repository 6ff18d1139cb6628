/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A context as a whole: looked at, written to a file, read from one. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/client-config.h"
#include "cli/cmd-context.h"
#include "cli/commands.h"
#include "cli/context-archive.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

static int describe_tls(const Context *x, Json *material) {
        Json *docker;
        int r;

        if (!x->ca && !x->cert && !x->key)
                return 0;
        r = json_set_new_list(material, "docker", &docker);
        if (r >= 0 && x->ca)
                r = json_append_text(docker, "ca.pem");
        if (r >= 0 && x->cert)
                r = json_append_text(docker, "cert.pem");
        if (r >= 0 && x->key)
                r = json_append_text(docker, "key.pem");
        return r;
}

static int describe(Cli *cli, const char *name, Json **ret, Error *reterr) {
        _cleanup_(context_freep) Context *x = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *host = NULL;
        Json *metadata, *endpoints, *docker, *tls, *storage;
        bool is_default = streq(name, "default");
        int r;

        r = is_default ? context_default_host(cli, &host, reterr)
                       : context_load(cli->config, name, &x, reterr);
        if (r >= 0)
                r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Name", name);
        if (r >= 0 && x && json_get(x->document, "Metadata"))
                r = json_set(v, "Metadata", json_get(x->document, "Metadata"));
        else if (r >= 0)
                r = json_set_new_object(v, "Metadata", &metadata);
        if (r >= 0 && x && json_get(x->document, "Endpoints"))
                r = json_set(v, "Endpoints", json_get(x->document, "Endpoints"));
        else if (r >= 0) {
                r = json_set_new_object(v, "Endpoints", &endpoints);
                if (r >= 0)
                        r = json_set_new_object(endpoints, "docker", &docker);
                if (r >= 0)
                        r = json_set_text(docker, "Host", host);
                if (r >= 0)
                        r = json_set_bool(docker, "SkipTLSVerify", false);
        }
        if (r >= 0)
                r = json_set_new_object(v, "TLSMaterial", &tls);
        if (r >= 0 && x)
                r = describe_tls(x, tls);
        if (r >= 0)
                r = json_set_new_object(v, "Storage", &storage);
        if (r >= 0)
                r = json_set_text(storage, "MetadataPath", x ? x->meta_folder : "<IN MEMORY>");
        if (r >= 0)
                r = json_set_text(storage, "TLSPath", x ? x->tls_folder : "<IN MEMORY>");
        if (r >= 0)
                *ret = TAKE_PTR(v);
        return r;
}

/* ---- export, import ---- */

static int cmd_export(Cli *cli, const Options *o, Error *reterr) {
        const char *name = options_arguments(o)[0], *given = options_arguments(o)[1];
        _cleanup_(context_freep) Context *x = NULL;
        _cleanup_(freep) char *file = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(json_unrefp) Json *v = NULL;
        bool to_stdout = given && streq(given, "-");
        int r;

        /* "default" is in no file: its archive has what inspect says of it, without where it lies. */
        r = streq(name, "default") ? describe(cli, name, &v, reterr)
                                   : context_load(cli->config, name, &x, reterr);
        if (r < 0)
                return r;
        if (v) {
                json_unset(v, "TLSMaterial");
                json_unset(v, "Storage");
        }

        if (to_stdout) {
                if (isatty(STDOUT_FILENO))
                        return error_set(reterr, ERROR_INVALID,
                                "cowardly refusing to export to a terminal, specify a file path");
                return context_export(cli->config, name, v, STDOUT_FILENO, reterr);
        }

        file = given ? strdup(given) : str_concat(name, ".dockercontext");
        if (!file)
                return -ENOMEM;
        fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "open %s", file);
        r = context_export(cli->config, name, v, fd, reterr);
        if (r < 0) {
                (void) unlink(file);
                return r;
        }
        fprintf(stderr, "Written file \"%s\"\n", file);
        return 0;
}

static int cmd_import(Cli *cli, const Options *o, Error *reterr) {
        const char *name = options_arguments(o)[0], *file = options_arguments(o)[1];
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = context_check_new(cli, name, reterr);
        if (r < 0)
                return r;
        fd = streq(file, "-") ? fd_dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "open %s", file);
        r = context_import(cli->config, name, fd, reterr);
        if (r < 0)
                return r;
        puts(name);
        fflush(stdout);
        fprintf(stderr, "Successfully imported context \"%s\"\n", name);
        return 0;
}

static int cmd_inspect(Cli *cli, const Options *o, Error *reterr) {
        char *const *names = options_arguments(o);
        _cleanup_(json_unrefp) Json *list = NULL;
        _cleanup_(error_done) Error e = {};
        const char *current;
        int r, failed = 0;

        r = json_new_list(&list);
        if (r >= 0)
                r = cli_context(cli, &current, reterr);
        if (r < 0)
                return r;

        for (size_t i = 0; i < MAX(options_count(o), (size_t) 1); i++) {
                _cleanup_(json_unrefp) Json *v = NULL;
                _cleanup_(error_done) Error one = {};

                r = describe(cli, names[0] ? names[i] : current, &v, &one);
                if (r >= 0)
                        r = json_append(list, v);
                else if (!failed) {
                        failed = r;
                        error_move(&e, &one);
                        r = 0;
                }
        }
        if (r >= 0)
                r = inspect_print(list, options_string(o, "format"), reterr);
        if (r == 0 && failed) {
                error_move(reterr, &e);
                return failed;
        }
        return r;
}

/* clang-format off */
static const Option inspect_options[] = {
        { "format", 'f', OPTION_STRING, "string", OPTION_DOCUMENT_HELP },
        {}
};

const Command context_files_commands[] = {
        { "context", "export",  NULL, "[OPTIONS] CONTEXT [FILE|-]",    "Export a context to a tar archive FILE or a tar stream on STDOUT", NULL, 1, 2, false, 0, cmd_export, "context" },
        { "context", "import",  NULL, "CONTEXT FILE|-",                "Import a context from a tar archive or from STDIN", NULL, 2, 2, false, 0, cmd_import, "file" },
        { "context", "inspect", NULL, "[OPTIONS] [CONTEXT] [CONTEXT...]", "Display detailed information on contexts", inspect_options, 0, -1, false, 0, cmd_inspect, "context" },
        {}
};
/* clang-format on */
