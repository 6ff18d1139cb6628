/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* ExecSpec: what the user asks of one more process in a container: the body of Docker's exec create. The same struct is filled by D-Bus, goes to
 * the monitor and comes back from it, so that a daemon that was started anew knows what runs. Pure data, nothing is checked. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json/fields.h"

typedef struct ExecSpec ExecSpec;

struct ExecSpec {
        char *user; /* as in /etc/passwd of the container; empty: that of the container */
        bool privileged;
        bool tty;
        uint32_t *console_size; /* rows, columns; NULL: not given */
        size_t n_console_size;
        bool attach_stdin;
        bool attach_stdout;
        bool attach_stderr;
        char *detach_keys;
        char **env;        /* added to the container's */
        char *working_dir; /* empty: that of the container */
        char **cmd;
};

extern const JsonField exec_spec_fields[];

void exec_spec_done(ExecSpec *s);
