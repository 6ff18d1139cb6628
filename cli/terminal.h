/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The terminal of the user: raw mode that is undone whichever way we end, its size, and the keys that detach. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"

#define DETACH_KEYS_MAX     16U
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

/* Raw mode for fd until terminal_restore(), which also happens at exit(). One terminal at a time. */
int terminal_raw(int fd);
void terminal_restore(void);
/* 1 with rows and columns; 0: fd is no terminal or has no size. */
int terminal_size(int fd, unsigned *ret_rows, unsigned *ret_columns);

/* A sequence and how much of it was seen. Pure. */
typedef struct DetachKeys {
        uint8_t keys[DETACH_KEYS_MAX];
        size_t n;
        size_t seen;
} DetachKeys;

/* "ctrl-p,ctrl-q": single characters, or ctrl- with one of a–z @ [ \ ] ^ _, between commas. -EINVAL. */
int detach_keys_parse(const char *text, DetachKeys *ret);
/* Appends to out what the keyboard gave, without a sequence that is not complete. 1: it is complete. */
int detach_keys_filter(DetachKeys *k, const char *data, size_t size, Buffer *out);
