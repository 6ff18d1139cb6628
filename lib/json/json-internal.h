/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How a Json is kept: it is the json_object of json-c itself, whose null is the NULL pointer.
 * For us NULL means "absent", so null has an address of its own. Only for files of this folder. */

#include <json-c/json.h>

#include "lib/json/json.h"

extern const char json_null_mark;

static inline Json *json_wrap(struct json_object *o) {
        return o ? (Json *) o : (Json *) (uintptr_t) &json_null_mark;
}

static inline struct json_object *json_unwrap(const Json *v) {
        return (const void *) v == &json_null_mark ? NULL : (struct json_object *) (uintptr_t) v;
}

/* A copy in which every byte that is not part of valid UTF-8, and every NUL, is U+FFFD. */
char *json_mend_text(const char *s, size_t size, size_t *ret_size);
