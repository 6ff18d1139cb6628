/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The console socket of an OCI runtime: it connects and sends the master of the pty that it made for the process, before it says that the
 * process has started. */

#include "lib/base/error.h"

/* Listens as name in the folder; a descriptor. The runtime gets the socket's path. */
int terminal_listen(int dir_fd, const char *name, Error *reterr);
/* After the runtime has done its work: the master. Never waits. */
int terminal_receive(int listen_fd, Error *reterr);
