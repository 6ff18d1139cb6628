/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reads a container's lines back from the journal. journald takes records when it has time; so that a log that is read right after the last line
 * is complete, it is asked to catch up (its Synchronize call) before an end is declared. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "engine/log/reader-ops.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

#define SYNC_SOCKET  "/run/systemd/journal/io.systemd.journal"
#define SYNC_REQUEST "{\"method\":\"io.systemd.Journal.Synchronize\"}"
#define SYNC_USEC    (2 * USEC_PER_SEC)
#define FIELD_MAX    ((size_t) 128 * 1024)

typedef enum JournalSync {
        SYNC_WANTED, /* before the end, the journal has to catch up */
        SYNC_WAITING,
        SYNC_DONE,
} JournalSync;

typedef struct JournalReader {
        LogReader *reader;
        sd_event *event;
        sd_journal *journal;
        sd_event_source *io, *sync_io, *sync_timer;
        int sync_fd;
        JournalSync sync;
        bool follow, finishing;
        bool skip_first; /* the position is already that of the first entry wanted */
        char *epoch;     /* not NULL: nothing of it behind that ordinal */
        uint64_t ordinal;
        bool at_limit;
        Buffer text;
        char **attrs;
} JournalReader;

static void journal_reader_close(void *state) {
        JournalReader *j = state;

        if (!j)
                return;
        j->io = loop_source_free(j->io);
        j->sync_io = loop_source_free(j->sync_io);
        j->sync_timer = loop_source_free(j->sync_timer);
        (void) fd_close(j->sync_fd);
        sd_journal_close(j->journal);
        free(j->epoch);
        buffer_done(&j->text);
        strv_free(j->attrs);
        j->event = sd_event_unref(j->event);
        free(j);
}

static void journal_reader_synced(JournalReader *j) {
        j->sync = SYNC_DONE;
        j->sync_io = loop_source_free(j->sync_io);
        j->sync_timer = loop_source_free(j->sync_timer);
        j->sync_fd = fd_close(j->sync_fd);
        (void) sd_journal_process(j->journal); /* files that came up meanwhile */
        log_reader_wake(j->reader);
}

static int journal_reader_on_sync(
        sd_event_source *source, int fd, uint32_t events, void *userdata) {
        journal_reader_synced(userdata); /* an answer, an error or the end: more cannot be had */
        return 0;
}

static int journal_reader_on_sync_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        journal_reader_synced(userdata);
        return 0;
}

static int journal_reader_ask(JournalReader *j) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX,
                .sun_path = SYNC_SOCKET };
        int r;

        j->sync_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (j->sync_fd < 0)
                return -errno;
        if (connect(j->sync_fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        if (send(j->sync_fd, SYNC_REQUEST, sizeof(SYNC_REQUEST), MSG_NOSIGNAL) !=
                (ssize_t) sizeof(SYNC_REQUEST))
                return -EIO;
        r = loop_io(j->event, j->sync_fd, EPOLLIN, LOOP_STREAM, "journal-sync",
                journal_reader_on_sync, j, &j->sync_io);
        if (r < 0)
                return r;
        return loop_timer(j->event, SYNC_USEC, LOOP_STREAM, "journal-sync",
                journal_reader_on_sync_timer, j, &j->sync_timer);
}

/* 1: the end is the end, 0: wait */
static int journal_reader_catch_up(JournalReader *j) {
        if (j->sync == SYNC_WANTED) {
                j->sync = SYNC_WAITING;
                if (journal_reader_ask(j) < 0) {
                        j->sync = SYNC_DONE;
                        j->sync_io = loop_source_free(j->sync_io);
                        j->sync_fd = fd_close(j->sync_fd);
                }
        }
        return j->sync == SYNC_DONE;
}

static int journal_reader_on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        JournalReader *j = userdata;

        if (sd_journal_process(j->journal) != SD_JOURNAL_NOP)
                log_reader_wake(j->reader);
        return 0;
}

static int journal_reader_seek(JournalReader *j, const LogReadOptions *o) {
        int r;

        if (o->tail >= 0) {
                r = sd_journal_seek_tail(j->journal);
                if (r < 0)
                        return r;
                /* Asked for none, stand on the last one, so that the next step is to what comes after it. */
                r = sd_journal_previous_skip(j->journal, o->tail == 0 ? 1 : (uint64_t) o->tail);
                if (r < 0)
                        return r;
                j->skip_first = r > 0 && o->tail > 0;
                if (r == 0 && o->tail > 0)
                        return sd_journal_seek_head(j->journal);
                return 0;
        }
        if (o->since_nsec >
                0) /* a record comes to the journal after it was stamped, never before */
                return sd_journal_seek_realtime_usec(j->journal, o->since_nsec / 1000);
        return sd_journal_seek_head(j->journal);
}

static int journal_reader_open(LogReader *reader, const LogTarget *t, const LogReadOptions *o,
        sd_event *e, void **ret_state) {
        _cleanup_(freep) char *match = NULL;
        JournalReader *j;
        int r;

        j = new0(JournalReader, 1);
        if (!j)
                return -ENOMEM;
        j->reader = reader;
        j->event = sd_event_ref(e);
        j->sync_fd = -EBADF;
        j->follow = o->follow;

        r = sd_journal_open(&j->journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r >= 0)
                r = sd_journal_set_data_threshold(j->journal, FIELD_MAX);
        if (r >= 0)
                r = str_printf(&match, "CONTAINER_ID_FULL=%s", t->id);
        if (r >= 0)
                r = sd_journal_add_match(j->journal, match, 0);
        if (r >= 0 && o->follow) {
                r = sd_journal_get_fd(j->journal);
                if (r >= 0)
                        r = loop_io(e, r, EPOLLIN, LOOP_STREAM, "journal", journal_reader_on_io, j,
                                &j->io);
        }
        if (r >= 0)
                r = journal_reader_seek(j, o);
        if (r < 0) {
                journal_reader_close(j);
                return r;
        }
        *ret_state = j;
        return 0;
}

/* The value of a field of the entry we stand on; NULL: it has none. */
static const char *journal_reader_get(JournalReader *j, const char *field, size_t *ret_size) {
        const void *data;
        size_t size, n = strlen(field) + 1;

        if (sd_journal_get_data(j->journal, field, &data, &size) < 0 || size < n)
                return NULL;
        *ret_size = size - n;
        return (const char *) data + n;
}

static bool journal_reader_is(JournalReader *j, const char *field, const char *value) {
        size_t size;
        const char *s = journal_reader_get(j, field, &size);

        return s && size == strlen(value) && memcmp(s, value, size) == 0;
}

static int journal_reader_time(JournalReader *j, uint64_t *ret) {
        char text[CLOCK_TEXT_SIZE];
        const char *s;
        uint64_t usec;
        size_t size;
        int64_t ns;
        int r;

        s = journal_reader_get(j, "SYSLOG_TIMESTAMP", &size);
        if (s && size < sizeof(text)) {
                memcpy(text, s, size);
                text[size] = '\0';
                if (clock_parse(text, &ns) >= 0 && ns >= 0) {
                        *ret = (uint64_t) ns;
                        return 0;
                }
        }
        r = sd_journal_get_realtime_usec(j->journal, &usec);
        if (r >= 0)
                *ret = usec * 1000;
        return r;
}

/* Fields that came from labels, environment and tag: what is not the journal's and not the driver's. */
static bool is_attribute(const char *field, size_t n) {
        static const char *const own[] = { "CONTAINER_",
                "IMAGE_NAME=", "MESSAGE=", "PRIORITY=", "SYSLOG_" };

        if (n == 0 || field[0] == '_' || memchr(field, '\0', n))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(own); i++)
                if (n >= strlen(own[i]) && memcmp(field, own[i], strlen(own[i])) == 0)
                        return false;
        return true;
}

static int journal_reader_attrs(JournalReader *j) {
        const void *data;
        size_t size;

        j->attrs = strv_free(j->attrs);
        SD_JOURNAL_FOREACH_DATA(j->journal, data, size) {
                _cleanup_(freep) char *s = NULL;
                int r;

                if (!is_attribute(data, size))
                        continue;
                r = str_copy_n(&s, data, size);
                if (r >= 0)
                        r = strv_take(&j->attrs, TAKE_PTR(s));
                if (r < 0)
                        return r;
        }
        strv_sort(j->attrs);
        return 0;
}

static int journal_reader_entry(JournalReader *j, LogMessage *ret) {
        const char *text;
        size_t size = 0;
        int r;

        *ret = (LogMessage) {
                .stream = journal_reader_is(j, "PRIORITY", "3") ? LOG_STREAM_STDERR
                                                                : LOG_STREAM_STDOUT,
                .partial = journal_reader_is(j, "CONTAINER_PARTIAL_MESSAGE", "true"),
        };
        r = journal_reader_time(j, &ret->time_nsec);
        if (r < 0)
                return r;
        r = journal_reader_attrs(j);
        if (r < 0)
                return r;

        /* last, because what is got is valid until the next call only */
        buffer_reset(&j->text);
        text = journal_reader_get(j, "MESSAGE", &size);
        r = text ? buffer_append(&j->text, text, size) : 0;
        if (r >= 0 && !ret->partial)
                r = buffer_append_char(&j->text, '\n');
        if (r < 0)
                return r;
        ret->data = buffer_head(&j->text);
        ret->size = buffer_size(&j->text);
        ret->attrs = j->attrs;
        return 1;
}

static int journal_reader_limit(void *state, const LogPlace *place) {
        JournalReader *j = state;

        j->epoch = mfree(j->epoch);
        j->at_limit = false;
        if (!place || !place->epoch)
                return 0;
        j->ordinal = place->ordinal;
        j->sync = SYNC_WANTED;
        return str_copy(&j->epoch, place->epoch);
}

/* Where the entry we stand on is. Behind the limit, it is the first one of later. 1: show it. */
static int journal_reader_check(JournalReader *j) {
        char text[32];
        const char *s;
        uint64_t ordinal;
        size_t size;

        if (!j->epoch || !journal_reader_is(j, "CONTAINER_LOG_EPOCH", j->epoch))
                return 1;
        s = journal_reader_get(j, "CONTAINER_LOG_ORDINAL", &size);
        if (!s || size >= sizeof(text))
                return 1;
        memcpy(text, s, size);
        text[size] = '\0';
        if (parse_u64(text, &ordinal) < 0)
                return 1;
        j->skip_first = ordinal > j->ordinal;
        j->at_limit = ordinal >= j->ordinal;
        return !j->skip_first;
}

static int journal_reader_next(void *state, LogMessage *ret) {
        JournalReader *j = state;

        for (;;) {
                int r;

                if (j->at_limit)
                        return 0;
                r = j->skip_first ? 1 : sd_journal_next(j->journal);
                j->skip_first = false;
                if (r < 0)
                        return r;
                if (r == 0) {
                        if (j->follow && !j->finishing && !j->epoch)
                                return 0;
                        if (j->sync == SYNC_DONE)
                                return 0;
                        if (!journal_reader_catch_up(j))
                                return -EAGAIN;
                        continue; /* once more: it may have caught up */
                }
                if (journal_reader_check(j) == 0)
                        return 0;
                r = journal_reader_entry(j, ret);
                if (r > 0 || r == -ENOMEM)
                        return r;
                /* an entry that cannot be read (a damaged file) is not the end of the log */
        }
}

static void journal_reader_finish(void *state) {
        JournalReader *j = state;

        j->finishing = true;
        if (j->sync == SYNC_DONE)
                j->sync = SYNC_WANTED; /* more may have come */
}

const LogReaderOps log_reader_journald = {
        .driver = "journald",
        .open = journal_reader_open,
        .next = journal_reader_next,
        .limit = journal_reader_limit,
        .finish = journal_reader_finish,
        .close = journal_reader_close,
};
