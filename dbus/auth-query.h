/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One question "may this one do that?" on its way to polkit; inside of dbus/ only. Owned by who
 * asked: a call (bus-auth.c) or the face that got it from auth_check_peer(). */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "dbus/bus-auth.h"
#include "lib/base/list.h"

#define AUTH_QUERIES_MAX         512U
#define AUTH_QUERIES_PER_UID_MAX 64U

typedef struct AuthSubject AuthSubject;

struct Auth {
        sd_bus *bus;
        List queries; /* of AuthQuery.node: all that are under way */
        List calls;   /* of AuthCall.node (bus-auth.c) */
        unsigned n_queries;
        uint64_t n_asked; /* makes cancellation ids */
};

/* Who asks. sender: on the bus, else NULL and the kernel's words on a unix socket. */
struct AuthSubject {
        char *sender;
        uid_t uid;
        pid_t pid; /* for the journal; 0: not known */
        int pidfd; /* ours; of a peer only */
        bool interactive;
};

struct AuthQuery {
        Auth *auth;
        ListNode node;
        AuthAction action;
        char *object;
        char **details; /* pairs, NULL-terminated */
        AuthSubject subject;
        sd_bus_slot *slot;
        char *cancel_id; /* set while polkit has it */
        sd_event_source *defer;
        int result;             /* 0: open, 1: allowed, negative: refused */
        const char *error_name; /* of the bus, when refused */
        Error error;
        auth_answer_t callback; /* called when result is set; may free the query */
        void *userdata;
};

int auth_query_new(Auth *a, AuthAction action, const char *object, const char *const *details,
        const AuthSubject *subject, auth_answer_t callback, void *userdata, AuthQuery **ret);

/* Decides what can be decided at once (root, limits) and asks polkit else. Result as in AuthQuery;
 * the callback is not called for what is decided here. */
int auth_query_start(AuthQuery *q);

/* Sets the result and writes it to the journal. */
void auth_query_decide(AuthQuery *q, int result, const char *error_name, const char *text);

bool auth_query_matches(
        const AuthQuery *q, AuthAction action, const char *object, const char *const *details);

void auth_subject_done(AuthSubject *s);

/* In auth_free(): calls that wait. */
void auth_calls_free(Auth *a);
