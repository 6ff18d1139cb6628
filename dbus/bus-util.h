/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Small things every bus interface needs: Error → sd_bus_error, entries of an a{sv}, object paths.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

/* Error names are PREFIX.Error.NotFound and so on; set once by main(), a literal:
 * "org.stauer.Engine1". */
void bus_error_set_prefix(const char *prefix);

/* For a handler: `return bus_error(reterr, r, &e);`. Takes kind and text of e when it has them,
 * else r. Negative. */
int bus_error(sd_bus_error *reterr, int r, const Error *e);
const char *bus_error_kind_name(ErrorKind kind); /* "NotFound" */

/* One {sv} entry of an open a{sv}. A NULL string or vector leaves the entry out. */
int bus_append_dict_string(sd_bus_message *m, const char *key, const char *value);
int bus_append_dict_strv(sd_bus_message *m, const char *key, char *const *value);
int bus_append_dict_path(sd_bus_message *m, const char *key, const char *value);
int bus_append_dict_bool(sd_bus_message *m, const char *key, bool value);
int bus_append_dict_int64(sd_bus_message *m, const char *key, int64_t value);
int bus_append_dict_uint32(sd_bus_message *m, const char *key, uint32_t value);
int bus_append_dict_uint64(sd_bus_message *m, const char *key, uint64_t value);
int bus_append_dict_double(sd_bus_message *m, const char *key, double value);

/* PREFIX/ID with what D-Bus does not allow in a path escaped (_2e for "."), and back. Digits and
 * letters stay as they are, also in front: a container's path ends in its id. */
int bus_path_make(const char *prefix, const char *id, char **ret);
int bus_path_parse(const char *path, const char *prefix,
        char **ret_id); /* 1: found, 0: not below prefix or broken */

/* PropertiesChanged and other names are checked where they are made; text from outside (R12) is not
 * always UTF-8, which the bus demands. */
int bus_append_text(sd_bus_message *m, const char *text);

/* Options of a method, an a{sv}: read() is called for each, at its variant. 1: taken, 0: unknown, negative: of another type. */
int bus_read_options(sd_bus_message *m, const char *method,
        int (*read)(sd_bus_message *m, const char *name, void *userdata), void *userdata,
        Error *reterr);
/* One "b" of them into a bool. 1, or negative. */
int bus_read_option_bool(sd_bus_message *m, bool *ret);
/* An "as"; what was there is freed. */
int bus_read_option_strv(sd_bus_message *m, char ***ret);
