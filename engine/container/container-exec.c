/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/exec.h"

#include <errno.h>

#include "engine/container/monitor-link.h"
#include "engine/container/security.h"
#include "engine/container/set.h"
#include "engine/core/pending.h"
#include "engine/host/sysinfo.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"
#include "lib/json/json.h"

#define SWEEP_USEC (5 * USEC_PER_MINUTE)
#define COMMAND_BYTES \
        ((size_t) 96 * 1024) /* of one exec: what a message to the monitor has room for */
#define EXIT_KILLED 137
#define EXIT_LOST   127 /* nobody saw how it ended */

typedef struct ExecWait {
        ListNode node;
        Pending *pending;
} ExecWait;

static const char *const state_table[] = {
        [EXEC_CREATED] = "created",
        [EXEC_STARTING] = "starting",
        [EXEC_RUNNING] = "running",
        [EXEC_ENDED] = "exited",
};

const char *exec_state_to_string(ExecState s) {
        return state_table[s];
}

static void tell(Exec *x, ExecNews news) {
        const Containers *s = x->container->set;

        if (s->on_exec)
                s->on_exec(x, news, s->on_exec_userdata);
}

static void waits_complete(Exec *x, int r, const Error *e) {
        ExecWait *w;

        while ((w = list_first(&x->waits, ExecWait, node))) {
                list_remove(&w->node);
                pending_complete(w->pending, r, &x->exit_code, e);
                pending_unref(w->pending);
                free(w);
        }
}

static Exec *exec_free(Exec *x) {
        if (!x)
                return NULL;

        assert(list_empty(&x->waits));
        monitor_link_forget(x->container->link, x);
        if (list_node_linked(&x->node)) {
                tell(x, EXEC_NEWS_GONE);
                list_remove(&x->node);
                (void) hashmap_remove(x->container->set->execs, x->id);
        }
        exec_spec_done(&x->spec);
        pending_unref(x->pending);
        free(x);
        return NULL;
}
DEFINE_CLEANUP(Exec *, exec_free);

static int exec_add(Container *c, Exec *x) {
        int r;

        r = hashmap_ensure_put(&c->set->execs, HASHMAP_STRING, x->id, x);
        if (r < 0)
                return r;
        list_append(&c->execs, &x->node);
        return 0;
}

static Exec *exec_new(Container *c) {
        Exec *x = new0(Exec, 1);

        if (!x)
                return NULL;
        x->container = c;
        list_init(&x->waits);
        return x;
}

/* --- the end of being remembered ---------------------------------------------------------------- */

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        Containers *s = userdata;
        bool more = false;
        size_t at = 0;
        void *value;

        while (hashmap_next(s->execs, &at, &value, NULL)) {
                Exec *x = value;

                if (x->state != EXEC_ENDED)
                        continue;
                if (x->swept) {
                        exec_free(x);
                        continue;
                }
                more = true;
        }
        at = 0;
        while (hashmap_next(s->execs, &at, &value, NULL))
                ((Exec *) value)->swept = ((Exec *) value)->state == EXEC_ENDED;
        if (more)
                (void) loop_timer(
                        s->event, SWEEP_USEC, LOOP_IDLE, "exec-sweep", on_sweep, s, &s->exec_sweep);
        return 0;
}

static void plan_sweep(Containers *s) {
        if (!loop_timer_armed(s->exec_sweep))
                (void) loop_timer(
                        s->event, SWEEP_USEC, LOOP_IDLE, "exec-sweep", on_sweep, s, &s->exec_sweep);
}

/* --- events --------------------------------------------------------------------------------------- */

static void publish(Container *c, const char *action, const char *id, const ExecSpec *spec,
        const int64_t *exit_code) {
        _cleanup_(strv_freep) char **more = NULL;
        _cleanup_(freep) char *command = NULL, *text = NULL;
        int r;

        r = strv_addf(&more, "execID=%s", id);
        if (r >= 0 && exit_code)
                r = strv_addf(&more, "exitCode=%lld", (long long) *exit_code);
        if (r >= 0 && spec) {
                command = strv_join(spec->cmd, " ");
                r = command ? str_printf(&text, "%s: %s", action, command) : -ENOMEM;
        }
        if (r >= 0)
                container_publish_pairs(c, text ?: action, more);
}

/* --- create --------------------------------------------------------------------------------------- */

static int check_container(const Container *c, Error *reterr) {
        if (container_is_restarting(c))
                return error_set(reterr, ERROR_CONFLICT,
                        "Container %s is restarting, wait until the container is running", c->id);
        if (c->state == CONTAINER_PAUSED)
                return error_set(reterr, ERROR_CONFLICT,
                        "Container %s is paused, unpause the container before exec", c->id);
        if (!container_is_running(c))
                return error_set(reterr, ERROR_NOT_RUNNING, "container %s is not running", c->id);
        return 0;
}

static size_t size_of(char *const *l) {
        size_t n = 0;

        STRV_FOREACH (s, (char **) l)
                n += strlen(*s) + 4;
        return n;
}

static int check_spec(const Container *c, const ExecSpec *spec, Error *reterr) {
        unsigned n = 0;
        Exec *x;

        if (strv_empty(spec->cmd))
                return error_set(reterr, ERROR_INVALID, "No exec command specified");
        if (size_of(spec->cmd) + size_of(spec->env) > COMMAND_BYTES)
                return error_set(reterr, ERROR_INVALID,
                        "the command and environment of an exec are limited to %zu bytes",
                        COMMAND_BYTES);
        STRV_FOREACH (entry, spec->env)
                if (**entry == '=' || !**entry)
                        return error_set(
                                reterr, ERROR_INVALID, "invalid environment variable: %s", *entry);
        if (spec->n_console_size != 0 && spec->n_console_size != 2)
                return error_set(reterr, ERROR_INVALID, "ConsoleSize is not [height, width]");
        LIST_FOREACH (x, &c->execs, node)
                n += x->state != EXEC_ENDED;
        return n < EXECS_PER_CONTAINER_MAX ? 0
                                           : error_set(reterr, ERROR_CONFLICT,
                                                     "container %s has %u execs already", c->id, n);
}

/* Those that have ended longest ago, for somebody may ask for more within minutes than can be kept. */
static void forget_ended(Container *c) {
        unsigned n = 0;
        Exec *x;

        LIST_FOREACH (x, &c->execs, node)
                n += x->state == EXEC_ENDED;
        LIST_FOREACH_SAFE (x, &c->execs, node) {
                if (n <= EXECS_ENDED_MAX)
                        return;
                if (x->state != EXEC_ENDED)
                        continue;
                exec_free(x);
                n--;
        }
}

int container_exec_create(Container *c, ExecSpec *spec, Exec **ret, Error *reterr) {
        _cleanup_(exec_freep) Exec *x = NULL;
        int r;

        assert(c);
        assert(spec);
        assert(ret);

        r = check_spec(c, spec, reterr);
        if (r >= 0)
                r = check_container(c, reterr);
        if (r < 0)
                return r;

        x = exec_new(c);
        if (!x)
                return -ENOMEM;
        (void) ident_random(x->id);
        r = exec_add(c, x);
        if (r < 0)
                return r;
        x->spec = TAKE_STRUCT(*spec);
        tell(x, EXEC_NEWS_ADDED);
        forget_ended(c);
        publish(c, "exec_create", x->id, &x->spec, NULL);

        *ret = TAKE_PTR(x);
        return 0;
}

void containers_catch_up_exec(Containers *s, const char *id) {
        const Exec *x = hashmap_get(s->execs, id);

        if (x && (x->state == EXEC_STARTING || x->state == EXEC_RUNNING) && x->container->link)
                monitor_link_catch_up(x->container->link);
}

int containers_find_exec(Containers *s, const char *id, Exec **ret, Error *reterr) {
        Exec *x = hashmap_get(s->execs, id);

        if (!x)
                return error_set(reterr, ERROR_NOT_FOUND, "No such exec instance: %s", id);
        *ret = x;
        return 0;
}

int container_exec_ids(const Container *c, char ***ret) {
        _cleanup_(strv_freep) char **ids = NULL;
        Exec *x;
        int r;

        LIST_FOREACH (x, &c->execs, node) {
                if (x->state == EXEC_ENDED)
                        continue;
                r = strv_add(&ids, x->id);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(ids);
        return 0;
}

/* --- start ---------------------------------------------------------------------------------------- */

static void complete(Exec *x, int r, const Error *e) {
        Pending *p = TAKE_PTR(x->pending);

        if (!p)
                return;
        pending_complete(p, r, x, e);
        pending_unref(p);
}

static void exec_end(Exec *x, int64_t exit_code, const char *error) {
        _cleanup_(error_done) Error e = {};
        bool has_run = x->state == EXEC_RUNNING;
        int r = 0;

        x->state = EXEC_ENDED;
        x->exit_code = (int) exit_code;
        x->pid = 0;
        plan_sweep(x->container->set);
        tell(x, EXEC_NEWS_CHANGED);
        if (has_run)
                publish(x->container, "exec_die", x->id, NULL, &exit_code);
        if (!has_run || error)
                r = error_set(&e,
                        exit_code == 126 || exit_code == 127 ? ERROR_INVALID : ERROR_INTERNAL, "%s",
                        error ?: "the container ended before the exec had begun");
        complete(x, r, &e);
        waits_complete(x, 0, NULL);
}

static void on_reply(int r, const Error *e, void *userdata) {
        Exec *x = userdata;

        /* What it answers with goes well; how it goes on comes by records. */
        if (r < 0 && x->state == EXEC_STARTING)
                exec_end(x, 126, error_text(e, r));
}

int exec_check_start(const Exec *x, Error *reterr) {
        if (x->state == EXEC_ENDED)
                return error_set(reterr, ERROR_CONFLICT, "exec command %s has already run", x->id);
        if (x->state != EXEC_CREATED)
                return error_set(
                        reterr, ERROR_CONFLICT, "exec command %s is already running", x->id);
        return check_container(x->container, reterr);
}

static int set_size(ExecSpec *spec, uint32_t rows, uint32_t columns) {
        if (rows == 0 || columns == 0)
                return 0;
        if (!spec->console_size)
                spec->console_size = new0(uint32_t, 2);
        if (!spec->console_size)
                return -ENOMEM;
        spec->n_console_size = 2;
        spec->console_size[0] = rows;
        spec->console_size[1] = columns;
        return 0;
}

static int begin(Exec *x, uint32_t rows, uint32_t columns, bool framed, const int *fds,
        size_t n_fds, Error *reterr) {
        _cleanup_(strv_freep) char **capabilities = NULL;
        Container *c = x->container;
        int r;

        r = exec_check_start(x, reterr);
        if (r >= 0)
                r = set_size(&x->spec, rows, columns);
        if (r >= 0 && x->spec.privileged)
                r = security_capabilities(&(HostConfig) { .privileged = true },
                        c->set->sysinfo->last_capability, &capabilities);
        if (r < 0)
                return r;

        r = c->link ? monitor_link_command_fds(c->link,
                              &(MonitorCommand) {
                                      .type = MONITOR_EXEC,
                                      .exec_id = x->id,
                                      .exec = &x->spec,
                                      .capabilities = capabilities,
                                      .framed = framed,
                              },
                              fds, n_fds, on_reply, x)
                    : -ENOTCONN;
        if (r < 0)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "the monitor of container %s cannot be reached", c->id);
        x->state = EXEC_STARTING;
        tell(x, EXEC_NEWS_CHANGED);
        return 0;
}

int exec_start(Exec *x, uint32_t rows, uint32_t columns, Pending *p, Error *reterr) {
        int r;

        r = begin(x, rows, columns, /* framed= */ false, NULL, 0, reterr);
        if (r >= 0)
                x->pending = pending_ref(p);
        return r;
}

int exec_start_attached(Exec *x, uint32_t rows, uint32_t columns, bool framed, int fd,
        const void *early, size_t early_size, Pending *p, Error *reterr) {
        _cleanup_(fd_closep) int client_fd = fd, early_fd = -EBADF;
        int r;

        if (early_size > 0) {
                early_fd = fd_memfd_sealed("early-input", early, early_size);
                if (early_fd < 0)
                        return early_fd;
        }
        r = begin(x, rows, columns, framed, (const int[2]) { client_fd, early_fd },
                early_fd < 0 ? 1 : 2, reterr);
        if (r >= 0 && p)
                x->pending = pending_ref(p);
        return r;
}

int exec_resize(Exec *x, uint32_t rows, uint32_t columns, Pending *p, Error *reterr) {
        Container *c = x->container;
        int r;

        if (x->state != EXEC_RUNNING || !c->link)
                return error_set(reterr, ERROR_NOT_RUNNING, "exec %s is not running", x->id);
        r = monitor_link_command(c->link,
                &(MonitorCommand) { .type = MONITOR_RESIZE,
                        .exec_id = x->id,
                        .height = rows,
                        .width = columns },
                pending_answer, p);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Failed to ask the monitor of container %s", c->id);
        pending_ref(p);
        return 0;
}

/* --- waiting -------------------------------------------------------------------------------------- */

int exec_wait(Exec *x, Pending *p, Error *reterr) {
        unsigned n = 0;
        ExecWait *w;

        if (x->state == EXEC_ENDED) {
                pending_complete(p, 0, &x->exit_code, NULL);
                return 0;
        }
        LIST_FOREACH (w, &x->waits, node)
                n++;
        if (n >= EXEC_WAITS_MAX)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "%u callers wait for the end of exec %s already", n, x->id);
        w = new0(ExecWait, 1);
        if (!w)
                return -ENOMEM;
        w->pending = pending_ref(p);
        list_append(&x->waits, &w->node);
        return 0;
}

void containers_watch_execs(Containers *s, exec_news_t callback, void *userdata) {
        s->on_exec = callback;
        s->on_exec_userdata = userdata;
}

Exec *containers_next_exec(Containers *s, size_t *at) {
        void *value;

        return hashmap_next(s->execs, at, &value, NULL) ? value : NULL;
}

/* --- kill ----------------------------------------------------------------------------------------- */

int exec_kill(Exec *x, int sig, Pending *p, Error *reterr) {
        Container *c = x->container;
        int r;

        if (x->state != EXEC_RUNNING || !c->link)
                return error_set(reterr, ERROR_NOT_RUNNING, "exec %s is not running", x->id);
        r = monitor_link_command(c->link,
                &(MonitorCommand) { .type = MONITOR_EXEC_KILL, .exec_id = x->id, .signal = sig },
                pending_answer, p);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Failed to ask the monitor of container %s", c->id);
        pending_ref(p);
        return 0;
}

/* --- news ----------------------------------------------------------------------------------------- */

/* Of an earlier daemon: it runs on, or has ended while nobody listened. */
static Exec *adopt(Container *c, const MonitorRecord *record) {
        _cleanup_(exec_freep) Exec *x = NULL;
        _cleanup_(freep) char *text = NULL;

        if (!ident_is_valid(record->exec_id) || !record->exec)
                return NULL;
        x = exec_new(c);
        if (!x)
                return NULL;
        memcpy(x->id, record->exec_id, IDENT_SIZE);
        if (json_write_text(record->exec, exec_spec_fields, &text) < 0 ||
                json_read_text(text, strlen(text), exec_spec_fields, &x->spec, 0, NULL) < 0 ||
                exec_add(c, x) < 0)
                return NULL;
        x->state = EXEC_RUNNING;
        return TAKE_PTR(x);
}

static void handle_probe(Container *c, const MonitorRecord *record) {
        if (record->type == MONITOR_EXEC_STARTED) {
                publish(c, "exec_create", record->exec_id, record->exec, NULL);
                publish(c, "exec_start", record->exec_id, record->exec, NULL);
        } else if (record->started_at > 0)
                publish(c, "exec_die", record->exec_id, NULL, &record->exit_code);
}

void container_handle_exec(Container *c, const MonitorRecord *record) {
        Exec *x;

        if (!record->exec_id)
                return;
        if (record->probe) {
                handle_probe(c, record);
                return;
        }

        x = hashmap_get(c->set->execs, record->exec_id);
        if (!x) {
                x = adopt(c, record);
                if (x && record->type == MONITOR_EXEC_EXITED) {
                        x->state = EXEC_ENDED;
                        x->exit_code = (int) record->exit_code;
                        plan_sweep(c->set);
                        if (record->unheard && record->started_at > 0)
                                publish(c, "exec_die", x->id, NULL, &record->exit_code);
                } else if (x)
                        x->pid = record->pid;
                if (x)
                        tell(x, EXEC_NEWS_ADDED);
                return;
        }
        if (x->container != c || x->state == EXEC_ENDED)
                return; /* said again */

        if (record->type == MONITOR_EXEC_EXITED) {
                exec_end(x, record->exit_code, record->error);
                return;
        }
        x->pid = record->pid;
        if (x->state == EXEC_RUNNING)
                return;
        x->state = EXEC_RUNNING;
        tell(x, EXEC_NEWS_CHANGED);
        publish(c, "exec_start", x->id, &x->spec, NULL);
        complete(x, 0, NULL);
}

void container_execs_end(Container *c) {
        Exec *x;

        LIST_FOREACH_SAFE (x, &c->execs, node)
                if (x->state == EXEC_STARTING || x->state == EXEC_RUNNING)
                        exec_end(x, x->state == EXEC_RUNNING ? EXIT_KILLED : EXIT_LOST, NULL);
}

void container_execs_free(Container *c) {
        Exec *x;

        LIST_FOREACH_SAFE (x, &c->execs, node) {
                _cleanup_(error_done) Error e = {};

                (void) error_set(&e, ERROR_NOT_FOUND, "No such container: %s", c->id);
                complete(x, -ENOENT, &e);
                waits_complete(x, -ENOENT, &e);
                exec_free(x);
        }
}
