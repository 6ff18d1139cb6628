/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/oci/runtime-spec.h"

#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

const JsonField runtime_id_mapping_fields[] = {
        JSON_UINT32("containerID", RuntimeIdMapping, container_id, JSON_MANDATORY),
        JSON_UINT32("hostID",      RuntimeIdMapping, host_id,      JSON_MANDATORY),
        JSON_UINT32("size",        RuntimeIdMapping, size,         JSON_MANDATORY),
        {}
};

const JsonField runtime_namespace_fields[] = {
        JSON_STRING("type", RuntimeNamespace, type, JSON_MANDATORY),
        JSON_STRING("path", RuntimeNamespace, path, JSON_OMIT_EMPTY),
        {}
};

const JsonField runtime_device_fields[] = {
        JSON_STRING("path",     RuntimeDevice, path,      JSON_MANDATORY),
        JSON_STRING("type",     RuntimeDevice, type,      JSON_MANDATORY),
        JSON_INT64 ("major",    RuntimeDevice, major,     0),
        JSON_INT64 ("minor",    RuntimeDevice, minor,     0),
        JSON_UINT32("fileMode", RuntimeDevice, file_mode, OPTIONAL),
        JSON_UINT32("uid",      RuntimeDevice, uid,       OPTIONAL),
        JSON_UINT32("gid",      RuntimeDevice, gid,       OPTIONAL),
        {}
};

static const JsonField seccomp_arg_fields[] = {
        JSON_UINT32("index",    RuntimeSeccompArg, index,     JSON_MANDATORY),
        JSON_UINT64("value",    RuntimeSeccompArg, value,     JSON_MANDATORY),
        JSON_UINT64("valueTwo", RuntimeSeccompArg, value_two, JSON_OMIT_EMPTY),
        JSON_STRING("op",       RuntimeSeccompArg, op,        JSON_MANDATORY),
        {}
};

const JsonField runtime_syscall_fields[] = {
        JSON_STRV  ("names",    RuntimeSyscall, names,     JSON_MANDATORY),
        JSON_STRING("action",   RuntimeSyscall, action,    JSON_MANDATORY),
        JSON_UINT32("errnoRet", RuntimeSyscall, errno_ret, OPTIONAL),
        JSON_ARRAY ("args", RuntimeSyscall, args, n_args, RuntimeSeccompArg, seccomp_arg_fields, OPTIONAL),
        {}
};

const JsonField runtime_seccomp_fields[] = {
        JSON_STRING("defaultAction",    RuntimeSeccomp, default_action,    JSON_MANDATORY),
        JSON_UINT32("defaultErrnoRet",  RuntimeSeccomp, default_errno_ret, OPTIONAL),
        JSON_STRV  ("architectures",    RuntimeSeccomp, architectures,     OPTIONAL),
        JSON_STRV  ("flags",            RuntimeSeccomp, flags,             OPTIONAL),
        JSON_STRING("listenerPath",     RuntimeSeccomp, listener_path,     JSON_OMIT_EMPTY),
        JSON_STRING("listenerMetadata", RuntimeSeccomp, listener_metadata, JSON_OMIT_EMPTY),
        JSON_ARRAY ("syscalls", RuntimeSeccomp, syscalls, n_syscalls, RuntimeSyscall,
                    runtime_syscall_fields, OPTIONAL),
        {}
};

static const JsonField personality_fields[] = {
        JSON_STRING("domain", RuntimePersonality, domain, JSON_MANDATORY),
        JSON_STRV  ("flags",  RuntimePersonality, flags,  OPTIONAL),
        {}
};

static const JsonField time_offset_fields[] = {
        JSON_INT64 ("secs",     RuntimeTimeOffset, secs,     JSON_OMIT_EMPTY),
        JSON_UINT32("nanosecs", RuntimeTimeOffset, nanosecs, JSON_OMIT_EMPTY),
        {}
};

static const JsonField intel_rdt_fields[] = {
        JSON_STRING("closID",        RuntimeIntelRdt, clos_id,         JSON_OMIT_EMPTY),
        JSON_STRING("l3CacheSchema", RuntimeIntelRdt, l3_cache_schema, JSON_OMIT_EMPTY),
        JSON_STRING("memBwSchema",   RuntimeIntelRdt, mem_bw_schema,   JSON_OMIT_EMPTY),
        JSON_BOOL  ("enableCMT",     RuntimeIntelRdt, enable_cmt,      JSON_OMIT_EMPTY),
        JSON_BOOL  ("enableMBM",     RuntimeIntelRdt, enable_mbm,      JSON_OMIT_EMPTY),
        {}
};

const JsonField runtime_linux_fields[] = {
        JSON_ARRAY("uidMappings", RuntimeLinux, uid_mappings, n_uid_mappings, RuntimeIdMapping,
                   runtime_id_mapping_fields, OPTIONAL),
        JSON_ARRAY("gidMappings", RuntimeLinux, gid_mappings, n_gid_mappings, RuntimeIdMapping,
                   runtime_id_mapping_fields, OPTIONAL),
        JSON_MAP("sysctl", RuntimeLinux, sysctl, OPTIONAL),
        JSON_NESTED_PTR("resources", RuntimeLinux, resources, runtime_resources_fields, JSON_OMIT_EMPTY),
        JSON_STRING("cgroupsPath", RuntimeLinux, cgroups_path, JSON_OMIT_EMPTY),
        JSON_ARRAY("namespaces", RuntimeLinux, namespaces, n_namespaces, RuntimeNamespace,
                   runtime_namespace_fields, OPTIONAL),
        JSON_ARRAY("devices", RuntimeLinux, devices, n_devices, RuntimeDevice, runtime_device_fields, OPTIONAL),
        JSON_NESTED_PTR("seccomp", RuntimeLinux, seccomp, runtime_seccomp_fields, JSON_OMIT_EMPTY),
        JSON_STRING("rootfsPropagation", RuntimeLinux, rootfs_propagation, JSON_OMIT_EMPTY),
        JSON_STRV("maskedPaths",   RuntimeLinux, masked_paths,   OPTIONAL),
        JSON_STRV("readonlyPaths", RuntimeLinux, readonly_paths, OPTIONAL),
        JSON_STRING("mountLabel", RuntimeLinux, mount_label, JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("intelRdt",    RuntimeLinux, intel_rdt,   intel_rdt_fields,   JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("personality", RuntimeLinux, personality, personality_fields, JSON_OMIT_EMPTY),
        JSON_KEYED("timeOffsets", RuntimeLinux, time_offsets, n_time_offsets, RuntimeTimeOffset, clock,
                   time_offset_fields, OPTIONAL),
        {}
};

/* clang-format on */
