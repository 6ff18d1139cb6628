/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/view/event-view.h"

#include "engine/core/hub.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

const char *const event_filter_keys[] = { "config", "container", "daemon", "event", "image",
        "label", "network", "node", "plugin", "scope", "secret", "service", "type", "volume",
        NULL };

static int attributes_to_pairs(const Event *e, char ***ret) {
        _cleanup_(strv_freep) char **pairs = NULL;
        int r;

        STRV_FOREACH (entry, e->attributes) {
                _cleanup_(freep) char *key = NULL, *value = NULL;

                r = str_split_pair(*entry, '=', &key, &value);
                if (r >= 0)
                        r = pairs_set(&pairs, key, value);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(pairs);
        return 0;
}

int event_view(const Event *e, unsigned api, Json **ret) {
        _cleanup_(strv_freep) char **pairs = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *actor;
        int r;

        r = attributes_to_pairs(e, &pairs);
        if (r < 0)
                return r;
        r = json_new_object(&v);
        if (r < 0)
                return r;

        if (api < 1052 && STR_IN_SET(e->type, "container", "image")) {
                const char *from = pairs_get(pairs, "image");

                r = json_set_text(v, "status", e->action);
                if (r >= 0)
                        r = json_set_text(v, "id", e->id);
                if (r >= 0 && from)
                        r = json_set_text(v, "from", from);
        }
        if (r >= 0)
                r = json_set_text(v, "Type", e->type);
        if (r >= 0)
                r = json_set_text(v, "Action", e->action);
        if (r >= 0)
                r = json_set_new_object(v, "Actor", &actor);
        if (r >= 0)
                r = json_set_text(actor, "ID", e->id);
        if (r >= 0)
                r = json_set_pairs(actor, "Attributes", pairs);
        if (r >= 0)
                r = json_set_text(v, "scope", "local");
        if (r >= 0)
                r = json_set_uint64(v, "time", e->time_nsec / (uint64_t) NSEC_PER_SEC);
        if (r >= 0)
                r = json_set_uint64(v, "timeNano", e->time_nsec);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}

/* "exec_create" matches "exec_create: sh" as well. */
static bool matches_action(const Event *e, const Filter *f) {
        static const char *const with_rest[] = { "exec_create", "exec_start", "health_status",
                NULL };

        if (filter_match_exact(f, "event", e->action))
                return true;
        STRV_FOREACH (value, (char **) filter_values(f, "event")) {
                const char *rest;

                if (!str_in(*value, with_rest))
                        continue;
                rest = str_starts(e->action, *value);
                if (rest && str_starts(rest, ": "))
                        return true;
        }
        return false;
}

/* By id, a prefix of it, or name; of events of that type only. An image also by the containers made of it. */
static bool matches_object(const Event *e, const Filter *f, const char *key, char *const *pairs) {
        const char *name = pairs_get(pairs, "name"), *image = pairs_get(pairs, "image");
        bool is_image = streq(key, "image");

        if (!filter_has(f, key))
                return true;
        if (!streq(e->type, key) && !(is_image && streq(e->type, "container")))
                return false;

        STRV_FOREACH (value, (char **) filter_values(f, key)) {
                if (streq(e->type, key)) {
                        if (str_equal(*value, e->id) || str_equal(*value, name) ||
                                (!str_empty(*value) && str_starts(e->id, *value)))
                                return true;
                        if (!is_image || !name)
                                continue;
                        image = name;
                }
                if (is_image && image) {
                        const char *rest = str_starts(image, *value);

                        /* "busybox" stands for all its tags. */
                        if (rest && (!*rest || *rest == ':'))
                                return true;
                }
        }
        return false;
}

bool event_matches(const Event *e, const Filter *f) {
        static const char *const objects[] = { "container", "image", "network", "volume", "daemon",
                "plugin", "config", "node", "secret", "service" };
        _cleanup_(strv_freep) char **pairs = NULL;

        if (!f)
                return true;
        if (attributes_to_pairs(e, &pairs) < 0)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
                if (!matches_object(e, f, objects[i], pairs))
                        return false;
        return matches_action(e, f) && filter_match_exact(f, "type", e->type) &&
               filter_match_exact(f, "scope", "local") && filter_match_labels(f, pairs);
}
