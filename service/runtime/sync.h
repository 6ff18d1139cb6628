/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What parent and child say to each other over a SOCK_SEQPACKET pair while a container is made, and what `start` hears from
 * the waiting child. The end of the file is news too: the child's end closes when its program is executed. */

#include <sys/types.h>

#include "lib/base/macro.h"

typedef struct Error Error;

typedef enum SyncType {
        SYNC_ERROR,  /* child: this went wrong; nothing follows */
        SYNC_CGROUP, /* child: put me into my cgroup. Parent: done */
        SYNC_IDS,    /* parent: your uid and gid maps are written */
        SYNC_HOOKS,  /* child: namespaces and mounts are made, run your hooks. Parent: done */
        SYNC_PID,    /* child that has made another one: its pid. Parent: it is known */
        SYNC_READY,  /* child: all is done but the program itself. Parent: execute it */
        _SYNC_TYPE_MAX,
} SyncType;

int sync_send(int fd, SyncType type);
int sync_send_pid(int fd, pid_t pid);
int sync_receive_pid(int fd, pid_t *ret, Error *reterr); /* as sync_receive() */
/* r, and reterr's kind and text; the other side is known to be gone when it fails, so nothing is returned. */
void sync_send_error(int fd, int r, const Error *e);

/* Waits for exactly this word. An error that comes instead fills reterr and is the result; the end of the file is -EPIPE
 * (reterr not set). */
int sync_receive(int fd, SyncType type, Error *reterr);
/* Waits for the end of the file: 0, or the error that came before it. */
int sync_receive_end(int fd, Error *reterr);
