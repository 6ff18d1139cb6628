/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a container's log options choose to be logged with each line: labels, environment, tag. Pure; made by the daemon when the
 * container starts, given to the monitor as MonitorSpec.log_fields. */

#include "lib/base/error.h"

typedef struct LogSubject {
        const char *id;
        const char *name;         /* without the slash */
        const char *image_name;   /* as the user gave it */
        const char *image_id;     /* "sha256:…" */
        const char *command;      /* path and arguments, for {{.Command}} */
        char *const *labels;      /* KEY=VALUE */
        char *const *environment; /* KEY=VALUE */
} LogSubject;

/* Options: labels, labels-regex, env, env-regex (comma lists, extended regular expressions), tag ({{.ID}}, {{.FullID}}, {{.Name}}, {{.FullName}},
 * {{.ImageName}}, {{.ImageID}}, {{.ImageFullID}}, {{.DaemonName}}). Result: sorted KEY=VALUE, "tag" only when the option is given. */
int log_fields_make(char *const *opts, const LogSubject *s, char ***ret, Error *reterr);
