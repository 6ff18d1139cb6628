/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The end of a TCP connection whose client is told by the last bytes why: closed while there is something unread, the kernel resets it, and the
 * client's kernel throws away what it has not read yet. So the socket stays open until the client has closed it, or for a short
 * time, and what comes is thrown away. */

#include "lib/base/list.h"

typedef struct sd_event sd_event;

#define LINGERS_MAX     64U
#define LINGER_USEC     UINT64_C(2000000)
#define LINGER_SIZE_MAX (1024U * 1024U) /* read of one client */

/* fd: borrowed, a copy stays open. A failure means only that the client may not hear. */
int linger_new(sd_event *event, List *lingers, int fd);
void lingers_free(List *lingers);
