/* SPDX-License-Identifier: GPL-2.0-or-later */

/* stauer-configd: org.stauer.Config1. Started by the bus, exits when nobody has asked for a while,
 * works whatever state stauerd is in. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "config/settings.h"
#include "config/sysconfig-ask.h"
#include "config/sysconfig.h"
#include "dbus/bus-auth.h"
#include "dbus/bus-config.h"
#include "dbus/bus-util.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "stauer-config.h"

#define BUS_NAME         "org.stauer.Config1"
#define IDLE_SEC_DEFAULT 30U

typedef struct Configd {
        const char *sysconfig_file;
        const char *config_file;
        const char *lens_dir;
        unsigned idle_sec;
        bool tell;
        sd_event *event;
        sd_bus *bus;
        sd_event_source *timer;
        BusConfig *config;
        Auth *auth;
} Configd;

static int help(void) {
        printf("stauer-configd [OPTION…]\n\n"
               "The options of the Stauer container engine on the bus. Started by the bus when it "
               "is needed.\n\n"
               "  --sysconfig-file=PATH  File with DOCKER_OPTS (default %s)\n"
               "  --config-file=PATH     File with options in JSON (default %s)\n"
               "  --lens-dir=PATH        Folder with the Augeas lens (default %s)\n"
               "  --tell                 Print what the file with DOCKER_OPTS says, in JSON, and "
               "end\n"
               "  --idle=SECONDS         Exit when nobody has asked for so long (default %u)\n"
               "  --version              Print the version and end\n"
               "  --help                 Print this text and end\n",
                SETTINGS_DEFAULT_SYSCONFIG_FILE, SETTINGS_DEFAULT_CONFIG_FILE, LENSDIR,
                IDLE_SEC_DEFAULT);
        return 0;
}

/* 1: go on, 0: done, negative: wrong. */
static int parse_argv(Configd *c, int argc, char **argv) {
        enum {
                ARG_SYSCONFIG = 256,
                ARG_CONFIG,
                ARG_LENS,
                ARG_IDLE,
                ARG_TELL,
                ARG_VERSION,
                ARG_HELP
        };
        static const struct option options[] = {
                { "sysconfig-file", required_argument, NULL, ARG_SYSCONFIG },
                { "config-file", required_argument, NULL, ARG_CONFIG },
                { "lens-dir", required_argument, NULL, ARG_LENS },
                { "idle", required_argument, NULL, ARG_IDLE },
                { "tell", no_argument, NULL, ARG_TELL },
                { "version", no_argument, NULL, ARG_VERSION },
                { "help", no_argument, NULL, ARG_HELP },
                {},
        };
        int o;

        while ((o = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (o) {
                case ARG_SYSCONFIG:
                        c->sysconfig_file = optarg;
                        break;
                case ARG_CONFIG:
                        c->config_file = optarg;
                        break;
                case ARG_LENS:
                        c->lens_dir = optarg;
                        break;
                case ARG_IDLE:
                        if (parse_unsigned(optarg, &c->idle_sec) < 0 || c->idle_sec == 0)
                                return log_error_errno(
                                        -EINVAL, "--idle=%s is no number of seconds", optarg);
                        break;
                case ARG_TELL:
                        c->tell = true;
                        break;
                case ARG_VERSION:
                        printf("stauer-configd %s\n", STAUER_VERSION);
                        return 0;
                case ARG_HELP:
                        return help();
                default:
                        return -EINVAL;
                }

        if (optind < argc)
                return log_error_errno(-EINVAL, "\"%s\" is no option; see --help", argv[optind]);
        if (c->sysconfig_file[0] != '/' || c->config_file[0] != '/' || c->lens_dir[0] != '/')
                return log_error_errno(-EINVAL, "Paths must begin with a slash");
        return 1;
}

/* For stauerd, which is spared Augeas that way (config/sysconfig-ask.h). No bus is needed. */
static int tell(const Configd *c) {
        _cleanup_(sysconfig_freep) Sysconfig *s = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;
        int r, k;

        r = sysconfig_load(c->sysconfig_file, c->lens_dir, &s, &e);
        k = r < 0 ? sysconfig_tell_error(&e, r, &text) : sysconfig_tell(s, &text);
        if (k < 0)
                return log_error_errno(k, "Cannot tell: %m");
        if (puts(text) < 0 || fflush(stdout) != 0)
                return log_error_errno(-EIO, "Cannot write to standard output: %m");
        return r;
}

static uint64_t now_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

static int arm_timer(Configd *c, uint64_t usec);

static int on_name_released(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        Configd *c = userdata;

        /* What was sent to the name came before this answer and has been dispatched; only a call
         * that waits for polkit keeps us here. */
        if (auth_busy(c->auth))
                return arm_timer(c, UINT64_C(1000000));
        return sd_event_exit(c->event, 0);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        Configd *c = userdata;
        uint64_t idle = c->idle_sec * UINT64_C(1000000),
                 since = now_usec() - c->config->last_used_usec;

        if (auth_busy(c->auth))
                return arm_timer(c, idle);
        if (since < idle)
                return arm_timer(c, idle - since);

        (void) sd_notify(/* unset_environment= */ false, "STOPPING=1");
        return sd_bus_release_name_async(c->bus, NULL, BUS_NAME, on_name_released, c);
}

static int arm_timer(Configd *c, uint64_t usec) {
        return loop_timer(c->event, usec, LOOP_IDLE, "idle", on_idle, c, &c->timer);
}

static int setup(Configd *c) {
        int r;

        r = loop_new(/* watchdog= */ true, &c->event);
        if (r < 0)
                return log_error_errno(r, "Cannot make an event loop: %m");
        r = loop_on_stop(c->event, NULL, NULL);
        if (r < 0)
                return log_error_errno(r, "Cannot handle signals: %m");

        r = sd_bus_open_system(&c->bus);
        if (r < 0)
                return log_error_errno(r, "Cannot connect to the bus: %m");
        (void) sd_bus_set_exit_on_disconnect(c->bus, true);
        r = sd_bus_attach_event(c->bus, c->event, LOOP_BUS);
        if (r < 0)
                return log_error_errno(r, "Cannot attach the bus: %m");

        r = auth_new(c->bus, &c->auth);
        if (r < 0)
                return log_error_errno(r, "Cannot set up authorization: %m");
        r = bus_config_new(c->bus, c->sysconfig_file, c->config_file, c->lens_dir, &c->config);
        if (r < 0)
                return log_error_errno(r, "Cannot set up the bus object: %m");
        r = arm_timer(c, c->idle_sec * UINT64_C(1000000));
        if (r < 0)
                return log_error_errno(r, "Cannot set a timer: %m");

        r = sd_bus_request_name(c->bus, BUS_NAME, 0);
        if (r < 0)
                return log_error_errno(r, "Cannot take the name %s on the bus: %m", BUS_NAME);
        return 0;
}

static void done(Configd *c) {
        loop_source_free(c->timer);
        bus_config_free(c->config);
        auth_free(c->auth);
        sd_bus_flush_close_unref(c->bus);
        loop_free(c->event);
}

int main(int argc, char **argv) {
        _cleanup_(done) Configd c = {
                .sysconfig_file = SETTINGS_DEFAULT_SYSCONFIG_FILE,
                .config_file = SETTINGS_DEFAULT_CONFIG_FILE,
                .lens_dir = LENSDIR,
                .idle_sec = IDLE_SEC_DEFAULT,
        };
        int r;

        log_setup("stauer-configd");
        bus_error_set_prefix(BUS_NAME);

        r = parse_argv(&c, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        if (c.tell)
                return tell(&c) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

        r = setup(&c);
        if (r < 0)
                return EXIT_FAILURE;

        (void) sd_notify(/* unset_environment= */ false, "READY=1");
        r = sd_event_loop(c.event);
        if (r < 0)
                (void) log_error_errno(r, "The event loop failed: %m");
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
