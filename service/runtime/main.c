/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stauer-runtime: an OCI runtime with the command line of runc. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/args.h"
#include "service/runtime/cgroup.h"
#include "service/runtime/commands.h"
#include "service/runtime/self.h"
#include "service/runtime/state.h"
#include "stauer-config.h"

typedef struct Command {
        const char *name;
        int (*run)(const Globals *g, char **argv, Error *reterr);
        bool makes_processes; /* in a container: rule R5 */
        const char *words;
        const char *help;
} Command;

/* clang-format off */
static const Command commands[] = {
        { "create",   command_create,   true,  "[-b BUNDLE] [--console-socket PATH] [--pid-file PATH] ID", "make a container that waits for start" },
        { "delete",   command_delete,   false, "[--force] ID",          "remove what is left of a container" },
        { "exec",     command_exec,     true,  "[--detach] [--process FILE] [--tty] [--user UID[:GID]] … ID [COMMAND…]", "run one more process in a container" },
        { "features", command_features, false, "",                      "print what this runtime can do" },
        { "kill",     command_kill,     false, "[--all] ID [SIGNAL]",   "send a signal to the first process (TERM)" },
        { "list",     command_list,     false, "[--quiet] [--format table|json]", "list the containers of the state root" },
        { "pause",    command_pause,    false, "ID",                    "freeze a container" },
        { "ps",       command_ps,       false, "[--format table|json] ID", "list the processes of a container" },
        { "resume",   command_resume,   false, "ID",                    "thaw a container" },
        { "run",      command_run,      true,  "[-b BUNDLE] [--detach] [--pid-file PATH] ID", "create, start, wait and delete" },
        { "spec",     command_spec,     false, "[-b BUNDLE]",           "write a config.json to begin with" },
        { "start",    command_start,    false, "ID",                    "execute the program of a created container" },
        { "state",    command_state,    false, "ID",                    "print the state of a container" },
        {}
};
/* clang-format on */

static void print_help(void) {
        (void) printf(
                "Usage: stauer-runtime [OPTION…] COMMAND [WORD…]\n\nOCI runtime: makes containers "
                "from bundles.\n\n"
                "Options:\n"
                "  --root PATH              where the state of containers is (" STATE_ROOT ")\n"
                "  --systemd-cgroup         cgroupsPath is slice:prefix:name, made by systemd\n"
                "  --cgroup-manager NAME    cgroupfs (default), systemd or disabled\n"
                "  --log PATH               write errors to this file too\n"
                "  --log-format text|json   how\n"
                "  --version, --help\n\nCommands:\n");
        for (const Command *c = commands; c->name; c++)
                (void) printf("  %-9s %-55s %s\n", c->name, c->words, c->help);
}

static int print_version(void) {
        (void) printf("stauer-runtime version %s\nspec: %s\n+SYSTEMD +SECCOMP +CAP +EBPF\n",
                STAUER_VERSION, RUNTIME_SPEC_VERSION);
        return 0;
}

static int log_line(const Globals *g, const char *text, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        char now[CLOCK_TEXT_SIZE];
        int r;

        (void) clock_format_fixed(clock_realtime_ns(), now);
        if (!g->log_format || !streq(g->log_format, "json"))
                return str_printf(ret, "time=\"%s\" level=error msg=\"%s\"", now, text);

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "level", "error");
        if (r >= 0)
                r = json_set_text(v, "msg", text);
        if (r >= 0)
                r = json_set_text(v, "time", now);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, ret);
        return r;
}

/* Errors go to standard error, and to the log, where containerd and conmon look for them. */
static void report(const Globals *g, const char *text) {
        _cleanup_(freep) char *line = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;

        if (log_line(g, text, &line) >= 0 && g->log) {
                fd = open(g->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
                if (fd >= 0) {
                        (void) fd_write_string(fd, line);
                        (void) fd_write_string(fd, "\n");
                }
        }
        (void) fprintf(stderr, "stauer-runtime: %s\n", text);
}

static int run(Globals *g, char **argv, Error *reterr) {
        const char *manager = NULL;
        bool systemd = false, version = false, help = false;
        const Arg table[] = { { "cgroup-manager", 0, ARG_STRING, &manager },
                { "criu", 0, ARG_IGNORED, NULL }, { "debug", 0, ARG_FLAG, &g->debug },
                { "help", 'h', ARG_FLAG, &help }, { "log", 0, ARG_STRING, &g->log },
                { "log-format", 0, ARG_STRING, &g->log_format },
                { "root", 0, ARG_STRING, &g->root }, { "rootless", 0, ARG_IGNORED_FLAG, NULL },
                { "systemd-cgroup", 0, ARG_FLAG, &systemd }, { "version", 'v', ARG_FLAG, &version },
                {} };
        char **whole = argv, **rest;
        int r;

        r = args_parse_leading(argv + 1, table, &rest, reterr);
        if (r < 0)
                return r;
        if (version)
                return print_version();
        if (help || (rest[0] && streq(rest[0], "help"))) {
                print_help();
                return 0;
        }
        if (g->log_format && !STR_IN_SET(g->log_format, "text", "json"))
                return error_set(reterr, ERROR_INVALID,
                        "--log-format \"%s\" is neither text nor json", g->log_format);

        g->manager = cgroup_manager_find(systemd ? "systemd" : str_or(manager, "cgroupfs"));
        if (!g->manager)
                return error_set(reterr, ERROR_INVALID,
                        "--cgroup-manager \"%s\" is not one of cgroupfs, systemd, disabled",
                        manager);
        if (!rest[0])
                return error_set(
                        reterr, ERROR_INVALID, "no command given, see stauer-runtime --help");

        for (const Command *c = commands; c->name; c++)
                if (streq(c->name, rest[0])) {
                        r = c->makes_processes ? self_protect(whole, reterr) : 0;
                        return r < 0 ? r : c->run(g, rest + 1, reterr);
                }

        return error_set(reterr, ERROR_INVALID, "unknown command \"%s\", see stauer-runtime --help",
                rest[0]);
}

int main(int argc, char **argv) {
        _cleanup_(error_done) Error e = {};
        Globals g = { .root = STATE_ROOT };
        int r;

        /* Ours must not land on 0, 1 or 2, from where they would go to the container. */
        for (;;) {
                int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

                if (fd > 2 || fd < 0) {
                        (void) fd_close(fd);
                        break;
                }
                (void) fd_set_cloexec(fd, false);
        }

        r = run(&g, argv, &e);
        if (r < 0 || error_is_set(&e)) {
                report(&g, error_text(&e, r));
                return r < 0 ? 1 : r;
        }
        return r;
}
