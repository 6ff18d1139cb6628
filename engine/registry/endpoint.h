/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where a repository may be found, in the order in which it is asked: mirrors (of docker.io only), then the registry itself; one that counts as
 * insecure first with TLS that proves nothing, then without. Pure: who is insecure is asked of the caller. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct RegistryEndpoint RegistryEndpoint;
typedef struct FetchSpec FetchSpec;

#define ENDPOINTS_MAX 64U

struct RegistryEndpoint {
        char *base;      /* https://registry-1.docker.io, without a slash at its end */
        char *host_port; /* as the user knows it: what certs.d is looked up by */
        bool mirror;
        bool insecure; /* the certificate is not looked at; or there is none, with http */
        bool plain;    /* http */

        char *authorization; /* the header's value, once it is known; a secret */
        bool answered;       /* it has spoken HTTP: it is no other protocol's fault any more */
};

/* 1: HOST[:PORT] counts as insecure, 0 not. */
typedef int (*endpoint_insecure_t)(const char *host_port, void *userdata);

int endpoints_new(const FetchSpec *spec, endpoint_insecure_t is_insecure, void *userdata,
        RegistryEndpoint **ret, size_t *ret_n, Error *reterr);
void endpoints_free(RegistryEndpoint *list, size_t n);

/* May the next endpoint be asked when this one failed? answered: it has spoken HTTP. An insecure registry that was reached with TLS is not asked
 * again without. */
bool endpoint_may_follow(
        const RegistryEndpoint *failed, const RegistryEndpoint *next, bool answered);
