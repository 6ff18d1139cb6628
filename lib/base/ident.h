/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Ids (64 lower-case hex digits) and names as Docker makes them. */

#include "lib/base/macro.h"

#define IDENT_LENGTH       64U
#define IDENT_SIZE         (IDENT_LENGTH + 1)
#define IDENT_SHORT_LENGTH 12U
#define IDENT_SHORT_SIZE   (IDENT_SHORT_LENGTH + 1)
#define IDENT_NAME_MAX     255U

/* From the kernel's generator (getrandom()); cannot fail once the system has booted. */
void random_bytes(void *data, size_t size);
uint64_t random_u64(void);

/* A new id. Its first 12 digits are never all decimal, as Docker does: a short id must not look
 * like a number. */
char *ident_random(char ret[static IDENT_SIZE]);
bool ident_is_valid(const char *s) _pure_;  /* exactly 64 lower-case hex digits */
bool ident_is_prefix(const char *s) _pure_; /* 1 … 64 lower-case hex digits */
/* The first 12 digits; "sha256:" in front is dropped. */
char *ident_short(const char *id, char ret[static IDENT_SHORT_SIZE]);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]+ , at most 255 bytes: containers, networks, volumes. */
bool ident_is_name(const char *s) _pure_;
