/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layers of an image, several at once: a child each, forked (this process has one thread and stands behind its walls already). A child hashes, writes
 * and unpacks what comes through its pipe, says that it is ready, and makes its layer visible when those below are. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/content/blobs.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage.h"
#include "lib/archive/source.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/channel.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "service/worker/pull.h"
#include "service/worker/task.h"

#define PARALLEL_DEFAULT 3U

typedef enum LayerState {
        LAYER_WAITS,
        LAYER_LOADS,
        LAYER_READY,   /* verified, waits for those below */
        LAYER_COMMITS, /* was told to become visible */
        LAYER_DONE,
} LayerState;

typedef struct PullLayer {
        const Descriptor *d;
        const char *diff_id, *chain_id, *parent;
        char label[IDENT_SHORT_SIZE];
        LayerState state;
        bool here;        /* its blob is in the store, or will be: nothing is asked for */
        uint32_t request; /* 0: none */
        pid_t pid;
        int fd; /* to the child */
} PullLayer;

typedef struct PullLayers {
        Pull *pull;
        PullLayer *list;
        size_t n;
} PullLayers;

/* All children end before we do; what they have not made visible goes with them. */
static void layers_done(PullLayers *s) {
        for (size_t i = 0; i < s->n; i++)
                if (s->list[i].pid > 0)
                        (void) kill(s->list[i].pid, SIGTERM);
        for (size_t i = 0; i < s->n; i++) {
                fd_close(s->list[i].fd);
                while (s->list[i].pid > 0 && waitpid(s->list[i].pid, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        free(s->list);
}

/* ---- in the child ---- */

static int child_tell(int fd, int r, Error *e) {
        _cleanup_(json_unrefp) Json *record = NULL;
        TaskResult result = {};
        int k;

        if (r < 0) {
                (void) error_set_errno(e, r, "layer");
                result.error_kind = (char *) error_kind_to_string(e->kind);
                result.error = (char *) error_text(e, r);
        }
        k = json_write(&result, task_result_fields, &record);
        return k < 0 ? k : channel_send(fd, record, NULL, 0);
}

static int child_load(Pull *p, const PullLayer *l, int input, LoadFile *f, Error *reterr) {
        const IntakeOptions options = {
                .label = l->label,
                .status = "Downloading",
                .total = (uint64_t) l->d->size,
                .expected = l->d->digest,
                .must_be_tar = true,
        };
        _cleanup_(fd_source_done) FdSource file = {};
        ByteSource source;
        int r;

        r = fd_source_init(&file, input);
        if (r < 0)
                return r;
        file.cancel_fd = p->context->cancel_fd;
        source = fd_source(&file);
        r = intake_run(p->context, &source, &options, &f->intake, reterr);
        if (r < 0)
                return r;
        if (f->intake.size != (uint64_t) l->d->size)
                return error_set(reterr, ERROR_INVALID, "it has another size than was announced");
        r = task_progress(p->context, true, l->label, "Verifying Checksum", 0, 0);
        return r < 0 ? r : task_progress(p->context, true, l->label, "Download complete", 0, 0);
}

static int child_wait(const Pull *p, int fd) {
        struct pollfd fds[] = {
                { .fd = fd, .events = POLLIN },
                { .fd = p->context->cancel_fd, .events = POLLIN },
        };
        char go;

        while (poll(fds, ARRAY_SIZE(fds), -1) < 0)
                if (errno != EINTR)
                        return -errno;
        if (fds[1].revents)
                return -ECANCELED;
        return recv(fd, &go, sizeof(go), 0) == sizeof(go) ? 0 : -ECONNRESET;
}

static int child_commit(Pull *p, const PullLayer *l, LoadFile *f, Error *reterr) {
        uint64_t size = (uint64_t) l->d->size;
        int r;

        r = task_progress(p->context, true, l->label, "Extracting", 0, size);
        if (r >= 0)
                r = load_layer(&p->load, f, l->chain_id, l->parent, l->diff_id, reterr);
        if (r >= 0)
                r = task_progress(p->context, true, l->label, "Extracting", size, size);
        return r < 0 ? r : task_progress(p->context, true, l->label, "Pull complete", 0, 0);
}

static int child_run(Pull *p, const PullLayer *l, int input, int fd) {
        LoadFile f = { .path = l->d->digest, .known = input < 0 };
        _cleanup_(error_done) Error e = {};
        int r = 0;

        if (input >= 0)
                r = child_load(p, l, input, &f, &e);
        else {
                (void) strcpy(f.intake.digest, l->d->digest);
                f.intake.size = (uint64_t) l->d->size;
        }
        fd_close(input); /* now the fetcher knows that nobody waits for more */
        if (child_tell(fd, r, &e) >= 0 && r >= 0) {
                r = child_wait(p, fd);
                if (r >= 0)
                        r = child_commit(p, l, &f, &e);
                (void) child_tell(fd, r, &e);
        }
        intake_done(&f.intake);
        return r;
}

/* ---- in the parent ---- */

static int layer_fork(Pull *p, PullLayer *l, int input) {
        pid_t parent = getpid(), pid;
        int pair[2], r;

        r = channel_pair(pair);
        if (r < 0)
                return r;
        pid = fork();
        if (pid < 0) {
                r = -errno;
                fd_close_many(pair, 2);
                return r;
        }
        if (pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(EXIT_FAILURE);
                fd_close(pair[0]);
                fd_close(p->fetcher_fd);
                _exit(child_run(p, l, input, pair[1]) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        }
        fd_close(pair[1]);
        l->pid = pid;
        l->fd = pair[0];
        return 0;
}

static int layer_begin(Pull *p, PullLayer *l) {
        _cleanup_(fd_closep) int input = -EBADF;
        int r = 0;

        if (!l->here)
                r = pull_blob(p, l->d->digest, l->d->size, &l->request, &input);
        if (r >= 0)
                r = layer_fork(p, l, input);
        if (r >= 0)
                l->state = LAYER_LOADS;
        return r;
}

static int layers_begin(PullLayers *s) {
        unsigned running = 0, max = s->pull->context->spec.parallel ?: PARALLEL_DEFAULT;
        int r;

        for (size_t i = 0; i < s->n; i++)
                running += s->list[i].state == LAYER_LOADS;
        for (size_t i = 0; i < s->n && running < max; i++)
                if (s->list[i].state == LAYER_WAITS) {
                        r = layer_begin(s->pull, s->list + i);
                        if (r < 0)
                                return r;
                        running++;
                }
        return 0;
}

/* The lowest one that is not visible yet, if it is ready. */
static int layers_commit(PullLayers *s) {
        size_t i = 0;

        while (i < s->n && s->list[i].state == LAYER_DONE)
                i++;
        if (i == s->n || s->list[i].state != LAYER_READY)
                return 0;
        s->list[i].state = LAYER_COMMITS;
        return send(s->list[i].fd, "", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int layers_take_answers(PullLayers *s, Error *reterr) {
        for (;;) {
                _cleanup_(fetch_answer_done) FetchAnswer a = {};
                PullLayer *l = NULL;
                int r;

                r = pull_receive(s->pull, &a, reterr);
                if (r <= 0)
                        return r;
                for (size_t i = 0; i < s->n; i++)
                        if (s->list[i].request == a.id)
                                l = s->list + i;
                if (!l)
                        continue;
                if (a.note)
                        r = task_progress(s->pull->context, true, l->label, a.note, 0, 0);
                else if (!str_equal(a.error_kind, error_kind_to_string(ERROR_CANCELLED)))
                        r = pull_answer_error(&a, reterr);
                if (r < 0)
                        return r;
        }
}

static int layer_take(PullLayers *s, PullLayer *l, Error *reterr) {
        _cleanup_(task_result_done) TaskResult result = {};
        _cleanup_(json_unrefp) Json *record = NULL;
        ErrorKind kind;
        int r;

        r = channel_receive(l->fd, &record, NULL, NULL);
        if (r <= 0)
                return error_set(reterr, ERROR_INTERNAL,
                        "the process that unpacks layer %s has ended", l->label);
        r = json_read(record, task_result_fields, &result, reterr);
        if (r < 0)
                return r;
        if (str_empty(result.error_kind)) {
                l->state = l->state == LAYER_LOADS ? LAYER_READY : LAYER_DONE;
                return 0;
        }
        /* What the transfer died of says more than that bytes are missing. */
        r = layers_take_answers(s, reterr);
        if (r < 0)
                return r;
        kind = error_kind_from_string(result.error_kind);
        return error_set(reterr, kind > ERROR_NONE ? kind : ERROR_INTERNAL, "layer %s: %s",
                l->label, str_or_empty(result.error));
}

static int layers_wait(PullLayers *s, struct pollfd *fds, Error *reterr) {
        int r = 0;

        fds[0] = (struct pollfd) { .fd = s->pull->fetcher_fd, .events = POLLIN };
        fds[1] = (struct pollfd) { .fd = s->pull->context->cancel_fd, .events = POLLIN };
        for (size_t i = 0; i < s->n; i++)
                fds[i + 2] =
                        (struct pollfd) { .fd = s->list[i].state == LAYER_DONE ? -1 : s->list[i].fd,
                                .events = POLLIN };
        if (poll(fds, s->n + 2, -1) < 0)
                return errno == EINTR ? 0 : -errno;
        if (fds[1].revents)
                return -ECANCELED;
        if (fds[0].revents)
                r = layers_take_answers(s, reterr);
        for (size_t i = 0; r >= 0 && i < s->n; i++)
                if (fds[i + 2].revents)
                        r = layer_take(s, s->list + i, reterr);
        return r;
}

static int layers_run(PullLayers *s, Error *reterr) {
        _cleanup_(freep) struct pollfd *fds = new0(struct pollfd, s->n + 2);
        int r;

        if (!fds)
                return -ENOMEM;
        while (s->n > 0 && s->list[s->n - 1].state != LAYER_DONE) {
                r = layers_begin(s);
                if (r >= 0)
                        r = layers_commit(s);
                if (r >= 0)
                        r = layers_wait(s, fds, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What is here already is not asked for; nor is what comes as another layer of the same image. */
static int layer_look(PullLayers *s, size_t i, Error *reterr) {
        TaskContext *c = s->pull->context;
        PullLayer *l = s->list + i;
        uint64_t size;
        int fd, r;

        (void) ident_short(l->d->digest, l->label);
        r = blobs_is_whole(c->blobs, l->d->digest);
        if (r < 0)
                return r;
        if (r > 0) {
                fd = blobs_open_fd(c->blobs, l->d->digest, &size);
                if (fd < 0)
                        return fd;
                fd_close(fd);
                l->here = size == (uint64_t) l->d->size;
        }
        for (size_t k = 0; k < i; k++)
                l->here = l->here || streq(s->list[k].d->digest, l->d->digest);

        if (l->here && layer_is_whole(c->storage, l->chain_id) > 0) {
                l->state = LAYER_DONE;
                return task_progress(c, true, l->label, "Already exists", 0, 0);
        }
        return task_progress(c, true, l->label, "Pulling fs layer", 0, 0);
}

int pull_layers(Pull *p, const ImageManifest *m, const ImageConfig *config, Error *reterr) {
        _cleanup_(layers_done) PullLayers s = { .pull = p, .n = m->n_layers };
        _cleanup_(strv_freep) char **chain_ids = NULL;
        unsigned n = 0;
        int r;

        assert(strv_length(config->rootfs.diff_ids) == m->n_layers);

        r = layer_chain_ids(config->rootfs.diff_ids, &chain_ids);
        if (r < 0)
                return r;
        s.list = new0(PullLayer, s.n + 1);
        if (!s.list) {
                s.n = 0;
                return -ENOMEM;
        }
        for (size_t i = 0; i < s.n; i++)
                s.list[i] = (PullLayer) {
                        .d = m->layers + i,
                        .diff_id = config->rootfs.diff_ids[i],
                        .chain_id = chain_ids[i],
                        .parent = i > 0 ? chain_ids[i - 1] : NULL,
                        .fd = -EBADF,
                };
        for (size_t i = 0; r >= 0 && i < s.n; i++)
                r = layer_look(&s, i, reterr);
        for (size_t i = 0; r >= 0 && i < s.n; i++)
                if (s.list[i].state == LAYER_WAITS &&
                        n++ >= (p->context->spec.parallel ?: PARALLEL_DEFAULT))
                        r = task_progress(p->context, true, s.list[i].label, "Waiting", 0, 0);
        return r < 0 ? r : layers_run(&s, reterr);
}
