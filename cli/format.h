/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The templates of --format: the part of Go's text/template that scripts use. Text, {{pipeline}}, if/else/with/range/break/continue/end, variables,
 * comments, "{{-" and "-}}"; functions json join split lower upper title pad truncate print printf println len index slice eq ne lt le gt ge and or
 * not. Values are JSON. Pure: nothing is read or written but memory.
 *
 * What differs from Go: a value has no Go type, so that a whole object prints as map[…] where docker may print {…}. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Buffer Buffer;
typedef struct Format Format;
typedef struct Json Json;

#define FORMAT_OUTPUT_MAX (64U * 1024 * 1024)

/* name: what errors call the template, mostly "". skip: bytes at the beginning that are not the template's, but count in positions.
 * ERROR_INVALID: "template: NAME:LINE: what is wrong". */
int format_parse(const char *text, size_t skip, const char *name, Format **ret, Error *reterr);
Format *format_free(Format *f);
DEFINE_CLEANUP(Format *, format_free);

typedef struct FormatData {
        const Json *root;   /* the "." */
        const Json *labels; /* object: {{.Label "key"}}; NULL: there is no such thing */
        const char *type;   /* Go's name for what root is, for errors; NULL: a map */
        bool header; /* root has the columns' headers: json, upper, … leave them as they are */
} FormatData;

/* Appends to out. ERROR_INVALID: "template: NAME:LINE:COLUMN: executing …", or -EFBIG beyond FORMAT_OUTPUT_MAX. */
int format_execute(const Format *f, const FormatData *data, Buffer *out, Error *reterr);

/* "%v" of Go for a value; field (or NULL): where it comes from, which decides how an absent list prints. */
int format_print_value(Buffer *b, const Json *v, const char *field);
