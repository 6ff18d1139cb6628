/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/logs.h"

#include <string.h>

#include "engine/log/ring.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static const LogDriver *const drivers[] = {
        &log_driver_json_file,
        &log_driver_journald,
        &log_driver_local,
        &log_driver_none,
        &log_driver_syslog,
};

static const char *const names[] = { "journald", "json-file", "local", "none", "syslog", NULL };

const LogDriver *logs_find(const char *driver) {
        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
                if (streq(drivers[i]->name, driver))
                        return drivers[i];
        return NULL;
}

const char *const *logs_names(void) {
        return names;
}

const char *logs_option(char *const *opts, const char *key) {
        return strv_env_get(opts, key);
}

int logs_check(const char *driver, char *const *opts, Error *reterr) {
        const LogDriver *d = logs_find(driver);
        int r;

        if (!d)
                return error_set(reterr, ERROR_INVALID,
                        "error looking up logging plugin %s: plugin \"%s\" not found", driver,
                        driver);

        STRV_FOREACH (o, opts) {
                _cleanup_(freep) char *key = NULL, *value = NULL;

                r = parse_key_value(*o, &key, &value);
                if (r < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid log opt '%s', must be KEY=VALUE", *o);
                if (!STR_IN_SET(key, "mode", "max-buffer-size") &&
                        !(d->opts && str_in(key, d->opts)))
                        return error_set(reterr, ERROR_INVALID,
                                "unknown log opt '%s' for %s log driver", key, driver);
        }
        r = log_ring_check(opts, reterr);
        return r < 0 ? r : d->check ? d->check(opts, reterr) : 0;
}
