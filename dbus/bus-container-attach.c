/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-container-attach.h"

#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "lib/base/str.h"

static const struct {
        const char *name;
        size_t offset;
} attach_flags[] = {
        { "Stdin", offsetof(AttachOptions, in) },
        { "Stdout", offsetof(AttachOptions, out) },
        { "Stderr", offsetof(AttachOptions, err) },
        { "Logs", offsetof(AttachOptions, logs) },
        { "Raw", offsetof(AttachOptions, raw) },
};

/* Texts stay in the message. */
static int read_attach_option(sd_bus_message *m, const char *name, void *userdata) {
        AttachOptions *o = userdata;
        int r;

        if (streq(name, "DetachKeys")) {
                r = sd_bus_message_read(m, "v", "s", &o->detach_keys);
                return r < 0 ? r : 1;
        }
        for (size_t i = 0; i < ARRAY_SIZE(attach_flags); i++)
                if (streq(name, attach_flags[i].name))
                        return bus_read_option_bool(
                                m, (bool *) ((char *) o + attach_flags[i].offset));
        return 0;
}

int bus_container_attach(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        AttachOptions options = { .in = true, .out = true, .err = true };
        _cleanup_(error_done) Error e = {};
        Container *c = userdata;
        BusReply *b;
        int fd, r;

        r = bus_read_options(m, "Attach", read_attach_option, &options, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);

        r = bus_container_auth(m, AUTH_EXEC, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new_stream(m, &b, &fd);
        if (r < 0)
                return r;
        return bus_reply_return(
                b, container_attach(c, &options, fd, NULL, 0, b->pending, &e), &e, reterr);
}

int bus_container_resize(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        Container *c = userdata;
        uint32_t height, width;
        BusReply *b;
        int r;

        r = sd_bus_message_read(m, "uu", &height, &width);
        if (r < 0)
                return r;
        if (height > UINT16_MAX || width > UINT16_MAX)
                return bus_error(reterr,
                        error_set(&e, ERROR_INVALID,
                                "a terminal of %" PRIu32 " by %" PRIu32 " characters is too large",
                                height, width),
                        &e);

        r = bus_container_auth(m, AUTH_MANAGE_CONTAINERS, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new(m, NULL, &b);
        if (r < 0)
                return r;
        return bus_reply_return(b, container_resize(c, height, width, b->pending, &e), &e, reterr);
}
