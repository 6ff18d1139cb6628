/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/config-changes.h"

#include <errno.h>

#include "config/options.h"
#include "config/settings-table.h"
#include "config/sysconfig.h"
#include "dbus/bus-util.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
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

static int append_problem(
        sd_bus_message *m, const char *severity, const char *name, const char *text) {
        int r;

        r = sd_bus_message_open_container(m, 'r', "sss");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ss", severity, name);
        if (r < 0)
                return r;
        r = bus_append_text(m, text);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

const char *config_raw_options(const Options *o) {
        const SysconfigEntry *e = sysconfig_find(o->file, "DOCKER_OPTS");

        return e ? e->raw : "";
}

/* Each change by itself, so that all that is wrong is told at once; then the whole. */
int config_changes_check(
        Options *o, const ConfigChanges *changes, sd_bus_message *reply, bool *ret_valid) {
        _cleanup_(freep) char *warning = NULL;
        _cleanup_(error_done) Error whole = {};
        bool valid = true;
        int r;

        for (size_t i = 0; i < changes->n; i++) {
                _cleanup_(error_done) Error e = {};

                r = options_change(o, changes->items + i, 1, &e);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        valid = false;
                        r = append_problem(
                                reply, "error", changes->items[i].name, error_text(&e, r));
                        if (r < 0)
                                return r;
                }
        }

        r = options_check(o, &warning, &whole);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || (r == 0 && changes->n == 0)) {
                valid = false;
                r = append_problem(reply, "error", "", warning ?: error_text(&whole, r));
        } else if (r == 0)
                r = append_problem(reply, "warning", "", warning);
        if (r < 0)
                return r;

        for (size_t i = 0; i < changes->n; i++) {
                const Setting *row = setting_resolve(setting_find(changes->items[i].name));

                if (row && !(row->flags & SETTING_ACTS) && !strv_empty(changes->items[i].values)) {
                        r = append_problem(reply, "warning", row->name,
                                "This option is known but has no effect in this version");
                        if (r < 0)
                                return r;
                }
        }

        *ret_valid = valid;
        return 0;
}
