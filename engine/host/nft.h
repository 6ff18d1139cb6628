/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Nft is the one place that sees libnftables: it runs commands, each call one transaction, and tells when somebody else has touched one of our
 * tables. A call blocks for as long as the kernel works at it (it does so inside of sendmsg(), there is no other way), and longer only while
 * somebody else's transaction is under way. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Json Json;
typedef struct Nft Nft;
typedef struct sd_event sd_event;

/* Somebody else has changed the table, or it is not known that nobody has. From the loop, or from within nft_run(): may only make a note. */
typedef void (*nft_touched_t)(void *userdata);

int nft_new(Nft **ret); /* no right is needed before the first call */
Nft *nft_free(Nft *n);
DEFINE_CLEANUP(Nft *, nft_free);

/* Commands as nft(8) reads them, all or none. The text of an error is libnftables' first line. */
int nft_run(Nft *n, const char *commands, Error *reterr);

/* After commands of many entries: gives the library's memory back to the system (it keeps megabytes otherwise). The next call takes a little longer. */
void nft_rest(Nft *n);

/* What a "list …" command says, as libnftables' JSON. */
int nft_list(Nft *n, const char *command, Json **ret, Error *reterr);

/* From now on touched is called when somebody else changes what is in a table of this name, of any family; what nft_run() does is not told.
 * Makes the loop's source; again: nothing. */
int nft_watch(Nft *n, sd_event *e, const char *table, nft_touched_t touched, void *userdata);
