/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What run, start -a, attach and exec share around a Stream. */

#include <stdbool.h>

#include "cli/stream.h"
#include "lib/base/error.h"

typedef struct Cli Cli;
typedef struct Options Options;

/* Detach keys of --detach-keys or config.json (NULL: docker's own) into s; what the engine is told is returned, NULL when nothing was said. */
int foreground_keys(Cli *cli, const Options *o, Stream *s, const char **ret, Error *reterr);
/* "the input device is not a TTY" when a terminal was asked for that we do not have. */
int foreground_check_terminal(bool input, bool tty, Error *reterr);
/* POST …/attach of s->object: s->hijack. */
int foreground_attach(
        Stream *s, bool input, bool output, bool errors, const char *keys, Error *reterr);
/* POST …/wait of s->object, with its head: s->wait. condition NULL: not running. */
int foreground_wait(Stream *s, const char *condition, Error *reterr);
/* POST NAME/start. */
int foreground_start(RestClient *c, const char *name, Error *reterr);
/* After stream_run() gave r: prints "read escape sequence", or the exit status of the container. */
int foreground_end(const Stream *s, int r, Error *reterr);
