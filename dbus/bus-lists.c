/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of containers and images as REST gives them, with all that is in their rows. */
#include "dbus/bus-auth.h"
#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/engine.h"
#include "engine/image/images.h"
#include "engine/view/container-view.h"
#include "engine/view/image-view.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/json/json.h"

static int reply_rows(sd_bus_message *m, Json *rows) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = json_print(rows, JSON_COMPACT, &text);
        return r < 0 ? r : sd_bus_reply_method_return(m, "s", text);
}

/* ---- containers ---- */

typedef struct Wish {
        Filter *filter;
        int64_t limit;
        int all, size;
} Wish;

static void wish_done(Wish *w) {
        filter_free(w->filter);
}

/* Again when it was measured: the call may wait. */
static int read_wish(sd_bus_message *m, Wish *w, Error *reterr) {
        int r;

        r = sd_bus_message_rewind(m, /* complete= */ true);
        if (r >= 0)
                r = sd_bus_message_read(m, "b", &w->all);
        if (r >= 0)
                r = bus_read_filter(m, container_filter_keys, &w->filter, reterr);
        return r < 0 ? r : sd_bus_message_read(m, "xb", &w->limit, &w->size);
}

static int find_containers(
        Engine *e, const Wish *w, Container ***ret, size_t *ret_n, Error *reterr) {
        return containers_list(e->containers, w->all, w->limit, w->filter, ret, ret_n, reterr);
}

static int reply_containers(sd_bus_message *m, Engine *e, const Wish *w, Error *reterr) {
        _cleanup_(freep) Container **list = NULL;
        _cleanup_(json_unrefp) Json *rows = NULL;
        size_t n;
        int r;

        r = find_containers(e, w, &list, &n, reterr);
        if (r >= 0)
                r = json_new_list(&rows);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = container_view_row(list[i], VIEW_API_LATEST, w->size, &row);
                if (r >= 0)
                        r = json_append(rows, row);
        }
        return r < 0 ? r : reply_rows(m, rows);
}

/* A failure here is one of memory, or of a message that had been read before. */
static int reply_measured(sd_bus_message *m, void *result, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(wish_done) Wish w = {};
        _cleanup_(error_done) Error e = {};
        int r;

        r = read_wish(m, &w, &e);
        if (r >= 0)
                r = reply_containers(m, userdata, &w, &e);
        if (r >= 0)
                return r;
        (void) bus_error(&error, r, &e);
        return sd_bus_reply_method_error(m, &error);
}

int bus_manager_list_containers_as_json(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(freep) Container **list = NULL;
        _cleanup_(wish_done) Wish w = {};
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        BusReply *b;
        size_t n;
        int r;

        r = read_wish(m, &w, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        if (!w.size) {
                r = reply_containers(m, e, &w, &error);
                return r < 0 ? bus_error(reterr, r, &error) : r;
        }
        r = find_containers(e, &w, &list, &n, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = bus_reply_new(m, NULL, &b);
        if (r < 0)
                return r;
        b->late_reply = reply_measured;
        b->userdata = e;
        return bus_reply_return(
                b, containers_measure(e->containers, list, n, b->pending, &error), &error, reterr);
}

/* ---- images ---- */

int bus_manager_list_images_as_json(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(freep) Image **list = NULL;
        _cleanup_(json_unrefp) Json *rows = NULL;
        size_t n;
        int r;

        r = bus_manager_find_images(m, userdata, &list, &n, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = json_new_list(&rows);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = image_view_row(list[i], VIEW_API_LATEST, &row);
                if (r >= 0)
                        r = json_append(rows, row);
        }
        return r < 0 ? r : reply_rows(m, rows);
}
