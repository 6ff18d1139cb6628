/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dbus/bus-auth.h"
#include "dbus/bus-util.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

/* Peers of a unix socket. The bus is a pair of sockets whose other end plays polkit. */
typedef struct Fixture {
        sd_event *event;
        sd_bus *ours, *theirs;
        Auth *auth;

        /* what polkit answers, and what it was asked */
        bool authorized, challenge, fail, hang;
        unsigned n_asked, n_cancelled;
        char *kind, *action, *object;
        uint32_t pid;
        int32_t uid;
        bool has_pidfd, has_start_time;

        unsigned n_answers;
        int result;
        char *sentence;
} Fixture;

static int read_subject(Fixture *f, sd_bus_message *m) {
        const char *kind, *key;
        uint64_t start;
        int fd;

        assert_true(sd_bus_message_enter_container(m, 'r', "sa{sv}") > 0);
        assert_true(sd_bus_message_read(m, "s", &kind) > 0);
        assert_int_equal(str_copy(&f->kind, kind), 0);
        assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                assert_true(sd_bus_message_read(m, "s", &key) > 0);
                if (streq(key, "pid"))
                        assert_true(sd_bus_message_read(m, "v", "u", &f->pid) > 0);
                else if (streq(key, "uid"))
                        assert_true(sd_bus_message_read(m, "v", "i", &f->uid) > 0);
                else if (streq(key, "start-time")) {
                        assert_true(sd_bus_message_read(m, "v", "t", &start) > 0);
                        f->has_start_time = start > 0;
                } else if (streq(key, "pidfd")) {
                        assert_true(sd_bus_message_read(m, "v", "h", &fd) > 0);
                        f->has_pidfd = true;
                } else
                        fail();
                assert_true(sd_bus_message_exit_container(m) > 0);
        }
        assert_true(sd_bus_message_exit_container(m) > 0);
        return sd_bus_message_exit_container(m);
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Fixture *f = userdata;
        const char *action, *object;

        if (sd_bus_message_is_method_call(m, NULL, "CancelCheckAuthorization")) {
                f->n_cancelled++;
                return sd_bus_reply_method_return(m, NULL);
        }
        if (!sd_bus_message_is_method_call(
                    m, "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization"))
                return 0;

        f->n_asked++;
        (void) read_subject(f, m);
        assert_true(sd_bus_message_read(m, "s", &action) > 0);
        assert_int_equal(str_copy(&f->action, action), 0);
        assert_true(sd_bus_message_enter_container(m, 'a', "{ss}") > 0);
        assert_true(sd_bus_message_read(m, "{ss}", NULL, &object) > 0);
        assert_int_equal(str_copy(&f->object, object), 0);

        if (f->hang)
                return 1;
        if (f->fail)
                return sd_bus_reply_method_errorf(
                        m, "org.freedesktop.PolicyKit1.Error.Failed", "no");
        return sd_bus_reply_method_return(
                m, "(bba{ss})", (int) f->authorized, (int) f->challenge, 0);
}

static int setup(void **state) {
        Fixture *f = new0(Fixture, 1);
        sd_id128_t id;
        int fds[2];

        assert_non_null(f);
        assert_int_equal(loop_new(/* watchdog= */ false, &f->event), 0);
        assert_int_equal(fd_socketpair(SOCK_STREAM, fds), 0);
        assert_int_equal(sd_id128_randomize(&id), 0);

        assert_int_equal(sd_bus_new(&f->theirs), 0);
        assert_true(sd_bus_set_fd(f->theirs, fds[0], fds[0]) >= 0);
        assert_true(sd_bus_set_server(f->theirs, true, id) >= 0);
        assert_true(sd_bus_negotiate_fds(f->theirs, true) >= 0);
        assert_true(sd_bus_add_filter(f->theirs, NULL, on_call, f) >= 0);
        assert_true(sd_bus_start(f->theirs) >= 0);
        assert_true(sd_bus_attach_event(f->theirs, f->event, 0) >= 0);

        assert_int_equal(sd_bus_new(&f->ours), 0);
        assert_true(sd_bus_set_fd(f->ours, fds[1], fds[1]) >= 0);
        assert_true(sd_bus_negotiate_fds(f->ours, true) >= 0);
        assert_true(sd_bus_start(f->ours) >= 0);
        assert_true(sd_bus_attach_event(f->ours, f->event, 0) >= 0);

        /* Sending waits until both ends have shaken hands, and both are in this process. */
        for (unsigned i = 0; i < 100 && sd_bus_is_ready(f->ours) <= 0; i++)
                assert_true(sd_event_run(f->event, 50000) >= 0);

        assert_int_equal(auth_new(f->ours, &f->auth), 0);
        f->result = 99;
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        auth_free(f->auth);
        sd_bus_close_unref(f->ours);
        sd_bus_close_unref(f->theirs);
        loop_free(f->event);
        free(f->kind);
        free(f->action);
        free(f->object);
        free(f->sentence);
        free(f);
        return 0;
}

static void on_answer(int r, const Error *e, void *userdata) {
        Fixture *f = userdata;

        f->n_answers++;
        f->result = r;
        if (e)
                assert_int_equal(str_copy(&f->sentence, error_text(e, r)), 0);
}

static void run(Fixture *f, const unsigned *until) {
        for (unsigned i = 0; i < 200 && *until == 0; i++)
                assert_true(sd_event_run(f->event, 50000) >= 0);
}

static int ask(Fixture *f, const AuthPeer *peer, AuthQuery **ret) {
        static const char *const details[] = { "container", "web", NULL };

        return auth_check_peer(f->auth, peer, AUTH_EXEC, "0123", details, on_answer, f, ret, NULL);
}

static AuthPeer somebody(void) {
        return (AuthPeer) {
                .uid = 1000, .gid = 1000, .pid = getpid(), .pidfd = process_pidfd_open(getpid())
        };
}

static void test_root_passes(void **state) {
        AuthPeer peer = { .uid = 0, .pid = getpid(), .pidfd = -EBADF };
        AuthQuery *q = NULL;

        assert_int_equal(ask(*state, &peer, &q), 1);
        assert_null(q);
        assert_int_equal(((Fixture *) *state)->n_asked, 0);
}

static void check(Fixture *f, int expected, const char *sentence) {
        _cleanup_(auth_query_freep) AuthQuery *q = NULL;
        AuthPeer peer = somebody();

        assert_int_equal(ask(f, &peer, &q), 0);
        assert_non_null(q);
        assert_int_equal(f->n_answers, 0);
        run(f, &f->n_answers);
        assert_int_equal(f->n_answers, 1);
        assert_int_equal(f->result > 0, expected > 0);
        if (sentence)
                assert_non_null(strstr(f->sentence, sentence));
        fd_close(peer.pidfd);
}

static void test_yes(void **state) {
        Fixture *f = *state;

        f->authorized = true;
        check(f, 1, NULL);
        assert_string_equal(f->kind, "unix-process");
        assert_string_equal(f->action, "org.stauer.engine.exec");
        assert_string_equal(f->object, "0123");
        assert_int_equal(f->pid, getpid());
        assert_int_equal(f->uid, 1000);
        assert_true(f->has_start_time);
        assert_true(f->has_pidfd);
}

static void test_no(void **state) {
        check(*state, -1, "Access denied");
}

static void test_challenge_is_no(void **state) {
        ((Fixture *) *state)->challenge = true;
        check(*state, -1, "Interactive authentication required");
}

static void test_error_is_no(void **state) {
        Fixture *f = *state;

        f->fail = f->authorized = true;
        check(f, -1, "could not be asked");
}

static void test_bus_gone_is_no(void **state) {
        _cleanup_(auth_query_freep) AuthQuery *q = NULL;
        AuthPeer peer = somebody();
        Fixture *f = *state;

        f->hang = true;
        assert_int_equal(ask(f, &peer, &q), 0);
        run(f, &f->n_asked);
        sd_bus_close(f->theirs);
        run(f, &f->n_answers);
        assert_int_equal(f->n_answers, 1);
        assert_true(f->result < 0);
        fd_close(peer.pidfd);
}

static void test_free_cancels(void **state) {
        AuthPeer peer = somebody();
        AuthQuery *q = NULL;
        Fixture *f = *state;

        f->hang = true;
        assert_int_equal(ask(f, &peer, &q), 0);
        run(f, &f->n_asked);
        assert_null(auth_query_free(q));
        run(f, &f->n_cancelled);
        assert_int_equal(f->n_cancelled, 1);
        assert_int_equal(f->n_answers, 0);
        fd_close(peer.pidfd);
}

/* Whoever had this pid is gone; the pid may be somebody else's by now. */
static void test_dead_peer_is_no(void **state) {
        AuthPeer peer = { .uid = 1000 };
        AuthQuery *q = NULL;
        Fixture *f = *state;

        peer.pid = fork();
        if (peer.pid == 0)
                _exit(0);
        peer.pidfd = process_pidfd_open(peer.pid);
        assert_true(peer.pidfd >= 0);
        assert_int_equal(waitpid(peer.pid, NULL, 0), peer.pid);

        f->authorized = true;
        assert_true(ask(f, &peer, &q) < 0);
        assert_null(q);
        assert_int_equal(f->n_asked, 0);
        fd_close(peer.pidfd);
}

/* One user cannot keep polkit busy for all others. */
static void test_too_many(void **state) {
        AuthPeer peer = somebody(), other = somebody();
        AuthQuery *queries[65] = {}, *q = NULL, *none = NULL;
        Fixture *f = *state;
        size_t n = 0;

        f->hang = true;
        while (n < ARRAY_SIZE(queries) && ask(f, &peer, queries + n) == 0)
                n++;
        assert_int_equal(n, 64);
        assert_true(ask(f, &peer, &none) < 0);
        other.uid = 1001;
        assert_int_equal(ask(f, &other, &q), 0);
        auth_query_free(q);
        for (size_t i = 0; i < n; i++)
                auth_query_free(queries[i]);
        fd_close(peer.pidfd);
        fd_close(other.pidfd);
}

static void test_outlives_auth(void **state) {
        AuthPeer peer = somebody();
        AuthQuery *q = NULL;
        Fixture *f = *state;

        f->hang = true;
        assert_int_equal(ask(f, &peer, &q), 0);
        f->auth = auth_free(f->auth);
        auth_query_free(q);
        assert_int_equal(f->n_answers, 0);
        fd_close(peer.pidfd);
}

static void test_names(void **state) {
        for (AuthAction a = 0; a < _AUTH_ACTION_MAX; a++) {
                assert_non_null(auth_action_to_string(a));
                assert_int_equal(auth_action_from_string(auth_action_to_string(a)), a);
        }
        assert_true(auth_action_from_string("org.stauer.engine.all") < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_root_passes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_yes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no, setup, teardown),
                cmocka_unit_test_setup_teardown(test_challenge_is_no, setup, teardown),
                cmocka_unit_test_setup_teardown(test_error_is_no, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bus_gone_is_no, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_cancels, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dead_peer_is_no, setup, teardown),
                cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
                cmocka_unit_test_setup_teardown(test_outlives_auth, setup, teardown),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
