/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/event/channel.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "service/worker/pull.h"
#include "service/worker/task.h"

#define PIPE_SIZE (1 << 20)

void pull_document_done(PullDocument *d) {
        free(d->text);
        free(d->media_type);
        *d = (PullDocument) {};
}

static int pull_ask(Pull *p, FetchKind kind, const char *name, int64_t size, uint64_t max, int fd,
        uint32_t *ret_id) {
        FetchRequest q = {
                .id = ++p->last_id, .kind = kind, .name = (char *) name, .size = size, .max = max
        };
        _cleanup_(json_unrefp) Json *record = NULL;
        int r;

        r = json_write(&q, fetch_request_fields, &record);
        if (r >= 0)
                r = channel_send(p->fetcher_fd, record, &fd, 1);
        if (r < 0)
                return r;
        *ret_id = q.id;
        return 0;
}

int pull_receive(Pull *p, FetchAnswer *ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *record = NULL;
        int r;

        if (fd_wait(p->fetcher_fd, POLLIN, 0) <= 0)
                return 0;
        r = channel_receive(p->fetcher_fd, &record, NULL, NULL);
        if (r <= 0)
                return error_set(reterr, ERROR_INTERNAL,
                        "the process that fetches from the registry has ended");
        r = json_read(record, fetch_answer_fields, ret, reterr);
        return r < 0 ? r : 1;
}

int pull_answer_error(const FetchAnswer *a, Error *reterr) {
        ErrorKind kind;

        if (str_empty(a->error_kind))
                return 0;
        kind = error_kind_from_string(a->error_kind);
        return error_set(reterr, kind > ERROR_NONE ? kind : ERROR_INTERNAL, "%s",
                str_or(a->error, a->error_kind));
}

/* Until the answer to this question has come. */
static int pull_wait_answer(Pull *p, uint32_t id, FetchAnswer *ret, Error *reterr) {
        for (;;) {
                struct pollfd fds[] = {
                        { .fd = p->fetcher_fd, .events = POLLIN },
                        { .fd = p->context->cancel_fd, .events = POLLIN },
                };
                FetchAnswer a = {};
                int r;

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return -errno;
                if (fds[1].revents)
                        return -ECANCELED;
                r = pull_receive(p, &a, reterr);
                if (r > 0 && a.id == id && !a.note) {
                        *ret = a;
                        return 0;
                }
                fetch_answer_done(&a);
                if (r < 0)
                        return r;
        }
}

int pull_document(
        Pull *p, FetchKind kind, const char *name, int64_t size, PullDocument *ret, Error *reterr) {
        _cleanup_(pull_document_done) PullDocument d = {};
        _cleanup_(fetch_answer_done) FetchAnswer a = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        uint32_t id;
        int r;

        if (size > (int64_t) IMAGE_DOCUMENT_SIZE_MAX)
                return error_set(reterr, ERROR_TOO_LARGE, "%s is larger than 4 MiB", name);
        fd = fd_memfd("registry-document");
        if (fd < 0)
                return fd;
        r = pull_ask(p, kind, name, size, IMAGE_DOCUMENT_SIZE_MAX, fd, &id);
        if (r >= 0)
                r = pull_wait_answer(p, id, &a, reterr);
        if (r >= 0)
                r = pull_answer_error(&a, reterr);
        if (r >= 0)
                r = file_read_fd(fd, IMAGE_DOCUMENT_SIZE_MAX, &d.text, &d.size);
        if (r >= 0)
                r = digest_data(d.text, d.size, d.digest);
        if (r < 0)
                return r;

        if (kind == FETCH_MANIFEST && a.digest && str_starts(a.digest, "sha256:") &&
                !streq(a.digest, d.digest))
                return error_set(reterr, ERROR_INVALID,
                        "manifest verification failed for digest %s", a.digest);
        d.media_type = TAKE_PTR(a.media_type);
        d.more = a.more;
        *ret = TAKE_STRUCT(d);
        return 0;
}

int pull_blob(Pull *p, const char *digest, int64_t size, uint32_t *ret_id, int *ret_fd) {
        int pair[2], r;

        r = fd_pipe(pair, 0);
        if (r < 0)
                return r;
        (void) fcntl(pair[0], F_SETPIPE_SZ, PIPE_SIZE);
        r = pull_ask(p, FETCH_BLOB, digest, size, 0, pair[1], ret_id);
        fd_close(pair[1]);
        if (r < 0) {
                fd_close(pair[0]);
                return r;
        }
        *ret_fd = pair[0];
        return 0;
}
