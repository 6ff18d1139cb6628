/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/security.h"
#include "engine/container/set.h"
#include "engine/core/hub.h"
#include "engine/host/sysinfo.h"
#include "engine/image/images.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* All moves there are; anything else is a bug of ours. */
static const bool allowed[_CONTAINER_STATE_MAX][_CONTAINER_STATE_MAX] = {
        [CONTAINER_CREATED] = {
                [CONTAINER_STARTING] = true,
                [CONTAINER_REMOVING] = true,
        },
        [CONTAINER_STARTING] = {
                [CONTAINER_CREATED] = true, /* it failed, and never ran before */
                [CONTAINER_EXITED] = true,  /* it failed, or was lost with the host */
                [CONTAINER_RUNNING] = true,
        },
        [CONTAINER_RUNNING] = {
                [CONTAINER_PAUSED] = true,
                [CONTAINER_EXITED] = true,
                [CONTAINER_RESTARTING] = true,
        },
        [CONTAINER_PAUSED] = {
                [CONTAINER_RUNNING] = true,
                [CONTAINER_EXITED] = true,
                [CONTAINER_RESTARTING] = true,
        },
        [CONTAINER_RESTARTING] = {
                [CONTAINER_STARTING] = true,
                [CONTAINER_EXITED] = true, /* it was stopped meanwhile, or its policy has changed */
        },
        [CONTAINER_EXITED] = {
                [CONTAINER_STARTING] = true,
                [CONTAINER_RESTARTING] = true, /* at the daemon's start, or its start failed for a passing reason */
                [CONTAINER_REMOVING] = true,
        },
        [CONTAINER_REMOVING] = {
                [CONTAINER_CREATED] = true, /* the removal failed */
                [CONTAINER_EXITED] = true,
        },
};

void container_move(Container *c, ContainerState to) {
        bool was_running = container_is_running(c);
        bool was_paused = c->state == CONTAINER_PAUSED;

        assert(to >= 0 && to < _CONTAINER_STATE_MAX);
        assert(allowed[c->state][to]);

        c->state = to;
        c->set->n_paused += (unsigned) (to == CONTAINER_PAUSED) - (unsigned) was_paused;
        if (was_running == container_is_running(c))
                return;

        c->set->n_running += was_running ? -1 : 1;
        if (c->image)
                image_set_user_running(c->image, c->id, !was_running);
}

void container_publish_pairs(Container *c, const char *action, char *const *more) {
        _cleanup_(strv_freep) char **attributes = NULL;
        int r;

        r = container_event_attributes(c, &attributes);
        if (r >= 0)
                r = strv_add_all(&attributes, more);
        if (r >= 0)
                r = hub_publish(c->set->hub, "container", action, c->id, attributes);
        if (r < 0)
                (void) log_container_warning(
                        c, r, "Failed to publish \"%s\": %m, ignoring", action);
}

void container_publish(Container *c, const char *action, const char *key, const char *value) {
        _cleanup_(strv_freep) char **more = NULL;

        if (key && strv_addf(&more, "%s=%s", key, value) < 0) {
                (void) log_oom();
                return;
        }
        container_publish_pairs(c, action, more);
}

int container_apparmor_profile(const Container *c, char **ret) {
        _cleanup_(security_options_done) SecurityOptions o = {};
        int r;

        if (!c->set->sysinfo->has_apparmor || c->started_ns == 0)
                return str_copy(ret, "");
        r = security_options_parse(c->spec.host.security_opt, &o, NULL);
        return r < 0 ? r : str_copy(ret, security_apparmor_profile(&c->spec.host, &o));
}
