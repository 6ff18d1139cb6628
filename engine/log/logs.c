/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/logs.h"

#include <string.h>

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

/* Options of every driver. The pipe between container and monitor is the buffer, and a full one makes the container wait: nothing is lost.
 * Docker's other mode loses lines silently; it is refused rather than ignored. */
static int check_common(const char *key, const char *value, Error *reterr) {
        if (streq(key, "mode")) {
                if (streq(value, "blocking"))
                        return 1;
                if (streq(value, "non-blocking"))
                        return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                                "log opt 'mode=non-blocking' is not supported: no line is ever "
                                "dropped for speed");
                return error_set(reterr, ERROR_INVALID,
                        "logger: invalid mode '%s', must be blocking", value);
        }
        return 0;
}

int logs_check(const char *driver, char *const *opts, Error *reterr) {
        const LogDriver *d = logs_find(driver);

        if (!d)
                return error_set(reterr, ERROR_INVALID,
                        "error looking up logging plugin %s: plugin \"%s\" not found", driver,
                        driver);

        STRV_FOREACH (o, opts) {
                _cleanup_(freep) char *key = NULL, *value = NULL;
                int r;

                r = parse_key_value(*o, &key, &value);
                if (r < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid log opt '%s', must be KEY=VALUE", *o);
                r = check_common(key, value, reterr);
                if (r < 0)
                        return r;
                if (r == 0 && !(d->opts && str_in(key, d->opts)))
                        return error_set(reterr, ERROR_INVALID,
                                "unknown log opt '%s' for %s log driver", key, driver);
        }
        return d->check ? d->check(opts, reterr) : 0;
}
