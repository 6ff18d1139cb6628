/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/reader.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/log/logs.h"
#include "engine/log/reader-ops.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

/* One turn of the loop. */
#define MESSAGES_PER_TURN 256u
#define BYTES_PER_TURN    ((size_t) 256 * 1024)

struct LogReader {
        const LogReaderOps *ops;
        void *state;
        LogReadOptions options;
        char *id, *path;
        LogTarget target; /* of the copies; what readers do not need stays empty */
        sd_event_source *turn;
        log_message_t on_message;
        log_end_t on_end;
        void (*on_idle)(void *userdata);
        void *userdata;
        bool paused, finishing, ended;
        bool in_callback, freed; /* freed inside of a callback: memory goes when it has returned */
};

static const LogReaderOps *const readers[] = { &log_reader_json_file, &log_reader_journald,
        &log_reader_local, &log_reader_syslog };

static const LogReaderOps *find_ops(const char *driver) {
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                if (streq(readers[i]->driver, driver))
                        return readers[i];
        return NULL;
}

/* Of a driver that is read from its cache. */
static bool cache_is_off(const char *driver, char *const *opts) {
        const char *value = logs_option(opts, "cache-disabled");
        bool off;

        return streq(driver, "syslog") && value && parse_bool(value, &off) >= 0 && off;
}

bool logs_can_read(const char *driver) {
        return find_ops(driver);
}

int log_reader_new(const char *driver, const LogTarget *target, const LogReadOptions *options,
        LogReader **ret, Error *reterr) {
        _cleanup_(log_reader_freep) LogReader *l = NULL;
        const LogReaderOps *ops;
        int r;

        assert(driver);
        assert(target && target->id);
        assert(options);
        assert(ret);

        ops = find_ops(driver);
        if (!ops || cache_is_off(driver, target->opts))
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "configured logging driver does not support reading");

        l = new0(LogReader, 1);
        if (!l)
                return -ENOMEM;
        l->ops = ops;
        l->options = *options;
        r = str_copy(&l->id, target->id);
        if (r >= 0)
                r = str_copy(&l->path, target->path);
        if (r < 0)
                return r;
        l->target = (LogTarget) { .id = l->id, .path = l->path };

        *ret = TAKE_PTR(l);
        return 0;
}

static void log_reader_destroy(LogReader *l) {
        l->turn = loop_source_free(l->turn);
        if (l->state)
                l->ops->close(l->state);
        free(l->id);
        free(l->path);
        free(l);
}

LogReader *log_reader_free(LogReader *l) {
        if (!l)
                return NULL;
        l->freed = true;
        if (!l->in_callback)
                log_reader_destroy(l);
        return NULL;
}

void log_reader_wake(LogReader *l) {
        if (l->turn && !l->paused && !l->ended)
                (void) sd_event_source_set_enabled(l->turn, SD_EVENT_ONESHOT);
}

static bool log_reader_is_over(const LogReader *l) {
        return l->freed || l->paused || l->ended;
}

static void log_reader_end(LogReader *l, int r) {
        l->ended = true;
        l->in_callback = true;
        l->on_end(r, l->userdata);
        l->in_callback = false;
}

static void log_reader_idle(LogReader *l) {
        if (!l->on_idle)
                return;
        l->in_callback = true;
        l->on_idle(l->userdata);
        l->in_callback = false;
}

/* 1: shown or passed over, 0: behind the end of what was asked for */
static int log_reader_deliver(LogReader *l, const LogMessage *m) {
        if (m->time_nsec > l->options.until_nsec)
                return 0;
        if (m->time_nsec < l->options.since_nsec)
                return 1;
        if (m->stream == LOG_STREAM_STDERR ? !l->options.with_stderr : !l->options.with_stdout)
                return 1;
        l->in_callback = true;
        l->on_message(m, l->userdata);
        l->in_callback = false;
        return 1;
}

static void log_reader_read(LogReader *l) {
        size_t n_bytes = 0;

        for (unsigned i = 0; i < MESSAGES_PER_TURN && n_bytes < BYTES_PER_TURN; i++) {
                LogMessage m;
                int r;

                r = l->ops->next(l->state, &m);
                if (r == -EAGAIN)
                        return;
                if (r == 0 && l->options.follow && !l->finishing) {
                        log_reader_idle(l);
                        return;
                }
                if (r > 0) {
                        n_bytes += m.size;
                        r = log_reader_deliver(l, &m);
                        if (r > 0) {
                                if (log_reader_is_over(l))
                                        return;
                                continue;
                        }
                }
                log_reader_end(l, r);
                return;
        }
        log_reader_wake(l); /* others have their turn first */
}

static int log_reader_on_turn(sd_event_source *source, void *userdata) {
        LogReader *l = userdata;

        if (!log_reader_is_over(l))
                log_reader_read(l);
        if (l->freed)
                log_reader_destroy(l);
        return 0;
}

int log_reader_start(
        LogReader *l, sd_event *e, log_message_t on_message, log_end_t on_end, void *userdata) {
        int r;

        assert(!l->turn);
        assert(on_message);
        assert(on_end);

        l->on_message = on_message;
        l->on_end = on_end;
        l->userdata = userdata;
        r = l->ops->open(l, &l->target, &l->options, e, &l->state);
        if (r < 0)
                return r;
        r = loop_defer(e, LOOP_STREAM, "log-reader", log_reader_on_turn, l, &l->turn);
        if (r < 0)
                return r;
        if (l->finishing && l->ops->finish)
                l->ops->finish(l->state);
        log_reader_wake(l);
        if (l->paused)
                (void) sd_event_source_set_enabled(l->turn, SD_EVENT_OFF);
        return 0;
}

void log_reader_pause(LogReader *l) {
        l->paused = true;
        if (l->turn)
                (void) sd_event_source_set_enabled(l->turn, SD_EVENT_OFF);
}

void log_reader_resume(LogReader *l) {
        l->paused = false;
        log_reader_wake(l);
}

void log_reader_on_idle(LogReader *l, void (*on_idle)(void *userdata)) {
        l->on_idle = on_idle;
}

int log_reader_read_to(LogReader *l, const LogPlace *place) {
        int r;

        assert(l->state);

        r = l->finishing ? 0 : l->ops->limit(l->state, place);
        log_reader_wake(l);
        return r;
}

void log_reader_finish(LogReader *l) {
        if (l->finishing)
                return;
        l->finishing = true;
        if (l->state)
                (void) l->ops->limit(l->state, NULL);
        if (l->state && l->ops->finish)
                l->ops->finish(l->state);
        log_reader_wake(l);
}
