/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/start.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "config/settings.h"
#include "engine/container/bundle.h"
#include "engine/container/cdi.h"
#include "engine/container/monitor-link.h"
#include "engine/container/scope.h"
#include "engine/container/set.h"
#include "engine/host/sysinfo.h"
#include "engine/host/unit-properties.h"
#include "engine/image/image.h"
#include "engine/log/fields.h"
#include "engine/network/sandbox.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"
#include "lib/oci/runtime-spec.h"

#define STOP_TIMEOUT_SEC 10

void start_steps_init(ContainerStart *s, Container *c) {
        s->container = c;
        s->phase = START_STEPS;
        s->folder_fd = s->run_fd = s->spec_fd = s->listen_fd = s->pidfd = -EBADF;
}

void start_steps_done(ContainerStart *s) {
        s->begin = loop_source_free(s->begin);
        s->folder_fd = fd_close(s->folder_fd);
        s->run_fd = fd_close(s->run_fd);
        s->spec_fd = fd_close(s->spec_fd);
        s->listen_fd = fd_close(s->listen_fd);
        mount_spec_done(&s->rootfs);
        network_leg_done(&s->leg);
        joins_done(s->joins);
        s->edits = mfree(s->edits);
        s->devices = cdi_devices_free(s->devices);
        s->files_folder = mfree(s->files_folder);
}

/* What the last run left in /run (its exit file, its socket) must not be taken for this one's. */
static int step_folders(ContainerStart *s, Error *reterr) {
        Container *c = s->container;
        int r;

        r = containers_clear_run(c->set, c->id);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to clear %s/%s", c->set->run, c->id);
        s->run_fd = file_mkdir_open_exact(c->set->run_fd, c->id, 0700);
        if (s->run_fd < 0)
                return error_set_errno(
                        reterr, s->run_fd, "Failed to make %s/%s", c->set->run, c->id);
        s->folder_fd = file_open_dir(c->set->root_fd, c->id);
        if (s->folder_fd < 0)
                return error_set_errno(
                        reterr, s->folder_fd, "Failed to open the folder of container %s", c->name);
        return 0;
}

static void undo_folders(ContainerStart *s) {
        Container *c = s->container;

        /* A monitor that is about to leave still writes its exit file there. */
        if (!c->link)
                (void) containers_clear_run(c->set, c->id);
}

/* What goes away with its container need not reach the disk: without this the end of the mount syncs the whole file system below it. The
 * kernel marks such a layer and refuses to mount it a second time, because the host may have crashed in between. It has not if only a
 * start failed; after a crash there is no such container any more. */
static int make_volatile(ContainerStart *s) {
        _cleanup_(freep) char *mark = NULL;
        int r;

        r = str_printf(&mark, "%s/%s/work/work/incompat", s->rootfs.directory, s->container->id);
        if (r >= 0)
                r = file_remove_tree(AT_FDCWD, mark);
        if (r < 0)
                return r;
        return str_appendf(
                &s->rootfs.options, "%svolatile", str_empty(s->rootfs.options) ? "" : ",");
}

static int step_layer(ContainerStart *s, Error *reterr) {
        Container *c = s->container;
        int r;

        r = storage_mount_spec(c->set->storage, c->id, /* read_only= */ false, &s->rootfs, reterr);
        if (r < 0)
                return r;
        if (!container_is_durable(c) && str_equal(s->rootfs.type, "overlay"))
                return make_volatile(s);
        return 0;
}

static int step_joins(ContainerStart *s, Error *reterr) {
        return joins_find(s->container, s->joins, reterr);
}

/* Who shares a network shares its names as well: files and host name are the other one's. */
static int share_network(ContainerStart *s) {
        Container *c = s->container, *owner;
        int r;

        owner = join_network_owner(c);
        if (!owner)
                return -ENOENT;
        /* The owner may share another one's itself. */
        s->files_folder = container_files_folder(owner);
        if (!s->files_folder)
                return -ENOMEM;
        s->leg = (NetworkLeg) { .host = str_equal(owner->spec.host.network_mode, "host") };
        r = str_copy(&c->spec.config.hostname, owner->spec.config.hostname);
        return r < 0 ? r : str_copy(&c->spec.config.domainname, owner->spec.config.domainname);
}

/* 1: the namespace is not there yet. */
static int step_network(ContainerStart *s, Error *reterr) {
        Container *c = s->container;
        int r;

        if (join_target(c->spec.host.network_mode))
                return share_network(s);
        s->leg.host = str_equal(c->spec.host.network_mode, "host");
        r = container_network_reserve(c, reterr);
        if (r < 0)
                return r;
        if (!c->sandbox)
                return 0;
        r = sandbox_open(c->sandbox, container_start_on_network, c, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "failed to set up container networking");
        return r == 0;
}

static void undo_network(ContainerStart *s) {
        container_network_close(s->container);
}

static int step_hosts(ContainerStart *s, Error *reterr) {
        Container *c = s->container;
        int r;

        if (join_target(c->spec.host.network_mode))
                return 0;
        if (c->sandbox && c->sandbox->netns_path) {
                r = str_copy(&s->leg.netns, c->sandbox->netns_path);
                if (r < 0)
                        return r;
        }
        r = container_network_write_files(c, NULL);
        return r < 0 ? error_set_errno(reterr, r, "Failed to write the hosts files of container %s",
                               c->name)
                     : 0;
}

static int make_binds(const MountPoints *l, MonitorSpec *m) {
        m->binds = new0(MonitorBind, MAX(l->n, (size_t) 1));
        if (!m->binds)
                return -ENOMEM;
        for (size_t i = 0; i < l->n; i++) {
                MonitorBind *b;
                int r;

                if (str_equal(l->items[i].type, "image"))
                        continue;
                b = m->binds + m->n_binds++;
                r = str_copy(&b->source, l->items[i].source);

                if (r < 0)
                        return r;
                b->create = l->items[i].create;
        }
        return 0;
}

static int make_logging(const Container *c, MonitorSpec *m, Error *reterr) {
        const LogSpec *l = &c->spec.host.log_config;
        _cleanup_(strv_freep) char **labels = NULL;
        _cleanup_(freep) char *command = NULL;
        const char *key, *value;
        LogSubject subject;
        int r;

        r = str_copy(&m->log_driver, l->type);
        if (r < 0)
                return r;
        PAIRS_FOREACH(key, value, l->config) {
                r = strv_addf(&m->log_opts, "%s=%s", key, value);
                if (r < 0)
                        return r;
        }
        PAIRS_FOREACH(key, value, c->spec.config.labels) {
                r = strv_addf(&labels, "%s=%s", key, value);
                if (r < 0)
                        return r;
        }
        command = strv_join(c->path_and_args, " ");
        if (!command)
                return -ENOMEM;
        m->log_path = container_log_file(c);
        if (!m->log_path)
                return -ENOMEM;

        subject = (LogSubject) {
                .id = c->id,
                .name = c->name,
                .image_name = str_or_empty(c->spec.config.image),
                .image_id = c->image_id,
                .command = command,
                .labels = labels,
                .environment = c->spec.config.env,
        };
        return log_fields_make(m->log_opts, &subject, &m->log_fields, reterr);
}

/* The first process of somebody else's pid namespace is its init. */
static bool wants_init(const Container *c) {
        const HostConfig *h = &c->spec.host;

        return (h->init >= 0 ? h->init > 0 : c->set->settings->init) && str_empty(h->pid_mode);
}

static int make_joins(const ContainerStart *s, MonitorSpec *m) {
        m->joins = new0(MonitorJoin, _JOIN_KIND_MAX);
        if (!m->joins)
                return -ENOMEM;
        for (JoinKind k = 0; k < _JOIN_KIND_MAX; k++) {
                const NamespaceJoin *from = s->joins + k;
                MonitorJoin *to = m->joins + m->n_joins;
                int r;

                if (!from->id)
                        continue;
                m->n_joins++;
                to->pid = from->pid;
                r = str_copy(&to->id, from->id);
                if (r >= 0 && from->shm_path && !streq(from->shm_path, "/dev/shm"))
                        r = str_copy(&to->shm_path, from->shm_path);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make_config(ContainerStart *s, const char *bundle_dir, Json **ret, Error *reterr) {
        _cleanup_(runtime_spec_done) RuntimeSpec spec = {};
        _cleanup_(freep) char *folder = NULL, *init = NULL;
        Container *c = s->container;
        const SysInfo *host = c->set->sysinfo;
        int r;

        folder = container_folder(c);
        if (!folder)
                return -ENOMEM;
        if (wants_init(c)) {
                r = settings_find_init(c->set->settings, &init, reterr);
                if (r < 0)
                        return r;
        }
        const BundleInput in = {
                .id = c->id,
                .spec = &c->spec,
                .mount_points = &c->mount_points,
                .bundle_dir = bundle_dir,
                .folder = folder,
                .files_folder = s->files_folder,
                .joins = s->joins,
                .edits = s->edits,
                .n_edits = s->n_edits,
                .init_path = init,
                .no_new_privileges = c->set->settings->no_new_privileges,
                .leg = &s->leg,
                .seccomp = c->set->seccomp,
                .extra_masked = host->thermal_throttle,
                .architecture = sysinfo_go_architecture(host),
                .kernel = host->kernel,
                .last_capability = host->last_capability,
                .has_apparmor = host->has_apparmor,
                .recursive_read_only = STR_IN_SET(
                        str_or_empty(c->spec.host.runtime), SETTINGS_DEFAULT_RUNTIME, "crun"),
        };
        r = bundle_make(&in, &spec, reterr);
        if (r < 0)
                return r;
        return json_write(&spec, runtime_spec_fields, ret);
}

static int make_identity(ContainerStart *s, MonitorSpec *m, Error *reterr) {
        Container *c = s->container;
        const ContainerConfig *config = &c->spec.config;
        int r;

        m->version = MONITOR_SPEC_VERSION;
        m->open_stdin = config->open_stdin;
        m->stdin_once = config->stdin_once;
        m->terminal = config->tty;
        m->stop_signal = SIGTERM;
        if (!str_empty(config->stop_signal))
                (void) parse_signal(config->stop_signal, &m->stop_signal);
        m->stop_timeout_usec = config->stop_timeout == JSON_NO_INT ? STOP_TIMEOUT_SEC * USEC_PER_SEC
                             : config->stop_timeout < 0
                                     ? USEC_INFINITE
                                     : (uint64_t) config->stop_timeout * USEC_PER_SEC;

        m->run_dir = container_run_folder(c);
        m->bundle_dir = m->run_dir ? path_join(m->run_dir, "bundle") : NULL;
        m->runtime_root = path_join(c->set->settings->exec_root,
                "runtime"); /* one for all: what it keeps pays for the next */
        if (!m->run_dir || !m->bundle_dir || !m->runtime_root)
                return -ENOMEM;
        r = settings_find_runtime(c->set->settings, c->spec.host.runtime, &m->runtime, reterr);
        if (r >= 0)
                r = str_copy(&m->id, c->id);
        if (r >= 0)
                r = str_copy(&m->name, c->name);
        if (r >= 0)
                r = str_copy(&m->image, str_or_empty(config->image));
        if (r >= 0)
                r = str_copy(&m->user, str_or_empty(config->user));
        if (r >= 0)
                r = strv_set(&m->group_add, c->spec.host.group_add);
        return r;
}

/* The monitor gets all it needs in one sealed file: nobody can change it under its hands. */
static int step_bundle(ContainerStart *s, Error *reterr) {
        _cleanup_(monitor_spec_done) MonitorSpec m = {};
        _cleanup_(freep) char *text = NULL;
        int r;

        r = make_identity(s, &m, reterr);
        if (r < 0)
                return r;
        r = make_binds(&s->container->mount_points, &m);
        if (r < 0)
                return r;
        r = mount_points_volume_mounts(s->container, &m.volumes, &m.n_volumes);
        if (r >= 0)
                r = mount_points_places(s->container, m.bundle_dir, &m.places, &m.n_places, reterr);
        if (r >= 0)
                r = make_joins(s, &m);
        if (r < 0)
                return r;
        r = start_make_devices(s, &m);
        if (r < 0)
                return r;
        r = make_logging(s->container, &m, reterr);
        if (r < 0)
                return r;
        r = make_config(s, m.bundle_dir, &m.config, reterr);
        if (r < 0)
                return r;
        r = container_health_make(s->container, &m.health);
        if (r < 0)
                return r;
        m.rootfs = TAKE_STRUCT(s->rootfs);

        r = json_write_text(&m, monitor_spec_fields, &text);
        if (r < 0)
                return r;
        s->spec_fd = fd_memfd_sealed("monitor-spec", text, strlen(text));
        return s->spec_fd < 0 ? error_set_errno(reterr, s->spec_fd, "Failed to write the bundle")
                              : 0;
}

static int step_socket(ContainerStart *s, Error *reterr) {
        s->listen_fd =
                fd_listen_at(s->run_fd, MONITOR_SOCKET, SOCK_SEQPACKET | SOCK_NONBLOCK, 0600, 4);
        return s->listen_fd < 0
                     ? error_set_errno(reterr, s->listen_fd, "Failed to make the monitor's socket")
                     : 0;
}

static const struct {
        const char *name;
        int (*run)(ContainerStart *s, Error *reterr);
        void (*undo)(ContainerStart *s);
} start_steps[] = {
        { "make run folder", step_folders, undo_folders },
        { "look up layer", step_layer, NULL },
        { "find shared namespaces", step_joins, NULL },
        { "find devices", start_find_devices, NULL },
        { "join network", step_network, undo_network },
        { "write hosts files", step_hosts, NULL },
        { "write bundle", step_bundle, NULL },
        { "listen for monitor", step_socket, NULL },
};

int start_steps_walk(ContainerStart *s, Error *reterr) {
        s->phase = START_STEPS;
        for (; s->n_done < ARRAY_SIZE(start_steps); s->n_done++) {
                const char *name = start_steps[s->n_done].name;
                int r;

                r = start_steps[s->n_done].run(s, reterr);
                if (r > 0) {
                        s->n_done++;
                        return 1;
                }
                if (r < 0) {
                        s->n_done++; /* it may have done a part */
                        start_steps_undo(s);
                        return error_is_set(reterr)
                                     ? r
                                     : error_set_errno(reterr, r, "failed to %s", name);
                }
        }
        return 0;
}

void start_steps_undo(ContainerStart *s) {
        while (s->n_done > 0)
                if (start_steps[--s->n_done].undo)
                        start_steps[s->n_done].undo(s);
}

void start_steps_keep(ContainerStart *s) {
        s->n_done = 0;
}

static ScopeInput scope_input(const Container *c, pid_t monitor_pid) {
        return (ScopeInput) {
                .id = c->id,
                .name = c->name,
                .image = c->spec.config.image,
                .spec = &c->spec,
                .slice = c->set->settings->cgroup_parent,
                .monitor_pid = (uint32_t) monitor_pid,
        };
}

int start_make_scope(ContainerStart *s, UnitProperties *ret) {
        ScopeInput in = scope_input(s->container, s->monitor_pid);

        in.device_rules = s->device_rules;
        return scope_make(&in, ret);
}

int container_describe_scope(const Container *c, UnitProperties *ret) {
        const ScopeInput in = scope_input(c, 0);

        return scope_describe(&in, ret);
}
