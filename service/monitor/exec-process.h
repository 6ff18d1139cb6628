/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Pure: the process of an exec as the OCI runtime wants it. It is the container's own process with what the user asked for changed. */

#include <stdbool.h>

#include "lib/base/users.h"

typedef struct ExecSpec ExecSpec;
typedef struct Json Json;

/* config: of the bundle, changed. capabilities: all three sets of a privileged one, NULL: the container's. home_is_ours: HOME in the container's
 * environment was put there for the container's user by bundle_make(). ret: the text of the document. */
int exec_process_make(Json *config, const ExecSpec *spec, const UserIdentity *user,
        char *const *capabilities, bool home_is_ours, char **ret);
