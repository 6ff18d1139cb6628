/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Session is all that one stauer-fetcher knows of one repository: where it may be found, with what trust, what was looked up, what was proven. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/registry/curl-glue.h"
#include "lib/base/error.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"

typedef struct FetchSpec FetchSpec;
typedef struct RegistryEndpoint RegistryEndpoint;
typedef struct Session Session;
typedef struct Trust Trust;
typedef struct sd_event sd_event;

struct Session {
        sd_event *event;
        HttpPool *pool;
        FetchSpec *spec; /* owned */
        RegistryEndpoint *endpoints;
        Trust *trusts; /* one for each endpoint */
        size_t n_endpoints;
        size_t current; /* the endpoint that answered */
        Hashmap *names; /* "host:port" → "host:port:address,…" */
        List exchanges;
};

/* Looks up, reads certs.d; takes what spec holds. Blocks. */
int session_new(sd_event *e, FetchSpec *spec, Session **ret, Error *reterr);
Session *session_free(Session *s); /* ends what runs, telling nobody */
DEFINE_CLEANUP(Session *, session_free);

/* A transfer of this session to url, which the endpoint led to: proxy, names and trust are set here; spec has the rest. Blocks while a name is looked
 * up. with_cert: it is the endpoint itself. */
int session_transfer(Session *s, size_t endpoint, bool with_cert, TransferSpec *spec,
        const TransferOps *ops, void *userdata, Transfer **ret, Error *reterr);
