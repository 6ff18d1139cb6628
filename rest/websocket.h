/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The opening handshake of a WebSocket (RFC 6455 section 4.2); what follows it is lib/api/websocket.h. */

#include "lib/base/error.h"
#include "rest/request.h"

#define WEBSOCKET_ACCEPT_SIZE 29U /* BASE64_SIZE() of a SHA-1 */

/* What proves that we have read the key. -EINVAL: it is none; -EOPNOTSUPP: there is no SHA-1 (FIPS). Pure. */
int websocket_accept(const char *key, char ret[static WEBSOCKET_ACCEPT_SIZE]);
/* Whether a comma list such as that of Connection has the word, in any case. Pure. */
bool websocket_list_has(const char *list, const char *word);

/* Makes the response of q, a GET, the server's side of the handshake; ready as hijack_start() has it. A single subprotocol is agreed to, whatever
 * it is, as dockerd does. ERROR_INVALID: the client asks for something else. */
int websocket_start(Request *q, HijackReady ready, void *userdata);
