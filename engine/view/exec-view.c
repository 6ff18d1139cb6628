/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/view/exec-view.h"

#include "engine/container/container.h"
#include "engine/container/exec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static int set_process(Json *v, const ExecSpec *s) {
        Json *p;
        int r;

        r = json_set_new_object(v, "ProcessConfig", &p);
        if (r >= 0)
                r = json_set_bool(p, "tty", s->tty);
        if (r >= 0)
                r = json_set_text(p, "entrypoint", s->cmd[0]);
        if (r >= 0)
                r = json_set_strv(p, "arguments", s->cmd + 1);
        if (r >= 0)
                r = json_set_bool(p, "privileged", s->privileged);
        if (r >= 0 && !str_empty(s->user))
                r = json_set_text(p, "user", s->user);
        return r;
}

int exec_view(const Exec *x, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const ExecSpec *s = &x->spec;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "ID", x->id);
        if (r >= 0)
                r = json_set_bool(v, "Running", x->state == EXEC_RUNNING);
        if (r >= 0)
                r = x->state == EXEC_ENDED ? json_set_int64(v, "ExitCode", x->exit_code)
                                           : json_set_null(v, "ExitCode");
        if (r >= 0)
                r = set_process(v, s);
        if (r >= 0)
                r = json_set_bool(v, "OpenStdin", s->attach_stdin);
        if (r >= 0)
                r = json_set_bool(v, "OpenStderr", s->attach_stderr);
        if (r >= 0)
                r = json_set_bool(v, "OpenStdout", s->attach_stdout);
        if (r >= 0)
                r = json_set_bool(v, "CanRemove", x->swept);
        if (r >= 0)
                r = json_set_text(v, "ContainerID", x->container->id);
        if (r >= 0)
                r = json_set_text(v, "DetachKeys", "");
        if (r >= 0)
                r = json_set_int64(v, "Pid", x->pid);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
