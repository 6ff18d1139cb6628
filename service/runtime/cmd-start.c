/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/parse.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/args.h"
#include "service/runtime/cgroup.h"
#include "service/runtime/commands.h"
#include "service/runtime/hooks.h"
#include "service/runtime/state.h"
#include "service/runtime/sync.h"

static int open_state(const Globals *g, const char *id, bool lock, State *ret, Error *reterr) {
        _cleanup_(fd_closep) int root_fd = -EBADF;

        root_fd = state_root_open(g->root, /* make= */ false, NULL);
        if (root_fd < 0 && root_fd != -ENOENT)
                return error_set_errno(reterr, root_fd, "open the state root %s", g->root);
        return state_load(root_fd, id, lock, ret, reterr);
}

static int one_id(char **argv, const char **ret, Error *reterr) {
        static const Arg table[] = { {} };
        const char *words[2];
        int r;

        r = args_parse(argv, table, words, 1, 1, reterr);
        if (r < 0)
                return r;
        *ret = words[0];
        return 0;
}

int command_start(const Globals *g, char **argv, Error *reterr) {
        _cleanup_(state_done) State s = { .dir_fd = -EBADF };
        _cleanup_(freep) char *document = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *id;
        StateStatus status;
        int r;

        r = one_id(argv, &id, reterr);
        if (r >= 0)
                r = open_state(g, id, /* lock= */ true, &s, reterr);
        if (r >= 0)
                r = state_status(&s, &status, reterr);
        if (r < 0)
                return r;
        if (status != STATE_CREATED)
                return error_set(reterr, ERROR_CONFLICT, "cannot start a container that is %s",
                        status == STATE_RUNNING || status == STATE_PAUSED
                                ? "already running"
                                : state_status_to_string(status));

        fd = fd_connect_at(s.dir_fd, STATE_SOCKET, SOCK_SEQPACKET);
        r = fd < 0 ? fd : sync_send(fd, SYNC_READY);
        if (r < 0)
                return error_set_errno(reterr, r, "reach the waiting container");

        /* From here on the attempt is used up, whatever comes of it. */
        r = sync_receive_end(fd, reterr);
        (void) unlinkat(s.dir_fd, STATE_SOCKET, 0);
        if (r < 0)
                return error_prefix(reterr, r, "unable to start container process");

        if (s.hooks && s.hooks->n_poststart > 0) {
                r = state_document(&s, STATE_RUNNING, /* pretty= */ false, &document);
                if (r >= 0)
                        r = hooks_run_all("poststart", s.hooks->poststart, s.hooks->n_poststart,
                                document, reterr);
        }
        return r < 0 ? r : 0;
}

int command_kill(const Globals *g, char **argv, Error *reterr) {
        _cleanup_(state_done) State s = { .dir_fd = -EBADF };
        _cleanup_(fd_closep) int pidfd = -EBADF;
        const char *words[3], *by_option = NULL;
        bool all = false;
        const Arg table[] = { { "all", 'a', ARG_FLAG, &all },
                { "signal", 's', ARG_STRING, &by_option }, {} };
        StateStatus status;
        int sig = SIGTERM, r;

        r = args_parse(argv, table, words, 1, 2, reterr);
        if (r < 0)
                return r;
        if (words[1])
                by_option = words[1];
        if (by_option && parse_signal(by_option, &sig) < 0)
                return error_set(reterr, ERROR_INVALID, "unknown signal \"%s\"", by_option);

        r = open_state(g, words[0], /* lock= */ false, &s, reterr);
        if (r >= 0)
                r = state_status(&s, &status, reterr);
        if (r < 0)
                return r;

        if (all && s.cgroup_path) {
                r = cgroup_signal(s.cgroup_path, sig, reterr);
                return r < 0 ? r : 0;
        }
        if (status == STATE_STOPPED || status == STATE_CREATING)
                return error_set(reterr, ERROR_NOT_RUNNING, "container not running");

        pidfd = state_pidfd(&s);
        if (pidfd < 0)
                return error_set(reterr, ERROR_NOT_RUNNING, "container not running");
        /* The first process alone, as the specification says; --all is for those that do not share its fate. */
        r = process_kill(pidfd, sig);
        return r < 0 ? error_set_errno(reterr, r, "send signal %d", sig) : 0;
}

static int freeze(const Globals *g, char **argv, bool freeze, Error *reterr) {
        _cleanup_(state_done) State s = { .dir_fd = -EBADF };
        StateStatus status;
        const char *id;
        int r;

        r = one_id(argv, &id, reterr);
        if (r >= 0)
                r = open_state(g, id, /* lock= */ false, &s, reterr);
        if (r >= 0)
                r = state_status(&s, &status, reterr);
        if (r < 0)
                return r;
        if (freeze ? status != STATE_RUNNING && status != STATE_CREATED : status != STATE_PAUSED)
                return error_set(reterr, ERROR_CONFLICT, "container is %s, not %s",
                        state_status_to_string(status), freeze ? "running" : "paused");
        if (!s.cgroup_path)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "a container without a cgroup cannot be paused");

        r = cgroup_freeze(s.cgroup_path, freeze, reterr);
        return r < 0 ? r : 0;
}

int command_pause(const Globals *g, char **argv, Error *reterr) {
        return freeze(g, argv, true, reterr);
}

int command_resume(const Globals *g, char **argv, Error *reterr) {
        return freeze(g, argv, false, reterr);
}
