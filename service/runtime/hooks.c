/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/hooks.h"

#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"

int hooks_check(const char *kind, const RuntimeHook *hooks, size_t n, Error *reterr) {
        if (n > HOOKS_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "more than %u %s hooks", HOOKS_MAX, kind);

        for (size_t i = 0; i < n; i++) {
                if (str_empty(hooks[i].path) || !path_is_absolute(hooks[i].path))
                        return error_set(reterr, ERROR_INVALID,
                                "%s hook #%zu: path \"%s\" is not absolute", kind, i,
                                str_or_empty(hooks[i].path));
                if (hooks[i].timeout != JSON_NO_INT && hooks[i].timeout <= 0)
                        return error_set(reterr, ERROR_INVALID,
                                "%s hook #%zu: timeout %d is not positive", kind, i,
                                hooks[i].timeout);
        }

        return 0;
}

static int run_one(
        const char *kind, size_t i, const RuntimeHook *h, const char *state, Error *reterr) {
        char *const plain[] = { h->path, NULL };
        uint64_t seconds = h->timeout == JSON_NO_INT ? HOOK_TIME_MAX_SEC : (uint64_t) h->timeout;
        _cleanup_(freep) char *output = NULL;
        _cleanup_(fd_closep) int state_fd = -EBADF;
        ProcessSpec spec = {
                .path = h->path,
                .argv = h->args && h->args[0] ? h->args : plain,
                .env = h->env,
                .keep_dir = true,
        };
        ProcessFd in;
        int r;

        state_fd = fd_memfd_sealed("state", state, strlen(state));
        if (state_fd < 0)
                return error_set_errno(reterr, state_fd, "%s hook #%zu: state", kind, i);
        in = (ProcessFd) { .fd = state_fd, .target = 0 };
        spec.fds = &in;
        spec.n_fds = 1;

        r = process_run(&spec, seconds * USEC_PER_SEC, HOOK_OUTPUT_MAX, &output);
        if (r == -ETIMEDOUT)
                return error_set(reterr, ERROR_TIMEOUT,
                        "%s hook #%zu (%s) did not end within %llu s", kind, i, h->path,
                        (unsigned long long) seconds);
        if (r < 0)
                return error_set_errno(reterr, r, "%s hook #%zu (%s)", kind, i, h->path);
        if (r > 0)
                return error_set(reterr, ERROR_INTERNAL,
                        "error running %s hook #%zu: %s: exit status %d, output: %s", kind, i,
                        h->path, r, str_strip(output));
        return 0;
}

int hooks_run(
        const char *kind, const RuntimeHook *hooks, size_t n, const char *state, Error *reterr) {
        for (size_t i = 0; i < n; i++) {
                int r = run_one(kind, i, hooks + i, state, reterr);

                if (r < 0)
                        return r;
        }

        return 0;
}

int hooks_run_all(
        const char *kind, const RuntimeHook *hooks, size_t n, const char *state, Error *reterr) {
        int first = 0;

        for (size_t i = 0; i < n; i++) {
                int r = run_one(kind, i, hooks + i, state, first < 0 ? NULL : reterr);

                if (r < 0 && first >= 0)
                        first = r;
        }

        return first;
}
