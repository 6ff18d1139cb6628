/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reads the row of files, packed or not, that json-file, local or a cache wrote, oldest first, and follows it over rotations: the file that is open stays open until it has been
 * read to its end, then comes the one that was written after it. Nothing is read twice and, as long as the reader is not
 * max-file rotations late, nothing is left out. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/log/gzip.h"
#include "engine/log/json-line.h"
#include "engine/log/local-line.h"
#include "engine/log/reader-ops.h"
#include "engine/log/rotate.h"
#include "engine/log/tail.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

#define READ_SIZE      ((size_t) 64 * 1024)
#define COUNT_PER_TURN ((size_t) 512 * 1024)
#define SKIP_PER_TURN  4096u
#define POLL_USEC      (200 * USEC_PER_MSEC) /* when the host has no inotify left */

/* Where the last lines begin, when that is in a packed file: its lines are counted, a bit per turn of the loop, then it is read again. */
typedef struct Seek {
        bool counting;
        uint64_t n_wanted; /* lines of what is counted and before it */
        uint64_t n_counted;
        uint64_t n_skip; /* lines that are to be passed over when it is read */
        bool in_line;
} Seek;

typedef struct JsonReader {
        LogReader *reader;
        sd_event *event;
        const char *path;
        int (*parse)(const char *line, size_t size, JsonLine *ret);
        bool follow;
        int *fds; /* what was there at the start, oldest first; read ones are closed */
        size_t n_fds, i_fd;
        int fd;          /* being read; -EBADF: none yet */
        uint64_t offset; /* of the next byte to be read from fd; as it was before it was packed */
        GzipReader *packed; /* when fd is */
        Seek seek;
        uint64_t limit;  /* when not following: the end of the newest file at the start */
        Buffer buffer;   /* read, not yet parsed */
        bool is_limited; /* nothing behind place */
        LogPlace place;
        bool skipping; /* inside of a line that is too long */
        JsonLine line;
        int inotify_fd;
        sd_event_source *inotify, *timer;
} JsonReader;

static void json_reader_close(void *state) {
        JsonReader *j = state;

        if (!j)
                return;
        gzip_reader_free(j->packed);
        j->inotify = loop_source_free(j->inotify);
        j->timer = loop_source_free(j->timer);
        (void) fd_close(j->inotify_fd);
        (void) fd_close(j->fd);
        rotate_close_all(j->fds, j->n_fds);
        buffer_done(&j->buffer);
        json_line_done(&j->line);
        j->event = sd_event_unref(j->event);
        free(j);
}

static int json_reader_on_inotify(
        sd_event_source *source, int fd, uint32_t events, void *userdata) {
        char drop[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
        JsonReader *j = userdata;

        while (read(fd, drop, sizeof(drop)) > 0)
                ; /* which file it was does not matter */
        log_reader_wake(j->reader);
        return 0;
}

static int json_reader_on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        JsonReader *j = userdata;

        log_reader_wake(j->reader);
        return loop_timer(
                j->event, POLL_USEC, LOOP_STREAM, "log-poll", json_reader_on_timer, j, &j->timer);
}

/* The folder is watched, not the file: rotation makes a new one. */
static int json_reader_watch(JsonReader *j) {
        _cleanup_(freep) char *folder = NULL;
        int r;

        r = path_parent(j->path, &folder);
        if (r < 0)
                return r;
        j->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (j->inotify_fd < 0 || inotify_add_watch(j->inotify_fd, folder,
                                         IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
                j->inotify_fd = fd_close(j->inotify_fd);
                return loop_timer(j->event, POLL_USEC, LOOP_STREAM, "log-poll",
                        json_reader_on_timer, j, &j->timer);
        }
        return loop_io(j->event, j->inotify_fd, EPOLLIN, LOOP_STREAM, "log-inotify",
                json_reader_on_inotify, j, &j->inotify);
}

/* What is open is fd now; its old one is closed. */
static int json_reader_take_fd(JsonReader *j, int fd, uint64_t offset) {
        (void) fd_close(j->fd);
        j->fd = fd;
        j->offset = offset;
        j->packed = gzip_reader_free(j->packed);
        return gzip_is(fd) ? gzip_reader_new(fd, &j->packed) : 0;
}

static int json_reader_take_file(JsonReader *j, size_t i, uint64_t offset) {
        j->i_fd = i;
        return json_reader_take_fd(j, TAKE_FD(j->fds[i]), offset);
}

/* The last lines of the first n files. */
static int json_reader_seek(JsonReader *j, size_t n) {
        uint64_t offset;
        size_t i;
        int r;

        r = tail_find(j->fds, n, &j->seek.n_wanted, &i, &offset);
        if (r < 0)
                return r;
        j->seek.counting = r > 0;
        j->seek.n_counted = 0;
        j->seek.in_line = false;
        if (r == 0)
                return json_reader_take_file(j, i, offset);
        j->i_fd = i;
        return gzip_reader_new(j->fds[i], &j->packed);
}

/* Counts on. 1: still at it, 0: j reads from the right place. */
static int json_reader_count(JsonReader *j) {
        Seek *s = &j->seek;
        char *block;
        size_t n;
        int r;

        for (size_t sum = 0; sum < COUNT_PER_TURN; sum += n) {
                r = buffer_reserve(&j->buffer, READ_SIZE, &block);
                if (r >= 0)
                        r = gzip_reader_next(j->packed, block, READ_SIZE, &n);
                if (r < 0)
                        return r;
                if (n == 0)
                        break;
                for (const char *p = block; (p = memchr(p, '\n', (size_t) (block + n - p))); p++)
                        s->n_counted++;
                s->in_line = block[n - 1] != '\n';
        }
        if (n > 0)
                return 1;

        s->n_counted += s->in_line;
        j->packed = gzip_reader_free(j->packed);
        if (s->n_counted < s->n_wanted && j->i_fd > 0) {
                s->n_wanted -= s->n_counted;
                r = json_reader_seek(j, j->i_fd);
                return r < 0 ? r : s->counting;
        }
        s->counting = false;
        s->n_skip = s->n_counted > s->n_wanted ? s->n_counted - s->n_wanted : 0;
        return json_reader_take_file(j, j->i_fd, 0);
}

static int json_reader_open_files(JsonReader *j, int64_t tail) {
        struct stat st;
        int r;

        r = rotate_open_all(j->path, &j->fds, &j->n_fds);
        if (r < 0)
                return r;
        if (j->n_fds == 0)
                return 0;
        if (fstat(j->fds[j->n_fds - 1], &st) < 0)
                return -errno;
        j->limit = gzip_is(j->fds[j->n_fds - 1]) ? UINT64_MAX : (uint64_t) st.st_size;
        if (tail < 0)
                return json_reader_take_file(j, 0, 0);
        j->seek.n_wanted = (uint64_t) tail;
        return json_reader_seek(j, j->n_fds);
}

static int open_with(LogReader *reader, const LogTarget *t, const LogReadOptions *o, sd_event *e,
        int (*parse)(const char *line, size_t size, JsonLine *ret), void **ret_state) {
        JsonReader *j;
        int r = 0;

        if (!t->path)
                return -EINVAL;
        j = new0(JsonReader, 1);
        if (!j)
                return -ENOMEM;
        j->reader = reader;
        j->event = sd_event_ref(e);
        j->path = t->path;
        j->parse = parse;
        j->follow = o->follow;
        j->fd = j->inotify_fd = -EBADF;

        if (o->follow)
                r = json_reader_watch(
                        j); /* before the look at the files: what comes in between wakes us */
        if (r >= 0)
                r = json_reader_open_files(j, o->tail);
        if (r < 0) {
                json_reader_close(j);
                return r;
        }
        *ret_state = j;
        return 0;
}

static bool json_reader_is_newest(const JsonReader *j) {
        return j->i_fd + 1 >= j->n_fds;
}

/* Reads on in the open file. How much; 0: its end. */
static int json_reader_fill(JsonReader *j) {
        size_t size = READ_SIZE;
        struct stat st;
        ssize_t n;
        char *to;
        int r;

        if (!j->follow && json_reader_is_newest(j)) {
                if (j->offset >= j->limit)
                        return 0;
                size = MIN(size, (size_t) (j->limit - j->offset));
        }
        r = buffer_reserve(&j->buffer, size, &to);
        if (r < 0)
                return r;
        if (j->packed) {
                size_t n_read;

                r = gzip_reader_next(j->packed, to, size, &n_read);
                if (r == -EBADMSG) /* what can be read of it has been */
                        return 0;
                if (r < 0)
                        return r;
                n = (ssize_t) n_read;
        } else
                do
                        n = pread(j->fd, to, size, (off_t) j->offset);
                while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n == 0 && !j->packed) {
                /* cut off: emptied by somebody (or by max-file=1), or half a line taken back when the disk was full */
                if (j->follow && fstat(j->fd, &st) >= 0 && (uint64_t) st.st_size < j->offset) {
                        uint64_t line = j->offset - buffer_size(&j->buffer);

                        j->offset = (uint64_t) st.st_size >= line ? line : 0;
                        buffer_reset(&j->buffer);
                        j->skipping = false;
                        if ((uint64_t) st.st_size > j->offset)
                                return json_reader_fill(j);
                }
                return 0;
        }
        buffer_commit(&j->buffer, (size_t) n);
        j->offset += (size_t) n;
        return n > 0;
}

/* The open file is at its end: the next one. 1: there is one, 0: this is the newest. */
static int json_reader_advance(JsonReader *j) {
        int fd, r;

        if (j->fd >= 0 && !json_reader_is_newest(j)) {
                r = json_reader_take_file(j, j->i_fd + 1, 0);
                return r < 0 ? r : 1;
        }
        if (!j->follow)
                return 0;

        if (j->fd < 0) { /* there was no log at all */
                size_t n;
                int *fds;

                r = rotate_open_all(j->path, &fds, &n);
                if (r < 0 || n == 0)
                        return r;
                rotate_close_all(j->fds, j->n_fds);
                j->fds = fds;
                j->n_fds = n;
                r = json_reader_take_file(j, 0, 0);
                return r < 0 ? r : 1;
        }

        r = rotate_open_next(j->path, j->fd, &fd);
        if (r == -EAGAIN)
                return 0;
        if (r < 0)
                return r;
        /* the last lines may have come between our look and the rotation: after it nothing does */
        r = json_reader_fill(j);
        if (r != 0) {
                (void) fd_close(fd);
                return r;
        }
        r = json_reader_take_fd(j, fd, 0);
        return r < 0 ? r : 1;
}

/* The next whole line in the buffer: its length with line feed, 0 when there is none. Too long ones are passed over. */
static size_t json_reader_line(JsonReader *j) {
        for (;;) {
                size_t n = buffer_line(&j->buffer);

                if (n == 0) {
                        if (buffer_size(&j->buffer) > JSON_LINE_MAX) {
                                buffer_reset(&j->buffer);
                                j->skipping = true;
                        }
                        return 0;
                }
                if (!j->skipping && n <= JSON_LINE_MAX)
                        return n;
                buffer_consume(&j->buffer, n);
                j->skipping = false;
        }
}

static int json_reader_limit(void *state, const LogPlace *place) {
        JsonReader *j = state;

        j->is_limited = place && place->inode != 0;
        j->place = place ? *place : (LogPlace) {};
        return 0;
}

static bool json_reader_is_at_limit(const JsonReader *j) {
        struct stat st;

        return j->is_limited && j->fd >= 0 &&
               j->offset - buffer_size(&j->buffer) >= j->place.offset &&
               rotate_identity(j->fd, &st) >= 0 && st.st_ino == j->place.inode;
}

static int json_reader_next(void *state, LogMessage *ret) {
        JsonReader *j = state;
        unsigned n_skipped = 0;

        if (j->seek.counting) {
                int r = json_reader_count(j);

                if (r < 0)
                        return r;
                if (r > 0) {
                        log_reader_wake(j->reader);
                        return -EAGAIN;
                }
        }
        for (;;) {
                size_t n;
                int r;

                if (n_skipped >= SKIP_PER_TURN) {
                        log_reader_wake(j->reader);
                        return -EAGAIN;
                }

                if (json_reader_is_at_limit(j))
                        return 0;
                n = json_reader_line(j);
                if (n > 0 && j->seek.n_skip > 0) {
                        buffer_consume(&j->buffer, n);
                        j->seek.n_skip--;
                        n_skipped++;
                        continue;
                }
                if (n > 0) {
                        r = j->parse(buffer_head(&j->buffer), n - 1, &j->line);
                        buffer_consume(&j->buffer, n);
                        if (r == -ENOMEM)
                                return r;
                        if (r < 0)
                                continue; /* malformed: somebody else wrote it, or a power cut did */
                        *ret = j->line.message;
                        return 1;
                }

                r = j->fd < 0 ? 0 : json_reader_fill(j);
                if (r == 0) {
                        r = json_reader_advance(j);
                        if (r > 0 && j->offset == 0) {
                                buffer_reset(&j->buffer); /* a last line that never ended */
                                j->skipping = false;
                        }
                }
                if (r <= 0)
                        return r;
        }
}

static int json_reader_open(LogReader *reader, const LogTarget *t, const LogReadOptions *o,
        sd_event *e, void **ret_state) {
        return open_with(reader, t, o, e, json_line_parse, ret_state);
}

static int local_reader_open(LogReader *reader, const LogTarget *t, const LogReadOptions *o,
        sd_event *e, void **ret_state) {
        return open_with(reader, t, o, e, local_line_parse, ret_state);
}

const LogReaderOps log_reader_json_file = {
        .driver = "json-file",
        .open = json_reader_open,
        .next = json_reader_next,
        .limit = json_reader_limit,
        .close = json_reader_close,
};

const LogReaderOps log_reader_local = {
        .driver = "local",
        .open = local_reader_open,
        .next = json_reader_next,
        .limit = json_reader_limit,
        .close = json_reader_close,
};

/* The cache. */
const LogReaderOps log_reader_syslog = {
        .driver = "syslog",
        .open = local_reader_open,
        .next = json_reader_next,
        .limit = json_reader_limit,
        .close = json_reader_close,
};
