/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How one value of a row gets into struct Settings: the store functions of settings_table. The
 * value has passed setting_check(). */

#include "lib/base/error.h"

typedef struct Setting Setting;
typedef struct Settings Settings;

int setting_store_bool(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_string(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_strv(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_size(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_unsigned(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_map(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_feature(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_label(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_host(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_log_level(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_runtime(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_ulimit(Settings *s, const Setting *row, const char *value, Error *reterr);
int setting_store_verb(Settings *s, const Setting *row, const char *value, Error *reterr);
