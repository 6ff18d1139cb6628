/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/container/set.h"
#include "engine/host/cgroup.h"
#include "engine/host/units.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"

/* A monitor that ends without a word was killed. Mostly all of its scope was, with "systemctl kill -s KILL": that is an ordinary exit by
 * SIGKILL, which we tell in its place. If the container lives on, nobody can see any more how it ends: it is killed. Which of the two
 * it was shows within a moment, for a kill of many reaches one after the other. The figures are read as soon as we hear of it, since
 * systemd removes the cgroup when its last process is gone. */

#define LOST_USEC  (10 * USEC_PER_SEC)
#define GRACE_USEC (500 * USEC_PER_MSEC)
#define LOST_WORDS "its monitor ended unexpectedly; its processes were killed"

struct ContainerLost {
        Container *container;
        int events_fd; /* cgroup.events of what runs inside */
        sd_event_source *watch;
        sd_event_source *timer;
        UnitCall *kill;
        bool killed; /* by us */
        bool died;   /* without us */
        Accounting accounting;
};

ContainerLost *container_lost_free(ContainerLost *l) {
        if (!l)
                return NULL;

        loop_source_free(l->watch);
        loop_source_free(l->timer);
        unit_call_free(l->kill);
        fd_close(l->events_fd);
        free(l);
        return NULL;
}

/* What cannot be read any more stays as it was read before. */
static void read_figures(ContainerLost *l) {
        ContainerFigures f;

        container_figures(l->container, &f);
        if (f.accounting.cpu_usage_nsec != UINT64_MAX)
                l->accounting = f.accounting;
}

void container_lost_end(Container *c) {
        ContainerLost *l = c->lost;
        bool died = l->died || !l->killed;
        MonitorRecord record = {
                .type = MONITOR_EXITED,
                .exit_code = died ? 128 + SIGKILL : CONTAINER_EXIT_LOST,
                .error = died ? NULL : (char *) LOST_WORDS,
                .accounting = l->accounting,
                .oom_killed = l->accounting.oom_kills != UINT64_MAX && l->accounting.oom_kills > 0,
        };

        if (!died)
                (void) log_container_error(c, 0, LOST_WORDS);
        container_handle_exit(c, &record);
}

/* 1 processes are there, 0 none is left; -ENOENT: there is no such cgroup. */
static int is_populated(const ContainerLost *l) {
        char text[256];
        ssize_t n;

        if (l->events_fd < 0)
                return -ENOENT;
        n = pread(l->events_fd, text, sizeof(text) - 1, 0);
        if (n < 0)
                return errno == ENODEV ? 0 : -errno; /* removed, as only an empty one can be */
        text[n] = 0;
        return cgroup_parse_keyed(text, "populated") == 1;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Container *c = userdata;

        (void) log_container_warning(c, 0, "What a lost monitor left does not end, going on");
        container_lost_end(c);
        return 0;
}

static void on_killed(int r, const Error *e, void *userdata) {
        Container *c = userdata;

        c->lost->kill = NULL;
        if (r == -ENOENT) /* there is no scope: nothing is left */
                container_lost_end(c);
}

/* Also when nothing runs inside any more: who else is in the scope holds the name. */
static void end_rest(Container *c) {
        ContainerLost *l = c->lost;
        char scope[CONTAINER_SCOPE_SIZE];
        int r;

        l->killed = true;
        r = loop_timer(
                c->set->event, LOST_USEC, LOOP_TIMER, "container-lost", on_deadline, c, &l->timer);
        if (r >= 0)
                r = units_kill(
                        c->set->units, container_scope(c, scope), SIGKILL, on_killed, c, &l->kill);
        if (r < 0) {
                (void) log_container_error(c, r, "Failed to end what is left: %m");
                container_lost_end(c);
        }
}

static int on_grace_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Container *c = userdata;

        c->lost->timer = loop_source_free(c->lost->timer);
        read_figures(c->lost);
        end_rest(c);
        return 0;
}

static void look(Container *c) {
        ContainerLost *l = c->lost;

        if (is_populated(l) != 0)
                return;
        read_figures(l);
        l->watch = loop_source_free(l->watch);
        if (l->killed)
                return; /* the scope's end follows */
        l->died = true;
        l->timer = loop_source_free(l->timer);
        end_rest(c);
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        look(userdata);
        return 0;
}

static bool has_pid(const Container *c) {
        return c->pid > 0 && (kill((pid_t) c->pid, 0) >= 0 || errno != ESRCH);
}

static int lost_new(Container *c) {
        _cleanup_(freep) char *folder = NULL, *file = NULL;
        ContainerLost *l;

        folder = container_cgroup_folder(c);
        file = folder ? str_concat(folder, "/cgroup.events") : NULL;
        l = file ? new0(ContainerLost, 1) : NULL;
        if (!l)
                return -ENOMEM;
        *l = (ContainerLost) {
                .container = c,
                .accounting = ACCOUNTING_NULL,
                .events_fd = open(file, O_RDONLY | O_CLOEXEC),
        };
        c->lost = l;
        return 0;
}

/* 1: it shows within a moment what becomes of it. */
static int wait_a_moment(Container *c) {
        ContainerLost *l = c->lost;
        int r;

        if (l->events_fd < 0) { /* removed already, or the scope was left without one */
                l->died = !has_pid(c);
                return 0;
        }
        r = loop_io(c->set->event, l->events_fd, EPOLLPRI, LOOP_SYSTEM, "container-lost", on_events,
                c, &l->watch);
        if (r >= 0)
                r = loop_timer(c->set->event, GRACE_USEC, LOOP_TIMER, "container-lost",
                        on_grace_over, c, &l->timer);
        return r < 0 ? r : 1;
}

void container_lost(Container *c, bool just_now) {
        int r;

        assert(container_is_running(c));
        assert(!c->lost);

        r = lost_new(c);
        if (r < 0) {
                (void) log_container_error(c, r, "Failed to end what is left: %m");
                container_handle_exit(c, &(MonitorRecord) {
                                                 .type = MONITOR_EXITED,
                                                 .exit_code = CONTAINER_EXIT_LOST,
                                                 .accounting = ACCOUNTING_NULL,
                                                 .error = (char *) LOST_WORDS,
                                         });
                return;
        }
        read_figures(c->lost);
        r = container_watch_scope(c);
        if (r >= 0 && just_now)
                r = wait_a_moment(c);
        if (r > 0)
                look(c);
        else
                end_rest(c);
}
