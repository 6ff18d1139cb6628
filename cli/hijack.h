/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The raw connection that attach and exec take over (protocol: 101 or 200, then bytes both ways). Never blocks after it is open. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Hijack Hijack;
typedef struct Json Json;
typedef struct RestClient RestClient;

/* On a connection of its own, so that the client's calls go on beside it. Errors as rest_call(). */
int hijack_open(RestClient *c, const char *method, const char *path, Json *body, Hijack **ret,
        Error *reterr);
Hijack *hijack_free(Hijack *h);
DEFINE_CLEANUP(Hijack *, hijack_free);

int hijack_fd(const Hijack *h); /* for poll(); not for read() */
/* 0: end; -EAGAIN: nothing now; read until it says so before poll(). */
ssize_t hijack_read(Hijack *h, void *buffer, size_t size);
ssize_t hijack_write(Hijack *h, const void *data, size_t size); /* -EAGAIN */
int hijack_end_write(Hijack *h);                                /* half close */
/* By the content type of the answer; otherwise: what counts when it does not say. */
bool hijack_is_multiplexed(const Hijack *h, bool otherwise);
