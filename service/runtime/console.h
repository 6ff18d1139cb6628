/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The terminal of a container ("terminal": true): a pty of the container's own devpts. The master goes to whoever listens on the
 * console socket; the slave becomes the standard streams and /dev/console. */

#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct Mounts Mounts;
typedef struct RuntimeProcess RuntimeProcess;

/* Parent: connected to the socket at path (relative ones from our working folder). */
int console_connect(const char *path, Error *reterr);
/* Child, after the mounts: opens the pty and sends the master. Takes streams 0, 1 and 2. Without a /dev of ours (m->dev_fd) there
 * is no /dev/console. */
int console_make(const RuntimeProcess *spec, Mounts *m, int socket_fd, Error *reterr);
/* Leader of a new session: stream 0 becomes its terminal. */
int console_control(Error *reterr);

/* `run` without a console socket: receives the master over the other end of the pair. */
int console_receive(int socket_fd, Error *reterr);
/* Copies between our terminal and the master until the container closes it or exits (pidfd). signal_fd: a signalfd whose
 * SIGWINCH is followed, other signals go to the process. */
int console_relay(int master_fd, int pidfd, int signal_fd, Error *reterr);
