/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The connection stops being HTTP: after the head of the answer it is a raw stream in both directions, and not ours any more (attach, exec). */

#include "rest/request.h"

#define HIJACK_RAW         "application/vnd.docker.raw-stream"
#define HIJACK_MULTIPLEXED "application/vnd.docker.multiplexed-stream"

/* Makes the response of q such a stream: 101 when the client asked for an upgrade (content type multiplexed if the output has frames
 * and its API knows the word), else 200 and always "raw-stream". ready is called exactly once, when the head has left, possibly
 * before q is freed and never with q at hand: userdata must not point to it. */
int hijack_start(Request *q, bool framed, HijackReady ready, void *userdata);

/* A sentence for the client of a stream that could not begin, as its output. Never waits. */
int hijack_tell(int fd, bool framed, const char *text);
