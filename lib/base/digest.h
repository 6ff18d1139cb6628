/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Digests as OCI writes them: "sha256:" and 64 lower-case hex digits, or "sha512:" and 128;
 * nothing else is one (rule R7). The functions on text are in dep_base; those that compute need
 * dep_digest (libgcrypt). */

#include <errno.h>
#include <sys/types.h>

#include "lib/base/macro.h"

typedef enum DigestKind {
        DIGEST_SHA256,
        DIGEST_SHA512,
        _DIGEST_KIND_MAX,
        _DIGEST_KIND_INVALID = -EINVAL,
} DigestKind;

#define DIGEST_HEX_SIZE  (128 + 1) /* the longest, with NUL */
#define DIGEST_TEXT_SIZE (7 + DIGEST_HEX_SIZE)

/* Text: no library. ret_kind and ret_hex (inside s) may be NULL. 0 or -EINVAL. */
int digest_parse(const char *s, DigestKind *ret_kind, const char **ret_hex);
static inline bool digest_is_valid(const char *s) {
        return s && digest_parse(s, NULL, NULL) >= 0;
}
/* The hex part of a valid digest; asserts that it is one. */
const char *digest_hex(const char *s) _pure_;
const char *digest_kind_to_string(DigestKind kind); /* "sha256" */
DigestKind digest_kind_from_string(const char *s);

/* Streaming. */
typedef struct Digest Digest;

int digest_new(DigestKind kind, Digest **ret);
Digest *digest_free(Digest *d);
DEFINE_CLEANUP(Digest *, digest_free);
void digest_update(Digest *d, const void *data, size_t size);
/* "sha256:…" of all bytes; no more may follow. Returns ret. */
char *digest_text(Digest *d, char ret[static DIGEST_TEXT_SIZE]);

/* For what is written with it by rule (the handshake of a WebSocket), never to prove anything. -EOPNOTSUPP: the host forbids it. */
#define DIGEST_SHA1_SIZE 20U
int digest_sha1(const void *data, size_t size, uint8_t ret[static DIGEST_SHA1_SIZE]);

/* sha256 at once. */
int digest_data(const void *data, size_t size, char ret[static DIGEST_TEXT_SIZE]);
/* From the offset of fd to its end; ret_size may be NULL. */
int digest_fd(int fd, char ret[static DIGEST_TEXT_SIZE], uint64_t *ret_size);
