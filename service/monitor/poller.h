/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The monitor's event loop: a few descriptors, a few timers, nothing else. libsystemd's would cost four times the monitor's own memory, once
 * per container. Watches and timers are members of their owners, who take them out before they end. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "lib/base/list.h"

typedef struct Poller Poller;
typedef struct Timer Timer;
typedef struct Watch Watch;

typedef void (*watch_ready_t)(void *userdata, uint32_t events);
typedef void (*timer_elapsed_t)(void *userdata);

struct Watch {
        int fd; /* borrowed; the watch is in the poller when on_ready is set */
        watch_ready_t on_ready;
        void *userdata;
};

struct Timer {
        ListNode node;
        uint64_t deadline;          /* usec, monotonic */
        timer_elapsed_t on_elapsed; /* NULL: not armed */
        void *userdata;
};

struct Poller {
        int epoll_fd;
        List timers;
        bool stop;
};

int poller_init(Poller *p);
void poller_done(Poller *p);

int poller_watch(
        Poller *p, Watch *w, int fd, uint32_t events, watch_ready_t on_ready, void *userdata);
void poller_unwatch(Poller *p, Watch *w); /* also of a zeroed Watch, and from inside any callback */

/* Once, usec from now; an armed timer is set anew. */
void poller_timer(Poller *p, Timer *t, uint64_t usec, timer_elapsed_t on_elapsed, void *userdata);
void poller_timer_stop(Poller *p, Timer *t);

int poller_run(Poller *p); /* until poller_stop(); negative errno when it cannot wait */
void poller_stop(Poller *p);
