/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/oci/runtime-spec.h"

#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

const JsonField runtime_device_rule_fields[] = {
        JSON_BOOL  ("allow",  RuntimeDeviceRule, allow,  0),
        JSON_STRING("type",   RuntimeDeviceRule, type,   JSON_OMIT_EMPTY),
        JSON_INT64 ("major",  RuntimeDeviceRule, major,  OPTIONAL),
        JSON_INT64 ("minor",  RuntimeDeviceRule, minor,  OPTIONAL),
        JSON_STRING("access", RuntimeDeviceRule, access, JSON_OMIT_EMPTY),
        {}
};

const JsonField runtime_memory_fields[] = {
        JSON_INT64   ("limit",             RuntimeMemory, limit,               OPTIONAL),
        JSON_INT64   ("reservation",       RuntimeMemory, reservation,         OPTIONAL),
        JSON_INT64   ("swap",              RuntimeMemory, swap,                OPTIONAL),
        JSON_INT64   ("kernel",            RuntimeMemory, kernel,              OPTIONAL),
        JSON_INT64   ("kernelTCP",         RuntimeMemory, kernel_tcp,          OPTIONAL),
        JSON_UINT64  ("swappiness",        RuntimeMemory, swappiness,          OPTIONAL),
        JSON_TRISTATE("disableOOMKiller",  RuntimeMemory, disable_oom_killer,  OPTIONAL),
        JSON_TRISTATE("useHierarchy",      RuntimeMemory, use_hierarchy,       OPTIONAL),
        JSON_TRISTATE("checkBeforeUpdate", RuntimeMemory, check_before_update, OPTIONAL),
        {}
};

const JsonField runtime_cpu_fields[] = {
        JSON_UINT64("shares",          RuntimeCpu, shares,           OPTIONAL),
        JSON_INT64 ("quota",           RuntimeCpu, quota,            OPTIONAL),
        JSON_UINT64("burst",           RuntimeCpu, burst,            OPTIONAL),
        JSON_UINT64("period",          RuntimeCpu, period,           OPTIONAL),
        JSON_INT64 ("realtimeRuntime", RuntimeCpu, realtime_runtime, OPTIONAL),
        JSON_UINT64("realtimePeriod",  RuntimeCpu, realtime_period,  OPTIONAL),
        JSON_STRING("cpus",            RuntimeCpu, cpus,             JSON_OMIT_EMPTY),
        JSON_STRING("mems",            RuntimeCpu, mems,             JSON_OMIT_EMPTY),
        JSON_INT64 ("idle",            RuntimeCpu, idle,             OPTIONAL),
        {}
};

const JsonField runtime_pids_fields[] = {
        JSON_INT64("limit", RuntimePids, limit, OPTIONAL),
        {}
};

static const JsonField weight_device_fields[] = {
        JSON_INT64 ("major",      RuntimeWeightDevice, major,       JSON_MANDATORY),
        JSON_INT64 ("minor",      RuntimeWeightDevice, minor,       JSON_MANDATORY),
        JSON_UINT16("weight",     RuntimeWeightDevice, weight,      OPTIONAL),
        JSON_UINT16("leafWeight", RuntimeWeightDevice, leaf_weight, OPTIONAL),
        {}
};

static const JsonField throttle_device_fields[] = {
        JSON_INT64 ("major", RuntimeThrottleDevice, major, JSON_MANDATORY),
        JSON_INT64 ("minor", RuntimeThrottleDevice, minor, JSON_MANDATORY),
        JSON_UINT64("rate",  RuntimeThrottleDevice, rate,  JSON_MANDATORY),
        {}
};

#define THROTTLE(name, member)                                                                     \
        JSON_ARRAY(name, RuntimeBlockIO, member, n_##member, RuntimeThrottleDevice,                \
                   throttle_device_fields, OPTIONAL)

const JsonField runtime_block_io_fields[] = {
        JSON_UINT16("weight",     RuntimeBlockIO, weight,      OPTIONAL),
        JSON_UINT16("leafWeight", RuntimeBlockIO, leaf_weight, OPTIONAL),
        JSON_ARRAY("weightDevice", RuntimeBlockIO, weight_device, n_weight_device, RuntimeWeightDevice,
                   weight_device_fields, OPTIONAL),
        THROTTLE("throttleReadBpsDevice",   throttle_read_bps),
        THROTTLE("throttleWriteBpsDevice",  throttle_write_bps),
        THROTTLE("throttleReadIOPSDevice",  throttle_read_iops),
        THROTTLE("throttleWriteIOPSDevice", throttle_write_iops),
        {}
};

static const JsonField hugepage_limit_fields[] = {
        JSON_STRING("pageSize", RuntimeHugepageLimit, page_size, JSON_MANDATORY),
        JSON_UINT64("limit",    RuntimeHugepageLimit, limit,     JSON_MANDATORY),
        {}
};

static const JsonField interface_priority_fields[] = {
        JSON_STRING("name",     RuntimeInterfacePriority, name,     JSON_MANDATORY),
        JSON_UINT32("priority", RuntimeInterfacePriority, priority, JSON_MANDATORY),
        {}
};

static const JsonField network_fields[] = {
        JSON_UINT32("classID", RuntimeNetwork, class_id, OPTIONAL),
        JSON_ARRAY("priorities", RuntimeNetwork, priorities, n_priorities, RuntimeInterfacePriority,
                   interface_priority_fields, OPTIONAL),
        {}
};

static const JsonField rdma_fields[] = {
        JSON_UINT32("hcaHandles", RuntimeRdma, hca_handles, OPTIONAL),
        JSON_UINT32("hcaObjects", RuntimeRdma, hca_objects, OPTIONAL),
        {}
};

const JsonField runtime_resources_fields[] = {
        JSON_MAP("unified", RuntimeResources, unified, OPTIONAL),
        JSON_ARRAY("devices", RuntimeResources, devices, n_devices, RuntimeDeviceRule,
                   runtime_device_rule_fields, OPTIONAL),
        JSON_NESTED_PTR("memory",  RuntimeResources, memory,   runtime_memory_fields,   JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("cpu",     RuntimeResources, cpu,      runtime_cpu_fields,      JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("pids",    RuntimeResources, pids,     runtime_pids_fields,     JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("blockIO", RuntimeResources, block_io, runtime_block_io_fields, JSON_OMIT_EMPTY),
        JSON_ARRAY("hugepageLimits", RuntimeResources, hugepage_limits, n_hugepage_limits,
                   RuntimeHugepageLimit, hugepage_limit_fields, OPTIONAL),
        JSON_NESTED_PTR("network", RuntimeResources, network,  network_fields,          JSON_OMIT_EMPTY),
        JSON_KEYED("rdma", RuntimeResources, rdma, n_rdma, RuntimeRdma, device, rdma_fields, OPTIONAL),
        {}
};

/* clang-format on */
