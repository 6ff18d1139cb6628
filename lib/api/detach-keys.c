/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/detach-keys.h"

#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/str.h"

#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"
#define CTRL                "ctrl-"

/* One part of the list: the byte that the key sends, or -EINVAL. */
static int parse_key(const char *part, size_t size) {
        unsigned char c;

        if (size == 1)
                return (unsigned char) part[0];
        if (size != sizeof(CTRL) || strncmp(part, CTRL, sizeof(CTRL) - 1) != 0)
                return -EINVAL;
        c = (unsigned char) part[size - 1];
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 1;
        if (c == '@')
                return 0;
        return c >= '[' && c <= '_' ? c - '[' + 27 : -EINVAL;
}

int detach_keys_parse(const char *text, DetachKeys *ret, Error *reterr) {
        DetachKeys keys = {};
        const char *part;

        if (str_empty(text))
                text = DETACH_KEYS_DEFAULT;
        for (part = text;; part++) {
                size_t size = strcspn(part, ",");
                int key;

                key = parse_key(part, size);
                if (key < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "Invalid detach keys (%s) provided: each one is a character or "
                                "ctrl- and one of a-z @ [ \\ ] ^ _",
                                text);
                if (keys.n == DETACH_KEYS_MAX)
                        return error_set(reterr, ERROR_INVALID,
                                "Invalid detach keys (%s) provided: more than %u", text,
                                DETACH_KEYS_MAX);
                keys.keys[keys.n++] = (unsigned char) key;
                part += size;
                if (*part == '\0')
                        break;
        }
        *ret = keys;
        return 0;
}

/* The sequence broke: its first keys are given out until what is left is the beginning of one again. */
static int give_back(DetachKeys *k, Buffer *out) {
        size_t n = k->matched, first = 0;
        int r;

        do
                first++;
        while (memcmp(k->keys, k->keys + first, n - first) != 0);
        r = buffer_append(out, k->keys, first);
        k->matched = n - first;
        return r;
}

int detach_keys_feed(DetachKeys *k, const void *data, size_t size, Buffer *out) {
        const unsigned char *p = data;

        for (size_t i = 0; i < size; i++) {
                int r = 0;

                while (r >= 0 && k->matched > 0 && p[i] != k->keys[k->matched])
                        r = give_back(k, out);
                if (r >= 0 && p[i] != k->keys[k->matched])
                        r = buffer_append(out, p + i, 1);
                else if (r >= 0 && ++k->matched == k->n)
                        return 1;
                if (r < 0)
                        return r;
        }
        return 0;
}
