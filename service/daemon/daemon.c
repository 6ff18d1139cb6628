/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/daemon/daemon.h"

#include <signal.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "config/settings.h"
#include "config/sysconfig-ask.h"
#include "dbus/bus-auth.h"
#include "dbus/bus.h"
#include "engine/engine.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/fd-store.h"
#include "lib/event/loop.h"
#include "rest/rest.h"

#define LISTEN_FDS_MAX  64
#define NAME_TRIES      20
#define NAME_WAIT_USEC  50000
#define SWEEP_WAIT_USEC (30 * USEC_PER_SEC)

struct Daemon {
        int argc;
        char *const *argv;
        Settings *settings;
        sd_event *event;
        sd_bus *bus;
        Engine *engine;
        Auth *auth;
        Bus *face_bus;
        Rest *face_rest;
        int listen_fds[LISTEN_FDS_MAX];
        size_t n_listen_fds;
        FdStore *fd_store;
        sd_event_source *sweep;
};

/* Sockets from systemd: the one of the API is named "rest"; one without a name is Docker's old unit file. The others are what the daemon
 * before this one has put into the store. */
static int take_sockets(Daemon *d, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        int n;

        n = sd_listen_fds_with_names(/* unset_environment= */ true, &names);
        if (n < 0)
                return error_set_errno(reterr, n, "Failed to take the sockets that systemd passed");

        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i;
                const char *name = names && names[i] ? names[i] : "";

                (void) fd_set_cloexec(fd, true);
                if (!STR_IN_SET(name, "", "unknown", "rest", "docker.socket", "stauer.socket")) {
                        (void) fd_store_inherit(d->fd_store, name, fd);
                        continue;
                }
                if (d->n_listen_fds >= LISTEN_FDS_MAX) {
                        log_warning(
                                "Socket \"%s\" passed by systemd is not for us, closing it", name);
                        fd_close(fd);
                        continue;
                }
                d->listen_fds[d->n_listen_fds++] = fd;
        }
        return 0;
}

static void log_warnings(const Settings *s) {
        STRV_FOREACH (warning, s->warnings)
                log_warning("%s", *warning);
}

static int on_stop(int sig, void *userdata) {
        (void) sd_notify(
                /* unset_environment= */ false, "STOPPING=1\nSTATUS=Stopping; containers run on");
        return 1;
}

/* What may change while we run is taken over, the rest waits for a restart (org.stauer.Config1 says which is which). */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        _cleanup_(settings_freep) Settings *fresh = NULL;
        _cleanup_(error_done) Error e = {};
        Daemon *d = userdata;
        int r;

        (void) sd_notifyf(/* unset_environment= */ false, "RELOADING=1\nMONOTONIC_USEC=%llu",
                (unsigned long long) clock_monotonic_us());

        r = settings_load(d->argc, d->argv, sysconfig_ask, &fresh, &e);
        if (r < 0)
                log_error("Reload: %s; the options stay as they were", error_text(&e, r));
        else {
                log_warnings(fresh);
                settings_take_live(d->settings, fresh);
                log_set_max_level(d->settings->log_level);
                engine_reloaded(d->engine);
                log_info("Options read again");
        }

        (void) sd_notify(/* unset_environment= */ false, "READY=1");
        return 0;
}

/* Comes before anything is read or tidied up: a second daemon, whatever its data root, would take the first one's scopes for left-overs.
 * Calls that come early wait until the loop runs. The bus may not have noticed yet that the one before us has ended. */
static int take_name(Daemon *d, Error *reterr) {
        int r;

        for (unsigned n_tries = 1;; n_tries++) {
                r = sd_bus_request_name(d->bus, BUS_NAME, 0);
                if (r != -EEXIST || n_tries >= NAME_TRIES)
                        break;
                (void) usleep(NAME_WAIT_USEC);
        }
        if (r == -EEXIST)
                return error_set(reterr, ERROR_CONFLICT,
                        "Another stauerd runs: it has the name %s on the system bus", BUS_NAME);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "Failed to take the name %s on the system bus", BUS_NAME);
        return 0;
}

static int open_bus(Daemon *d, Error *reterr) {
        int r;

        r = sd_bus_open_system_with_description(&d->bus, "stauerd");
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to connect to the system bus");
        /* Without the bus there is no systemd to ask: end, and be started again. */
        r = sd_bus_set_exit_on_disconnect(d->bus, true);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(d->bus, d->event, LOOP_BUS);
        if (r < 0)
                return r;
        return take_name(d, reterr);
}

static int open_loop(Daemon *d, Error *reterr) {
        int r;

        r = loop_new(/* watchdog= */ true, &d->event);
        if (r < 0)
                return r;
        r = loop_on_stop(d->event, on_stop, d);
        if (r < 0)
                return r;
        r = loop_on_signal(d->event, SIGHUP, "reload", on_reload, d, NULL);
        return r < 0 ? r : fd_store_new(d->event, &d->fd_store);
}

/* By now every container that runs has been found again, with what is its own. */
static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        Daemon *d = userdata;

        fd_store_sweep(d->fd_store);
        return 0;
}

static int open_engine(Daemon *d, Error *reterr) {
        (void) sd_notify(/* unset_environment= */ false, "STATUS=Reading images and containers");
        return engine_new(d->event, d->bus, d->fd_store, d->settings, &d->engine, reterr);
}

static int open_faces(Daemon *d, Error *reterr) {
        int r;

        r = auth_new(d->bus, &d->auth);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to prepare questions to polkit");
        r = bus_new(d->bus, d->engine, &d->face_bus);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to register on the system bus");
        r = rest_new(d->engine, d->auth, d->settings, d->listen_fds, TAKE(d->n_listen_fds, 0),
                &d->face_rest, reterr);
        return r < 0 ? r : 0;
}

int daemon_new(int argc, char *const *argv, Settings *settings, Daemon **ret, Error *reterr) {
        static int (*const steps[])(Daemon * d, Error * reterr) = {
                open_loop,
                take_sockets,
                open_bus,
                open_engine,
                open_faces,
        };
        _cleanup_(daemon_freep) Daemon *d = NULL;
        int r;

        d = new0(Daemon, 1);
        if (!d) {
                settings_free(settings);
                return -ENOMEM;
        }
        d->settings = settings;
        d->argc = argc;
        d->argv = argv;

        log_warnings(settings);
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                r = steps[i](d, reterr);
                if (r < 0)
                        return error_is_set(reterr) ? r
                                                    : error_set_errno(reterr, r, "Failed to start");
        }

        *ret = TAKE_PTR(d);
        return 0;
}

Daemon *daemon_free(Daemon *d) {
        if (!d)
                return NULL;

        rest_free(d->face_rest);
        bus_free(d->face_bus);
        auth_free(d->auth);
        engine_free(d->engine);
        loop_source_free(d->sweep);
        fd_store_free(d->fd_store);
        fd_close_many(d->listen_fds, d->n_listen_fds);
        sd_bus_flush_close_unref(d->bus);
        sd_event_unref(d->event);
        settings_free(d->settings);
        free(d);
        return NULL;
}

int daemon_run(Daemon *d) {
        int r;

        r = loop_timer(
                d->event, SWEEP_WAIT_USEC, LOOP_IDLE, "fd-store-sweep", on_sweep, d, &d->sweep);
        if (r < 0)
                return r;
        (void) sd_notify(/* unset_environment= */ false, "READY=1\nSTATUS=Ready");
        return sd_event_loop(d->event);
}
