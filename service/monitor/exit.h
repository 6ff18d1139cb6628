/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The end of a container, after its first process: the others are killed, the log is drained, the final figures are read, the exit file is
 * written, the daemon is told. In this order, so that whoever hears of the exit finds everything in place. */

#include <signal.h>

typedef struct Monitor Monitor;

/* The first process is gone: goes through all of it, with callbacks; monitor_ended() when done. */
void exit_begin(Monitor *m, const siginfo_t *si);

/* Writes m->record to run_dir/exit.json, beside and renamed. */
int exit_write_file(Monitor *m);
