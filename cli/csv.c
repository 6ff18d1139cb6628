/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/csv.h"

#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static int quote_error(Error *reterr, const char *s, const char *at, const char *what) {
        return error_set(reterr, ERROR_INVALID, "parse error on line 1, column %zu: %s",
                (size_t) (at - s) + 1, what);
}

/* *p stands behind the opening quote, and afterwards behind the closing one. */
static int quoted_field(const char *s, const char **p, Buffer *field, Error *reterr) {
        const char *q = *p;
        int r = 0;

        for (; r >= 0; q++) {
                if (!*q)
                        return quote_error(
                                reterr, s, q, "extraneous or missing \" in quoted-field");
                if (*q != '"') {
                        r = buffer_append_char(field, *q);
                        continue;
                }
                if (q[1] != '"')
                        break;
                r = buffer_append_char(field, *q++);
        }
        if (r < 0)
                return r;
        if (q[1] && q[1] != ',' && q[1] != '\n')
                return quote_error(reterr, s, q, "extraneous or missing \" in quoted-field");
        *p = q + 1;
        return 0;
}

static int plain_field(const char *s, const char **p, Buffer *field, Error *reterr) {
        size_t n = strcspn(*p, ",\n");
        const char *quote = memchr(*p, '"', n);
        int r;

        if (quote)
                return quote_error(reterr, s, quote, "bare \" in non-quoted-field");
        r = buffer_append(field, *p, n);
        *p += n;
        return r;
}

int csv_parse(const char *s, char ***ret, Error *reterr) {
        _cleanup_(strv_freep) char **fields = NULL;
        const char *p;
        int r;

        s += strspn(s, "\n");
        if (!*s)
                return error_set(reterr, ERROR_INVALID, "EOF");

        for (p = s;; p++) {
                _cleanup_(buffer_done) Buffer field = {};

                if (*p == '"') {
                        p++;
                        r = quoted_field(s, &p, &field, reterr);
                } else
                        r = plain_field(s, &p, &field, reterr);
                if (r >= 0)
                        r = strv_take(&fields, buffer_take_string(&field, NULL));
                if (r < 0)
                        return r;
                if (*p != ',')
                        break;
        }

        *ret = TAKE_PTR(fields);
        return 0;
}
