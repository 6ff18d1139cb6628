/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/config-changes.h"

#include <errno.h>

#include "config/options.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"

void config_changes_done(ConfigChanges *c) {
        for (size_t i = 0; i < c->n; i++)
                strv_free((char **) c->items[i].values);
        free(c->items);
        *c = (ConfigChanges) {};
}

int config_changes_read(sd_bus_message *m, ConfigChanges *ret, sd_bus_error *reterr) {
        _cleanup_(config_changes_done) ConfigChanges c = {};
        size_t allocated = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sas)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'r', "sas")) > 0) {
                char **values = NULL;
                const char *name;

                if (c.n >= OPTION_CHANGES_MAX)
                        return sd_bus_error_set(reterr, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                       "Too many changes at once"),
                             -E2BIG;
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                r = sd_bus_message_read_strv(m, &values);
                if (r < 0)
                        return r;
                r = array_grow(&c.items, &allocated, c.n + 1);
                if (r < 0) {
                        strv_free(values);
                        return r;
                }
                c.items[c.n++] = (OptionChange) { .name = name, .values = values };
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(c);
        return sd_bus_message_exit_container(m);
}
