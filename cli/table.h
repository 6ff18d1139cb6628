/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Aligned columns as docker prints them: each as wide as its widest cell and three blanks, at least ten. Cells come from outside, so they are made
 * harmless for the terminal when they are added. */

#include <stddef.h>

#include "lib/base/macro.h"

typedef struct Buffer Buffer;
typedef struct Table Table;

/* header: NULL-terminated names of the columns. */
int table_new(const char *const *header, Table **ret);
Table *table_free(Table *t);
DEFINE_CLEANUP(Table *, table_free);

/* Adds the next cell; NULL is "". Rows fill from left to right. */
int table_add(Table *t, const char *text);
int table_addf(Table *t, const char *format, ...) _printf_(2, 3);
void table_print(const Table *t);

/* Lines with tabs between their cells → aligned in the same way. What stands behind the last tab of a line has no width. Nothing is escaped here. */
int table_align(const char *lines, Buffer *out);
