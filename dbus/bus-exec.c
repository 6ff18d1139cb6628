/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One more process in a container: Container.CreateExec and Exec, Manager.GetExec, and the object that stands for it. */
#include <errno.h>
#include <inttypes.h>

#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container-check.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/container/exec.h"
#include "engine/engine.h"
#include "engine/view/exec-view.h"
#include "lib/api/exec-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define GETTER(name)                                                          \
        static int name(sd_bus *bus, const char *path, const char *interface, \
                const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr)

int bus_exec_path(const Exec *x, char **ret) {
        return bus_path_make(BUS_EXEC_ROOT, x->id, ret);
}

/* ---- who may ---- */

/* polkit is told what will run, as by REST. */
static int exec_auth(sd_bus_message *m, AuthAction action, const Container *c, const ExecSpec *spec,
        sd_bus_error *reterr) {
        _cleanup_(freep) char *command = strv_join(spec->cmd, " ");

        if (!command)
                return -ENOMEM;
        const char *const details[] = { "container", c->name, "image",
                str_or_empty(c->spec.config.image), "command", command, "user",
                str_or_empty(str_empty(spec->user) ? c->spec.config.user : spec->user),
                "privileged", spec->privileged ? "true" : "false", "privilege",
                str_or(container_check_privilege(&c->spec), "none"), NULL };

        return bus_auth(m, action, c->id, details, reterr);
}

/* ---- what is wished ---- */

/* Of CreateExec, Exec, Start and StartAttached together; each has its own list of names. */
typedef struct ExecOptions {
        ExecSpec spec;
        uint32_t rows, columns;
        bool raw;
} ExecOptions;

static void options_done(ExecOptions *o) {
        exec_spec_done(&o->spec);
}

static int read_flag(sd_bus_message *m, void *field) {
        return bus_read_option_bool(m, field);
}

static int read_text(sd_bus_message *m, void *field) {
        const char *s;
        int r;

        r = sd_bus_message_read(m, "v", "s", &s);
        if (r >= 0)
                r = str_copy(field, s);
        return r < 0 ? r : 1;
}

static int read_words(sd_bus_message *m, void *field) {
        return bus_read_option_strv(m, field);
}

static int read_size(sd_bus_message *m, void *field) {
        ExecOptions *o = field;
        int r;

        r = sd_bus_message_read(m, "v", "(uu)", &o->rows, &o->columns);
        return r < 0 ? r : 1;
}

enum {
        OF_CREATE = 1 << 0, /* says what runs */
        OF_START = 1 << 1,  /* how it is begun */
        OF_STREAM = 1 << 2, /* with a stream */
};

/* clang-format off */
static const struct {
        const char *name;
        unsigned of;
        int (*read)(sd_bus_message *m, void *field);
        size_t offset;
} exec_options[] = {
        { "User",             OF_CREATE, read_text,  offsetof(ExecOptions, spec.user) },
        { "Environment",      OF_CREATE, read_words, offsetof(ExecOptions, spec.env) },
        { "WorkingDirectory", OF_CREATE, read_text,  offsetof(ExecOptions, spec.working_dir) },
        { "Privileged",       OF_CREATE, read_flag,  offsetof(ExecOptions, spec.privileged) },
        { "Tty",              OF_CREATE, read_flag,  offsetof(ExecOptions, spec.tty) },
        { "DetachKeys",       OF_CREATE, read_text,  offsetof(ExecOptions, spec.detach_keys) },
        { "Stdin",            OF_CREATE, read_flag,  offsetof(ExecOptions, spec.attach_stdin) },
        { "Stdout",           OF_CREATE, read_flag,  offsetof(ExecOptions, spec.attach_stdout) },
        { "Stderr",           OF_CREATE, read_flag,  offsetof(ExecOptions, spec.attach_stderr) },
        { "ConsoleSize",      OF_CREATE | OF_START, read_size, 0 },
        { "Raw",              OF_STREAM, read_flag,  offsetof(ExecOptions, raw) },
};
/* clang-format on */

typedef struct OptionReader {
        ExecOptions *options;
        unsigned of;
} OptionReader;

static int read_option(sd_bus_message *m, const char *name, void *userdata) {
        OptionReader *k = userdata;

        for (size_t i = 0; i < ARRAY_SIZE(exec_options); i++)
                if ((exec_options[i].of & k->of) && streq(name, exec_options[i].name))
                        return exec_options[i].read(
                                m, (char *) k->options + exec_options[i].offset);
        return 0;
}

static int check_size(uint32_t rows, uint32_t columns, Error *reterr) {
        if (rows > UINT16_MAX || columns > UINT16_MAX)
                return error_set(reterr, ERROR_INVALID,
                        "a terminal of %" PRIu32 " by %" PRIu32 " characters is too large", rows,
                        columns);
        return 0;
}

static int read_options(
        sd_bus_message *m, const char *method, unsigned of, ExecOptions *o, Error *reterr) {
        int r;

        r = bus_read_options(m, method, read_option, &(OptionReader) { o, of }, reterr);
        return r < 0 ? r : check_size(o->rows, o->columns, reterr);
}

/* Command and options of CreateExec and Exec; the size becomes part of the wish. */
static int read_wish(
        sd_bus_message *m, const char *method, unsigned of, ExecOptions *o, Error *reterr) {
        ExecSpec *spec = &o->spec;
        int r;

        spec->attach_stdin = spec->attach_stdout = spec->attach_stderr = true;
        r = sd_bus_message_read_strv(m, &spec->cmd);
        if (r >= 0)
                r = read_options(m, method, of, o, reterr);
        if (r < 0)
                return r;
        if (o->rows == 0 || o->columns == 0)
                return 0;
        spec->console_size = new0(uint32_t, 2);
        if (!spec->console_size)
                return -ENOMEM;
        spec->n_console_size = 2;
        spec->console_size[0] = o->rows;
        spec->console_size[1] = o->columns;
        return 0;
}

/* ---- starting ---- */

static int reply_exec_and_stream(sd_bus_message *m, void *result, int fd) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = bus_exec_path(result, &path);
        return r < 0 ? r : sd_bus_reply_method_return(m, "oh", path, fd);
}

/* Answers when the program runs; then the caller gets his end of the stream, as reply says it. */
static int start_attached(sd_bus_message *m, Exec *x, const ExecOptions *o,
        int (*reply)(sd_bus_message *m, void *result, int fd), sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        BusReply *b;
        int fd, r;

        r = exec_check_start(x, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = bus_reply_new_stream(m, &b, &fd);
        if (r < 0)
                return r;
        b->fd_reply = reply;
        r = exec_start_attached(
                x, o->rows, o->columns, !o->raw && !x->spec.tty, fd, NULL, 0, b->pending, &e);
        return bus_reply_return(b, r, &e, reterr);
}

/* ---- methods of a container ---- */

static int method_create(
        sd_bus_message *m, Container *c, ExecOptions *o, unsigned of, sd_bus_error *reterr) {
        const char *method = of & OF_STREAM ? "Exec" : "CreateExec";
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *path = NULL;
        Exec *x;
        int r;

        r = read_wish(m, method, of, o, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = exec_auth(m, AUTH_EXEC, c, &o->spec, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = container_exec_create(c, &o->spec, &x, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        if (of & OF_STREAM)
                return start_attached(m, x, o, reply_exec_and_stream, reterr);
        r = bus_exec_path(x, &path);
        return r < 0 ? r : sd_bus_reply_method_return(m, "o", path);
}

int bus_container_create_exec(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(options_done) ExecOptions o = {};

        return method_create(m, userdata, &o, OF_CREATE, reterr);
}

int bus_container_exec(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(options_done) ExecOptions o = {};

        return method_create(m, userdata, &o, OF_CREATE | OF_STREAM, reterr);
}

int bus_manager_get_exec(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *path = NULL;
        Engine *engine = userdata;
        const char *id;
        int found, r;
        Exec *x;

        r = sd_bus_message_read(m, "s", &id);
        if (r < 0)
                return r;
        found = containers_find_exec(engine->containers, id, &x, &e);
        r = found < 0 ? bus_auth(m, AUTH_VIEW, id, NULL, reterr)
                      : bus_container_auth(m, AUTH_VIEW, x->container, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (found < 0)
                return bus_error(reterr, found, &e);
        r = bus_exec_path(x, &path);
        return r < 0 ? r : sd_bus_reply_method_return(m, "o", path);
}

/* ---- methods of an exec ---- */

static int method_start(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(options_done) ExecOptions o = {};
        _cleanup_(error_done) Error e = {};
        Exec *x = userdata;
        BusReply *b;
        int r;

        r = read_options(m, "Start", OF_START, &o, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = exec_auth(m, AUTH_EXEC, x->container, &x->spec, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new(m, NULL, &b);
        if (r < 0)
                return r;
        return bus_reply_return(b, exec_start(x, o.rows, o.columns, b->pending, &e), &e, reterr);
}

static int method_start_attached(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(options_done) ExecOptions o = {};
        _cleanup_(error_done) Error e = {};
        Exec *x = userdata;
        int r;

        r = read_options(m, "StartAttached", OF_START | OF_STREAM, &o, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = exec_auth(m, AUTH_EXEC, x->container, &x->spec, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return start_attached(m, x, &o, /* reply= */ NULL, reterr);
}

static int method_resize(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        uint32_t rows, columns;
        Exec *x = userdata;
        BusReply *b;
        int r;

        r = sd_bus_message_read(m, "uu", &rows, &columns);
        if (r >= 0)
                r = check_size(rows, columns, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = exec_auth(m, AUTH_EXEC, x->container, &x->spec, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new(m, NULL, &b);
        if (r < 0)
                return r;
        return bus_reply_return(b, exec_resize(x, rows, columns, b->pending, &e), &e, reterr);
}

static int method_kill(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        Exec *x = userdata;
        const char *text;
        BusReply *b;
        int sig, r;

        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return r;
        r = exec_auth(m, AUTH_EXEC, x->container, &x->spec, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        if (parse_signal(str_empty(text) ? "KILL" : text, &sig) < 0)
                return bus_error(
                        reterr, error_set(&e, ERROR_INVALID, "invalid signal: %s", text), &e);
        r = bus_reply_new(m, NULL, &b);
        if (r < 0)
                return r;
        return bus_reply_return(b, exec_kill(x, sig, b->pending, &e), &e, reterr);
}

static int reply_exit_code(sd_bus_message *m, void *result) {
        return sd_bus_reply_method_return(m, "i", (int32_t) * (const int *) result);
}

static int method_wait(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        Exec *x = userdata;
        BusReply *b;
        int r;

        r = bus_container_auth(m, AUTH_VIEW, x->container, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_reply_new(m, reply_exit_code, &b);
        if (r < 0)
                return r;
        return bus_reply_return(b, exec_wait(x, b->pending, &e), &e, reterr);
}

static int method_inspect(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        Exec *x = userdata;
        int r;

        r = bus_container_auth(m, AUTH_VIEW, x->container, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = exec_view(x, &v);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        return r < 0 ? r : sd_bus_reply_method_return(m, "s", text);
}

/* ---- properties ---- */

GETTER(get_id) {
        const Exec *x = userdata;

        return sd_bus_message_append(reply, "s", x->id);
}

GETTER(get_container) {
        _cleanup_(freep) char *container = NULL;
        const Exec *x = userdata;
        int r;

        r = bus_container_path(x->container, &container);
        return r < 0 ? r : sd_bus_message_append(reply, "o", container);
}

GETTER(get_command) {
        const Exec *x = userdata;

        return sd_bus_message_append_strv(reply, x->spec.cmd);
}

GETTER(get_text) {
        return sd_bus_message_append(reply, "s", str_or_empty(*(char **) userdata));
}

GETTER(get_flag) {
        return sd_bus_message_append(reply, "b", (int) *(bool *) userdata);
}

GETTER(get_state) {
        const Exec *x = userdata;

        return sd_bus_message_append(reply, "s", exec_state_to_string(x->state));
}

GETTER(get_pid) {
        const Exec *x = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) x->pid);
}

GETTER(get_exit_code) {
        const Exec *x = userdata;

        return sd_bus_message_append(reply, "i", (int32_t) x->exit_code);
}

/* clang-format off */
const sd_bus_vtable bus_exec_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Container", "o", get_container, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Command", "as", get_command, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("User", "s", get_text, offsetof(Exec, spec.user), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Privileged", "b", get_flag, offsetof(Exec, spec.privileged), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Tty", "b", get_flag, offsetof(Exec, spec.tty), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Pid", "u", get_pid, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ExitCode", "i", get_exit_code, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),

        SD_BUS_METHOD_WITH_ARGS("Start", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_start, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("StartAttached", SD_BUS_ARGS("a{sv}", options), SD_BUS_RESULT("h", stream), method_start_attached, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Resize", SD_BUS_ARGS("u", height, "u", width), SD_BUS_NO_RESULT, method_resize, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("s", signal), SD_BUS_NO_RESULT, method_kill, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_NO_ARGS, SD_BUS_RESULT("i", exit_code), method_wait, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_inspect, SD_BUS_VTABLE_UNPRIVILEGED),

        SD_BUS_VTABLE_END
};
/* clang-format on */
