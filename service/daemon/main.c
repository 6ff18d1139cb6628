/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "config/settings.h"
#include "config/sysconfig-ask.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "service/daemon/daemon.h"
#include "stauer-config.h"

static int print_help(const char *program) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = settings_format_help(program, &text);
        if (r < 0)
                return log_error_errno(r, "Failed to make the help text: %m");
        (void) fputs(text, stdout);
        return 0;
}

static int run(int argc, char *argv[]) {
        _cleanup_(settings_freep) Settings *settings = NULL;
        _cleanup_(daemon_freep) Daemon *d = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = settings_load(argc, argv, sysconfig_ask, &settings, &e);
        if (r < 0) {
                log_error("%s", error_text(&e, r));
                return r;
        }

        switch (settings->verb) {
        case SETTINGS_HELP:
                return print_help(argv[0]);
        case SETTINGS_VERSION:
                (void) printf("stauerd version %s\n", STAUER_VERSION);
                return 0;
        case SETTINGS_VALIDATE:
                (void) printf("configuration OK\n");
                return 0;
        default:
                break;
        }

        log_set_max_level(settings->log_level);
        (void) umask(0022); /* modes are said where files are made */
        r = daemon_new(argc, argv, TAKE_PTR(settings), &d, &e);
        if (r < 0) {
                log_error("%s", error_text(&e, r));
                return r;
        }
        log_info("stauerd %s is ready", STAUER_VERSION);
        return daemon_run(d);
}

int main(int argc, char *argv[]) {
        log_setup("stauerd");
        return run(argc, argv) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
