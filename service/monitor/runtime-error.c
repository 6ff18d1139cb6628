/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/runtime-error.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define LINE_MAX_BYTES ((size_t) 64 * 1024)
#define TEXT_MAX_BYTES ((size_t) 4096) /* beyond, nobody reads it */

/* One line: its message when it is an error, or the line itself when it is no JSON. */
static int parse_line(const char *line, size_t size, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *level, *text;

        *ret = NULL;
        if (size == 0)
                return 0;
        if (line[0] != '{' || json_parse(line, size, LINE_MAX_BYTES, &v, NULL) < 0)
                return str_copy_n(ret, line, size < TEXT_MAX_BYTES ? size : TEXT_MAX_BYTES);

        level = json_get_text(v, "level");
        text = json_get_text(v, "msg");
        if (!text || (level && !STR_IN_SET(level, "error", "fatal", "panic")))
                return 0;
        return str_copy_n(ret, text, TEXT_MAX_BYTES);
}

int runtime_error_parse(const char *log, size_t size, char **ret) {
        _cleanup_(freep) char *last = NULL;

        for (const char *p = log, *end = log + size; p < end;) {
                const char *feed = memchr(p, '\n', (size_t) (end - p));
                size_t n = feed ? (size_t) (feed - p) : (size_t) (end - p);
                char *text;
                int r;

                r = parse_line(p, n, &text);
                if (r < 0)
                        return r;
                if (text) {
                        free(last);
                        last = text;
                }
                p += n + 1;
        }
        *ret = TAKE_PTR(last);
        return 0;
}

static bool contains(const char *text, const char *words) {
        return strcasestr(text, words);
}

int runtime_error_exit_code(const char *text, ErrorKind *ret_kind) {
        *ret_kind = ERROR_INVALID;
        if (contains(text, "executable file not found") ||
                contains(text, "no such file or directory") ||
                contains(text, "system cannot find the file specified"))
                return 127;
        if (contains(text, "not a directory"))
                return 127; /* a file mounted on a folder, or a folder on a file */
        if (contains(text, "permission denied") || contains(text, "is a directory"))
                return 126;
        *ret_kind = ERROR_INTERNAL;
        return 128;
}

int runtime_error_sentence(const char *text, char **ret) {
        const char *hint = "";

        if (contains(text, "not a directory"))
                hint = ": Are you trying to mount a directory onto a file (or vice-versa)? Check "
                       "if the specified host "
                       "path exists and is the expected type";
        else if (contains(text, "is a directory") && !contains(text, "permission denied"))
                hint = ": permission denied";
        return str_printf(ret, "OCI runtime create failed: %s%s", text, hint);
}
