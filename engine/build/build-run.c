/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RUN: a container of its own scope, whose changes a worker keeps. Its output is read as an attached client would. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "engine/build/arguments.h"
#include "engine/build/build.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/core/pending.h"
#include "engine/image/image-build.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define OUTPUT_PIECE ((size_t) 64 * 1024)

/* ---- the end of a run ---- */

void build_run_end(Build *b) {
        b->source = loop_source_free(b->source);
        b->fd = fd_close(b->fd);
        buffer_done(&b->in);
        pending_detach(b->pending);
        b->pending = pending_unref(b->pending);
        if (b->creation)
                *b->creation = NULL;
        b->creation = NULL;
}

static void on_kept(Build *b, const char *line) {
        _cleanup_(error_done) Error e = {};
        char shown[IDENT_SHORT_SIZE];
        int r;

        if (!b->o.keep) {
                build_remove_container(b->set, b, b->container);
                build_say(b, " ---> Removed intermediate container %s\n",
                        ident_short(b->container, shown));
        }
        b->container = mfree(b->container);
        r = build_take_image(b, line, &e);
        if (r < 0)
                build_fail(b, r, &e);
        else
                build_proceed(b);
}

static int keep_run(Build *b, Error *reterr) {
        TaskSpec task = { .kind = TASK_COMMIT, .layer_id = b->container };
        Job *j = NULL;
        int r;

        r = build_keep(b, &task);
        if (r >= 0)
                r = images_start_step(b->set->images, &task, b->key, &j, reterr);
        free(task.config);
        return r < 0 ? r : build_wait_task(b, j, on_kept);
}

/* Both its last byte and its exit code are there. */
static void run_done(Build *b) {
        _cleanup_(freep) char *command = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        if (!b->exited || !b->drained)
                return;
        build_run_end(b);
        if (b->exit_code == 0)
                r = keep_run(b, &e);
        else {
                command = strv_join(b->command, " ");
                r = error_set(&e, ERROR_INTERNAL, "The command '%s' returned a non-zero code: %lld",
                        str_or_empty(command), (long long) b->exit_code);
        }
        if (r < 0)
                build_fail(b, r, &e);
}

/* ---- output ---- */

/* Bytes at the end that may be the beginning of a character. */
static size_t unfinished(const char *data, size_t size) {
        for (size_t k = 1; k <= 3 && k <= size; k++) {
                unsigned char c = (unsigned char) data[size - k];

                if (c >= 0xc0)
                        return (c >= 0xf0 ? 4U : c >= 0xe0 ? 3U : 2U) > k ? k : 0;
                if (c < 0x80)
                        return 0;
        }
        return 0;
}

static void show(Build *b, bool all) {
        size_t n = buffer_size(&b->in), keep = all ? 0 : unfinished(buffer_head(&b->in), n);
        _cleanup_(freep) char *text = NULL;

        if (n - keep == 0)
                return;
        text = alloc_copy0(buffer_head(&b->in), n - keep);
        if (!text)
                return;
        buffer_consume(&b->in, n - keep);
        for (size_t k = 0; k < n - keep; k++) /* no text has it */
                if (!text[k])
                        text[k] = ' ';
        build_say(b, "%s", text);
}

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Build *b = userdata;
        ssize_t n;

        n = buffer_read_fd(&b->in, fd, OUTPUT_PIECE);
        if (n == -EAGAIN || n == -EINTR)
                return 0;
        if (n > 0) {
                show(b, /* all= */ false);
                return 0;
        }
        show(b, /* all= */ true);
        b->source = loop_source_free(b->source);
        b->drained = true;
        run_done(b);
        return 0;
}

void build_run_pause(Build *b) {
        if (b->source)
                (void) sd_event_source_set_enabled(
                        b->source, b->paused ? SD_EVENT_OFF : SD_EVENT_ON);
}

/* ---- the container ---- */

static int run_pending(Build *b, pending_callback_t callback) {
        assert(!b->pending);
        return pending_new(callback, b, &b->pending);
}

static void on_exited(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(error_done) Error error = {};
        Build *b = userdata;

        b->pending = pending_unref(b->pending);
        if (r < 0) {
                (void) error_copy(&error, e);
                build_fail(b, r, &error);
                return;
        }
        b->exited = true;
        b->exit_code = *(const int64_t *) result;
        run_done(b);
}

static void on_started(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(error_done) Error error = {};
        Build *b = userdata;
        Pending *p;
        Container *c;

        b->pending = pending_unref(b->pending);
        if (r < 0)
                (void) error_copy(&error, e);
        else
                r = containers_find(b->set->containers, b->container, &c, &error);
        if (r >= 0)
                r = run_pending(b, on_exited);
        if (r >= 0) {
                p = pending_ref(b->pending); /* it may be told at once, and then b may be gone */
                r = container_wait(c, CONTAINER_WAIT_NOT_RUNNING, p, &error);
                pending_unref(p);
        }
        if (r < 0)
                build_fail(b, r, &error);
}

static int run_attach(Build *b, Container *c, Error *reterr) {
        const AttachOptions options = { .out = true, .err = true, .raw = true };
        int pair[2], r;

        r = fd_socketpair(SOCK_STREAM, pair);
        if (r < 0)
                return r;
        b->fd = pair[0];
        r = container_attach(c, &options, pair[1], NULL, 0, NULL, reterr);
        if (r >= 0)
                r = fd_set_nonblock(b->fd, true);
        if (r >= 0)
                r = loop_io(b->set->event, b->fd, EPOLLIN, LOOP_STREAM, "build-output", on_output,
                        b, &b->source);
        build_run_pause(b);
        return r;
}

static void run_start(Build *b, Container *c) {
        _cleanup_(error_done) Error e = {};
        char shown[IDENT_SHORT_SIZE];
        Pending *p;
        int r;

        b->exited = b->drained = false;
        r = str_copy(&b->container, c->id);
        build_say(b, " ---> Running in %s\n", ident_short(c->id, shown));
        if (r >= 0)
                r = run_attach(b, c, &e);
        if (r >= 0)
                r = run_pending(b, on_started);
        if (r >= 0) {
                p = pending_ref(b->pending);
                r = container_start(c, p, &e);
                pending_unref(p);
        }
        if (r < 0)
                build_fail(b, r, &e);
}

/* Whose container it is, when it is there: NULL when the build has ended meanwhile. */
typedef struct Creation {
        Builds *set;
        Build *build;
        Pending *pending;
} Creation;

static void on_created(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(error_done) Error error = {};
        Creation *x = userdata;
        Build *b = x->build;
        Builds *s = x->set;

        pending_unref(x->pending);
        free(x);
        if (!b) {
                if (r >= 0)
                        build_remove_container(s, NULL, ((Container *) result)->id);
                return;
        }
        b->creation = NULL;
        if (r < 0) {
                (void) error_copy(&error, e);
                build_fail(b, r, &error);
        } else
                run_start(b, result);
}

/* ---- what is wished ---- */

/* One --mount, words "key=value" between commas. */
static int run_mount(Build *b, const char *text, HostConfig *h, Error *reterr) {
        _cleanup_(strv_freep) char **parts = NULL;
        const char *type = "bind", *target = NULL, *unknown = NULL;
        _cleanup_(freep) char *options = NULL;
        int r;

        r = strv_split(text, ",", /* keep_empty= */ false, &parts);
        STRV_FOREACH (p, parts) {
                const char *value = strchr(*p, '=');

                value = value ? value + 1 : "";
                if (r < 0)
                        return r;
                if (str_starts(*p, "type="))
                        type = value;
                else if (str_starts(*p, "target=") || str_starts(*p, "dst=") ||
                         str_starts(*p, "destination="))
                        target = value;
                else if (str_starts(*p, "size="))
                        r = str_printf(&options, "size=%s", value);
                else if (!unknown)
                        unknown = *p;
        }
        if (!streq(type, "tmpfs"))
                return build_unknown(b, reterr, "--mount=type=%s is not implemented", type);
        if (unknown)
                return build_unknown(
                        b, reterr, "--mount=%s: \"%s\" is not understood", text, unknown);
        if (!target || !path_is_absolute(target))
                return build_unknown(b, reterr, "--mount=%s: the target is no absolute path", text);
        return pairs_set(&h->tmpfs, target, str_or_empty(options));
}

static int run_flags(Build *b, HostConfig *h, Error *reterr) {
        const char *network = instruction_flag(b->step_i, "network"),
                   *security = instruction_flag(b->step_i, "security");
        int r = 0;

        if (network && !STR_IN_SET(network, "default", "none", "host"))
                return build_unknown(
                        b, reterr, "--network=%s: it is default, none or host", network);
        if (security && !streq(security, "sandbox"))
                return build_unknown(b, reterr, "--security=%s is not allowed", security);
        if (str_equal(network, "host") && !str_equal(h->network_mode, "host"))
                return build_unknown(b, reterr,
                        "--network=host is only allowed in a build with the host's network");
        if (network && !streq(network, "default"))
                r = str_copy(&h->network_mode, network);
        for (char **f = b->step_i->flags; r >= 0 && f && *f; f += 2)
                if (streq(*f, "mount"))
                        r = run_mount(b, f[1], h, reterr);
        return r;
}

static int run_environment(Build *b, char *const *arguments, ContainerConfig *c) {
        int r;

        r = strv_set(&c->env, b->state.config.config.env);
        if (r >= 0)
                r = strv_add_all(&c->env, arguments);
        STRV_FOREACH (a, b->o.args) {
                _cleanup_(freep) char *name = strndup(*a, strcspn(*a, "="));

                if (!name)
                        return -ENOMEM;
                if (r >= 0 && strchr(*a, '=') && argument_is_predefined(name) &&
                        !strv_env_get(c->env, name))
                        r = strv_add(&c->env, *a);
        }
        return r;
}

static int run_host(const HostConfig *wish, HostConfig *ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_write(wish, host_config_fields, &v);
        return r < 0 ? r : json_read(v, host_config_fields, ret, NULL);
}

static int run_spec(Build *b, char *const *arguments, ContainerSpec *spec, Error *reterr) {
        ContainerConfig *c = &spec->config;
        int r;

        r = run_host(&b->o.host, &spec->host);
        if (r >= 0)
                r = run_flags(b, &spec->host, reterr);
        if (r >= 0)
                r = str_copy(&c->image, b->image);
        if (r >= 0)
                r = strv_set(&c->cmd, b->command);
        if (r >= 0)
                r = run_environment(b, arguments, c);
        if (r >= 0)
                r = str_copy(&spec->build, b->id);
        if (r >= 0)
                r = str_copy(&spec->host.log_config.type, "none");
        c->entrypoint = strv_new(NULL);
        c->healthcheck = new0(HealthSpec, 1);
        if (!c->entrypoint || !c->healthcheck || !(c->healthcheck->test = strv_new("NONE")))
                return -ENOMEM;
        c->attach_stdout = c->attach_stderr = true;
        return r;
}

/* "|2 A=a B=b " in front of the command, as the classic builder's history has it. */
static int run_history(Build *b, char *const *arguments) {
        _cleanup_(freep) char *command = strv_join(b->command, " "),
                              *list = strv_join(arguments, " ");

        if (!command || !list)
                return -ENOMEM;
        return *list ? str_printf(
                               &b->created_by, "|%zu %s %s", strv_length(arguments), list, command)
                     : str_copy(&b->created_by, command);
}

static int run_make_key(Build *b, char *const *arguments) {
        _cleanup_(strv_freep) char **parts = NULL;
        int r;

        r = strv_addf(&parts, "%zu", strv_length(b->command));
        if (r >= 0)
                r = strv_add_all(&parts, b->command);
        if (r >= 0)
                r = strv_add_all(&parts, arguments);
        if (r >= 0)
                r = strv_addf(&parts, "%zu", strv_length(b->step_i->flags));
        if (r >= 0)
                r = strv_add_all(&parts, b->step_i->flags);
        return r < 0 ? r : build_make_key(b, "run", parts);
}

static int run_create(Build *b, ContainerSpec *spec, Error *reterr) {
        Creation *x = new0(Creation, 1);
        Pending *p;
        int r;

        if (!x)
                return -ENOMEM;
        x->set = b->set;
        x->build = b;
        r = pending_new(on_created, x, &x->pending);
        if (r < 0) {
                free(x);
                return r;
        }
        b->creation = &x->build;
        p = pending_ref(x->pending);
        r = containers_create(b->set->containers, spec, NULL, b->o.platform, p, reterr);
        pending_unref(p);
        if (r < 0) {
                b->creation = NULL;
                pending_unref(x->pending);
                free(x);
        }
        return r;
}

int build_do_run(Build *b, Error *reterr) {
        _cleanup_(strv_freep) char **arguments = NULL;
        ContainerSpec spec;
        int r;

        b->command = strv_free(b->command);
        r = build_run_command(&b->state, b->step_i, &b->command);
        if (r >= 0)
                r = build_run_arguments(&b->state, &arguments);
        if (r >= 0)
                r = run_history(b, arguments);
        if (r >= 0)
                r = run_make_key(b, arguments);
        if (r < 0)
                return r;
        if (b->step_i->n_heredocs > 0 &&
                str_starts(str_or_empty(b->step_i->heredocs[0].text), "#!") &&
                str_starts(b->step_i->rest, "<<"))
                return build_unknown(
                        b, reterr, "a heredoc that names its interpreter (#!) is not implemented");
        if (!b->image)
                return build_unknown(
                        b, reterr, "there is nothing to be run: the image has no files");

        container_spec_init(&spec);
        r = run_spec(b, arguments, &spec, reterr);
        if (r >= 0)
                r = build_take_cached(b, reterr);
        if (r > 0)
                build_proceed(b);
        else if (r == 0)
                r = run_create(b, &spec, reterr);
        container_spec_done(&spec);
        return r < 0 ? r : 0;
}
