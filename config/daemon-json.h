/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* /etc/docker/daemon.json: its keys are rows of settings_table. An option that was given as a flag
 * too is an error, as in dockerd. */

#include <stddef.h>

#include "lib/base/error.h"

typedef struct Json Json;
typedef struct Setting Setting;
typedef struct Settings Settings;

/* Reads s->config_file. A missing file is fine unless --config-file named it. */
int daemon_json_apply(Settings *s, Error *reterr);

/* The same for text; path is for the sentences. */
int daemon_json_apply_text(
        Settings *s, const char *path, const char *text, size_t size, Error *reterr);

/* Every value in the file, as the word that the flag would have; key and value are gone after the
 * call. Of keys that have a form of their own and do not act (builder, nri-opts) there is none. A
 * missing file has no values. */
typedef int (*daemon_json_value_t)(
        const Setting *row, const char *value, void *userdata, Error *reterr);
int daemon_json_for_each(
        const char *path, daemon_json_value_t callback, void *userdata, Error *reterr);
