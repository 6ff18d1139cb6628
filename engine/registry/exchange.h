/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An Exchange is one question to a registry, answered in the end: a manifest, a blob, a page of tags. In between lie mirrors, tokens, redirects, and as
 * many attempts as it takes: what was cut goes on where it broke. Credentials go to the registry that they are for and to where it says that
 * tokens are, nowhere else. Owned by its Session until it has called back. */

#include <stdbool.h>
#include <stdint.h>

#include "engine/registry/curl-glue.h"
#include "lib/api/fetch-spec.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/list.h"

typedef struct Exchange Exchange;
typedef struct ExchangeOps ExchangeOps;
typedef struct Session Session;
typedef struct sd_event_source sd_event_source;

struct ExchangeOps {
        void (*on_note)(Exchange *x, const char *text, void *userdata); /* it goes on later */
        /* Once; the Exchange is freed afterwards. answer has no error: that is r and e. */
        void (*on_answer)(
                Exchange *x, const FetchAnswer *answer, int r, const Error *e, void *userdata);
};

struct Exchange {
        ListNode node;
        Session *session;
        FetchRequest request;
        int fd; /* where the bytes go */
        const ExchangeOps *ops;
        void *userdata;

        size_t endpoint;
        char *url;          /* where it is asked now */
        bool away;          /* … which is not the endpoint any more */
        unsigned redirects; /* that led there */
        unsigned attempts;  /* that have failed since the last progress */
        unsigned proofs;    /* tokens or passwords that were tried at this endpoint */

        uint64_t written; /* bytes of the answer that were accepted */
        uint64_t mark;    /* the same when the attempt before ended */
        uint64_t skip;    /* of this attempt: bytes that we have */
        bool begun;       /* the head of this attempt's answer was looked at */
        Buffer rest;      /* accepted, but the pipe is full */
        Buffer words;     /* of an answer that is an error, or a token */

        Transfer *transfer;
        Transfer *token;
        sd_event_source *writable;
        sd_event_source *timer;
        bool ended; /* the transfer; only the rest is on its way */
        int result;
        Error error;
};

/* Takes what request holds, and fd. */
int exchange_start(
        Session *s, FetchRequest *request, int fd, const ExchangeOps *ops, void *userdata);
Exchange *exchange_free(Exchange *x);

/* --- between the files of it --- */

int exchange_send(Exchange *x);         /* asks, at the present URL */
void exchange_fail(Exchange *x, int r); /* the end; x->error says why */
void exchange_again(
        Exchange *x, uint64_t usec, int r); /* or the end, if it was tried often enough */
void exchange_next(Exchange *x, int r, bool answered); /* the next endpoint, or the end */

/* exchange-auth.c: a 401. Goes on when something is there to show. */
void exchange_prove(Exchange *x);
/* exchange-error.c: what the registry says in words, as dockerd says it. */
int exchange_refusal(Exchange *x, unsigned status);
