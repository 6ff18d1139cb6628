/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-container-spec.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "dbus/bus-spec-read.h"
#include "lib/api/container-spec.h"
#include "lib/base/error.h"
#include "lib/base/str.h"

typedef struct SpecProperty SpecProperty;

struct SpecProperty {
        const char *name;
        const char *signature;
        int (*read)(sd_bus_message *m, void *field); /* at the variant's content */
        size_t offset;
};

#define SPEC(member) offsetof(ContainerSpec, member)

/* clang-format off */
static const SpecProperty properties[] = {
        /* the process */
        { "Command",            "as",     spec_read_strv,      SPEC(config.cmd) },
        { "Entrypoint",         "as",     spec_read_strv,      SPEC(config.entrypoint) },
        { "Environment",        "as",     spec_read_strv,      SPEC(config.env) },
        { "User",               "s",      spec_read_string,    SPEC(config.user) },
        { "SupplementaryGroups","as",     spec_read_strv,      SPEC(host.group_add) },
        { "WorkingDirectory",   "s",      spec_read_string,    SPEC(config.working_dir) },
        { "Hostname",           "s",      spec_read_string,    SPEC(config.hostname) },
        { "Domainname",         "s",      spec_read_string,    SPEC(config.domainname) },
        { "Init",               "b",      spec_read_switch,    SPEC(host.init) },
        { "OOMScoreAdjust",     "i",      spec_read_int,       SPEC(host.oom_score_adj) },
        { "StopSignal",         "s",      spec_read_string,    SPEC(config.stop_signal) },
        { "StopTimeoutUSec",    "t",      spec_read_seconds,   SPEC(config.stop_timeout) },
        { "Labels",             "a{ss}",  spec_read_pairs,     SPEC(config.labels) },
        { "Tty",                "b",      spec_read_bool,      SPEC(config.tty) },
        { "OpenStdin",          "b",      spec_read_bool,      SPEC(config.open_stdin) },
        { "StdinOnce",          "b",      spec_read_bool,      SPEC(config.stdin_once) },
        { "ConsoleSize",        "(uu)",   spec_read_size,      SPEC(host.console_size) },
        /* how long it lives */
        { "RestartPolicy",      "s",      spec_read_string,    SPEC(host.restart_policy.name) },
        { "RestartMaximumRetries", "u",   spec_read_count,     SPEC(host.restart_policy.maximum_retry_count) },
        { "AutoRemove",         "b",      spec_read_bool,      SPEC(host.auto_remove) },
        { "HealthCommand",      "as",     spec_read_health_command, SPEC(config.healthcheck) },
        { "HealthShellCommand", "s",      spec_read_health_shell, SPEC(config.healthcheck) },
        { "HealthIntervalUSec", "t",      spec_read_health_interval, SPEC(config.healthcheck) },
        { "HealthTimeoutUSec",  "t",      spec_read_health_timeout, SPEC(config.healthcheck) },
        { "HealthStartPeriodUSec", "t",   spec_read_health_start_period, SPEC(config.healthcheck) },
        { "HealthStartIntervalUSec", "t", spec_read_health_start_interval, SPEC(config.healthcheck) },
        { "HealthRetries",      "u",      spec_read_health_retries, SPEC(config.healthcheck) },
        { "OnUnhealthy",        "s",      spec_read_on_unhealthy, SPEC(config.labels) },
        /* files */
        { "ReadOnlyRootFS",     "b",      spec_read_bool,      SPEC(host.readonly_rootfs) },
        { "Binds",              "as",     spec_read_strv,      SPEC(host.binds) },
        { "Tmpfs",              "a{ss}",  spec_read_pairs,     SPEC(host.tmpfs) },
        { "ShmSize",            "t",      spec_read_limit,     SPEC(host.shm_size) },
        { "Mounts",             "a(sssb)", spec_read_mounts,   SPEC(host) },
        { "Volumes",            "as",     spec_read_strv,      SPEC(config.volumes) },
        { "VolumesFrom",        "as",     spec_read_strv,      SPEC(host.volumes_from) },
        { "StorageOptions",     "a{ss}",  spec_read_pairs,     SPEC(host.storage_opt) },
        { "MaskedPaths",        "as",     spec_read_strv,      SPEC(host.masked_paths) },
        { "ReadOnlyPaths",      "as",     spec_read_strv,      SPEC(host.readonly_paths) },
        /* rights */
        { "Privileged",         "b",      spec_read_bool,      SPEC(host.privileged) },
        { "CapabilitiesAdd",    "as",     spec_read_strv,      SPEC(host.cap_add) },
        { "CapabilitiesDrop",   "as",     spec_read_strv,      SPEC(host.cap_drop) },
        { "SecurityOptions",    "as",     spec_read_strv,      SPEC(host.security_opt) },
        { "Devices",            "a(sss)", spec_read_devices,   SPEC(host.resources) },
        { "DeviceCgroupRules",  "as",     spec_read_strv,      SPEC(host.resources.device_cgroup_rules) },
        /* limits */
        { "MemoryMax",          "t",      spec_read_limit,     SPEC(host.resources.memory) },
        { "MemoryLow",          "t",      spec_read_limit,     SPEC(host.resources.memory_reservation) },
        { "MemorySwapMax",      "t",      spec_read_limit,     SPEC(host.resources.memory_swap) },
        { "CPUQuotaPerSecUSec", "t",      spec_read_cpu_quota, SPEC(host.resources.nano_cpus) },
        { "CPUShares",          "t",      spec_read_limit,     SPEC(host.resources.cpu_shares) },
        { "AllowedCPUs",        "s",      spec_read_string,    SPEC(host.resources.cpuset_cpus) },
        { "AllowedMemoryNodes", "s",      spec_read_string,    SPEC(host.resources.cpuset_mems) },
        { "TasksMax",           "t",      spec_read_limit,     SPEC(host.resources.pids_limit) },
        { "Limits",             "a(stt)", spec_read_ulimits,   SPEC(host.resources) },
        { "Slice",              "s",      spec_read_string,    SPEC(host.resources.cgroup_parent) },
        { "BlockIOWeight",      "t",      spec_read_weight,    SPEC(host.resources.blkio_weight) },
        { "IOReadBandwidthMax", "a(st)",  spec_read_read_bandwidth, SPEC(host.resources) },
        { "IOWriteBandwidthMax", "a(st)", spec_read_write_bandwidth, SPEC(host.resources) },
        { "IOReadIOPSMax",      "a(st)",  spec_read_read_iops, SPEC(host.resources) },
        { "IOWriteIOPSMax",     "a(st)",  spec_read_write_iops, SPEC(host.resources) },
        /* the network */
        { "ExposedPorts",       "as",     spec_read_strv,      SPEC(config.exposed_ports) },
        { "PublishedPorts",     "a(sss)", spec_read_ports,     SPEC(host) },
        { "PublishAllPorts",    "b",      spec_read_bool,      SPEC(host.publish_all_ports) },
        { "DNS",                "as",     spec_read_strv,      SPEC(host.dns) },
        { "DNSSearch",          "as",     spec_read_strv,      SPEC(host.dns_search) },
        { "DNSOptions",         "as",     spec_read_strv,      SPEC(host.dns_options) },
        { "ExtraHosts",         "as",     spec_read_strv,      SPEC(host.extra_hosts) },
        { "MacAddress",         "s",      spec_read_string,    SPEC(config.mac_address) },
        /* the rest */
        { "Platform",           "s",      spec_read_string,    SPEC(platform) },
        { "NetworkMode",        "s",      spec_read_string,    SPEC(host.network_mode) },
        { "PidMode",            "s",      spec_read_string,    SPEC(host.pid_mode) },
        { "IpcMode",            "s",      spec_read_string,    SPEC(host.ipc_mode) },
        { "UTSMode",            "s",      spec_read_string,    SPEC(host.uts_mode) },
        { "CgroupNamespaceMode","s",      spec_read_string,    SPEC(host.cgroupns_mode) },
        { "UserNamespaceMode",  "s",      spec_read_string,    SPEC(host.userns_mode) },
        { "Sysctls",            "a{ss}",  spec_read_pairs,     SPEC(host.sysctls) },
        { "Annotations",        "a{ss}",  spec_read_pairs,     SPEC(host.annotations) },
        { "Runtime",            "s",      spec_read_string,    SPEC(host.runtime) },
        { "LogDriver",          "s",      spec_read_string,    SPEC(host.log_config.type) },
        { "LogOptions",         "a{ss}",  spec_read_pairs,     SPEC(host.log_config.config) },
};
/* clang-format on */

static const SpecProperty *find_property(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
                if (streq(properties[i].name, name))
                        return properties + i;
        return NULL;
}

static int read_property(sd_bus_message *m, ContainerSpec *spec, Error *reterr) {
        const SpecProperty *p;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;

        p = find_property(name);
        if (!p)
                return error_set(reterr, ERROR_INVALID,
                        "CreateContainer has no property \"%s\"; CreateContainerFromJSON takes all "
                        "that "
                        "Docker knows",
                        name);

        r = sd_bus_message_enter_container(m, 'v', p->signature);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID,
                        "property \"%s\" has another type: expected a variant of \"%s\"", name,
                        p->signature);

        r = p->read(m, (char *) spec + p->offset);
        if (r == -ERANGE)
                return error_set(
                        reterr, ERROR_INVALID, "the value of property \"%s\" is too large", name);
        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID,
                        "the value of property \"%s\" is none that it may have", name);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

int bus_read_container_spec(sd_bus_message *m, ContainerSpec *spec, Error *reterr) {
        Resources *resources = &spec->host.resources;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_property(m, spec, reterr);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        /* systemd counts swap alone, Docker memory and swap together. */
        if (resources->memory_swap > 0 && resources->memory > 0 &&
                ADD_OVERFLOWS(resources->memory_swap, resources->memory, &resources->memory_swap))
                resources->memory_swap = -1;

        return sd_bus_message_exit_container(m);
}
