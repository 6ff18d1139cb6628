/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-container-life.h"

#include <string.h>

#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "lib/api/container-spec.h"
#include "lib/api/filter.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

/* 0: the container's own time; UINT64_MAX: wait for ever, as systemd's infinity. */
static int64_t stop_seconds(uint64_t usec) {
        if (usec == 0)
                return CONTAINER_TIMEOUT_DEFAULT;
        if (usec == UINT64_MAX)
                return -1;
        return (int64_t) DIV_ROUND_UP(usec, USEC_PER_SEC);
}

/* May he, and who waits for the answer? 1 go on; else what the handler returns is *ret. */
static int begin(sd_bus_message *m, AuthAction action, Container *c, bus_reply_t result_reply,
        BusReply **ret, sd_bus_error *reterr) {
        int r;

        r = bus_container_auth(m, action, c, reterr);
        if (r <= 0)
                return r;
        r = bus_reply_new(m, result_reply, ret);
        return r < 0 ? r : 1;
}

/* What a verb has returned is what the handler returns. */
static int end(BusReply *b, int r, Error *e, sd_bus_error *reterr) {
        if (r >= 0)
                return 1;
        bus_reply_free(b);
        r = bus_error(reterr, r, e);
        error_done(e);
        return r;
}

/* Those that take nothing. */
static int plain(sd_bus_message *m, Container *c,
        int (*verb)(Container *c, Pending *p, Error *reterr), sd_bus_error *reterr) {
        Error e = {};
        BusReply *b;
        int r;

        r = begin(m, AUTH_MANAGE_CONTAINERS, c, NULL, &b, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return end(b, verb(c, b->pending, &e), &e, reterr);
}

int bus_container_start(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return plain(m, userdata, container_start, reterr);
}

int bus_container_pause(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return plain(m, userdata, container_pause, reterr);
}

int bus_container_unpause(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return plain(m, userdata, container_unpause, reterr);
}

typedef int (*stop_verb_t)(
        Container *c, int64_t timeout_sec, const char *signal, Pending *p, Error *reterr);

/* signal: NULL or "" is the container's own. */
static int stop(sd_bus_message *m, Container *c, stop_verb_t verb, const char *signal,
        uint64_t timeout_usec, sd_bus_error *reterr) {
        Error e = {};
        BusReply *b;
        int r;

        r = begin(m, AUTH_MANAGE_CONTAINERS, c, NULL, &b, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return end(b,
                verb(c, stop_seconds(timeout_usec), str_empty(signal) ? NULL : signal, b->pending,
                        &e),
                &e, reterr);
}

int bus_container_stop(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        uint64_t timeout_usec;
        int r;

        r = sd_bus_message_read(m, "t", &timeout_usec);
        return r < 0 ? r : stop(m, userdata, container_stop, NULL, timeout_usec, reterr);
}

static int stop_with_signal(
        sd_bus_message *m, Container *c, stop_verb_t verb, sd_bus_error *reterr) {
        uint64_t timeout_usec;
        const char *signal;
        int r;

        r = sd_bus_message_read(m, "st", &signal, &timeout_usec);
        return r < 0 ? r : stop(m, c, verb, signal, timeout_usec, reterr);
}

int bus_container_stop_with_signal(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return stop_with_signal(m, userdata, container_stop, reterr);
}

int bus_container_restart(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return stop_with_signal(m, userdata, container_restart, reterr);
}

int bus_container_kill(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Container *c = userdata;
        const char *signal;
        Error e = {};
        BusReply *b;
        int r;

        r = sd_bus_message_read(m, "s", &signal);
        if (r < 0)
                return r;
        r = begin(m, AUTH_MANAGE_CONTAINERS, c, NULL, &b, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return end(b, container_kill(c, signal, b->pending, &e), &e, reterr);
}

int bus_container_rename(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        Container *c = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        r = bus_container_auth(m, AUTH_MANAGE_CONTAINERS, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = container_rename(c, name, &e);
        return r < 0 ? bus_error(reterr, r, &e) : sd_bus_reply_method_return(m, NULL);
}

static int reply_warnings(sd_bus_message *m, void *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, result);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* The body of POST /containers/ID/update. */
int bus_container_update(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(container_spec_done) ContainerSpec wish;
        _cleanup_(json_unrefp) Json *body = NULL;
        Container *c = userdata;
        const char *text;
        Error e = {};
        BusReply *b;
        int r;

        container_spec_init(&wish);
        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return r;
        r = json_parse(text, strlen(text), JSON_SIZE_MAX, &body, &e);
        if (r >= 0)
                r = json_read_with(body, host_config_fields, &wish.host, JSON_READ_DOCKER, &e);
        if (r < 0) {
                r = bus_error(reterr, r, &e);
                error_done(&e);
                return r;
        }
        r = begin(m, AUTH_MANAGE_CONTAINERS, c, reply_warnings, &b, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return end(b, container_update(c, &wish, b->pending, &e), &e, reterr);
}

static int reply_top(sd_bus_message *m, void *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const TopTable *t = result;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, t->titles);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "as");
        for (size_t i = 0; r >= 0 && i < t->n_rows; i++) {
                r = sd_bus_message_open_container(reply, 'a', "s");
                STRV_FOREACH (word, t->rows[i])
                        if (r >= 0)
                                r = bus_append_text(reply, *word);
                if (r >= 0)
                        r = sd_bus_message_close_container(reply);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int bus_container_top(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Container *c = userdata;
        const char *args;
        Error e = {};
        BusReply *b;
        int r;

        r = sd_bus_message_read(m, "s", &args);
        if (r < 0)
                return r;
        r = begin(m, AUTH_VIEW, c, reply_top, &b, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return end(b, container_top(c, args, b->pending, &e), &e, reterr);
}

static int reply_pruned(sd_bus_message *m, void *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const ContainersPruned *pruned = result;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, pruned->ids);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", pruned->bytes);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int bus_manager_prune_containers(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        Engine *engine = userdata;
        Error e = {};
        BusReply *b;
        int r;

        r = bus_read_filter(m, container_prune_filter_keys, &filter, &e);
        if (r < 0) {
                r = bus_error(reterr, r, &e);
                error_done(&e);
                return r;
        }
        r = bus_auth(m, AUTH_MANAGE_CONTAINERS, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = bus_reply_new(m, reply_pruned, &b);
        if (r < 0)
                return r;
        return end(b, containers_prune(engine->containers, filter, b->pending, &e), &e, reterr);
}

static int reply_exit_code(sd_bus_message *m, void *result) {
        return sd_bus_reply_method_return(m, "i", (int32_t) * (const int64_t *) result);
}

int bus_container_wait(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        ContainerWaitCondition condition;
        Container *c = userdata;
        const char *name;
        Error e = {};
        BusReply *b;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;

        condition = container_wait_condition_from_string(name);
        if (condition < 0) {
                r = error_set(&e, ERROR_INVALID, "invalid condition: \"%s\"", name);
                r = bus_error(reterr, r, &e);
                error_done(&e);
                return r;
        }

        r = begin(m, AUTH_VIEW, c, reply_exit_code, &b, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return end(b, container_wait(c, condition, b->pending, &e), &e, reterr);
}

int bus_container_remove(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Container *c = userdata;
        int force, volumes;
        Error e = {};
        BusReply *b;
        int r;

        r = sd_bus_message_read(m, "bb", &force, &volumes);
        if (r < 0)
                return r;
        r = begin(m, AUTH_MANAGE_CONTAINERS, c, NULL, &b, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        return end(b, container_remove(c, force, volumes, b->pending, &e), &e, reterr);
}
