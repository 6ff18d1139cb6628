/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who may do what: root may everything, everybody else what polkit says; every error on the way is
 * a no. Asked asynchronously; every decision goes to the journal with who, what and which object.
 * One Auth per program, made by main(); it must outlive the bus objects. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Auth Auth;
typedef struct AuthQuery AuthQuery;
typedef struct AuthPeer AuthPeer;

typedef enum AuthAction {
        AUTH_VIEW, /* org.stauer.engine.view */
        AUTH_MANAGE_CONTAINERS,
        AUTH_CREATE_PRIVILEGED,
        AUTH_EXEC,
        AUTH_MANAGE_IMAGES,
        AUTH_MANAGE_NETWORKS,
        AUTH_MANAGE_VOLUMES,
        AUTH_PRUNE,
        AUTH_CONFIG_VIEW, /* org.stauer.config.view */
        AUTH_CONFIG_EDIT,
        _AUTH_ACTION_MAX,
        _AUTH_ACTION_INVALID = -22,
} AuthAction;

const char *auth_action_to_string(AuthAction a); /* the polkit id */
AuthAction auth_action_from_string(const char *s);

/* The bus is the one polkit is on. */
int auth_new(sd_bus *bus, Auth **ret);
Auth *auth_free(
        Auth *a); /* open queries end without a callback; their calls get no answer from us */
DEFINE_CLEANUP(Auth *, auth_free);

/* Is anybody waiting for an answer? A program that exits when idle does not then. */
bool auth_busy(const Auth *a);

/* For a method handler, after it has read its arguments and before it does anything:
 *
 *         r = bus_auth(m, AUTH_EXEC, c->id, (const char *const[]) { "container", c->name, NULL },
 * reterr); if (r <= 0) return r < 0 ? r : 1;
 *
 * 1: allowed. 0: polkit is being asked, the same message is dispatched again when it has answered
 * (the handler then looks up its object anew, so it may be gone by then). Negative: refused, reterr
 * says so. DETAILS are pairs key, value for polkit's rules, ending in NULL; keys are letters,
 * digits, "." and "_". Without an Auth only a no comes out of it. */
int bus_auth(sd_bus_message *m, AuthAction action, const char *object, const char *const *details,
        sd_bus_error *reterr);

/* The uid that the bus gave for the sender of m, once bus_auth() has said 1 for it. (uid_t) -1
 * before. */
uid_t bus_auth_uid(sd_bus_message *m);

/* A peer of a unix socket: what the kernel says (SO_PEERCRED, SO_PEERPIDFD), never what the client
 * says. */
struct AuthPeer {
        uid_t uid;
        gid_t gid;
        pid_t pid;
        int pidfd; /* borrowed; -EBADF when the kernel gives none */
};

/* Answer later: 1 allowed, negative refused (e has the sentence and is the query's). The query may
 * be freed in it, and has to be then or later: it counts among those that wait until it is. */
typedef void (*auth_answer_t)(int r, const Error *e, void *userdata);

/* 1: allowed at once, no query. 0: asked, *ret lives until the callback; freeing it cancels.
 * Negative: refused at once. */
int auth_check_peer(Auth *a, const AuthPeer *peer, AuthAction action, const char *object,
        const char *const *details, auth_answer_t callback, void *userdata, AuthQuery **ret,
        Error *reterr);
AuthQuery *auth_query_free(AuthQuery *q);
DEFINE_CLEANUP(AuthQuery *, auth_query_free);
