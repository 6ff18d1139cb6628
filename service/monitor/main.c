/* SPDX-License-Identifier: GPL-2.0-or-later */

/* stauer-monitor ID: one per container, started by stauer-launcher with the specification and a listening socket (lib/api/monitor-spec.h). */

#include <stdio.h>
#include <stdlib.h>

#include "engine/log/file-log.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "service/monitor/monitor.h"
#include "stauer-config.h"

static void set_log_level(void) {
        const char *text = getenv("STAUER_LOG_LEVEL");
        unsigned level;

        if (text && parse_unsigned(text, &level) >= 0 && level <= LOG_DEBUG)
                log_set_max_level((int) level);
}

int main(int argc, char **argv) {
        Monitor *m;
        int r;

        log_setup("stauer-monitor");
        if (argc == 2 && streq(argv[1], "--version")) {
                puts("stauer-monitor " STAUER_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc == 2 && streq(argv[1], FILE_LOG_PACKER))
                return file_log_pack() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (argc != 2 || !ident_is_valid(argv[1])) {
                fputs("stauer-monitor is started by stauer-launcher, with a container's id.\n",
                        stderr);
                return EXIT_FAILURE;
        }
        set_log_level();

        if (fd_set_cloexec(MONITOR_FD_SPEC, true) < 0 ||
                fd_set_cloexec(MONITOR_FD_LISTEN, true) < 0) {
                log_error("The descriptors of specification and socket are missing");
                return EXIT_FAILURE;
        }

        m = malloc(sizeof(Monitor));
        if (!m)
                return EXIT_FAILURE;
        r = monitor_init(m, argv[1], MONITOR_FD_SPEC, MONITOR_FD_LISTEN);
        if (r >= 0)
                r = monitor_run(m);
        monitor_done(m);
        free(m);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
