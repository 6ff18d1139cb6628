/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The one event loop: named sources, one order of priorities for everybody. Every callback of
 * sd-event goes through here, so that each source has a description (seen in debug output and by
 * tests) and a place in the enum. */

#include <systemd/sd-event.h>

#include "lib/base/macro.h"

/* Smaller goes first. The order is part of the design: a child's last record is read before its
 * exit is seen, news of the system before requests of people, requests before what can wait. */
typedef enum LoopPriority {
        LOOP_SIGNAL = -40,  /* SIGTERM and the like */
        LOOP_CHANNEL = -30, /* records of monitors, workers, the launcher */
        LOOP_CHILD = -20,   /* exits, by pidfd */
        LOOP_SYSTEM = -10,  /* systemd's answers, netlink */
        LOOP_BUS = 0,       /* D-Bus calls */
        LOOP_REQUEST = 10,  /* REST */
        LOOP_STREAM = 20,   /* log and attach bytes */
        LOOP_TIMER = 30,    /* time-outs, restarts with back-off */
        LOOP_NAMES = 40,    /* questions for names: a flood of them holds up nothing else */
        LOOP_IDLE = 100,    /* house-keeping */
} LoopPriority;

/* A new loop (not the thread's default one). watchdog: pings systemd at half of WATCHDOG_USEC
 * when it is set. */
int loop_new(bool watchdog, sd_event **ret);

/* Blocks SIGTERM and SIGINT in the process and ends the loop with 0 when one comes; on_stop (or
 * NULL) is asked first and may return 0 to say "not yet, I end it". SIGPIPE is ignored. */
typedef int (*loop_stop_t)(int sig, void *userdata);
int loop_on_stop(sd_event *e, loop_stop_t on_stop, void *userdata);
/* Any other signal, blocked in the process from here on. ret_source may be NULL (floating). */
int loop_on_signal(sd_event *e, int sig, const char *name, sd_event_signal_handler_t handler,
        void *userdata, sd_event_source **ret_source);

/* Sources. ret_source NULL: floating, lives as long as the loop. */
int loop_io(sd_event *e, int fd, uint32_t events, LoopPriority priority, const char *name,
        sd_event_io_handler_t handler, void *userdata, sd_event_source **ret_source);
/* Files in a folder, or a file; mask as for inotify. All that are watched share one descriptor. */
int loop_inotify(sd_event *e, const char *path, uint32_t mask, LoopPriority priority,
        const char *name, sd_event_inotify_handler_t handler, void *userdata,
        sd_event_source **ret_source);
int loop_defer(sd_event *e, LoopPriority priority, const char *name, sd_event_handler_t handler,
        void *userdata, sd_event_source **ret_source);
/* Runs after other sources were dispatched, each round. */
int loop_post(sd_event *e, LoopPriority priority, const char *name, sd_event_handler_t handler,
        void *userdata, sd_event_source **ret_source);

/* One shot, usec from now (CLOCK_MONOTONIC). *source NULL: made; else re-armed. Accuracy 1 ms up
 * to 1 s, then a tenth. */
int loop_timer(sd_event *e, uint64_t usec, LoopPriority priority, const char *name,
        sd_event_time_handler_t handler, void *userdata, sd_event_source **source);
int loop_timer_stop(sd_event_source *source); /* NULL is fine; loop_timer() arms it again */
bool loop_timer_armed(sd_event_source *source);

/* Releases the source: it is disabled at once, also inside of its own callback. Returns NULL. */
sd_event_source *loop_source_free(sd_event_source *source);
DEFINE_CLEANUP(sd_event_source *, loop_source_free);

static inline sd_event *loop_free(sd_event *e) {
        return sd_event_unref(e);
}
DEFINE_CLEANUP(sd_event *, loop_free);
