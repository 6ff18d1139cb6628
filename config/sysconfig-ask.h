/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The options file as another process has read it. Augeas and what it brings along (libxml2, ICU, the C++ library) are a fifth of the
 * daemon's memory for something that is done once, so `stauer-configd --tell` does it and ends. What it prints is one JSON object:
 *
 *         {"Exists": true, "Entries": [{"Name": "DOCKER_OPTS", "Raw": "base64", "Line": 3}, …]}
 *         {"Kind": "invalid", "Text": "/etc/sysconfig/docker, line 3: …"}                          exit code 1
 */

#include "lib/base/error.h"

typedef struct Settings Settings;
typedef struct Sysconfig Sysconfig;

/* A settings_reader_t. Starts s->configd and waits for it, 20 s at most. No process for a file that is not there. The Sysconfig can be
 * looked at; it has no text, stat or etag, and can be neither changed nor saved. */
int sysconfig_ask(const Settings *s, Sysconfig **ret, Error *reterr);

/* What the other process prints. reterr's half: r is what failed. */
int sysconfig_tell(const Sysconfig *s, char **ret);
int sysconfig_tell_error(const Error *e, int r, char **ret);
