/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/digest.h"

#include <gcrypt.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define READ_SIZE (128U * 1024U)

struct Digest {
        gcry_md_hd_t handle;
        DigestKind kind;
        bool ended;
};

static const int algorithms[_DIGEST_KIND_MAX] = {
        [DIGEST_SHA256] = GCRY_MD_SHA256,
        [DIGEST_SHA512] = GCRY_MD_SHA512,
};

/* No secrets are handled here, so there is no need for locked memory and for the start-up self
 * test to be repeated. */
static int library_start(void) {
        static bool started;

        if (started)
                return 0;
        if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
                if (!gcry_check_version("1.8.0"))
                        return -ELIBBAD;
                (void) gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
                (void) gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
        }
        started = true;
        return 0;
}

int digest_new(DigestKind kind, Digest **ret) {
        _cleanup_(digest_freep) Digest *d = NULL;
        int r;

        assert(kind >= 0 && kind < _DIGEST_KIND_MAX);
        assert(ret);

        r = library_start();
        if (r < 0)
                return r;

        d = new0(Digest, 1);
        if (!d)
                return -ENOMEM;

        d->kind = kind;
        if (gcry_md_open(&d->handle, algorithms[kind], 0) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(d);
        return 0;
}

Digest *digest_free(Digest *d) {
        if (!d)
                return NULL;

        if (d->handle)
                gcry_md_close(d->handle);
        free(d);
        return NULL;
}

void digest_update(Digest *d, const void *data, size_t size) {
        assert(d);
        assert(!d->ended);
        assert(data || size == 0);

        if (size > 0)
                gcry_md_write(d->handle, data, size);
}

char *digest_text(Digest *d, char ret[static DIGEST_TEXT_SIZE]) {
        int n;

        assert(d);

        d->ended = true;
        n = snprintf(ret, DIGEST_TEXT_SIZE, "%s:", digest_kind_to_string(d->kind));
        str_hex(gcry_md_read(d->handle, algorithms[d->kind]),
                gcry_md_get_algo_dlen(algorithms[d->kind]), ret + n);
        return ret;
}

int digest_sha1(const void *data, size_t size, uint8_t ret[static DIGEST_SHA1_SIZE]) {
        int r;

        r = library_start();
        if (r < 0)
                return r;
        if (gcry_md_test_algo(GCRY_MD_SHA1) != 0)
                return -EOPNOTSUPP;
        gcry_md_hash_buffer(GCRY_MD_SHA1, ret, data, size);
        return 0;
}

int digest_data(const void *data, size_t size, char ret[static DIGEST_TEXT_SIZE]) {
        _cleanup_(digest_freep) Digest *d = NULL;
        int r;

        r = digest_new(DIGEST_SHA256, &d);
        if (r < 0)
                return r;

        digest_update(d, data, size);
        (void) digest_text(d, ret);
        return 0;
}

int digest_fd(int fd, char ret[static DIGEST_TEXT_SIZE], uint64_t *ret_size) {
        _cleanup_(digest_freep) Digest *d = NULL;
        _cleanup_(freep) char *buffer = NULL;
        uint64_t size = 0;
        int r;

        r = digest_new(DIGEST_SHA256, &d);
        if (r < 0)
                return r;

        buffer = malloc(READ_SIZE);
        if (!buffer)
                return -ENOMEM;

        for (;;) {
                ssize_t n;

                n = read(fd, buffer, READ_SIZE);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                digest_update(d, buffer, (size_t) n);
                size += (uint64_t) n;
        }

        (void) digest_text(d, ret);
        if (ret_size)
                *ret_size = size;
        return 0;
}
