/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/log-details.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static int append_escaped(Buffer *b, const char *s) {
        int r = 0;

        for (; r >= 0 && *s; s++)
                if (isalnum((unsigned char) *s) || strchr("-_.~", *s))
                        r = buffer_append_char(b, *s);
                else if (*s == ' ')
                        r = buffer_append_char(b, '+');
                else
                        r = buffer_printf(b, "%%%02X", (unsigned char) *s);
        return r;
}

int log_details_append(Buffer *b, char *const *attrs) {
        _cleanup_(strv_freep) char **sorted = NULL;
        bool first = true;
        int r;

        sorted = strv_copy(attrs);
        if (!sorted)
                return -ENOMEM;
        strv_sort(sorted);

        STRV_FOREACH (attr, sorted) {
                _cleanup_(freep) char *key = NULL, *value = NULL;

                r = str_split_pair(*attr, '=', &key, &value);
                if (r < 0)
                        continue;
                r = first ? 0 : buffer_append_char(b, ',');
                first = false;
                if (r >= 0)
                        r = append_escaped(b, key);
                if (r >= 0)
                        r = buffer_append_char(b, '=');
                if (r >= 0)
                        r = append_escaped(b, value);
                if (r < 0)
                        return r;
        }
        return buffer_append_char(b, ' ');
}
