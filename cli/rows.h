/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Lists as docker prints them: rows with named fields, made from the engine's documents, shown as the default table, "table TEMPLATE", "json" or a
 * template a row. Foreign text is harmless for a terminal. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Buffer Buffer;
typedef struct Json Json;

typedef struct RowField {
        const char *name; /* in templates */
        const char *header;
        /* Appends the field's text. userdata is rows_render()'s. */
        int (*get)(Buffer *b, const Json *source, const void *userdata);
        bool is_json; /* the text is JSON: null, true, … */
} RowField;

typedef struct RowKind {
        const char *type;       /* Go's name, for errors that scripts look at */
        const RowField *fields; /* sorted by name; ended by {} */
        const char *labels; /* member of the document that {{.Label "key"}} looks in; NULL: none */
        const char *parse_failed,
                *execute_failed; /* in front of errors; NULL: "template parsing error" */
} RowKind;

/* sources: list of documents, one a row. format: the user's (NULL, "": table). ERROR_INVALID with docker's words. */
int rows_render(const RowKind *kind, const char *format, const char *table, const Json *sources,
        const void *userdata, Buffer *out, Error *reterr);
int rows_print(const RowKind *kind, const char *format, const char *table, const Json *sources,
        const void *userdata, Error *reterr);

/* A document through a template ("json": as JSON), a line feed behind it; for inspect, info, version. name, type: as in errors. A template that is
 * none is told on stderr and gives ROWS_EXIT_TEMPLATE, docker's exit status for it. */
#define ROWS_EXIT_TEMPLATE 64
int rows_print_document(
        const char *format, const char *name, const char *type, const Json *v, Error *reterr);

/* Text for people on stdout: harmless when that is a terminal, as it is when not. */
void rows_put(const char *text, size_t size);

/* ---- fields that several lists have ---- */

int row_labels(Buffer *b, const Json *labels);        /* "a=b,c=d" */
int row_ago(Buffer *b, int64_t seconds_since_epoch);  /* "3 weeks ago" */
int row_time(Buffer *b, int64_t seconds_since_epoch); /* "2026-01-02 15:04:05 +0000 UTC" */
int row_text(Buffer *b, const Json *source, const char *member);
int row_ellipsis(
        Buffer *b, const char *text, size_t width); /* cut to width characters, the last "…" */
