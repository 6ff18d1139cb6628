/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* YAML as far as it says what JSON can say: one document, read into a Json. The only file that sees libyaml is yaml-parse.c.
 *
 * Plain words are null, booleans, integers (also 0x…, 0o…, and 0… in octal) and numbers as in YAML's core schema, all else and everything in
 * quotes is text. Anchors, aliases, merge keys and tags of other types are refused: nothing that we read needs them, and an alias can make a
 * small text very large. Keys must be scalars; of two that are the same the last wins. */

#include <stddef.h>

typedef struct Error Error;
typedef struct Json Json;

#define YAML_NODES_MAX 100000u

/* -EINVAL (ERROR_INVALID) names line and column. Text longer than size_max is refused before it is looked at, as is what is deeper than
 * JSON_DEPTH_MAX or has more than YAML_NODES_MAX nodes. An empty document is null. */
int yaml_parse(const char *text, size_t size, size_t size_max, Json **ret, Error *reterr);
