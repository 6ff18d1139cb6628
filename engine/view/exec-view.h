/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Docker's document of an exec. */

typedef struct Exec Exec;
typedef struct Json Json;

int exec_view(const Exec *x, Json **ret);
