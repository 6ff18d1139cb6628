/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-objects.h"

#include <sys/socket.h>

#include "dbus/bus-util.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"

static List replies; /* of the one bus that a daemon serves */

BusReply *bus_reply_free(BusReply *b) {
        if (!b)
                return NULL;

        list_remove(&b->node);
        pending_detach(b->pending);
        pending_unref(b->pending);
        sd_bus_message_unref(b->m);
        fd_close(b->fd);
        if (b->free_userdata)
                b->free_userdata(b->userdata);
        return mfree(b);
}

static void on_complete(int r, void *result, const Error *e, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        BusReply *b = userdata;
        int k = r;

        if (r < 0)
                (void) bus_error(&error, r, e);
        else if (b->fd_reply)
                k = b->fd_reply(b->m, result, b->fd);
        else if (b->fd >= 0)
                k = sd_bus_reply_method_return(b->m, "h", b->fd);
        else if (b->late_reply)
                k = b->late_reply(b->m, result, b->userdata);
        else if (b->result_reply)
                k = b->result_reply(b->m, result);
        else
                k = sd_bus_reply_method_return(b->m, NULL);
        if (k < 0 && r >= 0)
                (void) bus_error(&error, k, NULL);
        if (k < 0)
                k = sd_bus_reply_method_error(b->m, &error);
        if (k < 0)
                log_debug_errno(
                        k, "Failed to answer %s, ignoring: %m", sd_bus_message_get_member(b->m));

        bus_reply_free(b);
}

int bus_reply_new(sd_bus_message *m, bus_reply_t result_reply, BusReply **ret) {
        BusReply *b;
        int r;

        assert(m);
        assert(ret);

        b = new0(BusReply, 1);
        if (!b)
                return -ENOMEM;

        r = pending_new(on_complete, b, &b->pending);
        if (r < 0) {
                free(b);
                return r;
        }

        b->fd = -EBADF;
        b->m = sd_bus_message_ref(m);
        b->result_reply = result_reply;
        list_append(&replies, &b->node);
        *ret = b;
        return 0;
}

int bus_reply_new_stream(sd_bus_message *m, BusReply **ret, int *ret_fd) {
        int pair[2], r;

        r = fd_socketpair(SOCK_STREAM, pair);
        if (r < 0)
                return r;
        r = bus_reply_new(m, NULL, ret);
        if (r < 0) {
                (void) fd_close(pair[0]);
                (void) fd_close(pair[1]);
                return r;
        }
        (*ret)->fd = pair[0];
        *ret_fd = pair[1];
        return 0;
}

int bus_reply_return(BusReply *b, int r, const Error *e, sd_bus_error *reterr) {
        if (r >= 0)
                return 1;
        bus_reply_free(b);
        return bus_error(reterr, r, e);
}

void bus_replies_end(void) {
        _cleanup_(error_done) Error e = {};
        BusReply *b;
        int r;

        r = error_set(&e, ERROR_UNAVAILABLE, "the engine is being stopped");
        while ((b = list_first(&replies, BusReply, node)))
                on_complete(r, NULL, &e, b);
}
