/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/alloc.h"

void base64_encode(const void *data, size_t size, char *ret) {
        static const char digits[] = BASE64_DIGITS;

        for (const uint8_t *p = data; size > 0; p += 3) {
                size_t n = MIN(size, (size_t) 3);
                uint32_t bits = (uint32_t) p[0] << 16;

                bits |= n > 1 ? (uint32_t) p[1] << 8 : 0;
                bits |= n > 2 ? p[2] : 0;
                *ret++ = digits[bits >> 18];
                *ret++ = digits[bits >> 12 & 63];
                *ret++ = n > 1 ? digits[bits >> 6 & 63] : '=';
                *ret++ = n > 2 ? digits[bits & 63] : '=';
                size -= n;
        }
        *ret = '\0';
}

int base64_decode(const char *text, char **ret, size_t *ret_size) {
        static const char digits[] = BASE64_DIGITS;
        size_t n = strcspn(text, "=\r\n \t"), size = 0;
        _cleanup_(freep) char *data = NULL;
        uint32_t bits = 0;

        data = new (char, n + 1);
        if (!data)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const char *digit = strchr(digits, text[i]);

                if (!digit)
                        return -EINVAL;
                bits = bits << 6 | (uint32_t) (digit - digits);
                if (i % 4 > 0)
                        data[size++] = (char) (bits >> (6 - i % 4 * 2) & 0xff);
        }
        *ret = TAKE_PTR(data);
        *ret_size = size;
        return 0;
}
