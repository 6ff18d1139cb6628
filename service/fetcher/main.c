/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stauer-fetcher: talks to one registry for one pull. What it shall do comes as one record on fd 3, with the socket on which it is asked then. It ends when
 * the other end of that is closed. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>

#include "engine/registry/exchange.h"
#include "engine/registry/session.h"
#include "lib/api/fetch-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/event/channel.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "service/fetcher/confine.h"
#include "stauer-config.h"

typedef struct Fetcher {
        sd_event *event;
        Session *session;
        Channel *channel;
        Error error; /* why there is no session: told to who asks */
} Fetcher;

static int answer(Fetcher *f, const FetchAnswer *a) {
        _cleanup_(json_unrefp) Json *record = NULL;
        int r;

        r = json_write(a, fetch_answer_fields, &record);
        return r < 0 ? r : channel_queue(f->channel, record, NULL, 0);
}

static int answer_error(Fetcher *f, uint32_t id, int r, const Error *e) {
        ErrorKind kind = r == -EPIPE     ? ERROR_CANCELLED /* who asked has closed its pipe */
                       : error_is_set(e) ? e->kind
                                         : error_kind_from_errno(r);
        const FetchAnswer a = {
                .id = id,
                .error_kind = (char *) error_kind_to_string(kind),
                .error = (char *) error_text(e, r),
        };

        return answer(f, &a);
}

static void on_note(Exchange *x, const char *text, void *userdata) {
        (void) answer(
                userdata, &(const FetchAnswer) { .id = x->request.id, .note = (char *) text });
}

static void on_answer(Exchange *x, const FetchAnswer *a, int r, const Error *e, void *userdata) {
        Fetcher *f = userdata;

        r = r < 0 ? answer_error(f, x->request.id, r, e) : answer(f, a);
        if (r < 0)
                (void) sd_event_exit(f->event, r);
}

static const ExchangeOps exchange_ops = { on_note, on_answer };

static int on_record(Channel *c, Json *record, int *fds, size_t n_fds, void *userdata) {
        _cleanup_(fetch_request_done) FetchRequest q = { .size = -1 };
        Fetcher *f = userdata;
        uint32_t id;
        int r;

        if (n_fds != 1)
                return -EPROTO;
        r = json_read(record, fetch_request_fields, &q, NULL);
        if (r < 0)
                return r;
        id = q.id;
        if (!f->session)
                return answer_error(f, id, error_kind_to_errno(f->error.kind), &f->error);
        r = exchange_start(f->session, &q, TAKE_FD(fds[0]), &exchange_ops, f);
        return r < 0 ? answer_error(f, id, r, NULL) : 0;
}

static void on_hangup(Channel *c, int r, void *userdata) {
        Fetcher *f = userdata;

        (void) sd_event_exit(f->event, 0);
}

static int receive_spec(FetchSpec *ret, int *ret_fd) {
        _cleanup_(json_unrefp) Json *record = NULL;
        int fds[CHANNEL_FDS_MAX], r;
        size_t n = 0;

        r = channel_receive(FETCH_FD_CHANNEL, &record, fds, &n);
        if (r <= 0)
                return r < 0 ? r : -ECONNRESET;
        if (n != 1) {
                fd_close_many(fds, n);
                return -EPROTO;
        }
        *ret_fd = fds[0];
        r = json_read(record, fetch_spec_fields, ret, NULL);
        fd_close(FETCH_FD_CHANNEL);
        return r;
}

static int run(Fetcher *f) {
        _cleanup_(fetch_spec_done) FetchSpec spec = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = receive_spec(&spec, &fd);
        if (r < 0)
                return log_error_errno(r, "Failed to read what to fetch: %m");
        r = loop_new(/* watchdog= */ false, &f->event);
        if (r < 0)
                return log_error_errno(r, "Failed to make a loop: %m");

        r = session_new(f->event, &spec, &f->session, &f->error);
        if (r < 0)
                (void) error_set_errno(&f->error, r, "Failed to prepare for the registry");
        r = fetcher_confine();
        if (r < 0)
                return log_error_errno(r, "Failed to build walls: %m");

        r = channel_new(f->event, TAKE_FD(fd), "puller", on_record, on_hangup, f, &f->channel);
        if (r < 0)
                return log_error_errno(r, "Failed to listen: %m");
        r = sd_event_loop(f->event);
        return r < 0 ? log_error_errno(r, "Failed to fetch: %m") : 0;
}

int main(int argc, char *argv[]) {
        Fetcher f = {};
        int r;

        if (argc > 1 && streq(argv[1], "--version")) {
                printf("stauer-fetcher %s\n", STAUER_VERSION);
                return EXIT_SUCCESS;
        }

        (void) fd_set_cloexec(FETCH_FD_CHANNEL, true);
        log_setup("stauer-fetcher");
        umask(0022); /* what is shown behind the walls is shown to nobody */
        (void) setlocale(LC_CTYPE, "C.UTF-8");
        (void) signal_ignore(SIGPIPE);

        r = run(&f);

        session_free(f.session);
        channel_free(f.channel);
        error_done(&f.error);
        sd_event_unref(f.event);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
