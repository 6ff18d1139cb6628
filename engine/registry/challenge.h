/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a registry wants to see, as it says in WWW-Authenticate: one or more challenges, each a scheme with parameters (RFC 9110, 11.6.1). Pure;
 * hostile input. */

#include <stdbool.h>
#include <stddef.h>

typedef struct Challenge Challenge;

#define CHALLENGE_SIZE_MAX ((size_t) 8192) /* of one header */

/* Of one header, or of several: those parameters that matter, NULL when not given. Bearer goes before Basic. */
struct Challenge {
        bool basic;
        bool bearer;
        char *realm; /* of Bearer: where tokens are */
        char *service;
        char *scope;
        char *error; /* invalid_token, insufficient_scope */
};

void challenge_done(Challenge *c);

/* Adds what one header says. Schemes that we do not know are passed over, and so is what is no challenge. -ENOMEM only. */
int challenge_parse(const char *header, Challenge *c);
