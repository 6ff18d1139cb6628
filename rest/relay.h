/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Relay carries bytes between two sockets inside of the event loop: a connection with TLS cannot be handed on as a descriptor, so the receiver
 * gets one end of a pair, and we carry what comes decrypted from, and goes to, libmicrohttpd. What one side has ended is ended on the other as
 * soon as it has been carried; a side that does not read holds back the other one, and nobody else. With TLS a client ends its side by a word of
 * TLS and its connection by TCP: who has done that is gone for good, and need not be written to to find out. */

#include "lib/base/macro.h"

typedef struct Relay Relay;
typedef struct sd_event sd_event;

/* fd: borrowed, outlives the relay. *ret_fd is the receiver's. done: once, when nothing goes to fd any more, not out of this call; it frees the
 * relay. */
/* tcp_fd: the connection itself, copied. */
int relay_new(sd_event *event, int fd, int tcp_fd, void (*done)(void *userdata), void *userdata,
        Relay **ret, int *ret_fd);
Relay *relay_free(Relay *y); /* both sides see an end */
DEFINE_CLEANUP(Relay *, relay_free);
