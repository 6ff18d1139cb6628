/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "dbus/bus-auth.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/view/container-view.h"
#include "engine/view/image-view.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define GETTER(name)                                                          \
        static int name(sd_bus *bus, const char *path, const char *interface, \
                const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *reterr)

GETTER(get_text) {
        return sd_bus_message_append(reply, "s", str_or_empty(*(char **) userdata));
}

GETTER(get_strv) {
        return sd_bus_message_append_strv(reply, *(char ***) userdata);
}

GETTER(get_timestamp) {
        int64_t ns = *(int64_t *) userdata;

        return sd_bus_message_append(
                reply, "t", ns == CLOCK_NEVER ? UINT64_C(0) : (uint64_t) (ns / NSEC_PER_USEC));
}

GETTER(get_labels) {
        const Image *i = userdata;
        const char *key, *value;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "{ss}");
        PAIRS_FOREACH(key, value, i->config.config.labels)
        if (r >= 0)
                r = sd_bus_message_append(reply, "{ss}", key, value);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

GETTER(get_containers) {
        const Image *i = userdata;

        return sd_bus_message_append(reply, "u", (uint32_t) i->n_users);
}

int bus_image_auth(sd_bus_message *m, AuthAction action, const Image *i, sd_bus_error *reterr) {
        const char *const details[] = { "image",
                i->repo_tags && i->repo_tags[0] ? i->repo_tags[0] : i->id, NULL };

        return bus_auth(m, action, i->id, details, reterr);
}

static int method_tag(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        const char *repository, *tag;
        Image *i = userdata;
        int r;

        r = sd_bus_message_read(m, "ss", &repository, &tag);
        if (r < 0)
                return r;

        r = bus_image_auth(m, AUTH_MANAGE_IMAGES, i, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = images_tag(i->images, i, repository, tag, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_remove(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(strv_freep) char **actions = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *id = NULL;
        Image *i = userdata;
        int force, no_prune, r;

        r = sd_bus_message_read(m, "bb", &force, &no_prune);
        if (r < 0)
                return r;

        r = bus_image_auth(m, AUTH_MANAGE_IMAGES, i, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        id = strdup(i->id); /* i goes away in the call */
        if (!id)
                return -ENOMEM;
        r = images_remove(i->images, id, force, no_prune, &actions, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, actions);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

static int reply_view(sd_bus_message *m, const Image *i,
        int (*view)(const Image *, unsigned, Json **), sd_bus_error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = bus_image_auth(m, AUTH_VIEW, i, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = view(i, VIEW_API_LATEST, &v);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "s", text);
}

static int method_inspect(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return reply_view(m, userdata, image_view_inspect, reterr);
}

static int method_history(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return reply_view(m, userdata, image_view_history, reterr);
}

/* clang-format off */
const sd_bus_vtable bus_image_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Id", "s", get_text, offsetof(Image, id), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("RepoTags", "as", get_strv, offsetof(Image, repo_tags), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("RepoDigests", "as", get_strv, offsetof(Image, repo_digests), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("CreatedTimestamp", "t", get_timestamp, offsetof(Image, created_ns), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Size", "t", NULL, offsetof(Image, size), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Architecture", "s", get_text, offsetof(Image, config.architecture), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Os", "s", get_text, offsetof(Image, config.os), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Author", "s", get_text, offsetof(Image, config.author), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Labels", "a{ss}", get_labels, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("NContainers", "u", get_containers, 0, 0),

        SD_BUS_METHOD_WITH_ARGS("Tag", SD_BUS_ARGS("s", repository, "s", tag), SD_BUS_NO_RESULT, method_tag, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("b", force, "b", no_prune), SD_BUS_RESULT("as", actions), method_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inspect", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_inspect, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("History", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", json), method_history, SD_BUS_VTABLE_UNPRIVILEGED),

        SD_BUS_VTABLE_END
};
/* clang-format on */
