/* SPDX-License-Identifier: GPL-2.0-or-later */

#include <inttypes.h>
#include <string.h>

#include "engine/log/local-line.h"

static int append_text(Buffer *b, const char *data, size_t size) {
        while (size > 0) {
                size_t n = 0;
                int r;

                while (n < size && data[n] != '\n' && data[n] != '\\' && data[n] != '\0')
                        n++;
                r = buffer_append(b, data, n);
                if (r < 0)
                        return r;
                if (n == size)
                        break;
                r = buffer_append(b, data[n] == '\n' ? "\\n" : data[n] == '\\' ? "\\\\" : "\\0", 2);
                if (r < 0)
                        return r;
                data += n + 1;
                size -= n + 1;
        }
        return buffer_append(b, "\n", 1);
}

int local_line_write(Buffer *b, const LogMessage *m, const char *attrs) {
        bool err = m->stream == LOG_STREAM_STDERR;
        size_t size = m->size;
        int r;

        if (!m->partial && size > 0 && m->data[size - 1] == '\n')
                size--;
        r = buffer_printf(b, "%c%" PRIx64 " ",
                m->partial ? (err ? 'E' : 'O')
                : err      ? 'e'
                           : 'o',
                m->time_nsec);
        return r < 0 ? r : append_text(b, m->data, size);
}
