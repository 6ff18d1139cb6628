/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* container.json: the saved half of a Container, one table for both directions. */

#include "lib/json/fields.h"

#define CONTAINER_FILE         "container.json"
#define CONTAINER_FILE_VERSION 1
#define CONTAINER_FILE_MAX     ((size_t) 8 * 1024 * 1024)

extern const JsonField container_fields[];
