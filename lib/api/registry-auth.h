/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a client proves itself with to a registry: the header X-Registry-Auth and the bodies and files that hold the same object. A secret:
 * never logged, erased when it is let go. */

#include "lib/base/macro.h"
#include "lib/json/fields.h"

typedef struct RegistryAuth RegistryAuth;

#define REGISTRY_AUTH_MAX ((size_t) 64 * 1024)

struct RegistryAuth {
        char *username;
        char *password;
        char *auth; /* base64 of "username:password"; taken apart by the readers */
        char *server_address;
        char *identity_token; /* to be exchanged for a token of the registry */
        char *registry_token; /* sent as it is */
};

extern const JsonField registry_auth_fields[];

/* base64, either alphabet, with or without padding, of JSON. NULL, "" and what is no such thing give an empty RegistryAuth, as Docker has it. */
int registry_auth_read_header(const char *header, RegistryAuth *ret);
/* JSON; NULL or "": empty. -EINVAL for anything else that is no such object. */
int registry_auth_read_text(const char *text, RegistryAuth *ret);
void registry_auth_done(RegistryAuth *a);
