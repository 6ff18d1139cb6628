/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/view/container-view.h"

#include "engine/container/container.h"
#include "engine/container/exec.h"
#include "engine/view/container-parts.h"
#include "engine/view/network-view.h"
#include "engine/volume/volume.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

static int set_time(Json *v, const char *key, int64_t ns) {
        char text[CLOCK_TEXT_SIZE];

        return json_set_text(v, key, clock_format(ns, text));
}

/* What nobody could measure (UINT64_MAX) is left out. */
static int set_accounting(Json *state, const Container *c) {
        static const struct {
                const char *key;
                size_t offset;
        } rows[] = {
                { "CPUUsageNSec", offsetof(Accounting, cpu_usage_nsec) },
                { "CPUUserNSec", offsetof(Accounting, cpu_user_nsec) },
                { "CPUSystemNSec", offsetof(Accounting, cpu_system_nsec) },
                { "MemoryPeak", offsetof(Accounting, memory_peak) },
                { "IOReadBytes", offsetof(Accounting, io_read_bytes) },
                { "IOWriteBytes", offsetof(Accounting, io_write_bytes) },
                { "IOReadOperations", offsetof(Accounting, io_read_operations) },
                { "IOWriteOperations", offsetof(Accounting, io_write_operations) },
                { "TasksPeak", offsetof(Accounting, pids_peak) },
                { "OOMKills", offsetof(Accounting, oom_kills) },
        };
        ContainerFigures f;
        Json *v;
        int r;

        if (!c->has_accounting && !container_is_running(c))
                return 0;
        container_figures(c, &f);
        r = json_set_new_object(state, "Accounting", &v);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++) {
                uint64_t n = *(const uint64_t *) ((const char *) &f.accounting + rows[i].offset);

                if (n != UINT64_MAX)
                        r = json_set_uint64(v, rows[i].key, n);
        }
        return r;
}

static int set_health(Json *state, const Container *c) {
        HealthState h = c->health;
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        h.status = (char *) container_health_status(c);
        r = json_write(&h, health_state_fields, &v);
        return r < 0 ? r : json_set(state, "Health", v);
}

/* Those that were created or run. */
static int set_execs(Json *v, const Container *c) {
        _cleanup_(strv_freep) char **ids = NULL;
        int r;

        r = container_exec_ids(c, &ids);
        if (r < 0)
                return r;
        return ids ? json_set_strv(v, "ExecIDs", ids) : json_set_null(v, "ExecIDs");
}

static int set_state(Json *v, const Container *c) {
        bool running = container_is_running(c);
        bool restarting = container_is_restarting(c);
        Json *s;
        int r;

        r = json_set_new_object(v, "State", &s);
        if (r >= 0)
                r = json_set_text(s, "Status", container_status(c));
        if (r >= 0)
                r = json_set_bool(s, "Running", container_is_up(c));
        if (r >= 0)
                r = json_set_bool(s, "Paused", c->state == CONTAINER_PAUSED);
        if (r >= 0)
                r = json_set_bool(s, "Restarting", restarting);
        if (r >= 0)
                r = json_set_bool(s, "OOMKilled", c->oom_killed);
        if (r >= 0)
                r = json_set_bool(s, "Dead", false);
        if (r >= 0)
                r = json_set_int64(s, "Pid", c->pid);
        if (r >= 0)
                r = json_set_int64(s, "ExitCode", running ? 0 : c->exit_code);
        if (r >= 0)
                r = json_set_text(s, "Error", str_or_empty(c->error));
        if (r >= 0)
                r = set_time(s, "StartedAt", c->started_ns);
        if (r >= 0)
                r = set_time(s, "FinishedAt", c->finished_ns);
        if (r >= 0 && container_has_health(c))
                r = set_health(s, c);
        return r < 0 ? r : set_accounting(s, c);
}

static int set_files(Json *v, const Container *c) {
        static const char *const files[][2] = {
                { "ResolvConfPath", "resolv.conf" },
                { "HostnamePath", "hostname" },
                { "HostsPath", "hosts" },
        };
        _cleanup_(freep) char *log = container_log_path(c), *folder = container_files_folder(c);
        int r;

        if (!folder)
                return -ENOMEM;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_(freep) char *path = path_join(folder, files[i][1]);

                if (!path)
                        return -ENOMEM;
                r = json_set_text(v, files[i][0], path);
                if (r < 0)
                        return r;
        }
        return log ? json_set_text(v, "LogPath", log) : -ENOMEM;
}

static int append_mount(Json *list, const MountPoint *p) {
        bool is_volume = str_equal(p->type, "volume");
        Json *m;
        int r;

        r = json_append_new_object(list, &m);
        if (r >= 0)
                r = json_set_text(m, "Type", p->type);
        if (r >= 0 && is_volume)
                r = json_set_text(m, "Name", str_or_empty(p->name));
        if (r >= 0)
                r = json_set_text(m, "Source", str_or_empty(p->source));
        if (r >= 0)
                r = json_set_text(m, "Destination", p->destination);
        if (r >= 0 && is_volume)
                r = json_set_text(m, "Driver", VOLUME_DRIVER);
        if (r >= 0)
                r = json_set_text(m, "Mode", str_or_empty(p->mode));
        if (r >= 0)
                r = json_set_bool(m, "RW", !p->read_only);
        return r < 0 ? r : json_set_text(m, "Propagation", str_or_empty(p->propagation));
}

int container_view_set_mounts(Json *v, const Container *c) {
        const HostConfig *h = &c->spec.host;
        Json *list;
        int r;

        r = json_set_new_list(v, "Mounts", &list);
        for (size_t i = 0; r >= 0 && i < c->mount_points.n; i++)
                r = append_mount(list, c->mount_points.items + i);
        for (size_t i = 0; r >= 0 && i < h->n_mounts; i++) {
                const MountRequest *m = h->mounts + i;

                if (!STR_IN_SET(str_or_empty(m->type), "bind", "volume", "image"))
                        r = append_mount(list, &(const MountPoint) { .type = m->type,
                                                       .source = m->source,
                                                       .destination = m->target,
                                                       .read_only = m->read_only });
        }
        return r;
}

static int set_configs(Json *v, const Container *c, unsigned api) {
        _cleanup_(json_unrefp) Json *config = NULL, *host = NULL;
        int r;

        r = json_write(&c->spec.config, container_config_fields, &config);
        if (r >= 0 && api >= 1052)
                json_unset(config, "MacAddress");
        if (r >= 0)
                r = json_set(v, "Config", config);
        if (r >= 0)
                r = json_write(&c->spec.host, host_config_fields, &host);
        return r < 0 ? r : json_set(v, "HostConfig", host);
}

static int set_graph_driver(Json *v, const Container *c) {
        _cleanup_(strv_freep) char **pairs = NULL;
        Json *g;
        int r;

        r = json_set_new_object(v, "GraphDriver", &g);
        if (r >= 0)
                r = json_set_text(g, "Name", str_or_empty(c->driver));
        if (r < 0)
                return r;
        if (container_describe_layer(c, &pairs) < 0)
                return json_set_null(g, "Data"); /* made by another driver */
        return json_set_pairs(g, "Data", pairs);
}

static int set_names(Json *v, const Container *c) {
        int r;

        r = json_set_text(v, "Id", c->id);
        if (r >= 0)
                r = set_time(v, "Created", c->created_ns);
        if (r >= 0)
                r = json_set_text(
                        v, "Path", strv_empty(c->path_and_args) ? "" : c->path_and_args[0]);
        if (r >= 0)
                r = json_set_strv(
                        v, "Args", strv_empty(c->path_and_args) ? NULL : c->path_and_args + 1);
        if (r >= 0)
                r = set_state(v, c);
        if (r >= 0)
                r = json_set_text(v, "Image", c->image_id);
        if (r >= 0)
                r = set_files(v, c);
        return r < 0 ? r : json_set_textf(v, "Name", "/%s", c->name);
}

static int set_sizes(Json *v, const Container *c) {
        uint64_t own, all;
        int r;

        container_size(c, &own, &all);
        r = json_set_uint64(v, "SizeRw", own);
        return r < 0 ? r : json_set_uint64(v, "SizeRootFs", all);
}

static int set_apparmor(Json *v, const Container *c) {
        _cleanup_(freep) char *profile = NULL;
        int r;

        r = container_apparmor_profile(c, &profile);
        return r < 0 ? r : json_set_text(v, "AppArmorProfile", profile);
}

int container_view_inspect(const Container *c, unsigned api, int size, Json **ret) {
        static const char *const texts[][2] = {
                { "Platform", "linux" },
                { "MountLabel", "" },
                { "ProcessLabel", "" },
        };
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = set_names(v, c);
        if (r >= 0)
                r = json_set_int64(v, "RestartCount", c->restart_count);
        if (r >= 0)
                r = json_set_text(v, "Driver", str_or_empty(c->driver));
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
                r = json_set_text(v, texts[i][0], texts[i][1]);
        if (r >= 0)
                r = set_apparmor(v, c);
        if (r >= 0)
                r = set_execs(v, c);
        if (r >= 0)
                r = set_graph_driver(v, c);
        if (r >= 0 && size)
                r = set_sizes(v, c);
        if (r >= 0)
                r = container_view_set_mounts(v, c);
        if (r >= 0)
                r = set_configs(v, c, api);
        if (r >= 0)
                r = container_view_set_network_settings(v, c, api);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
