/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest_data() for a program that seldom needs it: libgcrypt is loaded by the first call, for loading it takes longer than all else that
 * such a program does before its work. Linked in place of digest.c. */
#include <dlfcn.h>
#include <gcrypt.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/str.h"

int digest_data(const void *data, size_t size, char ret[static DIGEST_TEXT_SIZE]) {
        static void (*hash_buffer)(int algorithm, void *digest, const void *buffer, size_t length);
        static const char *(*check_version)(const char *wanted);
        unsigned char hash[32];
        int n;

        if (!hash_buffer) {
                void *library = dlopen("libgcrypt.so.20", RTLD_NOW | RTLD_LOCAL);

                if (!library)
                        return -ELIBACC;
                *(void **) &check_version = dlsym(library, "gcry_check_version");
                if (!check_version || !check_version("1.8.0"))
                        return -ELIBBAD;
                *(void **) &hash_buffer = dlsym(library, "gcry_md_hash_buffer");
                if (!hash_buffer)
                        return -ELIBBAD;
        }

        hash_buffer(GCRY_MD_SHA256, hash, data, size);
        n = snprintf(ret, DIGEST_TEXT_SIZE, "%s:", digest_kind_to_string(DIGEST_SHA256));
        str_hex(hash, sizeof(hash), ret + n);
        return 0;
}
