/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a request is about, as polkit and the journal are told: by both faces the same. */

#include <stdbool.h>

typedef struct Request Request;

typedef struct RequestObject {
        const char
                *object; /* an id, or the word as it came when it means nothing; NULL: no object */
        const char *details[7]; /* key, value, …, NULL */
        bool privileged;        /* a container that has rights on the host */
} RequestObject;

/* Borrows from the engine: to be used at once. A container is meant by its id from then on, whoever else takes its name until polkit has
 * answered. */
int request_object(Request *q, RequestObject *ret);
