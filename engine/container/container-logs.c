/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/set.h"
#include "engine/log/logs.h"
#include "engine/log/reader.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

struct ContainerLog {
        ListNode node; /* in the container while it lives */
        LogReader *reader;
};

static int make_options(const Container *c, char ***ret) {
        const char *key, *value;
        int r;

        PAIRS_FOREACH(key, value, c->spec.host.log_config.config) {
                r = strv_addf(ret, "%s=%s", key, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Whether it stops, for a container that does not run now, is the caller's business. */
static int open_log(Container *c, const LogReadOptions *options, log_message_t on_message,
        log_end_t on_end, void *userdata, ContainerLog **ret, Error *reterr) {
        _cleanup_(container_log_freep) ContainerLog *l = NULL;
        _cleanup_(strv_freep) char **opts = NULL;
        _cleanup_(freep) char *path = NULL;
        LogTarget target;
        int r;

        assert(c);
        assert(options);
        assert(ret);

        r = make_options(c, &opts);
        if (r < 0)
                return r;
        path = container_log_file(c);
        l = new0(ContainerLog, 1);
        if (!path || !l)
                return -ENOMEM;
        target = (LogTarget) {
                .id = c->id,
                .name = c->name,
                .image = str_or_empty(c->spec.config.image),
                .path = path,
                .opts = opts,
        };
        r = log_reader_new(c->spec.host.log_config.type, &target, options, &l->reader, reterr);
        if (r < 0)
                return r;
        r = log_reader_start(l->reader, c->set->event, on_message, on_end, userdata);
        if (r < 0)
                return r;

        list_append(&c->logs, &l->node);
        *ret = TAKE_PTR(l);
        return 0;
}

int container_logs(Container *c, const LogReadOptions *options, log_message_t on_message,
        log_end_t on_end, void *userdata, ContainerLog **ret, Error *reterr) {
        int r;

        r = open_log(c, options, on_message, on_end, userdata, ret, reterr);
        if (r >= 0 && !container_is_running(c) && c->state != CONTAINER_STARTING)
                log_reader_finish((*ret)->reader);
        return r;
}

int container_logs_keep(Container *c, const LogReadOptions *options, log_message_t on_message,
        void (*on_idle)(void *userdata), log_end_t on_end, void *userdata, ContainerLog **ret,
        Error *reterr) {
        int r;

        r = open_log(c, options, on_message, on_end, userdata, ret, reterr);
        if (r >= 0)
                log_reader_on_idle((*ret)->reader, on_idle);
        return r;
}

int container_log_read_to(ContainerLog *l, const LogPlace *place) {
        return log_reader_read_to(l->reader, place);
}

void container_log_pause(ContainerLog *l) {
        log_reader_pause(l->reader);
}

void container_log_resume(ContainerLog *l) {
        log_reader_resume(l->reader);
}

ContainerLog *container_log_free(ContainerLog *l) {
        if (!l)
                return NULL;

        list_remove(&l->node);
        log_reader_free(l->reader);
        free(l);
        return NULL;
}

/* Its readers yield what is there and end; when the container goes away they read on from the files they hold. */
void container_logs_finish(Container *c, bool removed) {
        ContainerLog *l;

        LIST_FOREACH_SAFE (l, &c->logs, node) {
                log_reader_finish(l->reader);
                if (removed)
                        list_remove(&l->node);
        }
}
