/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/set.h"
#include "engine/container/top-table.h"
#include "engine/core/pending.h"
#include "engine/host/cgroup.h"
#include "engine/host/ps.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* Docker's answer is what the host's ps says about the processes of the container's cgroup, so that is what is asked. */

typedef struct ContainerTop {
        ListNode node;
        Container *container;
        Pending *pending;
        PsCall *ps;
} ContainerTop;

static void top_free(ContainerTop *t) {
        list_remove(&t->node);
        ps_call_free(t->ps);
        pending_unref(t->pending);
        free(t);
}

void container_tops_forget(Container *c) {
        ContainerTop *t;

        while ((t = list_first(&c->tops, ContainerTop, node)))
                top_free(t);
}

static int read_pids(const Container *c, pid_t **ret, size_t *ret_n) {
        _cleanup_(freep) char *folder = container_cgroup_folder(c);
        int r;

        if (!folder)
                return -ENOMEM;
        r = cgroup_read_pids(folder, ret, ret_n);
        if (r != -ENOENT)
                return r;
        /* It was left without a cgroup of its own: its first process at least. */
        *ret = new0(pid_t, 1);
        if (!*ret)
                return -ENOMEM;
        **ret = (pid_t) c->pid;
        *ret_n = 1;
        return 0;
}

static int read_table(Container *c, const char *text, TopTable *ret, Error *reterr) {
        _cleanup_(freep) pid_t *pids = NULL;
        size_t n;
        int r;

        r = container_check_running(c, reterr);
        if (r < 0)
                return r;
        r = read_pids(c, &pids, &n);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Failed to list the processes of container %s", c->id);
        return top_parse(text, pids, n, ret, reterr);
}

static void on_ps(int r, const char *text, const Error *e, void *userdata) {
        _cleanup_(top_table_done) TopTable table = {};
        _cleanup_(error_done) Error own = {};
        ContainerTop *t = userdata;
        Pending *p = pending_ref(t->pending);
        Container *c = t->container;

        t->ps = NULL;
        top_free(t);
        if (r >= 0) {
                r = read_table(c, text, &table, &own);
                e = &own;
        }
        if (r >= 0)
                container_publish(c, "top", NULL, NULL);
        pending_complete(p, r, &table, e);
        pending_unref(p);
}

int container_top(Container *c, const char *args, Pending *p, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        ContainerTop *t;
        int r;

        assert(c);
        assert(p);

        r = container_check_running(c, reterr);
        if (r < 0)
                return r;
        if (str_empty(args))
                args = "-ef";
        r = top_check_args(args, reterr);
        if (r >= 0)
                r = strv_split(args, " ", /* keep_empty= */ false, &words);
        if (r < 0)
                return r;

        t = new0(ContainerTop, 1);
        if (!t)
                return -ENOMEM;
        t->container = c;
        t->pending = pending_ref(p);
        list_append(&c->tops, &t->node);
        r = ps_run(c->set->event, words, on_ps, t, &t->ps, reterr);
        if (r < 0)
                top_free(t);
        return r;
}
