/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container.h"
#include "engine/view/container-parts.h"
#include "engine/view/network-view.h"
#include "engine/view/container-view.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* Path and arguments; one with a blank in it stands in quotes. */
static int set_command(Json *v, const Container *c) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *text;
        int r = 0;

        STRV_FOREACH (word, c->path_and_args) {
                const char *quote = word != c->path_and_args && strchr(*word, ' ') ? "'" : "";

                r = buffer_printf(
                        &b, "%s%s%s%s", word == c->path_and_args ? "" : " ", quote, *word, quote);
                if (r < 0)
                        return r;
        }
        text = buffer_string(&b);
        return text ? json_set_text(v, "Command", text) : -ENOMEM;
}

static const char *health_words(const Container *c) {
        const char *status = container_health_status(c);

        return streq(status, "healthy")   ? " (healthy)"
             : streq(status, "unhealthy") ? " (unhealthy)"
             : streq(status, "starting")  ? " (health: starting)"
                                          : "";
}

static int set_status(Json *v, const Container *c) {
        int64_t now = clock_realtime_ns();
        char text[HUMAN_SIZE];

        if (container_is_restarting(c))
                return json_set_textf(v, "Status", "Restarting (%lld) %s ago",
                        (long long) c->exit_code,
                        human_duration((now - c->finished_ns) / NSEC_PER_SEC, text));

        switch (c->state) {
        case CONTAINER_PAUSED:
                return json_set_textf(v, "Status", "Up %s (Paused)",
                        human_duration((now - c->started_ns) / NSEC_PER_SEC, text));
        case CONTAINER_RUNNING:
                return json_set_textf(v, "Status", "Up %s%s",
                        human_duration((now - c->started_ns) / NSEC_PER_SEC, text),
                        health_words(c));
        case CONTAINER_REMOVING:
                return json_set_text(v, "Status", "Removal In Progress");
        default:
                if (!c->has_started)
                        return json_set_text(v, "Status", "Created");
                return json_set_textf(v, "Status", "Exited (%lld) %s ago", (long long) c->exit_code,
                        human_duration(c->finished_ns == CLOCK_NEVER
                                               ? 0
                                               : (now - c->finished_ns) / NSEC_PER_SEC,
                                text));
        }
}

static int set_host_config(Json *v, const Container *c, unsigned api) {
        Json *h;
        int r;

        r = json_set_new_object(v, "HostConfig", &h);
        if (r >= 0)
                r = json_set_text(h, "NetworkMode", str_or_empty(c->spec.host.network_mode));
        if (r >= 0 && api >= 1046 && c->spec.host.annotations)
                r = json_set_pairs(h, "Annotations", c->spec.host.annotations);
        return r;
}

static int set_names(Json *v, const Container *c) {
        _cleanup_(freep) char *name = NULL;
        Json *names;
        int r;

        name = str_concat("/", c->name);
        if (!name)
                return -ENOMEM;
        r = json_set_text(v, "Id", c->id);
        if (r >= 0)
                r = json_set_new_list(v, "Names", &names);
        if (r >= 0)
                r = json_append_text(names, name);
        if (r >= 0)
                r = json_set_text(v, "Image", container_image_name(c));
        return r < 0 ? r : json_set_text(v, "ImageID", c->image_id);
}

/* As Go does, without those that are zero. */
static int set_sizes(Json *v, const Container *c) {
        uint64_t own, all;
        int r = 0;

        container_size(c, &own, &all);
        if (own > 0)
                r = json_set_uint64(v, "SizeRw", own);
        if (r >= 0 && all > 0)
                r = json_set_uint64(v, "SizeRootFs", all);
        return r;
}

int container_view_row(const Container *c, unsigned api, int size, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *settings, *health;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = set_names(v, c);
        if (r >= 0)
                r = set_command(v, c);
        if (r >= 0)
                r = json_set_int64(v, "Created", c->created_ns / NSEC_PER_SEC);
        if (r >= 0)
                r = container_view_set_ports(v, c);
        if (r >= 0 && size)
                r = set_sizes(v, c);
        if (r >= 0)
                r = json_set_pairs(v, "Labels", c->spec.config.labels);
        if (r >= 0)
                r = json_set_text(v, "State", container_status(c));
        if (r >= 0)
                r = set_status(v, c);
        if (r >= 0)
                r = set_host_config(v, c, api);
        if (r >= 0 && api >= 1052) {
                r = json_set_new_object(v, "Health", &health);
                if (r >= 0)
                        r = json_set_text(health, "Status", container_health_status(c));
                if (r >= 0)
                        r = json_set_int64(health, "FailingStreak", c->health.failing_streak);
        }
        if (r >= 0)
                r = json_set_new_object(v, "NetworkSettings", &settings);
        if (r >= 0)
                r = container_view_set_networks(settings, c, api);
        if (r >= 0)
                r = container_view_set_mounts(v, c);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
