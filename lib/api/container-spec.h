/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* ContainerSpec: what the user asks of a new container. It is Docker's create body (Config,
 * HostConfig and NetworkingConfig of API 1.24 to 1.51) with every field of Linux and Windows
 * stored, so that inspect gives back what was sent. The same struct is filled by D-Bus, saved
 * with the container and shown by inspect.
 *
 * NULL and "" are the same for strings. Lists and maps keep the difference between NULL (null,
 * absent) and empty ([]), because Docker does: MaskedPaths null is the default list, [] is none.
 * Optional numbers are JSON_NO_x, optional switches -1; so a spec must be made by
 * container_spec_init().
 *
 * Pure data: nothing here is checked beyond its type. That is the work of
 * engine/container/container-create. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/api/network-spec.h"
#include "lib/json/fields.h"

typedef struct Error Error;
typedef struct Json Json;

/* Nanoseconds; 0: not given. test: NULL or [] inherit, ["NONE"], ["CMD", …], ["CMD-SHELL", "…"]. */
typedef struct HealthSpec {
        char **test;
        int64_t interval;
        int64_t timeout;
        int64_t start_period;
        int64_t start_interval;
        int retries;
} HealthSpec;

typedef struct ContainerConfig {
        char *hostname;
        char *domainname;
        char *user;
        bool attach_stdin;
        bool attach_stdout;
        bool attach_stderr;
        char **exposed_ports; /* set: "80/tcp" */
        bool tty;
        bool open_stdin;
        bool stdin_once;
        char **env; /* K=V; K alone removes the image's */
        char **cmd;
        HealthSpec *healthcheck;
        bool args_escaped;
        char *image;
        char **volumes; /* set: paths */
        char *working_dir;
        char **entrypoint;
        bool network_disabled;
        char *mac_address;
        char **on_build;
        char **labels; /* pairs */
        char *stop_signal;
        int stop_timeout; /* seconds; JSON_NO_INT: not given */
        char **shell;
} ContainerConfig;

typedef struct LogSpec {
        char *type;
        char **config; /* pairs */
} LogSpec;

typedef struct PortBinding {
        char *host_ip;
        char *host_port;
} PortBinding;

typedef struct PortBindings {
        char *port; /* "80/tcp" */
        PortBinding *bindings;
        size_t n_bindings;
} PortBindings;

typedef struct RestartPolicy {
        char *name; /* no always unless-stopped on-failure */
        int maximum_retry_count;
} RestartPolicy;

typedef struct WeightDevice {
        char *path;
        uint16_t weight;
} WeightDevice;

typedef struct ThrottleDevice {
        char *path;
        uint64_t rate;
} ThrottleDevice;

typedef struct DeviceMapping {
        char *path_on_host;
        char *path_in_container;
        char *permissions; /* of r w m */
} DeviceMapping;

typedef struct StringList { /* one [] of a [[]] */
        char **items;
} StringList;

typedef struct DeviceRequest {
        char *driver;
        int count; /* -1: all */
        char **device_ids;
        StringList *capabilities; /* OR of ANDs */
        size_t n_capabilities;
        char **options; /* pairs */
} DeviceRequest;

typedef struct Ulimit {
        char *name; /* nofile */
        int64_t hard;
        int64_t soft;
} Ulimit;

typedef struct BindOptions {
        char *propagation;
        bool non_recursive;
        bool create_mountpoint;
        bool read_only_non_recursive;
        bool read_only_force_recursive;
} BindOptions;

typedef struct VolumeDriverConfig {
        char *name;
        char **options; /* pairs */
} VolumeDriverConfig;

typedef struct VolumeOptions {
        bool no_copy;
        char **labels; /* pairs */
        char *subpath;
        VolumeDriverConfig *driver_config;
} VolumeOptions;

typedef struct ImageOptions {
        char *subpath;
} ImageOptions;

typedef struct TmpfsOptions {
        int64_t size_bytes;
        uint32_t mode;
        StringList *options; /* ["key"] or ["key", "value"] */
        size_t n_options;
} TmpfsOptions;

typedef struct MountRequest { /* an entry of HostConfig.Mounts */
        char *type;           /* bind volume tmpfs image npipe cluster */
        char *source;
        char *target;
        bool read_only;
        char *consistency;
        BindOptions *bind_options;
        VolumeOptions *volume_options;
        ImageOptions *image_options;
        TmpfsOptions *tmpfs_options;
        Json *cluster_options;
} MountRequest;

typedef struct Resources {
        int64_t cpu_shares;
        int64_t memory;
        int64_t nano_cpus;
        char *cgroup_parent;
        uint16_t blkio_weight;
        WeightDevice *blkio_weight_device;
        size_t n_blkio_weight_device;
        ThrottleDevice *blkio_device_read_bps;
        size_t n_blkio_device_read_bps;
        ThrottleDevice *blkio_device_write_bps;
        size_t n_blkio_device_write_bps;
        ThrottleDevice *blkio_device_read_iops;
        size_t n_blkio_device_read_iops;
        ThrottleDevice *blkio_device_write_iops;
        size_t n_blkio_device_write_iops;
        int64_t cpu_period;
        int64_t cpu_quota;
        int64_t cpu_realtime_period;
        int64_t cpu_realtime_runtime;
        char *cpuset_cpus;
        char *cpuset_mems;
        DeviceMapping *devices;
        size_t n_devices;
        char **device_cgroup_rules;
        DeviceRequest *device_requests;
        size_t n_device_requests;
        int64_t kernel_memory;
        int64_t kernel_memory_tcp;
        int64_t memory_reservation;
        int64_t memory_swap;
        int64_t memory_swappiness; /* JSON_NO_INT64: not given */
        int oom_kill_disable;      /* -1: not given */
        int64_t pids_limit;        /* JSON_NO_INT64: not given; 0 and -1: no limit */
        Ulimit *ulimits;
        size_t n_ulimits;
        int64_t cpu_count; /* Windows, and the two below */
        int64_t cpu_percent;
        uint64_t io_maximum_iops;
        uint64_t io_maximum_bandwidth;
} Resources;

typedef struct HostConfig {
        char **binds;
        char *container_id_file;
        LogSpec log_config;
        char *network_mode;
        PortBindings *port_bindings;
        size_t n_port_bindings;
        RestartPolicy restart_policy;
        bool auto_remove;
        char *volume_driver;
        char **volumes_from;
        uint32_t console_size[2]; /* height, width */
        char **annotations;       /* pairs */
        char **cap_add;
        char **cap_drop;
        char **capabilities; /* API 1.40 only, to be refused */
        char *cgroupns_mode;
        char **dns;
        char **dns_options;
        char **dns_search;
        char **extra_hosts;
        char **group_add;
        char *ipc_mode;
        char *cgroup;
        char **links;
        int oom_score_adj;
        char *pid_mode;
        bool privileged;
        bool publish_all_ports;
        bool readonly_rootfs;
        char **security_opt;
        char **storage_opt; /* pairs */
        char **tmpfs;       /* pairs: path, options */
        char *uts_mode;
        char *userns_mode;
        int64_t shm_size;
        char **sysctls; /* pairs */
        char *runtime;
        char *isolation;
        Resources resources;
        MountRequest *mounts;
        size_t n_mounts;
        char **masked_paths;   /* NULL: the default list; [] none */
        char **readonly_paths; /* the same */
        int init;              /* -1: as the daemon is set */
} HostConfig;

typedef struct ContainerSpec {
        /* Of the request's query, not of the body. name: with or without "/"; NULL: make one up. */
        char *name;
        char *platform; /* os[/arch[/variant]] */
        char *build;    /* of no body: id of the build whose step it is, set by engine/build only */
        ContainerConfig config;
        HostConfig host;
        EndpointSpec *endpoints;
        size_t n_endpoints;
} ContainerSpec;

extern const JsonField
        container_spec_fields[]; /* the create body; also the saved form (without name, platform) */
extern const JsonField container_config_fields[]; /* .Config of inspect */
extern const JsonField host_config_fields[];      /* .HostConfig of inspect */
extern const JsonField resources_fields[];        /* also the update body but for RestartPolicy */
extern const JsonField restart_policy_fields[];
extern const JsonField mount_request_fields[];
extern const JsonField health_spec_fields[];
/* One row "": a list of PortBinding; for JSON_KEYED(…, port, …). */
extern const JsonField port_bindings_fields[];

void container_spec_init(ContainerSpec *s); /* all absent */
void container_spec_done(ContainerSpec *s);
int container_spec_copy(const ContainerSpec *from, ContainerSpec *ret);
void container_config_init(ContainerConfig *c);
void container_config_done(ContainerConfig *c);
void host_config_init(HostConfig *h);
void host_config_done(HostConfig *h);

/* Reads a create body as Go would: keys in any case, null changes nothing. ret must be made by
 * container_spec_init(). "null" and non-objects are refused with Docker's sentence. */
int container_spec_read(Json *body, ContainerSpec *ret, Error *reterr);
int container_spec_read_text(const char *body, size_t size, ContainerSpec *ret, Error *reterr);
int container_spec_write(const ContainerSpec *s, Json **ret);

/* Puts in what Docker stores at create when the user said nothing and what does not depend on
 * the daemon's options: RestartPolicy "no", NetworkMode "bridge", IpcMode and CgroupnsMode
 * "private", MemorySwap 2 × Memory, MaskedPaths and ReadonlyPaths (unless privileged), empty
 * maps where Docker has no null. */
int container_spec_fill_defaults(ContainerSpec *s);

/* Whether all that Docker hides, and makes read-only, by itself is hidden and read-only. */
bool container_spec_hides_system_paths(const HostConfig *h);
