/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the commands about contexts share. */

#include "lib/base/error.h"

typedef struct Cli Cli;

/* The host that "default" stands for. */
int context_default_host(const Cli *cli, char **ret, Error *reterr);
/* A name that is well made and free, or docker's word about it. */
int context_check_new(const Cli *cli, const char *name, Error *reterr);
