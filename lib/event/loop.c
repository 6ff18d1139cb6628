/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event/loop.h"

#include <signal.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/process.h"

typedef struct LoopStop LoopStop;

struct LoopStop {
        loop_stop_t on_stop;
        void *userdata;
};

int loop_new(bool watchdog, sd_event **ret) {
        _cleanup_(loop_freep) sd_event *e = NULL;
        int r;

        assert(ret);

        r = sd_event_new(&e);
        if (r < 0)
                return r;

        if (watchdog) {
                r = sd_event_set_watchdog(e, true);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(e);
        return 0;
}

/* What every source gets. On failure the source is gone. */
static int finish_source(sd_event_source *source, LoopPriority priority, const char *name,
        sd_event_source **ret_source) {
        _cleanup_(loop_source_freep) sd_event_source *s = source;
        int r;

        assert(name);

        r = sd_event_source_set_priority(s, priority);
        if (r < 0)
                return r;
        r = sd_event_source_set_description(s, name);
        if (r < 0)
                return r;

        if (ret_source)
                *ret_source = TAKE_PTR(s);
        else {
                r = sd_event_source_set_floating(s, true);
                if (r < 0)
                        return r;
                sd_event_source_unref(TAKE_PTR(s)); /* the loop holds it now */
        }
        return 0;
}

int loop_on_signal(sd_event *e, int sig, const char *name, sd_event_signal_handler_t handler,
        void *userdata, sd_event_source **ret_source) {
        sd_event_source *s = NULL;
        sigset_t set;
        int r;

        assert(e);
        assert(handler);

        (void) sigemptyset(&set);
        if (sigaddset(&set, sig) < 0)
                return -errno;
        r = pthread_sigmask(SIG_BLOCK, &set, NULL);
        if (r != 0)
                return -r;

        r = sd_event_add_signal(e, &s, sig, handler, userdata);
        if (r < 0)
                return r;

        return finish_source(s, LOOP_SIGNAL, name, ret_source);
}

static int on_stop_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        LoopStop *stop = userdata;

        if (stop->on_stop && stop->on_stop((int) si->ssi_signo, stop->userdata) == 0)
                return 0;

        return sd_event_exit(sd_event_source_get_event(s), 0);
}

static void free_stop(void *p) {
        free(p);
}

int loop_on_stop(sd_event *e, loop_stop_t on_stop, void *userdata) {
        static const int signals[] = { SIGTERM, SIGINT };
        int r;

        assert(e);

        r = signal_ignore(SIGPIPE);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                sd_event_source *s;
                LoopStop *stop;

                stop = new (LoopStop, 1);
                if (!stop)
                        return -ENOMEM;
                *stop = (LoopStop) { on_stop, userdata };

                r = loop_on_signal(
                        e, signals[i], signal_to_string(signals[i]), on_stop_signal, stop, &s);
                if (r < 0) {
                        free(stop);
                        return r;
                }
                r = sd_event_source_set_destroy_callback(s, free_stop);
                assert(r >= 0);
                r = sd_event_source_set_floating(s, true);
                sd_event_source_unref(s);
                if (r < 0)
                        return r;
        }
        return 0;
}

int loop_io(sd_event *e, int fd, uint32_t events, LoopPriority priority, const char *name,
        sd_event_io_handler_t handler, void *userdata, sd_event_source **ret_source) {
        sd_event_source *s = NULL;
        int r;

        assert(e);
        assert(handler);

        r = sd_event_add_io(e, &s, fd, events, handler, userdata);
        if (r < 0)
                return r;

        return finish_source(s, priority, name, ret_source);
}

int loop_inotify(sd_event *e, const char *path, uint32_t mask, LoopPriority priority,
        const char *name, sd_event_inotify_handler_t handler, void *userdata,
        sd_event_source **ret_source) {
        sd_event_source *s = NULL;
        int r;

        assert(e);
        assert(path);
        assert(handler);

        r = sd_event_add_inotify(e, &s, path, mask, handler, userdata);
        if (r < 0)
                return r;

        return finish_source(s, priority, name, ret_source);
}

int loop_defer(sd_event *e, LoopPriority priority, const char *name, sd_event_handler_t handler,
        void *userdata, sd_event_source **ret_source) {
        sd_event_source *s = NULL;
        int r;

        assert(e);
        assert(handler);

        r = sd_event_add_defer(e, &s, handler, userdata);
        if (r < 0)
                return r;

        return finish_source(s, priority, name, ret_source);
}

int loop_post(sd_event *e, LoopPriority priority, const char *name, sd_event_handler_t handler,
        void *userdata, sd_event_source **ret_source) {
        sd_event_source *s = NULL;
        int r;

        assert(e);
        assert(handler);

        r = sd_event_add_post(e, &s, handler, userdata);
        if (r < 0)
                return r;

        return finish_source(s, priority, name, ret_source);
}

int loop_timer(sd_event *e, uint64_t usec, LoopPriority priority, const char *name,
        sd_event_time_handler_t handler, void *userdata, sd_event_source **source) {
        uint64_t accuracy = usec <= USEC_PER_SEC ? USEC_PER_MSEC : MIN(usec / 10, USEC_PER_MINUTE);
        sd_event_source *s = NULL;
        int r;

        assert(e);
        assert(handler);
        assert(source);

        if (*source) {
                r = sd_event_source_set_time_accuracy(*source, accuracy);
                if (r < 0)
                        return r;
                r = sd_event_source_set_time_relative(*source, usec);
                if (r < 0)
                        return r;
                return sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
        }

        r = sd_event_add_time_relative(e, &s, CLOCK_MONOTONIC, usec, accuracy, handler, userdata);
        if (r < 0)
                return r;

        return finish_source(s, priority, name, source);
}

int loop_timer_stop(sd_event_source *source) {
        return source ? sd_event_source_set_enabled(source, SD_EVENT_OFF) : 0;
}

bool loop_timer_armed(sd_event_source *source) {
        return source && sd_event_source_get_enabled(source, NULL) > 0;
}

sd_event_source *loop_source_free(sd_event_source *source) {
        return sd_event_source_disable_unref(source);
}
