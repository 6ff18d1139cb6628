/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>

#include "engine/container/containers.h"
#include "engine/container/set.h"
#include "engine/container/start.h"
#include "engine/core/pending.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

/* The check itself is run by the monitor. Here: what it has to do, and what follows from what it says. */

#define INTERVAL_DEFAULT       (30 * USEC_PER_SEC)
#define TIMEOUT_DEFAULT        (30 * USEC_PER_SEC)
#define START_INTERVAL_DEFAULT (5 * USEC_PER_SEC)
#define RETRIES_DEFAULT        3

const char *container_on_unhealthy(const Container *c) {
        const char *what = pairs_get(c->spec.config.labels, ON_UNHEALTHY_LABEL);

        return str_empty(what) ? "none" : what;
}

bool container_has_health(const Container *c) {
        const HealthSpec *h = c->spec.config.healthcheck;

        return h && !strv_empty(h->test) && STR_IN_SET(h->test[0], "CMD", "CMD-SHELL");
}

const char *container_health_status(const Container *c) {
        if (!container_has_health(c))
                return "none";
        return str_or(c->health.status, "starting");
}

static uint64_t usec_or(int64_t nsec, uint64_t otherwise) {
        return nsec > 0 ? (uint64_t) ((nsec + NSEC_PER_USEC - 1) / NSEC_PER_USEC) : otherwise;
}

/* CMD-SHELL: by the shell of the image, or /bin/sh -c. */
static int make_command(const ContainerConfig *config, char ***ret) {
        char **test = config->healthcheck->test;
        int r;

        if (streq(test[0], "CMD"))
                return strv_add_all(ret, test + 1);
        if (strv_empty(config->shell)) {
                r = strv_add(ret, "/bin/sh");
                if (r >= 0)
                        r = strv_add(ret, "-c");
        } else
                r = strv_add_all(ret, config->shell);
        return r < 0 ? r : strv_add_all(ret, test + 1);
}

int container_health_make(const Container *c, MonitorHealth **ret) {
        const HealthSpec *spec = c->spec.config.healthcheck;
        MonitorHealth *h;
        int r;

        if (!container_has_health(c) || !spec->test[1])
                return 0;
        *ret = h = new0(MonitorHealth, 1);
        if (!h)
                return -ENOMEM;
        h->interval_usec = usec_or(spec->interval, INTERVAL_DEFAULT);
        h->timeout_usec = usec_or(spec->timeout, TIMEOUT_DEFAULT);
        h->start_period_usec = usec_or(spec->start_period, 0);
        h->start_interval_usec = usec_or(spec->start_interval, START_INTERVAL_DEFAULT);
        h->retries = spec->retries > 0 ? spec->retries : RETRIES_DEFAULT;
        r = make_command(&c->spec.config, &h->command);
        return r < 0 ? r : str_copy(&h->on_unhealthy, container_on_unhealthy(c));
}

void container_health_reset(Container *c) {
        health_state_done(&c->health);
        c->health = (HealthState) {};
        c->health_restart = false;
}

/* Nobody waits: how it went shows the state of the container. */
static void on_restarted(int r, void *result, const Error *e, void *userdata) {
        if (r < 0)
                log_warning(
                        "Failed to restart an unhealthy container: %s, ignoring", error_text(e, r));
}

static void restart(Container *c) {
        _cleanup_(pending_unrefp) Pending *p = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        if (c->health_restart)
                return;
        c->health_restart = true; /* once; the next run begins anew */
        r = pending_new(on_restarted, NULL, &p);
        if (r >= 0)
                r = container_restart(c, CONTAINER_TIMEOUT_DEFAULT, NULL, p, &e);
        if (r < 0)
                (void) log_container_warning(c, r,
                        "Failed to restart the unhealthy container: %s, ignoring",
                        error_text(&e, r));
}

/* The monitor says it after each probe, and again to a daemon that connects: then the same as before is no news. */
void container_handle_health(Container *c, const MonitorRecord *record) {
        _cleanup_(freep) char *before = NULL, *text = NULL, *action = NULL;
        HealthState fresh = {};
        int r;

        if (!record->health)
                return;
        r = json_write_text(record->health, health_state_fields, &text);
        if (r >= 0)
                r = json_read_text(text, strlen(text), health_state_fields, &fresh, 0, NULL);
        if (r < 0)
                return;
        before = TAKE_PTR(c->health.status);
        health_state_done(&c->health);
        c->health = fresh;

        if (!str_equal(str_or(before, "starting"), fresh.status) &&
                str_printf(&action, "health_status: %s", fresh.status) >= 0)
                container_publish(c, action, NULL, NULL);
        if (str_equal(fresh.status, "unhealthy") && streq(container_on_unhealthy(c), "restart"))
                restart(c);
}
