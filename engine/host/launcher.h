/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The daemon's end of stauer-launcher's socket. Asynchronous: requests queue while the socket is full, answers come through the loop. When
 * the launcher goes away, what was not answered fails with -ECONNRESET and the next request connects again (the socket is
 * activated, so that starts it anew). One per engine. */

#include <stddef.h>
#include <stdint.h>

#include "lib/api/launcher-protocol.h"
#include "lib/base/macro.h"

typedef struct Launcher Launcher;
typedef struct sd_event sd_event;

/* r < 0: not started. pidfd is moved to the callback. Comes from the loop, never from inside launcher_start(). */
typedef void (*launcher_started_t)(int r, int pid, int pidfd, void *userdata);

/* Any process started by this connection has ended; code and status as in siginfo_t. */
typedef void (*launcher_exited_t)(int pid, int code, int status, void *userdata);

/* Does not connect yet. */
int launcher_new(sd_event *e, const char *socket_path, Launcher **ret);
Launcher *launcher_free(Launcher *l); /* calls no callback any more */
DEFINE_CLEANUP(Launcher *, launcher_free);

void launcher_set_on_exit(Launcher *l, launcher_exited_t on_exited, void *userdata);

/* fds stay the caller's (they are duplicated); they become 3, 4, … of the process. Label: [A-Za-z0-9_.-]+. ret_tag may be NULL. */
int launcher_start(Launcher *l, LauncherProgram program, const char *label, const int *fds,
        size_t n_fds, launcher_started_t on_started, void *userdata, uint64_t *ret_tag);

/* A hint, when nothing else waits to be sent: a scope will be asked for soon. Costs next to nothing when it turns out to be wrong. */
void launcher_wake(Launcher *l);

/* The callback of this request will not be called; the process, if it starts, is left alone (it ends when it sees its fds' peers closed). */
void launcher_forget(Launcher *l, uint64_t tag);
