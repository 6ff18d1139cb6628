/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* config.json and the state document of the OCI runtime specification 1.2, plain data. The
 * engine fills a RuntimeSpec and writes it, stauer-runtime reads it; both by
 * runtime_spec_fields. What the specification has for other systems (windows, solaris, vm, zos)
 * is not here: unknown keys pass.
 *
 * Start from runtime_spec_init(): optional numbers are not 0 when absent
 * but JSON_NO_x, so that "no limit given" can be told from 0. NULL means absent everywhere. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json/fields.h"

typedef struct Error Error;
typedef struct Json Json;

#define RUNTIME_SPEC_VERSION "1.2.0"

typedef struct RuntimeRlimit {
        char *type; /* RLIMIT_NOFILE */
        uint64_t soft;
        uint64_t hard;
} RuntimeRlimit;

typedef struct RuntimeCapabilities { /* CAP_…; NULL: empty set */
        char **bounding;
        char **effective;
        char **inheritable;
        char **permitted;
        char **ambient;
} RuntimeCapabilities;

typedef struct RuntimeUser {
        uint32_t uid;
        uint32_t gid;
        uint32_t umask; /* JSON_NO_UINT32: not given */
        uint32_t *additional_gids;
        size_t n_additional_gids;
        char *username; /* other systems; kept */
} RuntimeUser;

typedef struct RuntimeScheduler {
        char *policy; /* SCHED_OTHER … */
        int nice;
        int priority;
        char **flags;
        uint64_t runtime;
        uint64_t deadline;
        uint64_t period;
} RuntimeScheduler;

typedef struct RuntimeIOPriority {
        char *class; /* IOPRIO_CLASS_BE … */
        int priority;
} RuntimeIOPriority;

typedef struct RuntimeExecAffinity {
        char *initial;
        char *final;
} RuntimeExecAffinity;

typedef struct RuntimeConsoleSize {
        uint32_t height;
        uint32_t width;
} RuntimeConsoleSize;

typedef struct RuntimeProcess {
        bool terminal;
        RuntimeConsoleSize *console_size; /* NULL: not given */
        RuntimeUser user;
        char **args;
        char *command_line; /* other systems; kept */
        char **env;
        char *cwd;
        RuntimeCapabilities *capabilities; /* NULL: not given, the runtime's own set stays */
        RuntimeRlimit *rlimits;
        size_t n_rlimits;
        bool no_new_privileges;
        char *apparmor_profile;
        char *selinux_label;
        int oom_score_adj; /* JSON_NO_INT: leave as it is */
        RuntimeScheduler *scheduler;
        RuntimeIOPriority *io_priority;
        RuntimeExecAffinity *exec_affinity;
} RuntimeProcess;

typedef struct RuntimeRoot {
        char *path;
        bool readonly;
} RuntimeRoot;

typedef struct RuntimeIdMapping {
        uint32_t container_id;
        uint32_t host_id;
        uint32_t size;
} RuntimeIdMapping;

typedef struct RuntimeMount {
        char *destination;
        char *type;
        char *source;
        char **options;
        RuntimeIdMapping *uid_mappings;
        size_t n_uid_mappings;
        RuntimeIdMapping *gid_mappings;
        size_t n_gid_mappings;
} RuntimeMount;

typedef struct RuntimeHook {
        char *path;
        char **args; /* with argv[0] */
        char **env;
        int timeout; /* seconds; JSON_NO_INT: none */
} RuntimeHook;

typedef struct RuntimeHooks {
        RuntimeHook *prestart;
        size_t n_prestart;
        RuntimeHook *create_runtime;
        size_t n_create_runtime;
        RuntimeHook *create_container;
        size_t n_create_container;
        RuntimeHook *start_container;
        size_t n_start_container;
        RuntimeHook *poststart;
        size_t n_poststart;
        RuntimeHook *poststop;
        size_t n_poststop;
} RuntimeHooks;

typedef struct RuntimeNamespace {
        char *type; /* pid network mount ipc uts user cgroup time */
        char *path; /* NULL: a new one */
} RuntimeNamespace;

typedef struct RuntimeDevice {
        char *type; /* c b u p */
        char *path;
        int64_t major;
        int64_t minor;
        uint32_t file_mode; /* JSON_NO_UINT32: not given */
        uint32_t uid;       /* the same */
        uint32_t gid;
} RuntimeDevice;

typedef struct RuntimeDeviceRule {
        bool allow;
        char *type;    /* a c b; NULL: a */
        int64_t major; /* JSON_NO_INT64: all */
        int64_t minor;
        char *access; /* rwm */
} RuntimeDeviceRule;

typedef struct RuntimeMemory {
        int64_t limit; /* bytes; -1 no limit; JSON_NO_INT64 not given; so all below */
        int64_t reservation;
        int64_t swap; /* memory + swap, as cgroup v1 counts */
        int64_t kernel;
        int64_t kernel_tcp;
        uint64_t swappiness;
        int disable_oom_killer; /* tristate */
        int use_hierarchy;
        int check_before_update;
} RuntimeMemory;

typedef struct RuntimeCpu {
        uint64_t shares; /* JSON_NO_UINT64: not given; so all below */
        int64_t quota;
        uint64_t burst;
        uint64_t period;
        int64_t realtime_runtime;
        uint64_t realtime_period;
        char *cpus;
        char *mems;
        int64_t idle;
} RuntimeCpu;

typedef struct RuntimePids {
        int64_t limit;
} RuntimePids;

typedef struct RuntimeWeightDevice {
        int64_t major;
        int64_t minor;
        uint16_t weight; /* JSON_NO_UINT16: not given */
        uint16_t leaf_weight;
} RuntimeWeightDevice;

typedef struct RuntimeThrottleDevice {
        int64_t major;
        int64_t minor;
        uint64_t rate;
} RuntimeThrottleDevice;

typedef struct RuntimeBlockIO {
        uint16_t weight; /* JSON_NO_UINT16: not given */
        uint16_t leaf_weight;
        RuntimeWeightDevice *weight_device;
        size_t n_weight_device;
        RuntimeThrottleDevice *throttle_read_bps;
        size_t n_throttle_read_bps;
        RuntimeThrottleDevice *throttle_write_bps;
        size_t n_throttle_write_bps;
        RuntimeThrottleDevice *throttle_read_iops;
        size_t n_throttle_read_iops;
        RuntimeThrottleDevice *throttle_write_iops;
        size_t n_throttle_write_iops;
} RuntimeBlockIO;

typedef struct RuntimeHugepageLimit {
        char *page_size; /* 2MB */
        uint64_t limit;
} RuntimeHugepageLimit;

typedef struct RuntimeInterfacePriority {
        char *name;
        uint32_t priority;
} RuntimeInterfacePriority;

typedef struct RuntimeNetwork {
        uint32_t class_id; /* JSON_NO_UINT32: not given */
        RuntimeInterfacePriority *priorities;
        size_t n_priorities;
} RuntimeNetwork;

typedef struct RuntimeRdma {
        char *device;
        uint32_t hca_handles; /* JSON_NO_UINT32: not given */
        uint32_t hca_objects;
} RuntimeRdma;

typedef struct RuntimeResources {
        RuntimeDeviceRule *devices; /* in order, the last match decides */
        size_t n_devices;
        RuntimeMemory *memory;
        RuntimeCpu *cpu;
        RuntimePids *pids;
        RuntimeBlockIO *block_io;
        RuntimeHugepageLimit *hugepage_limits;
        size_t n_hugepage_limits;
        RuntimeNetwork *network;
        RuntimeRdma *rdma;
        size_t n_rdma;
        char **unified; /* pairs: file of cgroup v2 and what to write */
} RuntimeResources;

typedef struct RuntimeSeccompArg {
        uint32_t index;
        uint64_t value;
        uint64_t value_two;
        char *op; /* SCMP_CMP_EQ … */
} RuntimeSeccompArg;

typedef struct RuntimeSyscall {
        char **names;
        char *action;       /* SCMP_ACT_ALLOW … */
        uint32_t errno_ret; /* JSON_NO_UINT32: not given */
        RuntimeSeccompArg *args;
        size_t n_args;
} RuntimeSyscall;

typedef struct RuntimeSeccomp {
        char *default_action;
        uint32_t default_errno_ret; /* JSON_NO_UINT32: not given, EPERM */
        char **architectures;       /* SCMP_ARCH_X86_64 … */
        char **flags;               /* SECCOMP_FILTER_FLAG_LOG … */
        char *listener_path;
        char *listener_metadata;
        RuntimeSyscall *syscalls;
        size_t n_syscalls;
} RuntimeSeccomp;

typedef struct RuntimePersonality {
        char *domain; /* LINUX, LINUX32 */
        char **flags;
} RuntimePersonality;

typedef struct RuntimeTimeOffset {
        char *clock; /* monotonic, boottime */
        int64_t secs;
        uint32_t nanosecs;
} RuntimeTimeOffset;

typedef struct RuntimeIntelRdt {
        char *clos_id;
        char *l3_cache_schema;
        char *mem_bw_schema;
        bool enable_cmt;
        bool enable_mbm;
} RuntimeIntelRdt;

typedef struct RuntimeLinux {
        RuntimeIdMapping *uid_mappings;
        size_t n_uid_mappings;
        RuntimeIdMapping *gid_mappings;
        size_t n_gid_mappings;
        RuntimeTimeOffset *time_offsets;
        size_t n_time_offsets;
        char **sysctl; /* pairs */
        RuntimeResources *resources;
        char *cgroups_path;
        RuntimeNamespace *namespaces;
        size_t n_namespaces;
        RuntimeDevice *devices;
        size_t n_devices;
        RuntimeSeccomp *seccomp;
        char *rootfs_propagation; /* shared slave private unbindable */
        char **masked_paths;
        char **readonly_paths;
        char *mount_label;
        RuntimeIntelRdt *intel_rdt;
        RuntimePersonality *personality;
} RuntimeLinux;

typedef struct RuntimeSpec {
        char *oci_version;
        RuntimeProcess *process; /* optional until start */
        RuntimeRoot *root;
        char *hostname;
        char *domainname;
        RuntimeMount *mounts;
        size_t n_mounts;
        RuntimeHooks *hooks;
        char **annotations;   /* pairs */
        RuntimeLinux *linux_; /* "linux" is a macro of the compiler */
} RuntimeSpec;

/* What `runtime state` prints and hooks get on stdin. */
typedef struct RuntimeState {
        char *oci_version;
        char *id;
        char *status; /* creating created running stopped; paused for ours and runc's */
        int pid;      /* 0: none */
        char *bundle;
        char **annotations; /* pairs */
} RuntimeState;

extern const JsonField runtime_spec_fields[];
extern const JsonField runtime_state_fields[];

/* Parts, for those who build or read one of them alone. */
extern const JsonField runtime_process_fields[];
extern const JsonField runtime_user_fields[];
extern const JsonField runtime_capabilities_fields[];
extern const JsonField runtime_rlimit_fields[];
extern const JsonField runtime_root_fields[];
extern const JsonField runtime_mount_fields[];
extern const JsonField runtime_hooks_fields[];
extern const JsonField runtime_id_mapping_fields[];
extern const JsonField runtime_linux_fields[];
extern const JsonField runtime_namespace_fields[];
extern const JsonField runtime_device_fields[];
extern const JsonField runtime_device_rule_fields[];
extern const JsonField runtime_resources_fields[];
extern const JsonField runtime_seccomp_fields[];
extern const JsonField runtime_syscall_fields[];

/* A zeroed struct of one of these tables with "not given" in its optional numbers; for the parts
 * that hang on pointers. NULL without memory. Example: m = runtime_part_new(RuntimeMemory,
 * runtime_memory_fields). */
extern const JsonField runtime_memory_fields[];
extern const JsonField runtime_cpu_fields[];
extern const JsonField runtime_pids_fields[];
extern const JsonField runtime_block_io_fields[];
void *runtime_part_new_internal(size_t size, const JsonField *fields);
#define runtime_part_new(T, fields) ((T *) runtime_part_new_internal(sizeof(T), fields))

void runtime_spec_init(RuntimeSpec *s);
void runtime_spec_done(RuntimeSpec *s);
void runtime_state_done(RuntimeState *s);
void runtime_process_init(RuntimeProcess *p);
void runtime_process_done(RuntimeProcess *p);

/* Reads a whole config.json: types, ociVersion 1.x, what the specification demands to be there. */
int runtime_spec_read(Json *v, RuntimeSpec *ret, Error *reterr);
