/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The rows stand in the order and write null, [] and {} where dockerd does. JSON_NULLABLE:
 * dockerd has a nil list, map or number there; without it dockerd always puts something. */

#include "lib/api/container-spec.h"

#define EMPTY    JSON_OMIT_EMPTY
#define NULLABLE JSON_NULLABLE
#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)
#define WORDS    (JSON_NULLABLE | JSON_WRAP_STRING)

/* clang-format off */

const JsonField health_spec_fields[] = {
        JSON_STRV ("Test",          HealthSpec, test,           OPTIONAL),
        JSON_INT64("Interval",      HealthSpec, interval,       EMPTY),
        JSON_INT64("Timeout",       HealthSpec, timeout,        EMPTY),
        JSON_INT64("StartPeriod",   HealthSpec, start_period,   EMPTY),
        JSON_INT64("StartInterval", HealthSpec, start_interval, EMPTY),
        JSON_INT  ("Retries",       HealthSpec, retries,        EMPTY),
        {}
};

const JsonField container_config_fields[] = {
        JSON_STRING("Hostname",        ContainerConfig, hostname,         0),
        JSON_STRING("Domainname",      ContainerConfig, domainname,       0),
        JSON_STRING("User",            ContainerConfig, user,             0),
        JSON_BOOL  ("AttachStdin",     ContainerConfig, attach_stdin,     0),
        JSON_BOOL  ("AttachStdout",    ContainerConfig, attach_stdout,    0),
        JSON_BOOL  ("AttachStderr",    ContainerConfig, attach_stderr,    0),
        JSON_SET   ("ExposedPorts",    ContainerConfig, exposed_ports,    OPTIONAL),
        JSON_BOOL  ("Tty",             ContainerConfig, tty,              0),
        JSON_BOOL  ("OpenStdin",       ContainerConfig, open_stdin,       0),
        JSON_BOOL  ("StdinOnce",       ContainerConfig, stdin_once,       0),
        JSON_STRV  ("Env",             ContainerConfig, env,              NULLABLE),
        JSON_STRV  ("Cmd",             ContainerConfig, cmd,              WORDS),
        JSON_NESTED_PTR("Healthcheck", ContainerConfig, healthcheck, health_spec_fields, OPTIONAL),
        JSON_BOOL  ("ArgsEscaped",     ContainerConfig, args_escaped,     EMPTY),
        JSON_STRING("Image",           ContainerConfig, image,            0),
        JSON_SET   ("Volumes",         ContainerConfig, volumes,          NULLABLE),
        JSON_STRING("WorkingDir",      ContainerConfig, working_dir,      0),
        JSON_STRV  ("Entrypoint",      ContainerConfig, entrypoint,       WORDS),
        JSON_BOOL  ("NetworkDisabled", ContainerConfig, network_disabled, EMPTY),
        JSON_STRING("MacAddress",      ContainerConfig, mac_address,      EMPTY),
        JSON_STRV  ("OnBuild",         ContainerConfig, on_build,         NULLABLE),
        JSON_MAP   ("Labels",          ContainerConfig, labels,           0),
        JSON_STRING("StopSignal",      ContainerConfig, stop_signal,      EMPTY),
        JSON_INT   ("StopTimeout",     ContainerConfig, stop_timeout,     OPTIONAL),
        JSON_STRV  ("Shell",           ContainerConfig, shell,            EMPTY | WORDS),
        {}
};

static const JsonField log_spec_fields[] = {
        JSON_STRING("Type",   LogSpec, type,   0),
        JSON_MAP   ("Config", LogSpec, config, 0),
        {}
};

static const JsonField port_binding_fields[] = {
        JSON_STRING("HostIp",   PortBinding, host_ip,   0),
        JSON_STRING("HostPort", PortBinding, host_port, 0),
        {}
};

const JsonField port_bindings_fields[] = {
        JSON_ARRAY("", PortBindings, bindings, n_bindings, PortBinding, port_binding_fields, NULLABLE),
        {}
};

const JsonField restart_policy_fields[] = {
        JSON_STRING("Name",              RestartPolicy, name,                0),
        JSON_INT   ("MaximumRetryCount", RestartPolicy, maximum_retry_count, 0),
        {}
};

static const JsonField weight_device_fields[] = {
        JSON_STRING("Path",   WeightDevice, path,   0),
        JSON_UINT16("Weight", WeightDevice, weight, 0),
        {}
};

static const JsonField throttle_device_fields[] = {
        JSON_STRING("Path", ThrottleDevice, path, 0),
        JSON_UINT64("Rate", ThrottleDevice, rate, 0),
        {}
};

static const JsonField device_mapping_fields[] = {
        JSON_STRING("PathOnHost",        DeviceMapping, path_on_host,      0),
        JSON_STRING("PathInContainer",   DeviceMapping, path_in_container, 0),
        JSON_STRING("CgroupPermissions", DeviceMapping, permissions,       0),
        {}
};

static const JsonField string_list_fields[] = {
        JSON_STRV("", StringList, items, NULLABLE),
        {}
};

static const JsonField device_request_fields[] = {
        JSON_STRING("Driver",       DeviceRequest, driver,     0),
        JSON_INT   ("Count",        DeviceRequest, count,      0),
        JSON_STRV  ("DeviceIDs",    DeviceRequest, device_ids, NULLABLE),
        JSON_ARRAY ("Capabilities", DeviceRequest, capabilities, n_capabilities, StringList,
                    string_list_fields, NULLABLE),
        JSON_MAP   ("Options",      DeviceRequest, options,    NULLABLE),
        {}
};

static const JsonField ulimit_fields[] = {
        JSON_STRING("Name", Ulimit, name, 0),
        JSON_INT64 ("Hard", Ulimit, hard, 0),
        JSON_INT64 ("Soft", Ulimit, soft, 0),
        {}
};

#define THROTTLE(name, member)                                                                     \
        JSON_ARRAY(name, Resources, member, n_##member, ThrottleDevice, throttle_device_fields, NULLABLE)

const JsonField resources_fields[] = {
        JSON_INT64 ("CpuShares",    Resources, cpu_shares,    0),
        JSON_INT64 ("Memory",       Resources, memory,        0),
        JSON_INT64 ("NanoCpus",     Resources, nano_cpus,     0),
        JSON_STRING("CgroupParent", Resources, cgroup_parent, 0),
        JSON_UINT16("BlkioWeight",  Resources, blkio_weight,  0),
        JSON_ARRAY ("BlkioWeightDevice", Resources, blkio_weight_device, n_blkio_weight_device,
                    WeightDevice, weight_device_fields, NULLABLE),
        THROTTLE("BlkioDeviceReadBps",   blkio_device_read_bps),
        THROTTLE("BlkioDeviceWriteBps",  blkio_device_write_bps),
        THROTTLE("BlkioDeviceReadIOps",  blkio_device_read_iops),
        THROTTLE("BlkioDeviceWriteIOps", blkio_device_write_iops),
        JSON_INT64 ("CpuPeriod",          Resources, cpu_period,           0),
        JSON_INT64 ("CpuQuota",           Resources, cpu_quota,            0),
        JSON_INT64 ("CpuRealtimePeriod",  Resources, cpu_realtime_period,  0),
        JSON_INT64 ("CpuRealtimeRuntime", Resources, cpu_realtime_runtime, 0),
        JSON_STRING("CpusetCpus",         Resources, cpuset_cpus,          0),
        JSON_STRING("CpusetMems",         Resources, cpuset_mems,          0),
        JSON_ARRAY ("Devices", Resources, devices, n_devices, DeviceMapping, device_mapping_fields, NULLABLE),
        JSON_STRV  ("DeviceCgroupRules", Resources, device_cgroup_rules, NULLABLE),
        JSON_ARRAY ("DeviceRequests", Resources, device_requests, n_device_requests, DeviceRequest,
                    device_request_fields, NULLABLE),
        JSON_INT64   ("KernelMemory",       Resources, kernel_memory,        EMPTY),
        JSON_INT64   ("KernelMemoryTCP",    Resources, kernel_memory_tcp,    EMPTY),
        JSON_INT64   ("MemoryReservation",  Resources, memory_reservation,   0),
        JSON_INT64   ("MemorySwap",         Resources, memory_swap,          0),
        JSON_INT64   ("MemorySwappiness",   Resources, memory_swappiness,    NULLABLE),
        JSON_TRISTATE("OomKillDisable",     Resources, oom_kill_disable,     NULLABLE),
        JSON_INT64   ("PidsLimit",          Resources, pids_limit,           NULLABLE),
        JSON_ARRAY   ("Ulimits", Resources, ulimits, n_ulimits, Ulimit, ulimit_fields, NULLABLE),
        JSON_INT64   ("CpuCount",           Resources, cpu_count,            0),
        JSON_INT64   ("CpuPercent",         Resources, cpu_percent,          0),
        JSON_UINT64  ("IOMaximumIOps",      Resources, io_maximum_iops,      0),
        JSON_UINT64  ("IOMaximumBandwidth", Resources, io_maximum_bandwidth, 0),
        {}
};

static const JsonField bind_options_fields[] = {
        JSON_STRING("Propagation",            BindOptions, propagation,               EMPTY),
        JSON_BOOL  ("NonRecursive",           BindOptions, non_recursive,             EMPTY),
        JSON_BOOL  ("CreateMountpoint",       BindOptions, create_mountpoint,         EMPTY),
        JSON_BOOL  ("ReadOnlyNonRecursive",   BindOptions, read_only_non_recursive,   EMPTY),
        JSON_BOOL  ("ReadOnlyForceRecursive", BindOptions, read_only_force_recursive, EMPTY),
        {}
};

static const JsonField volume_driver_config_fields[] = {
        JSON_STRING("Name",    VolumeDriverConfig, name,    EMPTY),
        JSON_MAP   ("Options", VolumeDriverConfig, options, OPTIONAL),
        {}
};

static const JsonField volume_options_fields[] = {
        JSON_BOOL  ("NoCopy",  VolumeOptions, no_copy, EMPTY),
        JSON_MAP   ("Labels",  VolumeOptions, labels,  OPTIONAL),
        JSON_STRING("Subpath", VolumeOptions, subpath, EMPTY),
        JSON_NESTED_PTR("DriverConfig", VolumeOptions, driver_config, volume_driver_config_fields, OPTIONAL),
        {}
};

static const JsonField image_options_fields[] = {
        JSON_STRING("Subpath", ImageOptions, subpath, EMPTY),
        {}
};

static const JsonField tmpfs_options_fields[] = {
        JSON_INT64 ("SizeBytes", TmpfsOptions, size_bytes, EMPTY),
        JSON_UINT32("Mode",      TmpfsOptions, mode,       EMPTY),
        JSON_ARRAY ("Options", TmpfsOptions, options, n_options, StringList, string_list_fields, OPTIONAL),
        {}
};

const JsonField mount_request_fields[] = {
        JSON_STRING("Type",        MountRequest, type,        EMPTY),
        JSON_STRING("Source",      MountRequest, source,      EMPTY),
        JSON_STRING("Target",      MountRequest, target,      EMPTY),
        JSON_BOOL  ("ReadOnly",    MountRequest, read_only,   EMPTY),
        JSON_STRING("Consistency", MountRequest, consistency, EMPTY),
        JSON_NESTED_PTR("BindOptions",   MountRequest, bind_options,   bind_options_fields,   OPTIONAL),
        JSON_NESTED_PTR("VolumeOptions", MountRequest, volume_options, volume_options_fields, OPTIONAL),
        JSON_NESTED_PTR("ImageOptions",  MountRequest, image_options,  image_options_fields,  OPTIONAL),
        JSON_NESTED_PTR("TmpfsOptions",  MountRequest, tmpfs_options,  tmpfs_options_fields,  OPTIONAL),
        JSON_RAW("ClusterOptions", MountRequest, cluster_options, OPTIONAL),
        {}
};

const JsonField host_config_fields[] = {
        JSON_STRV  ("Binds",           HostConfig, binds,             NULLABLE),
        JSON_STRING("ContainerIDFile", HostConfig, container_id_file, 0),
        JSON_NESTED("LogConfig",       HostConfig, log_config, log_spec_fields, 0),
        JSON_STRING("NetworkMode",     HostConfig, network_mode,      0),
        JSON_KEYED ("PortBindings", HostConfig, port_bindings, n_port_bindings, PortBindings, port,
                    port_bindings_fields, 0),
        JSON_NESTED("RestartPolicy",   HostConfig, restart_policy, restart_policy_fields, 0),
        JSON_BOOL  ("AutoRemove",      HostConfig, auto_remove,       0),
        JSON_STRING("VolumeDriver",    HostConfig, volume_driver,     0),
        JSON_STRV  ("VolumesFrom",     HostConfig, volumes_from,      NULLABLE),
        JSON_UINT32_FIXED("ConsoleSize", HostConfig, console_size,    0),
        JSON_MAP   ("Annotations",     HostConfig, annotations,       OPTIONAL),
        JSON_STRV  ("CapAdd",          HostConfig, cap_add,           WORDS),
        JSON_STRV  ("CapDrop",         HostConfig, cap_drop,          WORDS),
        JSON_STRV  ("Capabilities",    HostConfig, capabilities,      OPTIONAL),
        JSON_STRING("CgroupnsMode",    HostConfig, cgroupns_mode,     0),
        JSON_STRV  ("Dns",             HostConfig, dns,               NULLABLE),
        JSON_STRV  ("DnsOptions",      HostConfig, dns_options,       NULLABLE),
        JSON_STRV  ("DnsSearch",       HostConfig, dns_search,        NULLABLE),
        JSON_STRV  ("ExtraHosts",      HostConfig, extra_hosts,       NULLABLE),
        JSON_STRV  ("GroupAdd",        HostConfig, group_add,         NULLABLE),
        JSON_STRING("IpcMode",         HostConfig, ipc_mode,          0),
        JSON_STRING("Cgroup",          HostConfig, cgroup,            0),
        JSON_STRV  ("Links",           HostConfig, links,             NULLABLE),
        JSON_INT   ("OomScoreAdj",     HostConfig, oom_score_adj,     0),
        JSON_STRING("PidMode",         HostConfig, pid_mode,          0),
        JSON_BOOL  ("Privileged",      HostConfig, privileged,        0),
        JSON_BOOL  ("PublishAllPorts", HostConfig, publish_all_ports, 0),
        JSON_BOOL  ("ReadonlyRootfs",  HostConfig, readonly_rootfs,   0),
        JSON_STRV  ("SecurityOpt",     HostConfig, security_opt,      NULLABLE),
        JSON_MAP   ("StorageOpt",      HostConfig, storage_opt,       OPTIONAL),
        JSON_MAP   ("Tmpfs",           HostConfig, tmpfs,             OPTIONAL),
        JSON_STRING("UTSMode",         HostConfig, uts_mode,          0),
        JSON_STRING("UsernsMode",      HostConfig, userns_mode,       0),
        JSON_INT64 ("ShmSize",         HostConfig, shm_size,          0),
        JSON_MAP   ("Sysctls",         HostConfig, sysctls,           OPTIONAL),
        JSON_STRING("Runtime",         HostConfig, runtime,           EMPTY),
        JSON_STRING("Isolation",       HostConfig, isolation,         0),
        JSON_EMBED (HostConfig, resources, resources_fields),
        JSON_ARRAY ("Mounts", HostConfig, mounts, n_mounts, MountRequest, mount_request_fields, OPTIONAL),
        JSON_STRV  ("MaskedPaths",     HostConfig, masked_paths,      NULLABLE),
        JSON_STRV  ("ReadonlyPaths",   HostConfig, readonly_paths,    NULLABLE),
        JSON_TRISTATE("Init",          HostConfig, init,              OPTIONAL),
        {}
};

static const JsonField networking_config_fields[] = {
        JSON_KEYED("EndpointsConfig", ContainerSpec, endpoints, n_endpoints, EndpointSpec, network,
                   endpoint_spec_fields, NULLABLE),
        {}
};

/* NetworkingConfig has no struct of its own: its one row is a member of the spec. */
const JsonField container_spec_fields[] = {
        JSON_EMBED (ContainerSpec, config, container_config_fields),
        JSON_NESTED("HostConfig", ContainerSpec, host, host_config_fields, 0),
        { .name = "NetworkingConfig", .type = JSON_FIELD_NESTED, .offset = 0,
          .size = sizeof(ContainerSpec), .fields = networking_config_fields },
        {}
};

/* clang-format on */
