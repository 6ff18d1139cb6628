/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/args.h"
#include "service/runtime/cgroup.h"
#include "service/runtime/commands.h"
#include "service/runtime/state.h"

static int open_root(const Globals *g, Error *reterr) {
        int fd;

        fd = state_root_open(g->root, /* make= */ false, NULL);
        if (fd < 0 && fd != -ENOENT)
                return error_set_errno(reterr, fd, "open the state root %s", g->root);
        return fd;
}

static int print_json(const Json *v, JsonFormat format) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = json_print(v, format, &text);
        if (r < 0)
                return r;
        (void) fputs(text, stdout);
        if (format == JSON_COMPACT)
                (void) putchar('\n');
        return fflush(stdout) < 0 ? -errno : 0;
}

/* What the specification has, and what callers of runc and crun look for beside it. */
static int describe(const State *s, Json **ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        char created[CLOCK_TEXT_SIZE];
        StateStatus status;
        int r;

        r = state_status(s, &status, reterr);
        if (r >= 0)
                r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "ociVersion", RUNTIME_SPEC_VERSION);
        if (r >= 0)
                r = json_set_text(v, "id", s->id);
        if (r >= 0)
                r = json_set_int64(v, "pid", status == STATE_STOPPED ? 0 : s->pid);
        if (r >= 0)
                r = json_set_text(v, "status", state_status_to_string(status));
        if (r >= 0)
                r = json_set_text(v, "bundle", str_or_empty(s->bundle));
        if (r >= 0)
                r = json_set_text(v, "rootfs", str_or_empty(s->rootfs));
        if (r >= 0)
                r = json_set_text(v, "created", clock_format(s->created, created));
        if (r >= 0 && s->scope)
                r = json_set_text(v, "systemd-scope", s->scope);
        if (r >= 0)
                r = json_set_text(v, "owner", "root");
        if (r >= 0 && s->annotations)
                r = json_set_pairs(v, "annotations", s->annotations);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}

int command_state(const Globals *g, char **argv, Error *reterr) {
        static const Arg table[] = { {} };
        _cleanup_(state_done) State s = { .dir_fd = -EBADF };
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(fd_closep) int root_fd = -EBADF;
        const char *words[2];
        int r;

        r = args_parse(argv, table, words, 1, 1, reterr);
        if (r < 0)
                return r;
        root_fd = open_root(g, reterr);
        if (root_fd < 0 && root_fd != -ENOENT)
                return root_fd;
        r = state_load(root_fd, words[0], /* lock= */ false, &s, reterr);
        if (r >= 0)
                r = describe(&s, &v, reterr);
        return r < 0 ? r : print_json(v, JSON_PRETTY);
}

static void print_row(const Json *v) {
        (void) printf("%-32s %-10" PRIi64 " %-9s %-40s %s\n", json_get_text(v, "id"),
                json_get_int64(v, "pid", 0), json_get_text(v, "status"), json_get_text(v, "bundle"),
                json_get_text(v, "created"));
}

int command_list(const Globals *g, char **argv, Error *reterr) {
        _cleanup_(json_unrefp) Json *list = NULL;
        _cleanup_(fd_closep) int root_fd = -EBADF;
        _cleanup_(strv_freep) char **ids = NULL;
        const char *words[1], *format = "table";
        bool quiet = false;
        const Arg table[] = { { "format", 'f', ARG_STRING, &format },
                { "quiet", 'q', ARG_FLAG, &quiet }, {} };
        int r;

        r = args_parse(argv, table, words, 0, 0, reterr);
        if (r < 0)
                return r;
        if (!STR_IN_SET(format, "table", "json"))
                return error_set(
                        reterr, ERROR_INVALID, "format \"%s\" is neither table nor json", format);
        root_fd = open_root(g, reterr);
        if (root_fd < 0 && root_fd != -ENOENT)
                return root_fd;
        r = root_fd < 0 ? 0 : file_list(root_fd, ".", /* hidden= */ false, &ids);
        if (r >= 0)
                r = json_new_list(&list);
        if (r < 0)
                return error_set_errno(reterr, r, "list the containers");

        if (!quiet && streq(format, "table"))
                (void) printf(
                        "%-32s %-10s %-9s %-40s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED");
        STRV_FOREACH (id, ids) {
                _cleanup_(state_done) State s = { .dir_fd = -EBADF };
                _cleanup_(json_unrefp) Json *v = NULL;

                /* Removed meanwhile, or nothing of ours. */
                if (state_load(root_fd, *id, /* lock= */ false, &s, NULL) < 0 ||
                        describe(&s, &v, NULL) < 0)
                        continue;
                if (quiet)
                        (void) printf("%s\n", *id);
                else if (streq(format, "table"))
                        print_row(v);
                else {
                        r = json_append(list, v);
                        if (r < 0)
                                return r;
                }
        }

        if (!quiet && streq(format, "json"))
                return print_json(list, JSON_COMPACT);
        return fflush(stdout) < 0 ? -errno : 0;
}

int command_ps(const Globals *g, char **argv, Error *reterr) {
        _cleanup_(state_done) State s = { .dir_fd = -EBADF };
        _cleanup_(json_unrefp) Json *list = NULL;
        _cleanup_(fd_closep) int root_fd = -EBADF, cgroup_fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        const char *words[2], *format = "table";
        const Arg table[] = { { "format", 'f', ARG_STRING, &format }, {} };
        int r;

        r = args_parse(argv, table, words, 1, 1, reterr);
        if (r < 0)
                return r;
        if (!STR_IN_SET(format, "table", "json"))
                return error_set(
                        reterr, ERROR_INVALID, "format \"%s\" is neither table nor json", format);
        root_fd = open_root(g, reterr);
        if (root_fd < 0 && root_fd != -ENOENT)
                return root_fd;
        r = state_load(root_fd, words[0], /* lock= */ false, &s, reterr);
        if (r < 0)
                return r;
        if (!s.cgroup_path)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "a container without a cgroup has no list of processes");

        cgroup_fd = cgroup_open(s.cgroup_path, reterr);
        r = cgroup_fd < 0 ? cgroup_fd
                          : file_read_at(cgroup_fd, "cgroup.procs", STATE_FILE_MAX, &text, NULL);
        if (r >= 0)
                r = json_new_list(&list);
        if (r < 0)
                return error_set_errno(reterr, r, "read the processes of the container");

        if (streq(format, "table")) {
                (void) printf("PID\n%s", text);
                return fflush(stdout) < 0 ? -errno : 0;
        }
        for (char *p = text, *line; (line = strsep(&p, "\n"));)
                if (*line) {
                        r = json_append_int64(list, strtoll(line, NULL, 10));
                        if (r < 0)
                                return r;
                }
        return print_json(list, JSON_COMPACT);
}
