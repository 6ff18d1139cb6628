/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The keys that end an attach without ending what it is attached to: a list as in "ctrl-p,ctrl-q" or "a,b". Pure. */

#include <stdbool.h>
#include <stddef.h>

typedef struct Buffer Buffer;
typedef struct Error Error;

#define DETACH_KEYS_MAX 16U

typedef struct DetachKeys {
        unsigned char keys[DETACH_KEYS_MAX];
        size_t n;
        size_t matched; /* how many of them have come, held back */
} DetachKeys;

/* NULL and "": ctrl-p,ctrl-q. Each part is one character or "ctrl-" with one of a-z @ [ \ ] ^ _; ERROR_INVALID otherwise. */
int detach_keys_parse(const char *text, DetachKeys *ret, Error *reterr);

/* Appends to out what of data is no key of the sequence. A started sequence is held back, and given out when it breaks. True: the sequence is
 * complete; what comes behind it is dropped. -ENOMEM. */
int detach_keys_feed(DetachKeys *k, const void *data, size_t size, Buffer *out);
