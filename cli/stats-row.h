/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One sample of the engine's stats as the row that docker shows, computed as docker does. Pure. */

#include <stdbool.h>

typedef struct Buffer Buffer;
typedef struct Json Json;

/* sample NULL: there is none yet, all figures are "--". name: what the user called it. */
int stats_row_make(const Json *sample, const char *name, bool no_trunc, Json **ret);

/* The fields of RowKind. */
int stats_row_block(Buffer *b, const Json *row, const void *userdata);
int stats_row_container(Buffer *b, const Json *row, const void *userdata);
int stats_row_cpu(Buffer *b, const Json *row, const void *userdata);
int stats_row_id(Buffer *b, const Json *row, const void *userdata);
int stats_row_memory(Buffer *b, const Json *row, const void *userdata);
int stats_row_memory_percent(Buffer *b, const Json *row, const void *userdata);
int stats_row_name(Buffer *b, const Json *row, const void *userdata);
int stats_row_network(Buffer *b, const Json *row, const void *userdata);
int stats_row_pids(Buffer *b, const Json *row, const void *userdata);
