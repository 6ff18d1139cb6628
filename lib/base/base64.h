/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Bytes as text of RFC 4648's ordinary alphabet. */

#include <stddef.h>

#define BASE64_DIGITS     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1) /* of the text, with NUL */

/* With padding, into BASE64_SIZE(size) bytes. */
void base64_encode(const void *data, size_t size, char *ret);
/* Up to the padding, white space or the end; -EINVAL: something else is in it, -ENOMEM. */
int base64_decode(const char *text, char **ret, size_t *ret_size);
