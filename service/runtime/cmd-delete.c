/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/args.h"
#include "service/runtime/cgroup.h"
#include "service/runtime/commands.h"
#include "service/runtime/hooks.h"
#include "service/runtime/state.h"

/* The first process is not our child: its pidfd says when it is gone. */
static int end_process(const State *s, Error *reterr) {
        _cleanup_(fd_closep) int pidfd = -EBADF;
        int r;

        pidfd = state_pidfd(s);
        if (pidfd == -ESRCH)
                return 0;
        r = pidfd < 0 ? pidfd : process_kill(pidfd, SIGKILL);
        if (r == -ESRCH)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "kill the container");

        r = fd_wait(pidfd, POLLIN, CGROUP_WAIT_USEC);
        if (r == 0)
                r = -ETIMEDOUT;
        return r < 0 ? error_set_errno(reterr, r, "wait for the killed container") : 0;
}

/* Of a call that was killed before it had saved its State: its child ends by itself when it sees that. Nobody is killed here, for it
 * is not said that the cgroup was made by us. */
static int remove_noted_cgroup(const State *s, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (s->pid != 0 || state_noted_cgroup(s, &path) < 0)
                return 0;
        r = cgroup_empty(path, /* kill= */ false, reterr);
        return r < 0 ? r : cgroup_remove_tree(path, reterr);
}

static int remove_cgroup(const State *s, Error *reterr) {
        const CgroupManager *m;
        int r;

        if (!s->cgroup_path)
                return remove_noted_cgroup(s, reterr);
        r = cgroup_empty(s->cgroup_path, /* kill= */ true, reterr);
        if (r < 0)
                return r;
        m = s->cgroup_manager ? cgroup_manager_find(s->cgroup_manager) : NULL;
        return m && m->remove ? m->remove(s->cgroup_path, s->scope, reterr) : 0;
}

static int delete_container(int root_fd, const char *id, bool force, Error *reterr) {
        _cleanup_(state_done) State s = { .dir_fd = -EBADF };
        _cleanup_(error_done) Error later = {};
        StateStatus status;
        int r;

        r = state_load(root_fd, id, /* lock= */ true, &s, reterr);
        if (r >= 0)
                r = state_status(&s, &status, reterr);
        if (r < 0)
                return r;

        if (!force && status != STATE_STOPPED)
                return error_set(reterr, ERROR_CONFLICT,
                        "cannot delete container %s that is not stopped: %s", id,
                        state_status_to_string(status));

        r = end_process(&s, reterr);
        if (r >= 0)
                r = remove_cgroup(&s, reterr);
        if (r < 0)
                return r;
        if (s.hooks && s.hooks->n_poststop > 0) {
                _cleanup_(freep) char *document = NULL;

                /* They undo nothing here when they fail; that they failed is said once all is gone. */
                if (state_document(&s, STATE_STOPPED, /* pretty= */ false, &document) >= 0)
                        (void) hooks_run_all("poststop", s.hooks->poststop, s.hooks->n_poststop,
                                document, &later);
        }

        r = state_remove(root_fd, &s, reterr);
        if (r < 0)
                return r;
        if (error_is_set(&later))
                error_move(reterr, &later);
        return 0;
}

int command_delete(const Globals *g, char **argv, Error *reterr) {
        _cleanup_(fd_closep) int root_fd = -EBADF;
        const char *words[2];
        bool force = false;
        const Arg table[] = { { "force", 'f', ARG_FLAG, &force }, {} };
        int r;

        r = args_parse(argv, table, words, 1, 1, reterr);
        if (r < 0)
                return r;

        root_fd = state_root_open(g->root, /* make= */ false, NULL);
        if (root_fd < 0 && root_fd != -ENOENT)
                return error_set_errno(reterr, root_fd, "open the state root %s", g->root);

        r = delete_container(root_fd, words[0], force, reterr);
        if (r < 0 && force && reterr && reterr->kind == ERROR_NOT_FOUND) {
                error_done(reterr);
                return 0;
        }
        return r;
}
