/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/auth-query.h"

#include <errno.h>
#include <inttypes.h>

#include "dbus/bus-util.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define POLKIT_NAME              "org.freedesktop.PolicyKit1"
#define POLKIT_PATH              "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE         "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_INTERACTION 1U
#define ASK_USEC                 (9 * UINT64_C(1000000))
#define ASK_PERSON_USEC          (180 * UINT64_C(1000000)) /* a person types a password */

#define MESSAGE_ALLOWED "3f1c2b7e6f0d4a5a9a7b0c64d1e52f80"
#define MESSAGE_REFUSED "c9d0a4b1e83f4c0f8c7f5d2ab6e91734"

static const char *const auth_action_table[_AUTH_ACTION_MAX] = {
        [AUTH_VIEW] = "org.stauer.engine.view",
        [AUTH_MANAGE_CONTAINERS] = "org.stauer.engine.manage-containers",
        [AUTH_CREATE_PRIVILEGED] = "org.stauer.engine.create-privileged",
        [AUTH_EXEC] = "org.stauer.engine.exec",
        [AUTH_MANAGE_IMAGES] = "org.stauer.engine.manage-images",
        [AUTH_MANAGE_NETWORKS] = "org.stauer.engine.manage-networks",
        [AUTH_MANAGE_VOLUMES] = "org.stauer.engine.manage-volumes",
        [AUTH_PRUNE] = "org.stauer.engine.prune",
        [AUTH_CONFIG_VIEW] = "org.stauer.config.view",
        [AUTH_CONFIG_EDIT] = "org.stauer.config.edit",
};

DEFINE_STRING_TABLE(auth_action, AuthAction);

void auth_subject_done(AuthSubject *s) {
        free(s->sender);
        s->pidfd = fd_close(s->pidfd);
        *s = (AuthSubject) { .pidfd = -EBADF };
}

static int copy_details(const char *const *details, char ***ret) {
        int r;

        for (; details && details[0] && details[1]; details += 2) {
                r = strv_add(ret, details[0]);
                if (r < 0)
                        return r;
                r = strv_add(ret, details[1]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int auth_query_new(Auth *a, AuthAction action, const char *object, const char *const *details,
        const AuthSubject *subject, auth_answer_t callback, void *userdata, AuthQuery **ret) {
        _cleanup_(auth_query_freep) AuthQuery *q = NULL;
        int r;

        assert(a);
        assert(action >= 0 && action < _AUTH_ACTION_MAX);
        assert(subject);
        assert(ret);

        q = new0(AuthQuery, 1);
        if (!q)
                return -ENOMEM;
        q->action = action;
        q->callback = callback;
        q->userdata = userdata;
        q->subject = (AuthSubject) {
                .uid = subject->uid,
                .pid = subject->pid,
                .pidfd = -EBADF,
                .interactive = subject->interactive,
        };

        r = str_copy(&q->subject.sender, subject->sender);
        if (r < 0)
                return r;
        if (subject->pidfd >= 0) {
                q->subject.pidfd = fd_dup(subject->pidfd);
                if (q->subject.pidfd < 0)
                        return q->subject.pidfd;
        }
        r = str_copy(&q->object, object);
        if (r < 0)
                return r;
        r = copy_details(details, &q->details);
        if (r < 0)
                return r;

        q->auth = a;
        list_append(&a->queries, &q->node);
        a->n_queries++;
        *ret = TAKE_PTR(q);
        return 0;
}

/* Somebody may sit before a password prompt that nobody needs any more. */
static void cancel(AuthQuery *q) {
        if (!q->cancel_id)
                return;
        (void) sd_bus_call_method_async(q->auth->bus, NULL, POLKIT_NAME, POLKIT_PATH,
                POLKIT_INTERFACE, "CancelCheckAuthorization", NULL, NULL, "s", q->cancel_id);
        q->cancel_id = mfree(q->cancel_id);
}

AuthQuery *auth_query_free(AuthQuery *q) {
        if (!q)
                return NULL;

        if (q->auth) {
                cancel(q);
                list_remove(&q->node);
                q->auth->n_queries--;
        }
        sd_bus_slot_unref(q->slot);
        sd_event_source_disable_unref(q->defer);
        auth_subject_done(&q->subject);
        error_done(&q->error);
        strv_free(q->details);
        free(q->cancel_id);
        free(q->object);
        return mfree(q);
}

bool auth_query_matches(
        const AuthQuery *q, AuthAction action, const char *object, const char *const *details) {
        size_t i = 0;

        if (q->action != action || !str_equal(q->object, object))
                return false;
        for (; details && details[i] && details[i + 1]; i += 2)
                if (!q->details || !q->details[i] || !streq(q->details[i], details[i]) ||
                        !streq(q->details[i + 1], details[i + 1]))
                        return false;
        return !q->details || !q->details[i];
}

static void log_decision(const AuthQuery *q) {
        _cleanup_(strv_freep) char **extra = NULL;
        _cleanup_(freep) char *name = NULL;
        const AuthSubject *s = &q->subject;
        bool allowed = q->result > 0;

        if (s->pid > 0)
                (void) process_name(s->pid, &name);

        if (strv_addf(&extra, "AUTH_ACTION=%s", auth_action_to_string(q->action)) < 0 ||
                strv_addf(&extra, "AUTH_RESULT=%s", allowed ? "allowed" : "refused") < 0 ||
                strv_addf(&extra, "AUTH_OBJECT=%s", str_or_empty(q->object)) < 0 ||
                strv_addf(&extra, "AUTH_SENDER=%s", str_or(s->sender, "socket")) < 0 ||
                (s->uid != (uid_t) -1 && strv_addf(&extra,
                                                 "AUTH_UID="
                                                 "%" PRIu32,
                                                 (uint32_t) s->uid) < 0) ||
                (s->pid > 0 && strv_addf(&extra, "AUTH_PID=%d", (int) s->pid) < 0))
                return (void) log_oom();

        for (size_t i = 0; q->details && q->details[i]; i += 2)
                if (strv_addf(&extra, "AUTH_DETAIL=%s=%s", q->details[i], q->details[i + 1]) < 0)
                        return (void) log_oom();

        (void) log_struct(allowed ? LOG_INFO : LOG_NOTICE, 0,
                &((LogFields) { .message_id = allowed ? MESSAGE_ALLOWED : MESSAGE_REFUSED,
                        .extra = extra }),
                "%s%s%s%s %s for uid %" PRId64 ", %s[%d] at %s%s%s",
                auth_action_to_string(q->action), q->object ? " on \"" : "",
                str_or_empty(q->object), q->object ? "\"" : "", allowed ? "allowed" : "refused",
                s->uid == (uid_t) -1 ? (int64_t) -1 : (int64_t) s->uid, str_or(name, "?"),
                (int) s->pid, str_or(s->sender, "a socket"), q->error.text ? ": " : "",
                str_or_empty(q->error.text));
}

void auth_query_decide(AuthQuery *q, int result, const char *error_name, const char *text) {
        assert(q->result == 0);
        assert(result != 0);

        q->result = result;
        q->error_name = error_name;
        if (result < 0)
                (void) error_set(&q->error, ERROR_FORBIDDEN, "%s", text);
        log_decision(q);
}

static void answer(AuthQuery *q) {
        if (q->callback)
                q->callback(q->result, q->result < 0 ? &q->error : NULL, q->userdata);
}

static int on_polkit(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        int authorized = false, challenge = false, r;
        AuthQuery *q = userdata;

        q->slot = sd_bus_slot_unref(q->slot);
        q->cancel_id = mfree(q->cancel_id);

        /* Whatever went wrong, the answer is no. */
        if (!e) {
                r = sd_bus_message_enter_container(m, 'r', "bba{ss}");
                if (r > 0)
                        r = sd_bus_message_read(m, "bb", &authorized, &challenge);
                if (r <= 0)
                        authorized = challenge = false;
        }

        if (authorized)
                auth_query_decide(q, 1, NULL, NULL);
        else if (e)
                auth_query_decide(q, -EACCES, SD_BUS_ERROR_ACCESS_DENIED,
                        sd_bus_error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
                                        sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER)
                                ? "Access denied: polkit is not there to be asked"
                                : "Access denied: polkit could not be asked");
        else if (challenge)
                auth_query_decide(q, -EACCES, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                        "Interactive authentication required.");
        else
                auth_query_decide(q, -EACCES, SD_BUS_ERROR_ACCESS_DENIED, "Access denied");

        answer(q);
        return 1;
}

/* pid with start time is what old versions of polkit know a process by, the pidfd what newer ones
 * do; the pidfd also tells that the pid was still this process when its start time was read. */
static int append_process(sd_bus_message *m, const AuthSubject *s) {
        uint64_t start;
        int r;

        r = process_start_time(s->pid, &start);
        if (r < 0)
                return r;
        if (s->pidfd >= 0) {
                r = process_is_alive(s->pidfd);
                if (r <= 0)
                        return r < 0 ? r : -ESRCH;
        }

        r = sd_bus_message_open_container(m, 'r', "sa{sv}");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "s", "unix-process");
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "{sv}{sv}{sv}", "pid", "u", (uint32_t) s->pid, "start-time",
                "t", start, "uid", "i", (int32_t) s->uid);
        if (r < 0)
                return r;
        if (s->pidfd >= 0) {
                r = sd_bus_message_append(m, "{sv}", "pidfd", "h", s->pidfd);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_question(AuthQuery *q, sd_bus_message *m) {
        int r;

        if (q->subject.sender)
                r = sd_bus_message_append(
                        m, "(sa{sv})", "system-bus-name", 1, "name", "s", q->subject.sender);
        else
                r = append_process(m, &q->subject);
        if (r < 0)
                return r;

        r = sd_bus_message_append(m, "s", auth_action_to_string(q->action));
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "{ss}");
        if (r < 0)
                return r;
        if (q->object) {
                r = sd_bus_message_append(m, "{ss}", "object", q->object);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; q->details && q->details[i]; i += 2) {
                r = sd_bus_message_append(m, "{ss}", q->details[i], q->details[i + 1]);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        return sd_bus_message_append(
                m, "us", q->subject.interactive ? POLKIT_ALLOW_INTERACTION : 0U, q->cancel_id);
}

static int ask_polkit(AuthQuery *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = str_printf(&q->cancel_id, "stauer-%d-%" PRIu64, (int) getpid(), ++q->auth->n_asked);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(
                q->auth->bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization");
        if (r < 0)
                return r;
        r = append_question(q, m);
        if (r < 0)
                return r;
        return sd_bus_call_async(q->auth->bus, &q->slot, m, on_polkit, q,
                q->subject.interactive ? ASK_PERSON_USEC : ASK_USEC);
}

static bool too_many(const AuthQuery *q) {
        unsigned n = 0;
        AuthQuery *other;

        if (q->auth->n_queries > AUTH_QUERIES_MAX)
                return true;
        LIST_FOREACH (other, &q->auth->queries, node)
                n += other->result == 0 && other->subject.uid == q->subject.uid;
        return n > AUTH_QUERIES_PER_UID_MAX;
}

int auth_query_start(AuthQuery *q) {
        int r;

        if (q->subject.uid == 0) {
                auth_query_decide(q, 1, NULL, NULL);
                return q->result;
        }
        if (too_many(q)) {
                auth_query_decide(q, -EACCES, SD_BUS_ERROR_LIMITS_EXCEEDED,
                        "Access denied: too many questions at once");
                return q->result;
        }

        r = ask_polkit(q);
        if (r < 0) {
                q->cancel_id = mfree(q->cancel_id);
                auth_query_decide(q, -EACCES, SD_BUS_ERROR_ACCESS_DENIED,
                        "Access denied: polkit could not be asked");
        }
        return q->result;
}
