/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-container-spec.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

typedef struct SpecProperty SpecProperty;

struct SpecProperty {
        const char *name;
        const char *signature;
        int (*read)(sd_bus_message *m, void *field); /* at the variant's content */
        size_t offset;
};

static int read_string(sd_bus_message *m, void *field) {
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        return r < 0 ? r : str_copy(field, s);
}

static int read_strv(sd_bus_message *m, void *field) {
        _cleanup_(strv_freep) char **l = NULL;
        char ***strv = field;
        int r;

        r = sd_bus_message_read_strv(m, &l);
        if (r < 0)
                return r;
        return strv_set(strv, l);
}

static int read_pairs(sd_bus_message *m, void *field) {
        const char *key, *value;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{ss}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0) {
                r = pairs_set(field, key, value);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_bool(sd_bus_message *m, void *field) {
        int b, r;

        r = sd_bus_message_read_basic(m, 'b', &b);
        if (r >= 0)
                *(bool *) field = b;
        return r;
}

/* -1 is "as the daemon is set", which only the absence of the property says. */
static int read_switch(sd_bus_message *m, void *field) {
        int b, r;

        r = sd_bus_message_read_basic(m, 'b', &b);
        if (r >= 0)
                *(int *) field = b;
        return r;
}

static int read_int(sd_bus_message *m, void *field) {
        int32_t n;
        int r;

        r = sd_bus_message_read_basic(m, 'i', &n);
        if (r >= 0)
                *(int *) field = n;
        return r;
}

/* Path on the host, in the container, permissions; the last two may be "". */
static int read_devices(sd_bus_message *m, void *field) {
        const char *host, *container, *permissions;
        Resources *resources = field;
        size_t allocated = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sss)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(sss)", &host, &container, &permissions)) > 0) {
                DeviceMapping *d;

                r = array_grow(&resources->devices, &allocated, resources->n_devices + 1);
                if (r < 0)
                        return r;
                d = resources->devices + resources->n_devices++;
                *d = (DeviceMapping) {};
                r = str_copy(&d->path_on_host, host);
                if (r >= 0)
                        r = str_copy(&d->path_in_container, container);
                if (r >= 0)
                        r = str_copy(&d->permissions, permissions);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* Bytes, tasks: uint64_t in systemd, int64_t with -1 for no limit in Docker. */
static int read_limit(sd_bus_message *m, void *field) {
        uint64_t n;
        int r;

        r = sd_bus_message_read_basic(m, 't', &n);
        if (r < 0)
                return r;
        if (n != UINT64_MAX && n > INT64_MAX)
                return -ERANGE;
        *(int64_t *) field = n == UINT64_MAX ? -1 : (int64_t) n;
        return 0;
}

/* CPU time per second in usec → NanoCpus: a whole CPU is 1 s per s, 10^9 there. */
static int read_cpu_quota(sd_bus_message *m, void *field) {
        uint64_t usec;
        int r;

        r = sd_bus_message_read_basic(m, 't', &usec);
        if (r < 0)
                return r;
        if (usec == UINT64_MAX)
                return 0;
        if (usec > INT64_MAX / NSEC_PER_USEC)
                return -ERANGE;
        *(int64_t *) field = (int64_t) usec * NSEC_PER_USEC;
        return 0;
}

static int read_seconds(sd_bus_message *m, void *field) {
        uint64_t usec;
        int r;

        r = sd_bus_message_read_basic(m, 't', &usec);
        if (r < 0)
                return r;
        if (usec == UINT64_MAX) {
                *(int *) field = -1;
                return 0;
        }
        if (DIV_ROUND_UP(usec, USEC_PER_SEC) > INT32_MAX)
                return -ERANGE;
        *(int *) field = (int) DIV_ROUND_UP(usec, USEC_PER_SEC);
        return 0;
}

/* "nofile", soft, hard; UINT64_MAX: unlimited */
static int read_ulimits(sd_bus_message *m, void *field) {
        Resources *resources = field;
        uint64_t soft, hard;
        size_t allocated = 0;
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(stt)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(stt)", &name, &soft, &hard)) > 0) {
                Ulimit *u;

                r = array_grow(&resources->ulimits, &allocated, resources->n_ulimits + 1);
                if (r < 0)
                        return r;
                u = resources->ulimits + resources->n_ulimits;
                *u = (Ulimit) { .soft = (int64_t) soft, .hard = (int64_t) hard };
                r = str_copy(&u->name, name);
                if (r < 0)
                        return r;
                resources->n_ulimits++;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

#define SPEC(member) offsetof(ContainerSpec, member)

/* clang-format off */
static const SpecProperty properties[] = {
        /* the process */
        { "Command",            "as",     read_strv,      SPEC(config.cmd) },
        { "Entrypoint",         "as",     read_strv,      SPEC(config.entrypoint) },
        { "Environment",        "as",     read_strv,      SPEC(config.env) },
        { "User",               "s",      read_string,    SPEC(config.user) },
        { "SupplementaryGroups","as",     read_strv,      SPEC(host.group_add) },
        { "WorkingDirectory",   "s",      read_string,    SPEC(config.working_dir) },
        { "Hostname",           "s",      read_string,    SPEC(config.hostname) },
        { "Domainname",         "s",      read_string,    SPEC(config.domainname) },
        { "Init",               "b",      read_switch,    SPEC(host.init) },
        { "OOMScoreAdjust",     "i",      read_int,       SPEC(host.oom_score_adj) },
        { "StopSignal",         "s",      read_string,    SPEC(config.stop_signal) },
        { "StopTimeoutUSec",    "t",      read_seconds,   SPEC(config.stop_timeout) },
        { "Labels",             "a{ss}",  read_pairs,     SPEC(config.labels) },
        /* files */
        { "ReadOnlyRootFS",     "b",      read_bool,      SPEC(host.readonly_rootfs) },
        { "Binds",              "as",     read_strv,      SPEC(host.binds) },
        { "Tmpfs",              "a{ss}",  read_pairs,     SPEC(host.tmpfs) },
        { "ShmSize",            "t",      read_limit,     SPEC(host.shm_size) },
        /* rights */
        { "Privileged",         "b",      read_bool,      SPEC(host.privileged) },
        { "CapabilitiesAdd",    "as",     read_strv,      SPEC(host.cap_add) },
        { "CapabilitiesDrop",   "as",     read_strv,      SPEC(host.cap_drop) },
        { "SecurityOptions",    "as",     read_strv,      SPEC(host.security_opt) },
        { "Devices",            "a(sss)", read_devices,   SPEC(host.resources) },
        { "DeviceCgroupRules",  "as",     read_strv,      SPEC(host.resources.device_cgroup_rules) },
        /* limits */
        { "MemoryMax",          "t",      read_limit,     SPEC(host.resources.memory) },
        { "MemoryLow",          "t",      read_limit,     SPEC(host.resources.memory_reservation) },
        { "MemorySwapMax",      "t",      read_limit,     SPEC(host.resources.memory_swap) },
        { "CPUQuotaPerSecUSec", "t",      read_cpu_quota, SPEC(host.resources.nano_cpus) },
        { "CPUShares",          "t",      read_limit,     SPEC(host.resources.cpu_shares) },
        { "AllowedCPUs",        "s",      read_string,    SPEC(host.resources.cpuset_cpus) },
        { "AllowedMemoryNodes", "s",      read_string,    SPEC(host.resources.cpuset_mems) },
        { "TasksMax",           "t",      read_limit,     SPEC(host.resources.pids_limit) },
        { "Limits",             "a(stt)", read_ulimits,   SPEC(host.resources) },
        { "Slice",              "s",      read_string,    SPEC(host.resources.cgroup_parent) },
        /* the rest */
        { "NetworkMode",        "s",      read_string,    SPEC(host.network_mode) },
        { "PidMode",            "s",      read_string,    SPEC(host.pid_mode) },
        { "IpcMode",            "s",      read_string,    SPEC(host.ipc_mode) },
        { "UTSMode",            "s",      read_string,    SPEC(host.uts_mode) },
        { "CgroupNamespaceMode","s",      read_string,    SPEC(host.cgroupns_mode) },
        { "UserNamespaceMode",  "s",      read_string,    SPEC(host.userns_mode) },
        { "Sysctls",            "a{ss}",  read_pairs,     SPEC(host.sysctls) },
        { "Annotations",        "a{ss}",  read_pairs,     SPEC(host.annotations) },
        { "Runtime",            "s",      read_string,    SPEC(host.runtime) },
        { "LogDriver",          "s",      read_string,    SPEC(host.log_config.type) },
        { "LogOptions",         "a{ss}",  read_pairs,     SPEC(host.log_config.config) },
        { "AutoRemove",         "b",      read_bool,      SPEC(host.auto_remove) },
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
