/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rows.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/format.h"
#include "cli/table.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef struct Layout {
        bool is_table;
        Format *format;
} Layout;

/* "\t" and "\n" are what a shell lets through. */
static int unescape(const char *s, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        int r = 0;

        for (; r >= 0 && *s; s++)
                if (s[0] == '\\' && (s[1] == 't' || s[1] == 'n')) {
                        r = buffer_append_char(&b, s[1] == 't' ? '\t' : '\n');
                        s++;
                } else
                        r = buffer_append_char(&b, *s);
        if (r < 0)
                return r;
        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

#define TEMPLATE_ERROR "template parsing error"

static int layout_parse(
        const RowKind *kind, const char *format, const char *table, Layout *ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        size_t skip = 0, n;
        int r;

        if (str_empty(format) || streq(format, "table"))
                format = table;
        if (streq(format, "json"))
                format = "{{json .}}";
        r = unescape(format, &text);
        if (r < 0)
                return r;

        ret->is_table = str_starts(text, "table");
        if (ret->is_table) { /* blanks only: a tab may be a column */
                skip = STRLEN("table");
                skip += strspn(text + skip, " ");
                for (n = strlen(text); n > skip && text[n - 1] == ' '; n--)
                        text[n - 1] = '\0';
        }
        r = format_parse(text, skip, "", &ret->format, reterr);
        return r < 0 ? error_prefix(reterr, r, "%s", str_or(kind->parse_failed, TEMPLATE_ERROR))
                     : 0;
}

/* ---- rows ---- */

static int set_field(
        Json *row, const RowField *f, const Json *source, const void *userdata, bool escape) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *harmless = NULL;
        int r;

        r = f->get(&b, source, userdata);
        if (r >= 0 && f->is_json)
                r = json_parse(buffer_head(&b), buffer_size(&b), JSON_SIZE_MAX, &v, NULL);
        else if (r >= 0 && escape) {
                harmless = str_escape_terminal_n(buffer_head(&b), buffer_size(&b));
                r = harmless ? json_new_text(harmless, &v) : -ENOMEM;
        } else if (r >= 0)
                r = json_new_text_n(buffer_head(&b), buffer_size(&b), &v);
        return r < 0 ? r : json_set(row, f->name, v);
}

static int print_row(const RowKind *kind, const Layout *layout, const Json *source,
        const void *userdata, Buffer *out, Error *reterr) {
        FormatData data = { .type = kind->type };
        bool escape = layout->is_table || isatty(STDOUT_FILENO);
        _cleanup_(json_unrefp) Json *row = NULL;
        int r;

        r = json_new_object(&row);
        for (const RowField *f = kind->fields; r >= 0 && f->name; f++)
                r = set_field(row, f, source, userdata, escape);
        if (r < 0)
                return r;

        data.root = row;
        data.labels = kind->labels ? json_get(source, kind->labels) : NULL;
        r = format_execute(layout->format, &data, out, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", str_or(kind->execute_failed, TEMPLATE_ERROR));
        return buffer_append_char(out, '\n');
}

static int print_header(const RowKind *kind, const Layout *layout, Buffer *out, Error *reterr) {
        FormatData data = { .type = kind->type, .header = true };
        _cleanup_(json_unrefp) Json *row = NULL, *labels = NULL;
        int r;

        r = json_new_object(&row);
        if (r >= 0)
                r = json_new_object(&labels);
        for (const RowField *f = kind->fields; r >= 0 && f->name; f++)
                r = json_set_text(row, f->name, f->header);
        if (r < 0)
                return r;

        data.root = row;
        data.labels = labels;
        r = format_execute(layout->format, &data, out, NULL);
        return r < 0 ? r : buffer_append_char(out, '\n');
}

int rows_render(const RowKind *kind, const char *format, const char *table, const Json *sources,
        const void *userdata, Buffer *out, Error *reterr) {
        _cleanup_(buffer_done) Buffer header = {}, lines = {};
        Layout layout = {};
        const char *key;
        Json *source;
        int r;

        r = layout_parse(kind, format, table, &layout, reterr);
        JSON_FOREACH (key, source, sources)
                if (r >= 0)
                        r = print_row(kind, &layout, source, userdata,
                                layout.is_table ? &lines : out, reterr);
        if (r >= 0 && layout.is_table) {
                r = print_header(kind, &layout, &header, reterr);
                if (r >= 0)
                        r = buffer_append(&header, buffer_head(&lines), buffer_size(&lines));
                if (r >= 0)
                        r = table_align(str_or_empty(buffer_string(&header)), out);
        }
        format_free(layout.format);
        return r;
}

int rows_print(const RowKind *kind, const char *format, const char *table, const Json *sources,
        const void *userdata, Error *reterr) {
        _cleanup_(buffer_done) Buffer out = {};
        int r;

        r = rows_render(kind, format, table, sources, userdata, &out, reterr);
        if (!buffer_empty(&out))
                rows_put(buffer_head(&out), buffer_size(&out));
        return r < 0 ? r : 0;
}

int rows_print_document(
        const char *format, const char *name, const char *type, const Json *v, Error *reterr) {
        _cleanup_(buffer_done) Buffer out = {};
        _cleanup_(format_freep) Format *f = NULL;
        _cleanup_(error_done) Error e = {};
        FormatData data = { .root = v, .type = streq(format, "json") ? NULL : type };
        int r;

        r = format_parse(streq(format, "json") ? "{{json .}}" : format, 0, name, &f, &e);
        if (r < 0) {
                fflush(stdout);
                fprintf(stderr, TEMPLATE_ERROR ": %s\n", error_text(&e, r));
                return ROWS_EXIT_TEMPLATE;
        }
        r = format_execute(f, &data, &out, reterr);
        if (buffer_append_char(&out, '\n') >= 0) /* also behind half a text, as docker does */
                rows_put(buffer_head(&out), buffer_size(&out));
        return r < 0 ? r : 0;
}

void rows_put(const char *text, size_t size) {
        _cleanup_(freep) char *copy = NULL, *harmless = NULL;

        if (!isatty(STDOUT_FILENO)) {
                (void) fwrite(text, 1, size, stdout);
                return;
        }
        if (str_copy_n(&copy, text, size) < 0)
                return;
        harmless = str_escape_terminal_lines(copy);
        fputs(str_or_empty(harmless), stdout);
}

/* ---- fields ---- */

int row_labels(Buffer *b, const Json *labels) {
        _cleanup_(strv_freep) char **keys = NULL;
        const char *key;
        Json *value;
        int r = 0;

        JSON_FOREACH (key, value, labels)
                if (r >= 0)
                        r = strv_add(&keys, key);
        strv_sort(keys);
        STRV_FOREACH (k, keys)
                if (r >= 0)
                        r = buffer_printf(b, "%s%s=%s", k == keys ? "" : ",", *k,
                                str_or_empty(json_get_text(labels, *k)));
        return r;
}

int row_ago(Buffer *b, int64_t seconds) {
        char age[HUMAN_SIZE];

        return buffer_printf(
                b, "%s ago", human_duration(clock_realtime_ns() / NSEC_PER_SEC - seconds, age));
}

int row_time(Buffer *b, int64_t seconds) {
        time_t t = (time_t) seconds;
        char text[80] = "";
        struct tm tm;

        if (localtime_r(&t, &tm))
                (void) strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z %Z", &tm);
        return buffer_append_string(b, text);
}

int row_text(Buffer *b, const Json *source, const char *member) {
        return buffer_append_string(b, str_or_empty(json_get_text(source, member)));
}

int row_ellipsis(Buffer *b, const char *text, size_t width) {
        size_t n = 0, cut = 0;

        for (const char *p = text; *p; p++) {
                if ((*p & 0xc0) == 0x80)
                        continue;
                if (n + 1 == width)
                        cut = (size_t) (p - text);
                n++;
        }
        if (n <= width)
                return buffer_append_string(b, text);
        return buffer_printf(b, "%.*s…", (int) cut, text);
}
