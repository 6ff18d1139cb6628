/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manager.SubscribeStats: who asked gets StatsChanged, sent to him alone, once a second for as long as he is on the bus. */
#include <errno.h>

#include "dbus/bus-client.h"
#include "dbus/bus-manager.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container.h"
#include "engine/container/containers.h"
#include "engine/container/stats.h"
#include "engine/engine.h"
#include "engine/view/stats-view.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/list.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define CLIENTS_MAX    64U
#define CONTAINERS_MAX 4096U

typedef struct StatsClient {
        ListNode by_bus;
        sd_bus *bus;
        BusClient *client;
        StatsWatch *watch;
} StatsClient;

/* Those of the one bus that a daemon serves: handlers of the manager are given the engine, which knows of no bus. */
static List clients;
static unsigned n_clients;

static StatsClient *client_free(StatsClient *c) {
        if (!c)
                return NULL;

        if (list_node_linked(&c->by_bus)) {
                list_remove(&c->by_bus);
                n_clients--;
        }
        stats_watch_free(c->watch);
        bus_client_free(c->client);
        return mfree(c);
}
DEFINE_CLEANUP(StatsClient *, client_free);

static void on_gone(void *userdata) {
        client_free(userdata);
}

/* ---- the signal ---- */

/* Named as the properties of a container are. Limits are left out where there is none. */
static int append_figures(sd_bus_message *m, const StatsSample *s) {
        const CgroupStats *g = &s->cgroup;
        uint64_t read = 0, written = 0;
        int r;

        for (size_t i = 0; i < g->n_devices; i++) {
                read += g->devices[i].read_bytes;
                written += g->devices[i].write_bytes;
        }

        const struct {
                const char *name;
                uint64_t value;
        } figures[] = {
                { "CPUUsageNSec", g->cpu_usage_nsec },
                { "CPUUserNSec", g->cpu_user_nsec },
                { "CPUSystemNSec", g->cpu_system_nsec },
                { "CPUThrottledNSec", g->cpu_throttled_nsec },
                { "MemoryCurrent", g->memory_current },
                { "MemoryInactiveFile", cgroup_stats_memory(g, "inactive_file") },
                { "MemoryMax", g->memory_limit ? g->memory_limit : UINT64_MAX },
                { "TasksCurrent", g->pids_current },
                { "TasksMax", g->pids_limit ? g->pids_limit : UINT64_MAX },
                { "IOReadBytes", read },
                { "IOWriteBytes", written },
                { "HostCPUNSec", s->host.busy_nsec },
                { "HostCPUs", s->host.n_cpus },
        };

        r = sd_bus_message_open_container(m, 'a', "{st}");
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(figures); i++)
                if (figures[i].value != UINT64_MAX)
                        r = sd_bus_message_append(m, "{st}", figures[i].name, figures[i].value);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_row(sd_bus_message *m, const StatsRow *row) {
        int r;

        if (!row->now)
                return 0;
        r = sd_bus_message_open_container(m, 'r', "sta{st}");
        if (r >= 0)
                r = sd_bus_message_append(m, "st", row->container->id,
                        (uint64_t) (row->now->time_ns / NSEC_PER_USEC));
        if (r >= 0)
                r = append_figures(m, row->now);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int send_rows(StatsClient *c, const StatsRow *rows, size_t n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_signal(c->bus, &m, BUS_ROOT, BUS_INTERFACE_MANAGER, "StatsChanged");
        if (r >= 0)
                r = sd_bus_message_set_destination(m, bus_client_name(c->client));
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sta{st})");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = append_row(m, rows + i);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_send(c->bus, m, NULL);
}

static void on_stats(const StatsRow *rows, size_t n_rows, void *userdata) {
        StatsClient *c = userdata;
        int r;

        r = send_rows(c, rows, n_rows);
        if (r < 0)
                log_warning_errno(r, "Failed to send figures to %s: %m, ignoring",
                        bus_client_name(c->client));
}

/* ---- methods ---- */

static StatsClient *find(const char *sender) {
        StatsClient *c;

        if (clients.head.next)
                LIST_FOREACH (c, &clients, by_bus)
                        if (str_equal(bus_client_name(c->client), sender))
                                return c;
        return NULL;
}

static int read_containers(sd_bus_message *m, Engine *e, char ***ret, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL, **ids = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &names);
        if (r < 0)
                return r;
        if (strv_length(names) > CONTAINERS_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %u containers", CONTAINERS_MAX);
        STRV_FOREACH (name, names) {
                Container *c;

                r = containers_find(e->containers, *name, &c, reterr);
                if (r >= 0 && !strv_contains(ids, c->id))
                        r = strv_add(&ids, c->id);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(ids);
        return 0;
}

static int subscribe(sd_bus_message *m, Engine *e, char *const *ids, Error *reterr) {
        _cleanup_(client_freep) StatsClient *c = NULL;
        const char *sender = str_or_empty(sd_bus_message_get_sender(m));
        int r;

        client_free(find(sender)); /* a later wish takes the place of an earlier one */
        if (n_clients >= CLIENTS_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %u subscribers of stats", CLIENTS_MAX);

        c = new0(StatsClient, 1);
        if (!c)
                return -ENOMEM;
        c->bus = sd_bus_message_get_bus(m);
        r = bus_client_new(c->bus, sender, on_gone, c, &c->client);
        if (r >= 0)
                r = stats_watch(e->stats, ids, on_stats, c, &c->watch);
        if (r < 0)
                return r;

        if (!clients.head.next)
                list_init(&clients);
        list_append(&clients, &c->by_bus);
        n_clients++;
        TAKE_PTR(c);
        return 0;
}

int bus_manager_subscribe_stats(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **ids = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        int found, r;

        found = read_containers(m, e, &ids, &error);
        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (found < 0)
                return bus_error(reterr, found, &error);

        r = subscribe(m, e, ids, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        return sd_bus_reply_method_return(m, NULL);
}

int bus_manager_unsubscribe_stats(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        int r;

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        client_free(find(str_or_empty(sd_bus_message_get_sender(m))));
        return sd_bus_reply_method_return(m, NULL);
}

void bus_stats_end(void) {
        StatsClient *c;

        if (clients.head.next)
                LIST_FOREACH_SAFE (c, &clients, by_bus)
                        client_free(c);
}

int bus_container_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        Container *c = userdata;
        StatsSample now;
        int running, r;

        r = bus_container_auth(m, AUTH_VIEW, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        running = stats_sample(c, &now);
        if (running < 0)
                return running;
        r = stats_view(c, running ? &now : NULL, NULL, &v);
        if (running)
                stats_sample_done(&now);
        if (r >= 0)
                r = json_print(v, JSON_COMPACT, &text);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "s", text);
}
