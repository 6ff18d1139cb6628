/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The table of log drivers and the check of their options: one for the daemon (create, settings) and the monitor. */

#include "engine/log/driver.h"
#include "lib/base/error.h"

#define LOG_DRIVER_DEFAULT "json-file"

const LogDriver *logs_find(const char *driver); /* NULL: no such driver */
const char *const *logs_names(void); /* NULL-terminated, sorted: for /info and sentences */

/* opts: KEY=VALUE. Unknown driver, unknown option, bad value: -EINVAL, ERROR_INVALID with the sentence. */
int logs_check(const char *driver, char *const *opts, Error *reterr);

/* The value of an option, or NULL. */
const char *logs_option(char *const *opts, const char *key);
