/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How a record looks on the wire, for the two ends in this folder only. The first byte tells:
 * 'J', then the JSON text; or 'M', then the size of the text as 64-bit number of this machine,
 * and the text in a sealed memfd that stands before the other fds. */

#include <sys/types.h>
#include <sys/uio.h>

#include "lib/event/channel.h"

#define MESSAGE_SIZE_MAX (CHANNEL_INLINE_MAX + 1)
#define MESSAGE_FDS_MAX  (CHANNEL_FDS_MAX + 1)

typedef struct Message Message;

/* A record ready to be sent. Zeroed memory (with memory_fd -EBADF) is an empty one. */
struct Message {
        char *text; /* of the record; NULL when it lies in memory_fd */
        size_t size;
        int memory_fd;
};

int message_pack(const Json *record, Message *ret);
void message_done(Message *m);
/* One sendmsg(); fds are borrowed. flags: MSG_DONTWAIT or 0. */
int message_send(const Message *m, int fd, const int *fds, size_t n_fds, int flags);

/* One recvmsg(): 1 a record, 0 the other side is gone. buffer has MESSAGE_SIZE_MAX bytes; fds
 * has room for MESSAGE_FDS_MAX, what came is the caller's also when this fails: *ret_n_fds is
 * always set. */
int message_receive(int fd, char *buffer, int flags, Json **ret, int *fds, size_t *ret_n_fds);
