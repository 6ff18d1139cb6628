/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a container into a folder of the caller's. What comes is a stranger's: only tar_extract() touches it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/copy.h"
#include "cli/http.h"
#include "cli/rest-client.h"
#include "lib/archive/late.h"
#include "lib/archive/tar-extract.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"

#define PIECE_SIZE ((size_t) 256 * 1024)
#define LINKS_MAX  10

/* The archive as it comes. */
typedef struct Incoming {
        Http *http;
        CopyProgress progress;
        char *piece;
        int error;             /* of the connection */
        sigset_t open_signals; /* while we wait; zeroed: all are */
} Incoming;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number) {
        interrupted = signal_number;
}

/* Ctrl-C comes only while we wait, so that a file that is half written can be taken away. */
static void catch_interrupts(sigset_t *ret_open) {
        const struct sigaction action = { .sa_handler = on_interrupt };
        sigset_t held;

        (void) sigemptyset(&held);
        (void) sigaddset(&held, SIGINT);
        (void) sigaddset(&held, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &held, ret_open);
        (void) sigaction(SIGINT, &action, NULL);
        (void) sigaction(SIGTERM, &action, NULL);
}

static int wait_for_data(const Incoming *in) {
        struct pollfd p = { .fd = http_fd(in->http), .events = POLLIN };

        if (ppoll(&p, 1, NULL, &in->open_signals) < 0 && errno != EINTR)
                return -errno;
        return interrupted ? -ECANCELED : 0;
}

static int incoming_next(void *userdata, const void **ret_data, size_t *ret_size) {
        Incoming *in = userdata;
        ssize_t n;
        int r;

        for (;;) {
                n = http_read(in->http, in->piece, PIECE_SIZE, /* wait= */ false);
                if (n != -EAGAIN)
                        break;
                r = wait_for_data(in);
                if (r < 0)
                        return r;
        }
        if (n <= 0) {
                in->error = (int) n;
                return (int) n;
        }
        copy_progress_add(&in->progress, (size_t) n);
        *ret_data = in->piece;
        *ret_size = (size_t) n;
        return 1;
}

static int write_all(Incoming *in, int fd) {
        const ByteSource source = { incoming_next, in };
        const void *data;
        size_t size;
        int r;

        while ((r = byte_source_next(&source, &data, &size)) > 0) {
                r = fd_write_full(fd, data, size);
                if (r < 0)
                        return r;
        }
        return r;
}

/* ---- where to ---- */

static int check_target(const char *path, Error *reterr) {
        _cleanup_(freep) char *folder = NULL, *name = NULL;
        struct stat st;
        int r;

        r = copy_split_path(path, &folder, &name);
        if (r < 0)
                return r;
        if (stat(folder, &st) < 0 && errno == ENOENT)
                return error_set(reterr, ERROR_INVALID,
                        "invalid output path: directory \"%s\" does not exist", folder);
        if (stat(path, &st) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "stat %s", path);
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
                return error_set(reterr, ERROR_INVALID,
                        "invalid output path: \"%s\" must be a directory or a regular file: got a "
                        "device",
                        path);
        return 0;
}

/* A target that is a link is what it leads to, even when that is not there yet. *path is replaced. */
static int find_target(char **path, CopyTarget *ret, Error *reterr) {
        struct stat st;

        for (unsigned n = 0;; n++) {
                _cleanup_(freep) char *next = NULL;
                char link[4096];
                ssize_t size;
                int r;

                if (lstat(*path, &st) < 0) {
                        if (errno != ENOENT)
                                return error_set_errno(reterr, -errno, "lstat %s", *path);
                        *ret = (CopyTarget) { .path = *path };
                        return 0;
                }
                if (!S_ISLNK(st.st_mode))
                        break;
                if (n >= LINKS_MAX)
                        return error_set(
                                reterr, ERROR_INVALID, "too many symlinks in \"%s\"", *path);
                size = readlink(*path, link, sizeof(link) - 1);
                if (size < 0)
                        return error_set_errno(reterr, -errno, "readlink %s", *path);
                link[size] = '\0';
                r = copy_follow(*path, link, &next);
                if (r < 0)
                        return r;
                free(*path);
                *path = TAKE_PTR(next);
        }
        *ret = (CopyTarget) { .path = *path, .exists = true, .is_folder = S_ISDIR(st.st_mode) };
        return 0;
}

/* ---- what is there ---- */

/* With -L a source that is a link becomes what it leads to, and keeps its name. */
static int find_source(const Copy *c, char **ret_path, char **ret_name, Error *reterr) {
        _cleanup_(copy_stat_done) CopyStat s = {};
        _cleanup_(freep) char *target = NULL;
        int r;

        if (!c->follow_link || copy_stat(c, c->source, &s, NULL) < 0 || !s.is_link)
                return str_copy(ret_path, c->source);
        r = copy_follow(c->source, s.link, &target);
        return r < 0 ? r : copy_rename(c->source, target, ret_path, ret_name);
}

static int unpack(const Copy *c, const CopyPlan *plan, Incoming *in, Error *reterr) {
        const ByteSource source = { incoming_next, in };
        TarLimits limits = tar_limits_default;
        bool owners = c->archive && geteuid() == 0;
        _cleanup_(fd_closep) int folder = -EBADF;
        TarExtractResult result;
        TarIntoTree into = {
                .path = plan->name,
                .base = plan->base,
                .shown = streq(plan->folder, "/") ? "" : plan->folder,
                .strict = true,
                .no_devices = !owners,
                .keep_kind = true,
                .give_owner = !owners,
                .uid = geteuid(),
                .gid = getegid(),
        };
        int r;

        folder = open(plan->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
                return error_set_errno(reterr, -errno, "open %s", plan->folder);
        limits.free_bytes = 0; /* the caller's disk is his own business */
        r = tar_extract(&(const TarExtract) { .root_fd = folder, .limits = &limits, .into = &into },
                &source, &result, reterr);
        if (r < 0)
                return r;
        if (result.n_devices > 0)
                fprintf(stderr,
                        "%llu device node%s left out: only root with --archive may make them\n",
                        (unsigned long long) result.n_devices, result.n_devices == 1 ? "" : "s");
        return byte_source_drain(&source);
}

static int receive(
        const Copy *c, const CopySource *source, char **path, Incoming *in, Error *reterr) {
        _cleanup_(copy_plan_done) CopyPlan plan = {};
        CopyTarget target;
        int r;

        r = find_target(path, &target, reterr);
        if (r >= 0)
                r = copy_plan(source, &target, &plan, reterr);
        if (r >= 0)
                r = archive_late_load(reterr);
        return r < 0 ? r : unpack(c, &plan, in, reterr);
}

int copy_from_container(const Copy *c, Error *reterr) {
        _cleanup_(freep) char *source = NULL, *renamed = NULL, *target = NULL, *url = NULL,
                              *given = NULL, *piece = NULL;
        _cleanup_(copy_stat_done) CopyStat stat = {};
        _cleanup_(http_freep) Http *http = NULL;
        bool to_stdout = streq(c->target, "-");
        Incoming in = { .progress = { "Copying from container", c->quiet || to_stdout } };
        int r;

        if (!to_stdout) {
                r = copy_absolute(c->target, &target);
                if (r >= 0)
                        r = check_target(target, reterr);
                if (r >= 0)
                        r = str_copy(&given, target);
                if (r < 0)
                        return r;
        }

        r = find_source(c, &source, &renamed, reterr);
        if (r < 0)
                return r;
        url = copy_rest_path(c, source, NULL);
        in.piece = piece = new (char, PIECE_SIZE);
        if (!url || !piece)
                return -ENOMEM;
        r = rest_open(c->client, "GET", url, NULL, /* upgrade= */ false, &http, reterr);
        if (r < 0)
                return r;
        in.http = http;
        r = copy_stat_parse(http_header(http, COPY_STAT_HEADER), &stat);
        if (r < 0)
                return error_set(
                        reterr, ERROR_INTERNAL, "the engine does not say what \"%s\" is", source);

        if (to_stdout) /* there is nothing to take away, and who reads it may never do so */
                r = write_all(&in, STDOUT_FILENO);
        else {
                catch_interrupts(&in.open_signals);
                r = receive(c, &(const CopySource) { source, stat.is_folder, renamed }, &target,
                        &in, reterr);
        }
        copy_progress_end(&in.progress, r, given);
        if (interrupted)
                return 128 + interrupted;
        if (r < 0 && in.error < 0)
                return error_set_errno(reterr, r, "lost the engine");
        return r;
}
