/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Sockets that outlive this process: copies of them lie in systemd's fd store and come back to the next process of the same service,
 * also after kill -9. A name may stand for several fds (at most FD_STORE_FDS_MAX); it is at most 24 characters of a-z 0-9 - . and should be
 * short, because all names of all fds come back in one environment variable. systemd keeps no order among the fds of a name: tell them
 * apart by what they are (getsockname(), SO_TYPE). Never polled by systemd (FDPOLL=0), so a bound socket that does not listen stays.
 *
 * Nothing here waits: what systemd is too busy to take is queued, and sent when it reads again. Without systemd (no NOTIFY_SOCKET) nothing
 * is stored and all calls succeed. So after a crash a socket may also be missing: the owner must be able to make it again. */

#include "lib/base/macro.h"

typedef struct FdStore FdStore;
typedef struct sd_event sd_event;

#define FD_STORE_FDS_MAX  32U
#define FD_STORE_NAME_MAX 24U
#define FD_STORE_MAX      16384U /* fds in all: FileDescriptorStoreMax= of stauer.service is the same */

int fd_store_new(sd_event *e, FdStore **ret);
/* What was not taken is closed; what is stored stays with systemd. */
FdStore *fd_store_free(FdStore *s);
DEFINE_CLEANUP(FdStore *, fd_store_free);

/* One that the process before us had stored; takes fd in any case. For the program that called sd_listen_fds_with_names(). */
int fd_store_inherit(FdStore *s, const char *name, int fd);
/* The fds that came back under the name become the caller's; they also stay stored. How many, 0 none; what is more than max is closed. */
size_t fd_store_take(FdStore *s, const char *name, int *fds, size_t max);
bool fd_store_has(
        const FdStore *s, const char *name) _pure_; /* something is stored under the name */
/* The names that begin with prefix and that nobody took yet. 0 or -ENOMEM. */
int fd_store_untaken(const FdStore *s, const char *prefix, char ***ret);
/* Closes and forgets all that nobody took: once everything has been restored. */
void fd_store_sweep(FdStore *s);

/* Stores copies under the name, beside those that are there. 1 stored, 0 there is no store, -ENOSPC when it is full, -EINVAL for a name
 * that is none, -ENOMEM, -EMFILE. */
int fd_store_put(FdStore *s, const char *name, const int *fds, size_t n);
/* Forgets all of the name; the caller closes its own. A name that is not there is fine. */
void fd_store_remove(FdStore *s, const char *name);
