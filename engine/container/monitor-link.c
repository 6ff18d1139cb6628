/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/monitor-link.h"

#include <sys/socket.h>

#include "engine/container/set.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/event/channel.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

#define COMMANDS_MAX 1024U

typedef struct LinkCommand {
        ListNode node;
        MonitorLink *link;
        uint64_t serial;
        monitor_reply_t reply; /* NULL: forgotten */
        void *userdata;
        sd_event_source *deadline;
} LinkCommand;

struct MonitorLink {
        Container *container;
        Channel *channel; /* NULL after the hang-up */
        uint64_t last_serial;
        List commands; /* oldest first */
        unsigned n_commands;
        bool released;
};

static LinkCommand *link_command_free(LinkCommand *k) {
        list_remove(&k->node);
        k->link->n_commands--;
        loop_source_free(k->deadline);
        free(k);
        return NULL;
}

static void command_finish(LinkCommand *k, int r, const Error *e) {
        monitor_reply_t reply = k->reply;
        void *userdata = k->userdata;

        link_command_free(k);
        if (reply)
                reply(r, e, userdata);
}

/* What was asked gets its answer. A handler may free the link that its container has. */
static void fail_commands(MonitorLink *l) {
        _cleanup_(error_done) Error e = {};
        LinkCommand *k;
        int r;

        r = error_set(
                &e, ERROR_UNAVAILABLE, "the monitor of container %s is gone", l->container->id);
        while ((k = list_first(&l->commands, LinkCommand, node)))
                command_finish(k, r, &e);
}

MonitorLink *monitor_link_free(MonitorLink *l) {
        if (!l)
                return NULL;

        fail_commands(l);
        channel_free(l->channel);
        free(l);
        return NULL;
}

static void handle_reply(MonitorLink *l, const MonitorRecord *record) {
        _cleanup_(error_done) Error e = {};
        LinkCommand *k = NULL;
        int r = 0;

        LIST_FOREACH (k, &l->commands, node)
                if (k->serial == record->serial)
                        break;
        if (!k || k->serial != record->serial)
                return; /* it came after its deadline */

        if (!str_empty(record->error_kind)) {
                ErrorKind kind = error_kind_from_string(record->error_kind);

                r = error_set(&e, kind > ERROR_NONE ? kind : ERROR_INTERNAL, "%s",
                        str_or(record->error, record->error_kind));
        }
        command_finish(k, r, &e);
}

static int on_record(Channel *channel, Json *v, int *fds, size_t n_fds, void *userdata) {
        _cleanup_(monitor_record_done) MonitorRecord record = {};
        _cleanup_(error_done) Error e = {};
        MonitorLink *l = userdata;
        int r;

        r = monitor_record_read(v, &record, &e);
        if (r < 0) {
                (void) log_container_error(
                        l->container, r, "Monitor sent a broken record: %s", error_text(&e, r));
                return r;
        }
        if (record.type == MONITOR_REPLY)
                handle_reply(l, &record);
        else
                container_handle_record(l->container, &record);
        return 0;
}

static void on_hangup(Channel *channel, int r, void *userdata) {
        MonitorLink *l = userdata;
        Container *c = l->container;

        if (r < 0)
                (void) log_container_error(c, r, "Connection to the monitor broke: %m");
        l->channel = channel_free(l->channel);
        container_handle_hangup(c);
}

int monitor_link_open(Container *c, MonitorLink **ret) {
        _cleanup_(monitor_link_freep) MonitorLink *l = NULL;
        _cleanup_(fd_closep) int folder = -EBADF;
        int fd, r;

        assert(c);
        assert(ret);

        folder = file_open_dir(c->set->run_fd, c->id);
        if (folder < 0)
                return folder;
        fd = fd_connect_at(folder, MONITOR_SOCKET, SOCK_SEQPACKET | SOCK_NONBLOCK);
        if (fd < 0)
                return fd;

        l = new0(MonitorLink, 1);
        if (!l) {
                fd_close(fd);
                return -ENOMEM;
        }
        l->container = c;
        list_init(&l->commands);
        r = channel_new(c->set->event, fd, "monitor", on_record, on_hangup, l, &l->channel);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(error_done) Error e = {};
        LinkCommand *k = userdata;
        int r;

        r = error_set(&e, ERROR_TIMEOUT, "the monitor of container %s does not answer",
                k->link->container->id);
        command_finish(k, r, &e);
        return 0;
}

int monitor_link_command(
        MonitorLink *l, const MonitorCommand *command, monitor_reply_t reply, void *userdata) {
        return monitor_link_command_fds(l, command, NULL, 0, reply, userdata);
}

int monitor_link_command_fds(MonitorLink *l, const MonitorCommand *command, const int *fds,
        size_t n_fds, monitor_reply_t reply, void *userdata) {
        MonitorCommand numbered = *command;
        _cleanup_(json_unrefp) Json *v = NULL;
        LinkCommand *k;
        int r;

        assert(l);

        if (!l->channel || l->released)
                return -ENOTCONN;
        if (l->n_commands >= COMMANDS_MAX)
                return -ENOBUFS;

        numbered.serial = ++l->last_serial;
        r = json_write(&numbered, monitor_command_fields, &v);
        if (r < 0)
                return r;
        r = channel_queue(l->channel, v, fds, n_fds);
        if (r < 0 || !reply)
                return r;

        k = new0(LinkCommand, 1);
        if (!k)
                return -ENOMEM;
        k->link = l;
        k->serial = numbered.serial;
        k->reply = reply;
        k->userdata = userdata;
        list_append(&l->commands, &k->node);
        l->n_commands++;
        r = loop_timer(l->container->set->event, MONITOR_DEADLINE_USEC, LOOP_TIMER,
                "monitor-deadline", on_deadline, k, &k->deadline);
        if (r < 0) {
                link_command_free(k);
                return r;
        }
        return 0;
}

void monitor_link_forget(MonitorLink *l, void *userdata) {
        LinkCommand *k;

        if (!l)
                return;
        LIST_FOREACH (k, &l->commands, node)
                if (k->userdata == userdata)
                        k->reply = NULL;
}

void monitor_link_catch_up(MonitorLink *l) {
        if (l->channel)
                (void) channel_drain(l->channel);
}

void monitor_link_release(MonitorLink *l) {
        if (l->released)
                return;
        l->released = true;
        if (l->channel && channel_fd(l->channel) >= 0)
                (void) shutdown(channel_fd(l->channel), SHUT_WR);
}

bool monitor_link_is_released(const MonitorLink *l) {
        return l->released;
}
