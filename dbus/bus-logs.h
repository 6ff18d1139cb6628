/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A container's log as a pipe: the reader's messages are written to it from the loop for as long as the other side reads. Lives by itself; ends with
 * the log, with the container, or when the other side closes. */

typedef struct Container Container;
typedef struct Error Error;
typedef struct LogReadOptions LogReadOptions;

/* ret_fd: the read end, for the caller to hand out. */
int bus_logs_open(
        Container *c, const LogReadOptions *options, int timestamps, int *ret_fd, Error *reterr);
