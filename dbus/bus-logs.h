/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A container's log as a pipe: the reader's messages are written to it from the loop for as long as the other side reads. Lives by itself; ends with
 * the log, with the container, or when the other side closes. */

#include <sys/types.h>

typedef struct Container Container;
typedef struct Error Error;
typedef struct LogReadOptions LogReadOptions;

/* ret_fd: the read end, for the caller to hand out. uid: whose it is; nobody may have too many, read or not. */
int bus_logs_open(Container *c, const LogReadOptions *options, int timestamps, uid_t uid,
        int *ret_fd, Error *reterr);
