/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-container-attach.h"

#include <sys/socket.h>

#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/core/pending.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
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

/* A call that is answered when the engine has taken the other end. */
typedef struct AttachCall {
        sd_bus_message *m;
        int fd;
        Pending *pending;
} AttachCall;

static AttachCall *attach_call_free(AttachCall *k) {
        if (!k)
                return NULL;
        pending_unref(k->pending);
        sd_bus_message_unref(k->m);
        (void) fd_close(k->fd);
        return mfree(k);
}
DEFINE_CLEANUP(AttachCall *, attach_call_free);

static void on_attached(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(attach_call_freep) AttachCall *k = userdata;

        if (r < 0) {
                (void) bus_error(&error, r, e);
                r = sd_bus_reply_method_error(k->m, &error);
        } else
                r = sd_bus_reply_method_return(k->m, "h", k->fd);
        if (r < 0)
                log_debug_errno(r, "Failed to answer a call of Attach: %m");
}

int bus_container_attach(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(attach_call_freep) AttachCall *k = NULL;
        _cleanup_(error_done) Error e = {};
        Container *c = userdata;
        AttachOptions options = { .in = true, .out = true, .err = true };
        AttachCall *call;
        int pair[2], r;

        r = bus_read_options(m, "Attach", read_attach_option, &options, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);

        r = bus_container_auth(m, AUTH_EXEC, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        k = new0(AttachCall, 1);
        if (!k)
                return -ENOMEM;
        k->fd = -EBADF;
        r = pending_new(on_attached, k, &k->pending);
        if (r >= 0)
                r = fd_socketpair(SOCK_STREAM, pair);
        if (r < 0)
                return r;
        k->m = sd_bus_message_ref(m);
        k->fd = pair[0];

        call = TAKE_PTR(k); /* answered perhaps before this returns */
        r = container_attach(c, &options, pair[1], NULL, 0, call->pending, &e);
        if (r < 0) {
                attach_call_free(call);
                return bus_error(reterr, r, &e);
        }
        return 1;
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
        r = container_resize(c, height, width, b->pending, &e);
        if (r >= 0)
                return 1;
        bus_reply_free(b);
        return bus_error(reterr, r, &e);
}
