/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine.h"

#include <fcntl.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "config/settings.h"
#include "engine/build/builds.h"
#include "engine/container/containers-new.h"
#include "engine/container/stats.h"
#include "engine/core/hub.h"
#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "engine/data-root.h"
#include "engine/host/launcher.h"
#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "engine/host/sysinfo.h"
#include "engine/host/units.h"
#include "engine/image/images.h"
#include "engine/network/firewall.h"
#include "engine/network/networks.h"
#include "engine/network/ports.h"
#include "engine/network/resolver.h"
#include "engine/registry-start.h"
#include "engine/storage/storage.h"
#include "engine/volume/volumes.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "stauer-config.h"

#define LAUNCHER_SOCKET "launcher.sock"
#define LAUNCHER_FOLDER "/run/stauer" /* where stauer-launcher.socket listens */
#define SECCOMP_FILE    PKGDATADIR "/seccomp.json"

#define PULLERS_MAX 16U
#define COPIERS_MAX 32U /* they wait for their clients most of the time */

/* A worker's process is a matter of the launcher, which the floor of workers does not know. */
static int spawn_worker(void *userdata, const char *label, int channel_fd,
        worker_started_t on_started, void *started_userdata) {
        Engine *e = userdata;

        return launcher_start(e->launcher, LAUNCHER_WORKER, label, &channel_fd, 1, on_started,
                started_userdata, NULL);
}

static int check_host(const Engine *e, Error *reterr) {
        if (!e->sysinfo->cgroup_v2)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "This host has cgroup v1 at /sys/fs/cgroup; Stauer needs cgroup v2: boot "
                        "with systemd.unified_cgroup_hierarchy=1");
        return 0;
}

/* A launcher of its own is beside the rest of what runs; else it is the host's, whatever --exec-root says. */
static int find_launcher(const Engine *e, char **ret) {
        _cleanup_(freep) char *own = path_join(e->settings->exec_root, LAUNCHER_SOCKET);

        if (!own)
                return -ENOMEM;
        if (file_exists_at(AT_FDCWD, own) <= 0)
                return str_copy(ret, LAUNCHER_FOLDER "/" LAUNCHER_SOCKET);
        *ret = TAKE_PTR(own);
        return 0;
}

static int make_ground(Engine *e, Error *reterr) {
        _cleanup_(freep) char *socket = NULL;
        int r;

        r = sysinfo_new("", &e->sysinfo);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to look at this host");
        r = check_host(e, reterr);
        if (r < 0)
                return r;
        r = data_root_open(e->settings->data_root, &e->lock_fd, &e->id, reterr);
        if (r < 0)
                return r;
        r = file_mkdir_p(e->settings->exec_root, 0755);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to make %s", e->settings->exec_root);

        r = hub_new(&e->hub);
        if (r < 0)
                return r;
        r = jobs_new(e->event, &e->jobs);
        if (r < 0)
                return r;
        r = units_new(e->event, e->bus, &e->units, reterr);
        if (r < 0)
                return r;
        r = find_launcher(e, &socket);
        if (r < 0)
                return r;
        r = launcher_new(e->event, socket, &e->launcher);
        if (r < 0)
                return r;
        r = workers_new(e->event, spawn_worker, e, &e->workers);
        if (r < 0)
                return r;
        r = workers_new(e->event, spawn_worker, e, &e->pullers);
        if (r < 0)
                return r;
        workers_set_max(e->pullers, PULLERS_MAX);
        r = workers_new(e->event, spawn_worker, e, &e->copiers);
        if (r < 0)
                return r;
        workers_set_max(e->copiers, COPIERS_MAX);
        return 0;
}

static void on_trash(void *userdata) {
        Engine *e = userdata;

        if (e->containers)
                containers_empty_trash(e->containers);
}

/* What is not allowed to us stays NULL: networks that need it cannot be used then, and say so. */
static int make_network_ground(Engine *e) {
        const Settings *s = e->settings;
        const FirewallOptions options = {
                .no_ipv6 = !s->ip6tables,
                .direct = s->allow_direct_routing,
                .no_guard = s->ip_forward_no_drop,
        };
        int r;

        r = ports_new(&e->ground.ports);
        if (r >= 0)
                r = resolver_new(e->event, e->fd_store, NULL, &e->ground.resolver);
        if (r >= 0)
                r = netns_pool_new(e->event, e->launcher, s->exec_root, &e->ground.pool);
        if (r >= 0 && s->iptables)
                r = firewall_new(e->event, &options, &e->ground.firewall);
        if (r < 0)
                return r;
        e->ground.event = e->event;
        e->ground.run_root = s->exec_root;
        e->ground.ip_forward = s->ip_forward;
        if (e->ground.firewall)
                (void) firewall_use_bus(e->ground.firewall, e->bus);
        r = netlink_new(e->event, -EBADF, &e->ground.netlink);
        if (r >= 0)
                netns_pool_serve(e->ground.pool, e->ground.netlink);
        return r == -ENOMEM ? r : 0;
}

static int make_networks(Engine *e, Error *reterr) {
        const Settings *s = e->settings;
        const NetworksWiring w = {
                .data_root = s->data_root,
                .seed = e->id,
                .hub = e->hub,
                .ground = &e->ground,
                .defaults = {
                        .bridge = s->bridge,
                        .bip = settings_was_given(s, "bip") ? s->bip : NULL,
                        .bip6 = s->bip6,
                        .fixed_cidr = s->fixed_cidr,
                        .fixed_cidr6 = s->fixed_cidr6,
                        .gateway4 = s->gateway4,
                        .gateway6 = s->gateway6,
                        .ip = s->publish_ip,
                        .ipv6 = s->ipv6,
                        .icc = s->icc,
                        .masquerade = s->ip_masq,
                        .mtu = s->mtu,
                        .pools = s->address_pools,
                        .options = s->network_opts,
                },
        };
        int r;

        r = make_network_ground(e);
        return r < 0 ? r : networks_new(&w, &e->networks, reterr);
}

/* All that runs is known by now: what belongs to nobody any more goes. */
static void start_networks(Engine *e) {
        _cleanup_(error_done) Error error = {};
        int r;

        r = e->ground.firewall ? firewall_start(e->ground.firewall, &error) : 0;
        if (r < 0) {
                log_warning("The firewall is not set up, ports of containers are not published: %s",
                        error_text(&error, r));
                e->ground.firewall = firewall_free(e->ground.firewall);
        }
        r = networks_start_pool(e->networks, /* at_once= */ false);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to prepare network namespaces: %m, ignoring");
}

static int make_sets(Engine *e, Error *reterr) {
        const Settings *s = e->settings;
        const VolumesWiring volumes = {
                .data_root = s->data_root,
                .hub = e->hub,
                .jobs = e->jobs,
                .workers = e->workers,
                .on_trash = on_trash,
                .userdata = e,
        };
        int r;

        r = storage_open(s->data_root, s->storage_driver, s->storage_opts, &e->storage, reterr);
        if (r < 0)
                return r;
        r = storage_tidy(e->storage);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to tidy up %s: %m, ignoring", s->data_root);
        e->trash_is_full = r > 0;

        r = images_new(s->data_root, s, e->storage, e->hub, e->jobs, e->workers, &e->images);
        if (r < 0)
                return r;
        engine_wire_registry(e);
        r = images_load(e->images);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to load the images of %s", s->data_root);
        r = volumes_new(&volumes, &e->volumes, reterr);
        return r < 0 ? r : make_networks(e, reterr);
}

static int make_containers(Engine *e, Error *reterr) {
        const ContainersWiring wiring = {
                .event = e->event,
                .settings = e->settings,
                .sysinfo = e->sysinfo,
                .hub = e->hub,
                .jobs = e->jobs,
                .units = e->units,
                .launcher = e->launcher,
                .workers = e->workers,
                .copiers = e->copiers,
                .storage = e->storage,
                .images = e->images,
                .networks = e->networks,
                .volumes = e->volumes,
                .seccomp_file =
                        str_equal(e->settings->seccomp_profile, "unconfined") ? NULL
                        : STR_IN_SET(str_or_empty(e->settings->seccomp_profile), "", "builtin")
                                ? SECCOMP_FILE
                                : e->settings->seccomp_profile,
        };
        int r;

        r = containers_new(&wiring, &e->containers, reterr);
        if (r < 0)
                return r;
        networks_start(e->networks);
        r = containers_restore(e->containers, reterr);
        if (r < 0)
                return r;
        start_networks(e);
        if (e->trash_is_full)
                containers_empty_trash(e->containers);
        r = builds_new(e->event, e->containers, e->images, e->jobs, &e->builds);
        if (r < 0)
                return r;
        builds_settle(e->builds);
        return stats_new(e->event, e->containers, &e->stats);
}

int engine_new(sd_event *event, sd_bus *bus, FdStore *fd_store, const Settings *settings,
        Engine **ret, Error *reterr) {
        static int (*const steps[])(Engine * e, Error * reterr) = {
                make_ground,
                make_sets,
                make_containers,
        };
        _cleanup_(engine_freep) Engine *e = NULL;
        int r;

        assert(event);
        assert(bus);
        assert(fd_store);
        assert(settings);
        assert(ret);

        e = new0(Engine, 1);
        if (!e)
                return -ENOMEM;
        e->event = sd_event_ref(event);
        e->bus = sd_bus_ref(bus);
        e->fd_store = fd_store;
        e->settings = settings;
        e->lock_fd = -EBADF;

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                r = steps[i](e, reterr);
                if (r < 0)
                        return error_is_set(reterr) ? r
                                                    : error_set_errno(reterr, r, "Failed to start");
        }

        *ret = TAKE_PTR(e);
        return 0;
}

/* The launcher first: it calls nobody any more. Then from the top down. */
Engine *engine_free(Engine *e) {
        if (!e)
                return NULL;

        stats_free(e->stats);
        builds_free(e->builds);
        containers_detach(e->containers);
        images_end(e->images);
        volumes_end(e->volumes);
        networks_end(e->networks);
        e->ground.netlink = netlink_free(e->ground.netlink);
        e->ground.pool = netns_pool_free(e->ground.pool);
        e->launcher = launcher_free(e->launcher);
        workers_free(e->copiers);
        workers_free(e->pullers);
        workers_free(e->workers);
        jobs_free(e->jobs);
        containers_free(e->containers);
        networks_free(e->networks);
        resolver_free(e->ground.resolver);
        firewall_free(e->ground.firewall);
        ports_free(e->ground.ports);
        volumes_free(e->volumes);
        images_free(e->images);
        storage_free(e->storage);
        units_free(e->units);
        hub_free(e->hub);
        sysinfo_free(e->sysinfo);
        fd_close(e->lock_fd);
        free(e->id);
        sd_bus_unref(e->bus);
        sd_event_unref(e->event);
        free(e);
        return NULL;
}

const char *engine_storage_driver(const Engine *e) {
        return storage_driver_name(e->storage);
}

void engine_reloaded(Engine *e) {
        const char *debug = e->settings->debug ? "debug=true" : "debug=false";
        int r;

        r = hub_publish(e->hub, "daemon", "reload", e->id, (char *[]) { (char *) debug, NULL });
        if (r < 0)
                (void) log_warning_errno(r, "Failed to publish the reload: %m, ignoring");
}
