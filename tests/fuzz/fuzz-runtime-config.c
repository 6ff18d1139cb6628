/* SPDX-License-Identifier: GPL-2.0-or-later */

/* config.json as stauer-runtime takes it: everything that is checked before a process is made, without a system
 * call that changes something. */

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/cgroup-limits.h"
#include "service/runtime/device-filter.h"
#include "service/runtime/devices.h"
#include "service/runtime/hooks.h"
#include "service/runtime/mount-options.h"
#include "service/runtime/namespaces.h"
#include "service/runtime/process.h"
#include "service/runtime/seccomp.h"
#include "service/runtime/sysctl.h"
#include "service/runtime/userns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_linux(const RuntimeLinux *l) {
        _cleanup_(cgroup_limits_done) CgroupLimits limits = {};
        _cleanup_(device_filter_done) DeviceFilter filter = {};
        _cleanup_(seccomp_filter_done) SeccompFilter seccomp = {};
        _cleanup_(buffer_done) Buffer key = {};
        _cleanup_(freep) char *map = NULL;
        const char *name, *value;
        Namespaces none = {};

        (void) cgroup_limits_plan(l->resources, &limits, NULL);
        if (l->resources)
                (void) device_filter_build(
                        l->resources->devices, l->resources->n_devices, &filter, NULL);
        (void) id_map_format("linux.uidMappings", l->uid_mappings, l->n_uid_mappings, &map, NULL);
        PAIRS_FOREACH(name, value, l->sysctl) {
                _cleanup_(freep) char *path = NULL;

                (void) sysctl_check(&none, name, value, &path, NULL);
        }
        if (l->seccomp && l->seccomp->n_syscalls < 64) {
                (void) seccomp_key(l->seccomp, &key);
                (void) seccomp_compile(l->seccomp, &seccomp, NULL);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(runtime_spec_done) RuntimeSpec spec = {};
        _cleanup_(process_done) Process process = {};
        _cleanup_(devices_done) Devices devices = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};

        if (json_parse((const char *) data, size, size, &v, &e) < 0 ||
                runtime_spec_read(v, &spec, &e) < 0)
                return 0;

        if (spec.process)
                (void) process_plan(spec.process, 0, &process, NULL);
        if (spec.hooks)
                (void) hooks_check("prestart", spec.hooks->prestart, spec.hooks->n_prestart, NULL);
        for (size_t i = 0; i < spec.n_mounts; i++) {
                _cleanup_(mount_options_done) MountOptions o = {};

                (void) mount_options_parse(spec.mounts[i].options, &o, NULL);
        }
        (void) devices_open(&spec, /* own_user_namespace= */ false, &devices, NULL);
        if (spec.linux_)
                check_linux(spec.linux_);
        return 0;
}
