/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define COLUMN_MIN 10
#define PADDING    3

struct Table {
        size_t n_columns;
        char **cells; /* the header's first */
        size_t n_cells;
        size_t n_allocated;
};

int table_add(Table *t, const char *text) {
        char *cell;
        int r;

        cell = str_escape_terminal(text);
        if (!cell)
                return -ENOMEM;

        r = array_grow(&t->cells, &t->n_allocated, t->n_cells + 1);
        if (r < 0) {
                free(cell);
                return r;
        }
        t->cells[t->n_cells++] = cell;
        return 0;
}

int table_addf(Table *t, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return table_add(t, text);
}

int table_new(const char *const *header, Table **ret) {
        _cleanup_(table_freep) Table *t = NULL;
        int r;

        t = new0(Table, 1);
        if (!t)
                return -ENOMEM;

        for (; *header; header++) {
                t->n_columns++;
                r = table_add(t, *header);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(t);
        return 0;
}

Table *table_free(Table *t) {
        if (!t)
                return NULL;

        for (size_t i = 0; i < t->n_cells; i++)
                free(t->cells[i]);
        free(t->cells);
        return mfree(t);
}

/* Reading the locale takes longer than most commands, and few tables have such letters. */
static void need_locale(void) {
        static bool done;

        if (!done)
                (void) setlocale(LC_CTYPE, "");
        done = true;
}

/* Columns on the screen; a name that the locale cannot read counts its bytes. */
static size_t width_of(const char *s, size_t size) {
        const char *p = s, *end = s + size;
        mbstate_t state = {};
        size_t width = 0;

        while (p < end && *p >= ' ' && *p <= '~')
                p++;
        if (p == end)
                return size;

        need_locale();
        for (p = s; p < end;) {
                wchar_t c;
                size_t n = mbrtowc(&c, p, (size_t) (end - p), &state);
                int w;

                if (n == 0 || n == (size_t) -1 || n == (size_t) -2)
                        return size;
                w = wcwidth(c);
                width += w > 0 ? (size_t) w : 0;
                p += n;
        }
        return width;
}

static size_t text_width(const char *s) {
        return width_of(s, strlen(s));
}

static size_t column_width(const Table *t, size_t column) {
        size_t width = COLUMN_MIN - PADDING;

        for (size_t i = column; i < t->n_cells; i += t->n_columns)
                width = MAX(width, text_width(t->cells[i]));
        return width + PADDING;
}

void table_print(const Table *t) {
        _cleanup_(freep) size_t *widths = NULL;

        widths = new0(size_t, t->n_columns);
        for (size_t c = 0; widths && c < t->n_columns; c++)
                widths[c] = column_width(t, c);

        for (size_t i = 0; i < t->n_cells; i++) {
                size_t column = i % t->n_columns;
                bool last = column == t->n_columns - 1;
                size_t pad = 0;

                if (!last && widths)
                        pad = widths[column] - MIN(widths[column], text_width(t->cells[i]));
                printf("%s%*s%s", t->cells[i], (int) pad, "", last ? "\n" : "");
        }
}

/* ---- lines with tabs ---- */

static int measure_line(
        const char *line, size_t size, size_t **widths, size_t *n, size_t *allocated) {
        const char *end = line + size, *tab;
        size_t column = 0;
        int r;

        for (; (tab = memchr(line, '\t', (size_t) (end - line))); line = tab + 1, column++) {
                r = array_grow(widths, allocated, column + 1);
                if (r < 0)
                        return r;
                *n = MAX(*n, column + 1);
                (*widths)[column] =
                        MAX((*widths)[column], width_of(line, (size_t) (tab - line)) + PADDING);
        }
        return 0;
}

static int align_line(const char *line, size_t size, const size_t *widths, Buffer *out) {
        const char *end = line + size, *tab;
        size_t column = 0;
        int r = 0;

        for (; r >= 0 && (tab = memchr(line, '\t', (size_t) (end - line)));
                line = tab + 1, column++) {
                size_t n = (size_t) (tab - line), width = MAX(widths[column], (size_t) COLUMN_MIN);

                r = buffer_append(out, line, n);
                for (size_t pad = width_of(line, n); r >= 0 && pad < width; pad++)
                        r = buffer_append_char(out, ' ');
        }
        if (r >= 0)
                r = buffer_append(out, line, (size_t) (end - line));
        return r < 0 ? r : buffer_append_char(out, '\n');
}

int table_align(const char *lines, Buffer *out) {
        _cleanup_(freep) size_t *widths = NULL;
        size_t n = 0, allocated = 0;
        int r = 0;

        for (const char *p = lines; r >= 0 && *p; p += strcspn(p, "\n"), p += *p == '\n')
                r = measure_line(p, strcspn(p, "\n"), &widths, &n, &allocated);
        for (const char *p = lines; r >= 0 && *p; p += strcspn(p, "\n"), p += *p == '\n')
                r = align_line(p, strcspn(p, "\n"), widths, out);
        return r;
}
