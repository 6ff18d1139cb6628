/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/ident.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/str.h"

void random_bytes(void *data, size_t size) {
        uint8_t *p = data;

        assert(data || size == 0);

        while (size > 0) {
                ssize_t n;

                n = getrandom(p, size, 0);
                if (n < 0) {
                        assert(errno == EINTR);
                        continue;
                }
                p += n;
                size -= (size_t) n;
        }
}

uint64_t random_u64(void) {
        uint64_t u;

        random_bytes(&u, sizeof(u));
        return u;
}

char *ident_random(char ret[static IDENT_SIZE]) {
        uint8_t bytes[IDENT_LENGTH / 2];

        do {
                random_bytes(bytes, sizeof(bytes));
                str_hex(bytes, sizeof(bytes), ret);
        } while (strspn(ret, "0123456789") >= IDENT_SHORT_LENGTH);

        return ret;
}

bool ident_is_valid(const char *s) {
        return s && str_is_hex(s, IDENT_LENGTH);
}

bool ident_is_prefix(const char *s) {
        size_t n;

        if (!s)
                return false;

        n = strnlen(s, IDENT_LENGTH + 1);
        return n >= 1 && n <= IDENT_LENGTH && str_is_hex(s, n);
}

char *ident_short(const char *id, char ret[static IDENT_SHORT_SIZE]) {
        const char *hex;
        size_t n;

        assert(id);

        hex = str_starts(id, "sha256:");
        if (!hex)
                hex = id;
        n = strnlen(hex, IDENT_SHORT_LENGTH);
        memcpy(ret, hex, n);
        ret[n] = 0;
        return ret;
}

static bool is_alphanumeric(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ident_is_name(const char *s) {
        size_t n = 0;

        if (!s || !is_alphanumeric(s[0]))
                return false;

        for (; s[n]; n++)
                if (n >= IDENT_NAME_MAX || (!is_alphanumeric(s[n]) && !strchr("_.-", s[n])))
                        return false;
        return n >= 2;
}
