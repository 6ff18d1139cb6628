/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Questions on their way to upstream servers, from the host's network namespace. Each goes out by a socket of its own, so the kernel picks a
 * random port; the id is random too, and what comes back must be from that server and repeat the question. One server is asked after
 * the other; one that did not answer lately is asked last. */

#include <sys/types.h>

#include "engine/network/dns-message.h"
#include "engine/network/upstream.h"
#include "lib/base/macro.h"

typedef struct Forward Forward;
typedef struct Forwarder Forwarder;
typedef struct sd_event sd_event;

#define FORWARD_MAX 4096U /* on their way at the same time, for all containers */
#define FORWARD_WAIT_USEC \
        UINT64_C(2000000) /* for a server that is not the last one to be asked … */
#define FORWARD_LAST_USEC \
        UINT64_C(4000000) /* … and for the last one; also all of a TCP connection */

/* Once; the Forward is gone afterwards, and answer (with the id of the question) too. When nobody has answered it says that the server failed. */
typedef void (*forward_done_t)(const uint8_t *answer, size_t size, void *userdata);

int forwarder_new(sd_event *e, Forwarder **ret);
Forwarder *forwarder_free(Forwarder *f); /* after all that are on their way */
DEFINE_CLEANUP(Forwarder *, forwarder_free);

/* message is copied. over_tcp: the way it came is the way it goes. done is called from the loop, never in here. -EBUSY: too many are on their
 * way. */
int forward_new(Forwarder *f, const Upstreams *servers, const DnsQuestion *q, const void *message,
        size_t size, bool over_tcp, forward_done_t done, void *userdata, Forward **ret);
Forward *forward_free(Forward *w); /* no callback any more */
DEFINE_CLEANUP(Forward *, forward_free);
