/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

#define PEM_MAX ((size_t) 1024 * 1024)

/* What a client's certificate must be good for; one that names no purpose is good for all. */
static gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *) GNUTLS_KP_TLS_WWW_CLIENT,
};

static int read_pem(
        const char *option, const char *given, const char *name, char **ret, Error *reterr) {
        const char *folder = getenv("DOCKER_CERT_PATH");
        _cleanup_(freep) char *path = NULL;
        int r;

        if (!str_empty(given))
                r = str_copy(&path, given);
        else {
                path = str_empty(folder)
                             ? path_join(str_or(getenv("HOME"), "/root"), ".docker", name)
                             : path_join(folder, name);
                r = path ? 0 : -ENOMEM;
        }
        if (r < 0)
                return r;

        r = file_read(path, PEM_MAX, ret, NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "--%s: cannot read %s", option, path);
        return 0;
}

/* libmicrohttpd would only say that it does not start. */
static int check(const Tls *t, Error *reterr) {
        const gnutls_datum_t key = { (unsigned char *) t->key, (unsigned) strlen(t->key) };
        const gnutls_datum_t certificate = { (unsigned char *) t->certificate,
                (unsigned) strlen(t->certificate) };
        gnutls_certificate_credentials_t credentials;
        int k;

        if (gnutls_certificate_allocate_credentials(&credentials) < 0)
                return -ENOMEM;
        k = gnutls_certificate_set_x509_key_mem(
                credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
        if (k < 0)
                (void) error_set(
                        reterr, ERROR_INVALID, "--tlscert and --tlskey: %s", gnutls_strerror(k));
        else if (t->authorities) {
                const gnutls_datum_t authorities = { (unsigned char *) t->authorities,
                        (unsigned) strlen(t->authorities) };

                k = gnutls_certificate_set_x509_trust_mem(
                        credentials, &authorities, GNUTLS_X509_FMT_PEM);
                if (k <= 0)
                        (void) error_set(reterr, ERROR_INVALID, "--tlscacert: %s",
                                k < 0 ? gnutls_strerror(k) : "there is no certificate in it");
                k = k <= 0 ? -1 : k;
        }
        gnutls_certificate_free_credentials(credentials);
        return k < 0 ? -EINVAL : 0;
}

int tls_load(const Settings *s, Tls **ret, Error *reterr) {
        _cleanup_(tls_freep) Tls *t = NULL;
        int r;

        assert(s);
        assert(ret);

        if (!s->tls && !s->tls_verify) {
                *ret = NULL;
                return 0;
        }

        t = new0(Tls, 1);
        if (!t)
                return -ENOMEM;
        t->verify = s->tls_verify;
        r = read_pem("tlscert", s->tls_certificate, "cert.pem", &t->certificate, reterr);
        if (r >= 0)
                r = read_pem("tlskey", s->tls_key, "key.pem", &t->key, reterr);
        if (r >= 0 && t->verify)
                r = read_pem("tlscacert", s->tls_authorities, "ca.pem", &t->authorities, reterr);
        if (r >= 0)
                r = check(t, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(t);
        return 0;
}

Tls *tls_free(Tls *t) {
        if (!t)
                return NULL;

        if (t->key)
                explicit_bzero(t->key, strlen(t->key));
        free(t->key);
        free(t->certificate);
        free(t->authorities);
        return mfree(t);
}

/* Within the handshake; also without any certificate. An alert tells the client why, else it sees only the end of the connection. */
static int on_verify(gnutls_session_t session) {
        gnutls_alert_description_t why = GNUTLS_A_BAD_CERTIFICATE;
        bool *refused = gnutls_session_get_ptr(session);
        unsigned status = 1;
        int k;

        k = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
        if (k == 0 && status == 0)
                return 0;
        if (k == GNUTLS_E_NO_CERTIFICATE_FOUND &&
                gnutls_protocol_get_version(session) == GNUTLS_TLS1_3)
                why = GNUTLS_A_CERTIFICATE_REQUIRED;
        else if (k == 0 && (status & GNUTLS_CERT_SIGNER_NOT_FOUND))
                why = GNUTLS_A_UNKNOWN_CA;
        (void) gnutls_alert_send(session, GNUTLS_AL_FATAL, why);
        *refused = true;
        return GNUTLS_E_CERTIFICATE_ERROR;
}

void tls_prepare(const Tls *t, void *session, bool *refused) {
        if (!t->verify)
                return;
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
        gnutls_session_set_ptr(session, refused);
        gnutls_session_set_verify_function(session, on_verify);
}

bool tls_is_verified(const Tls *t, void *session) {
        unsigned status = 1;

        if (!t->verify)
                return true;
        return session && gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 &&
               status == 0;
}
