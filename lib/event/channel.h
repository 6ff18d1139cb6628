/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A channel carries one JSON record, with up to 16 fds, per message of a SOCK_SEQPACKET socket:
 * between daemon, monitors and workers. Records of more than 128 KiB travel as a sealed memfd,
 * which nobody sees; 16 MiB is the end (-EMSGSIZE). Two ends: blocking calls for small programs,
 * and Channel for a loop. */

#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct Channel Channel;
typedef struct Json Json;
typedef struct sd_event sd_event;

#define CHANNEL_FDS_MAX    16U
#define CHANNEL_INLINE_MAX (128U * 1024U)
#define CHANNEL_RECORD_MAX (16U * 1024U * 1024U)
#define CHANNEL_QUEUE_MAX  (4U * 1024U * 1024U) /* bytes waiting in a Channel before -ENOBUFS */

/* --- without JSON, without a loop: in dep_channel_raw, which links dep_base only
 * (stauer-launcher) --- */

/* One message of at most CHANNEL_INLINE_MAX bytes. */
int channel_send_raw(int fd, const void *data, size_t size, const int *fds, size_t n_fds);
/* The size of the message, 0 when the other side is gone, -EMSGSIZE when it does not fit. fds
 * has room for CHANNEL_FDS_MAX; what came belongs to the caller. fds and ret_n_fds may be NULL:
 * then a message with fds is refused (-EPROTO). */
ssize_t channel_receive_raw(int fd, void *data, size_t size, int *fds, size_t *ret_n_fds);

/* --- blocking end --- */

int channel_send(int fd, const Json *record, const int *fds, size_t n_fds);
/* 1 a record, 0 the other side is gone, negative errno: -EPROTO and -EBADMSG for what is no
 * record. As for fds, see above. */
int channel_receive(int fd, Json **ret, int *fds, size_t *ret_n_fds);
int channel_pair(int ret[2]); /* both ends close-on-exec, blocking */

/* --- in a loop --- */

/* fds (n_fds of them) are closed after the call unless the handler takes them: int fd =
 * TAKE_FD(fds[0]); A negative answer is taken as broken protocol: the channel hangs up. The
 * Channel may be freed in here. */
typedef int (*channel_record_t)(Channel *c, Json *record, int *fds, size_t n_fds, void *userdata);
/* Once: the other side is gone (r == 0) or broke the protocol (r < 0). All records that came
 * before were delivered. The Channel may be freed in here. */
typedef void (*channel_hangup_t)(Channel *c, int r, void *userdata);

/* Takes fd in any case. name describes the source, copied. */
int channel_new(sd_event *e, int fd, const char *name, channel_record_t on_record,
        channel_hangup_t on_hangup, void *userdata, Channel **ret);
Channel *channel_free(Channel *c); /* what waits is dropped; no callback */
DEFINE_CLEANUP(Channel *, channel_free);

/* Sends now or when the other side reads again; fds are duplicated. -ENOBUFS when the queue is
 * full (the other side does not read), -EPIPE after a hang-up. */
int channel_queue(Channel *c, const Json *record, const int *fds, size_t n_fds);
size_t channel_queued(const Channel *c) _pure_; /* bytes that wait */

/* Reads no more records until resumed: back-pressure on the other side. */
int channel_pause(Channel *c, bool pause);
/* Delivers at once what has arrived (a child that exited): as the loop would. The Channel may be
 * gone afterwards if a handler frees it: then 0, else 1. */
int channel_drain(Channel *c);
int channel_fd(const Channel *c) _pure_;
