/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "lib/base/alloc.h"
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

/* Columns on the screen; a name that the locale cannot read counts its bytes. */
static size_t text_width(const char *s) {
        mbstate_t state = {};
        const char *p = s;
        size_t width = 0;

        while (*p) {
                wchar_t c;
                size_t n = mbrtowc(&c, p, strlen(p), &state);
                int w;

                if (n == 0 || n == (size_t) -1 || n == (size_t) -2)
                        return strlen(s);
                w = wcwidth(c);
                width += w > 0 ? (size_t) w : 0;
                p += n;
        }
        return width;
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
