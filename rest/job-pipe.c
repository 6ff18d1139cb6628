/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/job-pipe.h"

#include <errno.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "engine/container/container-files.h"
#include "engine/core/job.h"
#include "engine/engine.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "rest/request.h"
#include "rest/stream.h"

typedef struct JobPipe {
        Request *q; /* until the answer has begun */
        Stream *stream;
        Job *job;
        JobWatch *watch;
        int fd;
        sd_event_source *source;
        const char *content_type;
        job_pipe_ready_t on_ready;
        bool ended; /* of the pipe */
        bool done;  /* of the job */
        int result;
} JobPipe;

static void job_pipe_free(JobPipe *p) {
        loop_source_free(p->source);
        fd_close(p->fd);
        job_watch_free(p->watch);
        job_unref(p->job);
        stream_unref(p->stream);
        free(p);
}

static void job_pipe_cancel(JobPipe *p) {
        Job *j = job_ref(p->job);

        job_pipe_free(p);
        (void) job_cancel(j);
        job_unref(j);
}

static void on_gone(Stream *s, void *userdata) {
        job_pipe_cancel(userdata);
}

static void on_request_gone(Request *q) {
        job_pipe_cancel(q->data);
}

/* Both the last byte and the verdict are there. */
static void job_pipe_end(JobPipe *p) {
        if (!p->ended || !p->done)
                return;

        stream_set_callbacks(p->stream, NULL, NULL, NULL);
        if (p->result < 0)
                stream_cut(p->stream);
        else
                stream_end(p->stream);
        job_pipe_free(p);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        JobPipe *p = userdata;
        char data[64 * 1024];
        ssize_t n;

        n = read(fd, data, sizeof(data));
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0) {
                p->ended = true;
                p->source = loop_source_free(p->source);
                job_pipe_end(p);
                return 0;
        }
        /* A client that is gone has its own callback, which frees us. */
        if (stream_write(p->stream, data, (size_t) n) >= 0 && stream_is_full(p->stream))
                (void) sd_event_source_set_enabled(p->source, SD_EVENT_OFF);
        return 0;
}

static void on_drain(Stream *s, void *userdata) {
        JobPipe *p = userdata;

        if (p->source)
                (void) sd_event_source_set_enabled(p->source, SD_EVENT_ON);
}

static int job_pipe_begin(JobPipe *p, const char *text) {
        int r;

        r = stream_new(p->q, p->content_type, &p->stream);
        if (r < 0)
                return r;
        stream_set_callbacks(p->stream, on_drain, on_gone, p);
        if (p->on_ready) {
                r = p->on_ready(p->q, text);
                if (r < 0)
                        return r;
        }
        return loop_io(p->q->engine->event, p->fd, EPOLLIN, LOOP_STREAM, "rest-job-pipe",
                on_readable, p, &p->source);
}

static void on_progress(Job *j, const TaskProgress *row, void *userdata) {
        JobPipe *p = userdata;
        Request *q = p->q;
        int r;

        if (!q || !str_equal(row->id, CONTAINER_FILES_STAT))
                return;

        q->on_gone = NULL;
        r = job_pipe_begin(p, str_or_empty(row->status));
        p->q = NULL;
        if (r < 0) {
                if (p->stream) {
                        stream_set_callbacks(p->stream, NULL, NULL, NULL);
                        response_done(&q->response);
                }
                job_pipe_cancel(p);
        }
        request_finish(q, r);
}

static void on_done(Job *j, int r, const Error *e, void *userdata) {
        JobPipe *p = userdata;
        Request *q = p->q;

        if (q) { /* it never came to bytes */
                q->on_gone = NULL;
                if (r < 0)
                        (void) error_copy(&q->error, e);
                else
                        r = response_empty(&q->response, 200);
                job_pipe_free(p);
                request_finish(q, r);
                return;
        }

        p->done = true;
        p->result = r;
        job_pipe_end(p);
}

int job_pipe_new(Request *q, Job *j, int fd, const char *content_type, job_pipe_ready_t on_ready) {
        JobPipe *p;
        int r;

        p = new0(JobPipe, 1);
        if (!p) {
                (void) job_cancel(j);
                job_unref(j);
                fd_close(fd);
                return -ENOMEM;
        }
        *p = (JobPipe) {
                .q = q, .job = j, .fd = fd, .content_type = content_type, .on_ready = on_ready
        };
        r = job_watch(j, on_progress, on_done, p, &p->watch);
        if (r < 0) {
                job_pipe_cancel(p);
                return r;
        }
        q->data = p;
        q->on_gone = on_request_gone;
        return request_defer(q);
}
