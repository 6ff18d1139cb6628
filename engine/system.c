/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/system.h"

#include <dirent.h>

#include "config/settings.h"
#include "engine/container/cdi.h"
#include "engine/container/containers.h"
#include "engine/core/hub.h"
#include "engine/engine.h"
#include "engine/host/sysinfo.h"
#include "engine/image/images.h"
#include "engine/network/firewall.h"
#include "engine/log/logs.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"
#include "stauer-config.h"

#define API_LATEST "1.51"
#define API_OLDEST "1.24"

static int set_texts(Json *v, const char *const rows[][2], size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = json_set_text(v, rows[i][0], str_or_empty(rows[i][1]));
        return r;
}

static int set_bools(Json *v, const char *const *keys, const bool *values, size_t n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = json_set_bool(v, keys[i], values[i]);
        return r;
}

static int set_counts(Json *v, Engine *e) {
        unsigned all = containers_count(e->containers),
                 running = containers_count_running(e->containers),
                 paused = containers_count_paused(e->containers);
        int r;

        r = json_set_uint64(v, "Containers", all);
        if (r >= 0)
                r = json_set_uint64(v, "ContainersRunning", running - paused);
        if (r >= 0)
                r = json_set_uint64(v, "ContainersPaused", paused);
        if (r >= 0)
                r = json_set_uint64(v, "ContainersStopped", all - running);
        return r < 0 ? r : json_set_uint64(v, "Images", images_count(e->images));
}

static int set_storage(Json *v, Engine *e) {
        _cleanup_(strv_freep) char **pairs = NULL;
        const char *key, *value;
        Json *list;
        int r;

        r = json_set_text(v, "Driver", storage_driver_name(e->storage));
        if (r >= 0)
                r = storage_status(e->storage, &pairs);
        if (r >= 0)
                r = json_set_new_list(v, "DriverStatus", &list);
        if (r < 0)
                return r;
        PAIRS_FOREACH(key, value, pairs) {
                _cleanup_(json_unrefp) Json *row = NULL;

                r = json_new_list(&row);
                if (r >= 0)
                        r = json_append_text(row, key);
                if (r >= 0)
                        r = json_append_text(row, value);
                if (r >= 0)
                        r = json_append(list, row);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int set_plugins(Json *v) {
        static const char *const networks[] = { "bridge", "host", "ipvlan", "macvlan", "null",
                NULL };
        Json *p;
        int r;

        r = json_set_new_object(v, "Plugins", &p);
        if (r >= 0)
                r = json_set_strv(p, "Volume", NULL);
        if (r >= 0)
                r = json_set_strv(p, "Network", (char *const *) networks);
        if (r >= 0)
                r = json_set_null(p, "Authorization");
        return r < 0 ? r : json_set_strv(p, "Log", (char *const *) logs_names());
}

static int set_limits(Json *v, const SysInfo *s) {
        static const char *const keys[] = { "MemoryLimit", "SwapLimit", "CpuCfsPeriod",
                "CpuCfsQuota", "CPUShares", "CPUSet", "PidsLimit", "OomKillDisable",
                "IPv4Forwarding" };
        const bool values[ARRAY_SIZE(keys)] = { s->has_memory, s->has_swap, s->has_cpu, s->has_cpu,
                s->has_cpu, s->has_cpuset, s->has_pids, false, s->ipv4_forwarding };

        return set_bools(v, keys, values, ARRAY_SIZE(keys));
}

static int append_warning(Json *list, bool missing, const char *text) {
        return missing ? json_append_text(list, text) : 0;
}

/* An open door is told to everybody who asks. */
static int append_open_doors(Json *list, const Settings *s) {
        STRV_FOREACH (host, s->hosts) {
                const char *address = str_starts(*host, "tcp://");
                _cleanup_(freep) char *text = NULL;
                int r;

                if (!address || s->tls_verify)
                        continue;
                r = str_printf(&text,
                        "WARNING: API is accessible on %s%s without %s. Access to the remote API "
                        "is "
                        "equivalent to root access on the host",
                        s->tls ? "https://" : "http://", address,
                        s->tls ? "TLS client verification" : "encryption");
                if (r >= 0)
                        r = json_append_text(list, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What others' firewall rules do to containers. */
static int append_firewall(Json *list, Firewall *firewall) {
        _cleanup_(freep) char *text = NULL;
        const char *warning = firewall ? firewall_warning(firewall) : NULL;
        int r;

        if (!warning)
                return 0;
        r = str_printf(&text, "WARNING: %s", warning);
        return r < 0 ? r : json_append_text(list, text);
}

static int set_warnings(Json *v, const SysInfo *s, const Settings *settings, Firewall *firewall) {
        Json *list;
        int r;

        r = json_set_new_list(v, "Warnings", &list);
        if (r >= 0)
                r = append_warning(list, !s->has_memory, "WARNING: No memory limit support");
        if (r >= 0)
                r = append_warning(list, !s->has_swap, "WARNING: No swap limit support");
        if (r >= 0)
                r = append_warning(list, !s->has_cpu, "WARNING: No cpu cfs quota support");
        if (r >= 0)
                r = append_warning(list, !s->has_cpu, "WARNING: No cpu cfs period support");
        if (r >= 0)
                r = append_warning(list, !s->has_cpu, "WARNING: No cpu shares support");
        if (r >= 0)
                r = append_warning(list, !s->has_cpuset, "WARNING: No cpuset support");
        if (r >= 0)
                r = append_warning(list, !s->has_pids, "WARNING: No pids limit support");
        if (r >= 0)
                r = append_warning(list, !s->has_io, "WARNING: No io support");
        if (r >= 0)
                r = append_warning(
                        list, !s->ipv4_forwarding, "WARNING: IPv4 forwarding is disabled");
        if (r >= 0)
                r = append_open_doors(list, settings);
        return r < 0 ? r : append_firewall(list, firewall);
}

static int set_runtimes(Json *v, Engine *e) {
        const Settings *s = e->settings;
        _cleanup_(freep) char *own = NULL;
        Json *list, *row;
        int r;

        r = json_set_new_object(v, "Runtimes", &list);
        if (r < 0)
                return r;
        if (settings_find_runtime(s, SETTINGS_DEFAULT_RUNTIME, &own, NULL) >= 0) {
                r = json_set_new_object(list, SETTINGS_DEFAULT_RUNTIME, &row);
                if (r >= 0)
                        r = json_set_text(row, "path", own);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < s->n_runtimes; i++) {
                r = json_set_new_object(list, s->runtimes[i].name, &row);
                if (r >= 0)
                        r = json_set_text(row, "path", s->runtimes[i].path);
                if (r < 0)
                        return r;
        }
        return json_set_text(v, "DefaultRuntime", s->default_runtime);
}

static int set_security(Json *v, Engine *e) {
        const SysInfo *s = e->sysinfo;
        Json *list;
        int r;

        r = json_set_new_list(v, "SecurityOptions", &list);
        if (r >= 0 && s->has_apparmor)
                r = json_append_text(list, "name=apparmor");
        if (r >= 0 && s->has_seccomp && !str_equal(e->settings->seccomp_profile, "unconfined"))
                r = json_append_text(
                        list, STR_IN_SET(str_or_empty(e->settings->seccomp_profile), "", "builtin")
                                      ? "name=seccomp,profile=builtin"
                                      : "name=seccomp,profile=custom");
        return r < 0 ? r : json_append_text(list, "name=cgroupns");
}

static int set_swarm(Json *v) {
        static const char *const texts[][2] = {
                { "NodeID", "" },
                { "NodeAddr", "" },
                { "LocalNodeState", "inactive" },
                { "Error", "" },
        };
        Json *s;
        int r;

        r = json_set_new_object(v, "Swarm", &s);
        if (r >= 0)
                r = set_texts(s, texts, ARRAY_SIZE(texts));
        if (r >= 0)
                r = json_set_bool(s, "ControlAvailable", false);
        return r < 0 ? r : json_set_null(s, "RemoteManagers");
}

static int set_registry(Json *v) {
        Json *c, *configs, *hub;
        int r;

        r = json_set_text(v, "IndexServerAddress", "https://index.docker.io/v1/");
        if (r >= 0)
                r = json_set_new_object(v, "RegistryConfig", &c);
        if (r >= 0)
                r = json_set_strv(c, "InsecureRegistryCIDRs", NULL);
        if (r >= 0)
                r = json_set_new_object(c, "IndexConfigs", &configs);
        if (r >= 0)
                r = json_set_new_object(configs, "docker.io", &hub);
        if (r >= 0)
                r = json_set_text(hub, "Name", "docker.io");
        if (r >= 0)
                r = json_set_strv(hub, "Mirrors", NULL);
        if (r >= 0)
                r = json_set_bool(hub, "Secure", true);
        if (r >= 0)
                r = json_set_bool(hub, "Official", true);
        return r < 0 ? r : json_set_strv(c, "Mirrors", NULL);
}

/* Descriptors that are open, for NFd. */
static unsigned count_fds(void) {
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        if (!d)
                return 0;
        while (readdir(d))
                n++;
        closedir(d);
        return n > 3 ? n - 3 : 0; /* ".", ".." and the one that reads */
}

static int set_commits(Json *v, unsigned api) {
        static const char *const keys[] = { "ContainerdCommit", "RuncCommit", "InitCommit" };
        Json *c;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(keys); i++) {
                r = json_set_new_object(v, keys[i], &c);
                if (r >= 0)
                        r = json_set_text(c, "ID", "");
                if (r >= 0 && api < 1049)
                        r = json_set_text(c, "Expected", "");
        }
        return r;
}

static int set_machine(Json *v, Engine *e) {
        const SysInfo *s = e->sysinfo;
        const char *const texts[][2] = {
                { "ID", e->id },
                { "LoggingDriver", str_or(e->settings->log_driver, LOG_DRIVER_DEFAULT) },
                { "CgroupDriver", "systemd" },
                { "CgroupVersion", "2" },
                { "KernelVersion", s->kernel_version },
                { "OperatingSystem", s->os_name },
                { "OSVersion", s->os_version },
                { "OSType", "linux" },
                { "Architecture", s->architecture },
                { "DockerRootDir", e->settings->data_root },
                { "HttpProxy", "" },
                { "HttpsProxy", "" },
                { "NoProxy", "" },
                { "Name", s->hostname },
                { "ServerVersion", STAUER_VERSION },
                { "Isolation", "" },
                { "InitBinary", str_empty(e->settings->init_path)
                                        ? "docker-init"
                                        : path_last(e->settings->init_path) },
                { "ProductLicense", "" },
        };
        static const char *const keys[] = { "Debug", "ExperimentalBuild", "LiveRestoreEnabled" };
        const bool values[] = { e->settings->debug, false, true };
        char now[CLOCK_TEXT_SIZE];
        int r;

        r = set_texts(v, texts, ARRAY_SIZE(texts));
        if (r >= 0)
                r = set_bools(v, keys, values, ARRAY_SIZE(keys));
        if (r >= 0)
                r = json_set_text(v, "SystemTime", clock_format(clock_realtime_ns(), now));
        if (r >= 0)
                r = json_set_uint64(v, "NCPU", s->n_cpus);
        if (r >= 0)
                r = json_set_uint64(v, "MemTotal", s->memory_total);
        if (r >= 0)
                r = json_set_uint64(v, "NFd", count_fds());
        if (r >= 0)
                r = json_set_uint64(v, "NGoroutines", 1); /* one thread, that is the truth */
        if (r >= 0)
                r = json_set_uint64(v, "NEventsListener", hub_count_subscriptions(e->hub));
        if (r >= 0)
                r = json_set_strv(v, "Labels", e->settings->labels);
        return r;
}

/* What --device and --gpus can ask for by name, as it is now. */
static int set_devices(Json *v, const Engine *e, unsigned api) {
        _cleanup_(cdi_devices_freep) CdiDevices *devices = NULL;
        char *const *dirs = settings_cdi_dirs(e->settings);
        _cleanup_(strv_freep) char **names = NULL;
        Json *list = NULL, *device;
        int r;

        r = json_set_strv(v, "CDISpecDirs", (char **) dirs);
        if (r < 0 || api < 1050)
                return r;
        r = cdi_devices_read(dirs, &devices);
        if (r >= 0)
                r = cdi_devices_list(devices, &names);
        if (r >= 0 && !strv_empty(names))
                r = json_set_new_list(v, "DiscoveredDevices", &list);
        STRV_FOREACH (name, names) {
                if (r >= 0)
                        r = json_append_new_object(list, &device);
                if (r >= 0)
                        r = json_set_text(device, "Source", "cdi");
                if (r >= 0)
                        r = json_set_text(device, "ID", *name);
        }
        return r;
}

int system_info(Engine *e, unsigned api, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        assert(e);
        assert(ret);

        r = json_new_object(&v);
        if (r >= 0)
                r = set_counts(v, e);
        if (r >= 0)
                r = set_machine(v, e);
        if (r >= 0)
                r = set_storage(v, e);
        if (r >= 0)
                r = set_plugins(v);
        if (r >= 0)
                r = set_limits(v, e->sysinfo);
        if (r >= 0)
                r = set_runtimes(v, e);
        if (r >= 0)
                r = set_security(v, e);
        if (r >= 0)
                r = set_registry(v);
        if (r >= 0)
                r = set_swarm(v);
        if (r >= 0)
                r = set_commits(v, api);
        if (r >= 0)
                r = json_set_null(v, "GenericResources");
        if (r >= 0)
                r = set_devices(v, e, api);
        if (r >= 0 && api < 1042)
                r = json_set_bool(v, "KernelMemory", false);
        if (r >= 0 && api < 1042)
                r = json_set_bool(v, "KernelMemoryTCP", false);
        if (r >= 0 && api < 1050)
                r = json_set_bool(v, "BridgeNfIptables", false);
        if (r >= 0 && api < 1050)
                r = json_set_bool(v, "BridgeNfIp6tables", false);
        if (r >= 0)
                r = set_warnings(v, e->sysinfo, e->settings, e->ground.firewall);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}

/* Built with the engine, so of the same version. */
static int append_component(Json *list, const char *name) {
        Json *c, *details;
        int r;

        r = json_append_new_object(list, &c);
        if (r >= 0)
                r = json_set_text(c, "Name", name);
        if (r >= 0)
                r = json_set_text(c, "Version", STAUER_VERSION);
        if (r >= 0)
                r = json_set_new_object(c, "Details", &details);
        return r < 0 ? r : json_set_text(details, "GitCommit", "");
}

int system_version(Engine *e, unsigned api, Json **ret) {
        const SysInfo *s = e->sysinfo;
        const char *const texts[][2] = {
                { "Version", STAUER_VERSION },
                { "ApiVersion", API_LATEST },
                { "MinAPIVersion", API_OLDEST },
                { "GitCommit", "" },
                { "GoVersion", "" },
                { "Os", "linux" },
                { "Arch", sysinfo_go_architecture(s) },
                { "KernelVersion", s->kernel_version },
                { "BuildTime", "" },
        };
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *platform, *components, *engine, *details;
        int r;

        assert(e);
        assert(ret);

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_new_object(v, "Platform", &platform);
        if (r >= 0)
                r = json_set_text(platform, "Name", "Stauer");
        if (r >= 0)
                r = set_texts(v, texts, ARRAY_SIZE(texts));
        if (r >= 0)
                r = json_set_new_list(v, "Components", &components);
        if (r >= 0)
                r = json_append_new_object(components, &engine);
        if (r >= 0)
                r = json_set_text(engine, "Name", "Engine");
        if (r >= 0)
                r = json_set_text(engine, "Version", STAUER_VERSION);
        if (r >= 0)
                r = json_set_new_object(engine, "Details", &details);
        for (size_t i = 1; r >= 0 && i < ARRAY_SIZE(texts); i++)
                r = json_set_text(details, texts[i][0], texts[i][1]);
        if (r >= 0)
                r = json_set_text(details, "Experimental", "false");
        if (r >= 0)
                r = append_component(components, "stauer-runtime");
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
