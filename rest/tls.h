/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The TLS of TCP sockets: the server's key and certificate, and, with --tlsverify, who is let in: clients with a certificate that the
 * authorities of --tlscacert signed. As with dockerd such a client is as good as root. Owned by Rest, outlives its servers. GnuTLS stays
 * in tls.c. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Settings Settings;

typedef struct Tls {
        bool verify; /* clients need a certificate */
        char *key;   /* PEM */
        char *certificate;
        char *authorities; /* NULL unless verify */
} Tls;

/* Reads the files of --tlscert, --tlskey and --tlscacert, or cert.pem, key.pem and ca.pem of $DOCKER_CERT_PATH or ~/.docker. Those that do not
 * fit together are refused with a sentence. 0 and NULL: no TLS is asked for. */
int tls_load(const Settings *s, Tls **ret, Error *reterr);
Tls *tls_free(Tls *t);
DEFINE_CLEANUP(Tls *, tls_free);

/* session: gnutls_session_t of a connection. tls_prepare() before its handshake, so that one without a certificate fails, which sets *refused
 * (it outlives the session); tls_is_verified() later: is the client one of those, as far as verify asks for it? */
void tls_prepare(const Tls *t, void *session, bool *refused);
bool tls_is_verified(const Tls *t, void *session);
