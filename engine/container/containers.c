/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/containers.h"

#include <malloc.h>
#include <sys/stat.h>

#include "config/settings.h"
#include "engine/container/container-again.h"
#include "engine/container/containers-new.h"
#include "engine/container/exec.h"
#include "engine/container/monitor-link.h"
#include "engine/container/seccomp-profile.h"
#include "engine/container/set.h"
#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "engine/host/sysinfo.h"
#include "engine/host/units.h"
#include "engine/network/sandbox.h"
#include "engine/storage/storage.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

#define TRIM_USEC (3 * USEC_PER_SEC)

static int read_seccomp(const char *file, SeccompProfile **ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(file, SECCOMP_PROFILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Failed to read the default seccomp profile %s", file);
        r = seccomp_profile_parse(text, size, ret, reterr);
        return r < 0 ? error_prefix(reterr, r, "%s", file) : 0;
}

static int open_folders(Containers *s, Error *reterr) {
        const char *data = s->settings->data_root, *run = s->settings->exec_root;
        _cleanup_(fd_closep) int data_fd = -EBADF, run_fd = -EBADF;

        s->root = path_join(data, "containers");
        s->run = path_join(run, "containers");
        if (!s->root || !s->run)
                return -ENOMEM;

        data_fd = file_open_dir(AT_FDCWD, data);
        if (data_fd < 0)
                return error_set_errno(reterr, data_fd, "Failed to open %s", data);
        s->root_fd = file_mkdir_open_exact(data_fd, "containers", 0710);
        if (s->root_fd < 0)
                return error_set_errno(reterr, s->root_fd, "Failed to open %s", s->root);
        s->tmp_fd = file_mkdir_open(data_fd, "tmp", 0700);
        if (s->tmp_fd < 0)
                return error_set_errno(reterr, s->tmp_fd, "Failed to open %s/tmp", data);
        s->trash_fd = file_mkdir_open(s->tmp_fd, "trash", 0700);
        if (s->trash_fd < 0)
                return error_set_errno(reterr, s->trash_fd, "Failed to open %s/tmp/trash", data);

        run_fd = file_mkdir_open(AT_FDCWD, run, 0710);
        if (run_fd < 0)
                return error_set_errno(reterr, run_fd, "Failed to open %s", run);
        s->run_fd = file_mkdir_open(run_fd, "containers", 0700);
        if (s->run_fd < 0)
                return error_set_errno(reterr, s->run_fd, "Failed to open %s", s->run);
        s->runtime_fd = file_mkdir_open(run_fd, "runtime", 0700);
        if (s->runtime_fd < 0)
                return error_set_errno(reterr, s->runtime_fd, "Failed to open %s/runtime", run);
        return 0;
}

int containers_new(const ContainersWiring *w, Containers **ret, Error *reterr) {
        _cleanup_(containers_freep) Containers *s = NULL;
        int r;

        assert(w);
        assert(ret);

        s = new0(Containers, 1);
        if (!s)
                return -ENOMEM;
        *s = (Containers) {
                .event = sd_event_ref(w->event),
                .settings = w->settings,
                .sysinfo = w->sysinfo,
                .hub = w->hub,
                .jobs = w->jobs,
                .units = w->units,
                .launcher = w->launcher,
                .workers = w->workers,
                .copiers = w->copiers,
                .storage = w->storage,
                .images = w->images,
                .networks = w->networks,
                .volumes = w->volumes,
                .root_fd = -EBADF,
                .tmp_fd = -EBADF,
                .trash_fd = -EBADF,
                .run_fd = -EBADF,
                .runtime_fd = -EBADF,
        };
        list_init(&s->by_age);
        list_init(&s->leaving);
        list_init(&s->measures);
        list_init(&s->replays);
        list_init(&s->left_scopes);
        list_init(&s->again);
        s->by_id = hashmap_new(HASHMAP_STRING);
        s->by_name = hashmap_new(HASHMAP_STRING_COPY);
        if (!s->by_id || !s->by_name)
                return -ENOMEM;

        if (s->sysinfo->has_seccomp && w->seccomp_file) {
                r = read_seccomp(w->seccomp_file, &s->seccomp, reterr);
                if (r < 0)
                        return r;
        }
        r = open_folders(s, reterr);
        if (r < 0)
                return r;

        units_on_host(s->units, containers_handle_host, s);
        *ret = TAKE_PTR(s);
        return 0;
}

void container_detach(Container *c) {
        container_waits_fail(c, 0, NULL);
        container_stops_finish(c, 0, NULL);
        container_logs_finish(c, /* removed= */ true);
        container_execs_free(c);
        container_again_forget(c);
        container_connects_forget(c);
        c->sandbox = sandbox_free(c->sandbox);
        container_restarts_forget(c);
        container_holds_forget(c);
        container_freezes_forget(c);
        container_updates_forget(c);
        container_tops_forget(c);
        c->freezer = container_freezer_free(c->freezer);
        c->follower = container_follower_free(c->follower);
        c->remove = container_remove_free(c->remove);
        c->start = container_start_free(c->start);
        c->link = monitor_link_free(c->link);
        c->scope = unit_watch_free(c->scope);
        c->lost = container_lost_free(c->lost);
        c->scope_lingers = loop_source_free(c->scope_lingers);
}

void containers_detach(Containers *s) {
        Container *c;

        if (!s || s->ending)
                return;
        s->ending = true;
        units_on_host(s->units, NULL, NULL);
        s->prune = container_prune_free(s->prune);
        containers_forget_scopes(s);
        LIST_FOREACH (c, &s->by_age, by_age)
                container_detach(c);
        LIST_FOREACH (c, &s->leaving, by_age)
                container_detach(c);
}

Containers *containers_free(Containers *s) {
        Container *c;

        if (!s)
                return NULL;

        container_replays_free(s);
        containers_detach(s);
        while ((c = list_first(&s->by_age, Container, by_age)) ||
                (c = list_first(&s->leaving, Container, by_age))) {
                list_remove(&c->by_age);
                container_free(c);
        }
        hashmap_free(s->by_id);
        hashmap_free(s->by_name);
        hashmap_free(s->execs);
        loop_source_free(s->exec_sweep);
        loop_source_free(s->trim);
        free(s->sorted);
        seccomp_profile_free(s->seccomp);
        fd_close(s->root_fd);
        fd_close(s->tmp_fd);
        fd_close(s->trash_fd);
        fd_close(s->run_fd);
        fd_close(s->runtime_fd);
        free(s->root);
        free(s->run);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}

static int on_trim(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) malloc_trim(0);
        return 0;
}

void containers_trim_soon(Containers *s) {
        if (!loop_timer_armed(s->trim))
                (void) loop_timer(
                        s->event, TRIM_USEC, LOOP_IDLE, "containers-trim", on_trim, s, &s->trim);
}

/* A runtime whose monitor was killed could not clean up, and would refuse the same id next time. */
int containers_clear_run(Containers *s, const char *id) {
        int r, q;

        r = file_remove_tree(s->run_fd, id);
        q = file_remove_tree(s->runtime_fd, id);
        return r < 0 ? r : q;
}

/* Where an id (or the first one with that prefix) is, or belongs. */
static size_t sorted_position(const Containers *s, const char *id) {
        size_t low = 0, high = s->n_sorted;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(s->sorted[middle]->id, id) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

int containers_reserve(Containers *s, const char *name, const Container *owner, Error *reterr) {
        const Container *other;
        int r;

        other = hashmap_get(s->by_name, name);
        if (other && other != owner)
                return error_set(reterr, ERROR_EXISTS,
                        "Conflict. The container name \"/%s\" is already in use by container "
                        "\"%s\". You have to remove (or rename) that container to be able to reuse "
                        "that name.",
                        name, other->id);
        r = hashmap_put(s->by_name, name, (void *) owner);
        return r == -EEXIST ? 0 : r;
}

void containers_release(Containers *s, const char *name, const Container *owner) {
        (void) hashmap_remove_value(s->by_name, name, owner);
}

int containers_add(Containers *s, Container *c) {
        Container *older = NULL;
        size_t at;
        int r;

        r = array_grow(&s->sorted, &s->n_sorted_allocated, s->n_sorted + 1);
        if (r < 0)
                return r;
        r = containers_reserve(s, c->name, c, NULL);
        if (r < 0)
                return r;
        r = hashmap_put(s->by_id, c->id, c);
        if (r < 0) {
                containers_release(s, c->name, c);
                return r;
        }

        at = sorted_position(s, c->id);
        memmove(s->sorted + at + 1, s->sorted + at, (s->n_sorted - at) * sizeof(*s->sorted));
        s->sorted[at] = c;
        s->n_sorted++;

        /* Mostly it is the newest one. */
        LIST_FOREACH (older, &s->by_age, by_age)
                if (older->created_ns <= c->created_ns)
                        break;
        if (older && older->created_ns <= c->created_ns)
                list_insert_before(&older->by_age, &c->by_age);
        else
                list_append(&s->by_age, &c->by_age);
        c->set = s;
        return 0;
}

void containers_remove(Containers *s, Container *c) {
        size_t at = sorted_position(s, c->id);

        if (at < s->n_sorted && s->sorted[at] == c) {
                s->n_sorted--;
                memmove(s->sorted + at, s->sorted + at + 1,
                        (s->n_sorted - at) * sizeof(*s->sorted));
        }
        (void) hashmap_remove_value(s->by_id, c->id, c);
        containers_release(s, c->name, c);
        list_remove(&c->by_age);
}

int containers_find(Containers *s, const char *name, Container **ret, Error *reterr) {
        const char *bare = name;
        Container *c;
        size_t at;

        assert(s);
        assert(name);
        assert(ret);

        if (str_empty(name))
                return error_set(reterr, ERROR_INVALID, "invalid name or ID supplied: \"\"");

        /* Full id, then exact name, then unique prefix of an id. */
        c = hashmap_get(s->by_id, name);
        if (c)
                goto found;
        if (*bare == '/')
                bare++;
        c = hashmap_get(s->by_name, bare);
        if (c && list_node_linked(&c->by_age))
                goto found;
        if (ident_is_prefix(name)) {
                at = sorted_position(s, name);
                if (at < s->n_sorted && str_starts(s->sorted[at]->id, name)) {
                        if (at + 1 < s->n_sorted && str_starts(s->sorted[at + 1]->id, name))
                                return error_set(reterr, ERROR_INVALID,
                                        "multiple IDs found with provided prefix: %s", name);
                        c = s->sorted[at];
                        goto found;
                }
        }
        return error_set(reterr, ERROR_NOT_FOUND, "No such container: %s", name);

found:
        *ret = c;
        return 0;
}

Container *containers_next(Containers *s, Container *after) {
        ListNode *n;

        if (!after)
                return list_first(&s->by_age, Container, by_age);
        n = after->by_age.next;
        return !n || n == &s->by_age.head ? NULL : list_entry(n, Container, by_age);
}

unsigned containers_count(Containers *s) {
        return (unsigned) s->n_sorted;
}

unsigned containers_count_running(Containers *s) {
        return s->n_running;
}

unsigned containers_count_paused(Containers *s) {
        return s->n_paused;
}

static int on_trash_emptied(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        Containers *s = userdata;

        if (s->ending)
                return 0;
        s->trash_running = false;
        if (r < 0 && r != -ECANCELED)
                log_warning("Failed to empty the trash: %s, ignoring", error_text(e, r));
        if (TAKE(s->trash_again, false))
                containers_empty_trash(s);
        return 0;
}

void containers_empty_trash(Containers *s) {
        _cleanup_(job_unrefp) Job *j = NULL;
        TaskSpec task = {
                .kind = TASK_LAYER_REMOVE,
                .data_root = s->settings->data_root,
                .driver = (char *) storage_driver_name(s->storage),
                .driver_opts = (char **) storage_options(s->storage),
        };
        int r;

        if (s->trash_running) {
                s->trash_again = true;
                return;
        }
        r = job_new(s->jobs, JOB_LAYER, "empty trash", on_trash_emptied, s, &j);
        if (r >= 0) {
                s->trash_running = true;
                r = worker_start(s->workers, &task, NULL, 0, j);
        }
        if (r < 0) {
                s->trash_running = false;
                (void) log_warning_errno(r, "Failed to empty the trash: %m, ignoring");
                if (j)
                        job_finish(j, NULL, r, NULL);
        }
}
