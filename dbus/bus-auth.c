/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-auth.h"

#include <errno.h>

#include "dbus/auth-query.h"
#include "dbus/bus-util.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

typedef struct AuthCall AuthCall;

/* A method call that waits. It is dispatched again, from the look-up of its object on, when an
 * answer is there: what the handler held in its hands may be gone by then. Answers stay until a
 * dispatch asked nothing new, so that a handler may need several. */
struct AuthCall {
        Auth *auth;
        ListNode node;
        sd_bus_message *message;
        AuthSubject subject;
        AuthQuery *queries[4];
        size_t n_queries;
        sd_bus_slot *slot; /* asking the bus who the sender is */
        sd_event_source *done;
};

/* Handlers know their message only, and a program has one Auth. */
static Auth *program_auth;

static AuthCall *call_free(AuthCall *c) {
        if (!c)
                return NULL;

        list_remove(&c->node);
        for (size_t i = 0; i < c->n_queries; i++)
                auth_query_free(c->queries[i]);
        sd_bus_slot_unref(c->slot);
        sd_event_source_disable_unref(c->done);
        auth_subject_done(&c->subject);
        sd_bus_message_unref(c->message);
        return mfree(c);
}
DEFINE_CLEANUP(AuthCall *, call_free);

int auth_new(sd_bus *bus, Auth **ret) {
        Auth *a;

        assert(bus);
        assert(ret);
        assert(!program_auth);

        a = new0(Auth, 1);
        if (!a)
                return -ENOMEM;
        a->bus = sd_bus_ref(bus);
        list_init(&a->queries);
        list_init(&a->calls);

        program_auth = *ret = a;
        return 0;
}

Auth *auth_free(Auth *a) {
        AuthCall *c;
        AuthQuery *q;

        if (!a)
                return NULL;

        LIST_FOREACH_SAFE (c, &a->calls, node)
                call_free(c);
        /* What faces hold still is theirs to free; it just has nobody to ask any more. */
        LIST_FOREACH_SAFE (q, &a->queries, node) {
                list_remove(&q->node);
                q->slot = sd_bus_slot_unref(q->slot);
                q->auth = NULL;
        }
        if (program_auth == a)
                program_auth = NULL;
        sd_bus_unref(a->bus);
        return mfree(a);
}

bool auth_busy(const Auth *a) {
        return a->n_queries > 0 || !list_empty(&a->calls);
}

static AuthCall *find_call(Auth *a, sd_bus_message *m) {
        AuthCall *c;

        LIST_FOREACH (c, &a->calls, node)
                if (c->message == m)
                        return c;
        return NULL;
}

/* Runs when the dispatch that got the answer is over. */
static int on_done(sd_event_source *source, void *userdata) {
        AuthCall *c = userdata;

        for (size_t i = 0; i < c->n_queries; i++)
                if (c->queries[i]->result == 0)
                        return 0; /* the handler asked once more */
        call_free(c);
        return 0;
}

static int dispatch_again(AuthCall *c) {
        int r;

        r = sd_bus_message_rewind(c->message, /* complete= */ true);
        if (r < 0)
                return r;
        return sd_bus_enqueue_for_read(c->auth->bus, c->message);
}

static void on_answer(int result, const Error *e, void *userdata) {
        AuthCall *c = userdata;
        int r;

        r = dispatch_again(c);
        if (r < 0) {
                (void) sd_bus_reply_method_errno(c->message, r, NULL);
                call_free(c);
        }
}

static int read_credentials(sd_bus_message *m, AuthSubject *s) {
        uint32_t uid = UINT32_MAX, pid = 0;
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                if (streq(name, "UnixUserID"))
                        r = sd_bus_message_read(m, "v", "u", &uid);
                else if (streq(name, "ProcessID"))
                        r = sd_bus_message_read(m, "v", "u", &pid);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (uid == UINT32_MAX)
                return -ENODATA;

        s->uid = uid;
        s->pid = (pid_t) pid;
        return 0;
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        AuthCall *c = userdata;
        AuthQuery *q = c->queries[0];

        c->slot = sd_bus_slot_unref(c->slot);

        /* The sender may be gone already. That is no uid 0. */
        if (sd_bus_message_is_method_error(m, NULL) || read_credentials(m, &c->subject) < 0) {
                c->subject.uid = (uid_t) -1;
                auth_query_decide(q, -EACCES, SD_BUS_ERROR_ACCESS_DENIED,
                        "Access denied: the bus does not say who you are");
        } else {
                q->subject.uid = c->subject.uid;
                q->subject.pid = c->subject.pid;
                if (auth_query_start(q) == 0)
                        return 1;
        }

        on_answer(q->result, NULL, c);
        return 1;
}

static int call_new(Auth *a, sd_bus_message *m, AuthCall **ret) {
        _cleanup_(call_freep) AuthCall *c = NULL;
        const char *sender = sd_bus_message_get_sender(m);
        int r;

        if (!sender)
                return -EACCES;

        c = new0(AuthCall, 1);
        if (!c)
                return -ENOMEM;
        c->auth = a;
        c->message = sd_bus_message_ref(m);
        c->subject = (AuthSubject) {
                .uid = (uid_t) -1,
                .pidfd = -EBADF,
                .interactive = sd_bus_message_get_allow_interactive_authorization(m) > 0,
        };
        r = str_copy(&c->subject.sender, sender);
        if (r < 0)
                return r;

        list_append(&a->calls, &c->node);
        *ret = TAKE_PTR(c);
        return 0;
}

/* The answer of an earlier dispatch for exactly this question: not for another object that has the
 * name by now. */
static AuthQuery *find_answer(
        AuthCall *c, AuthAction action, const char *object, const char *const *details) {
        for (size_t i = 0; i < c->n_queries; i++)
                if (c->queries[i]->result != 0 &&
                        auth_query_matches(c->queries[i], action, object, details))
                        return c->queries[i];
        return NULL;
}

static int give_answer(AuthCall *c, AuthQuery *q, sd_bus_error *reterr) {
        int r;

        if (!c->done) {
                r = sd_event_add_defer(sd_bus_get_event(c->auth->bus), &c->done, on_done, c);
                if (r < 0)
                        return r;
                (void) sd_event_source_set_description(c->done, "auth-call-done");
        }
        r = sd_event_source_set_enabled(c->done, SD_EVENT_ONESHOT);
        if (r < 0)
                return r;

        if (q->result > 0)
                return 1;
        (void) sd_bus_error_set(reterr, q->error_name, q->error.text);
        return -EACCES;
}

static int ask(AuthCall *c, AuthAction action, const char *object, const char *const *details,
        sd_bus_error *reterr) {
        AuthQuery *q;
        int r;

        if (c->n_queries >= ARRAY_SIZE(c->queries))
                return -E2BIG;
        r = auth_query_new(c->auth, action, object, details, &c->subject, on_answer, c, &q);
        if (r < 0)
                return r;
        c->queries[c->n_queries++] = q;

        if (c->subject.uid != (uid_t) -1)
                return auth_query_start(q) != 0 ? give_answer(c, q, reterr) : 0;

        return sd_bus_call_method_async(c->auth->bus, &c->slot, "org.freedesktop.DBus",
                       "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials",
                       on_credentials, c, "s", c->subject.sender) < 0
                     ? -EACCES
                     : 0;
}

int bus_auth(sd_bus_message *m, AuthAction action, const char *object, const char *const *details,
        sd_bus_error *reterr) {
        Auth *a = program_auth;
        AuthQuery *q;
        AuthCall *c;
        int r;

        assert(m);

        if (!a)
                return sd_bus_error_set_const(reterr, SD_BUS_ERROR_ACCESS_DENIED, "Access denied"),
                     -EACCES;

        c = find_call(a, m);
        if (!c) {
                r = call_new(a, m, &c);
                if (r < 0)
                        return sd_bus_error_set_const(
                                       reterr, SD_BUS_ERROR_ACCESS_DENIED, "Access denied"),
                               r;
        }

        q = find_answer(c, action, object, details);
        if (q)
                return give_answer(c, q, reterr);

        r = ask(c, action, object, details, reterr);
        if (r < 0) {
                if (!sd_bus_error_is_set(reterr))
                        (void) sd_bus_error_set_const(
                                reterr, SD_BUS_ERROR_ACCESS_DENIED, "Access denied");
                if (!c->done)
                        call_free(c);
        }
        return r;
}

uid_t bus_auth_uid(sd_bus_message *m) {
        AuthCall *c = program_auth ? find_call(program_auth, m) : NULL;

        return c ? c->subject.uid : (uid_t) -1;
}

int auth_check_peer(Auth *a, const AuthPeer *peer, AuthAction action, const char *object,
        const char *const *details, auth_answer_t callback, void *userdata, AuthQuery **ret,
        Error *reterr) {
        _cleanup_(auth_query_freep) AuthQuery *q = NULL;
        AuthSubject subject = { .uid = peer->uid, .pid = peer->pid, .pidfd = peer->pidfd };
        int r;

        assert(a);
        assert(callback);
        assert(ret);

        r = auth_query_new(a, action, object, details, &subject, callback, userdata, &q);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot ask whether this is allowed");

        r = auth_query_start(q);
        if (r < 0) {
                error_move(reterr, &q->error);
                return r;
        }
        if (r > 0)
                return 1;

        *ret = TAKE_PTR(q);
        return 0;
}
