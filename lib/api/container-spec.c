/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/container-spec.h"

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* What Docker hides from a container that is not privileged. */
static const char *const masked_paths[] = {
        "/proc/acpi",
        "/proc/asound",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
        NULL,
};

static const char *const readonly_paths[] = {
        "/proc/bus",
        "/proc/fs",
        "/proc/irq",
        "/proc/sys",
        "/proc/sysrq-trigger",
        NULL,
};

void container_config_init(ContainerConfig *c) {
        *c = (ContainerConfig) {};
        fields_init(container_config_fields, c);
}

void container_config_done(ContainerConfig *c) {
        fields_done(container_config_fields, c);
}

void host_config_init(HostConfig *h) {
        *h = (HostConfig) {};
        fields_init(host_config_fields, h);
}

void host_config_done(HostConfig *h) {
        fields_done(host_config_fields, h);
}

void container_spec_init(ContainerSpec *s) {
        *s = (ContainerSpec) {};
        fields_init(container_spec_fields, s);
}

void container_spec_done(ContainerSpec *s) {
        if (!s)
                return;

        s->name = mfree(s->name);
        s->platform = mfree(s->platform);
        s->build = mfree(s->build);
        fields_done(container_spec_fields, s);
}

int container_spec_copy(const ContainerSpec *from, ContainerSpec *ret) {
        _cleanup_(container_spec_done) ContainerSpec s = {};
        int r;

        assert(from);
        assert(ret);

        r = fields_copy(container_spec_fields, from, &s);
        if (r >= 0)
                r = str_copy(&s.name, from->name);
        if (r >= 0)
                r = str_copy(&s.platform, from->platform);
        if (r >= 0)
                r = str_copy(&s.build, from->build);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(s);
        return 0;
}

int container_spec_read(Json *body, ContainerSpec *ret, Error *reterr) {
        assert(body);
        assert(ret);

        if (json_is_null(body))
                return error_set(reterr, ERROR_INVALID,
                        "config cannot be empty in order to create a container");

        return json_read_with(body, container_spec_fields, ret, JSON_READ_DOCKER, reterr);
}

int container_spec_read_text(const char *body, size_t size, ContainerSpec *ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_parse(body, size, JSON_SIZE_MAX, &v, reterr);
        if (r < 0)
                return r;

        return container_spec_read(v, ret, reterr);
}

int container_spec_write(const ContainerSpec *s, Json **ret) {
        return json_write(s, container_spec_fields, ret);
}

static int default_string(char **s, const char *value) {
        return str_empty(*s) ? str_copy(s, value) : 0;
}

static int default_list(char ***list, const char *const *values) {
        if (*list)
                return 0;

        *list = strv_copy((char *const *) values);
        return *list ? 0 : -ENOMEM;
}

int container_spec_fill_defaults(ContainerSpec *s) {
        HostConfig *h;
        int r;

        assert(s);

        h = &s->host;
        if (str_equal(h->network_mode, "default"))
                h->network_mode = mfree(h->network_mode);

        r = default_string(&h->network_mode, "bridge");
        if (r >= 0)
                r = default_string(&h->restart_policy.name, "no");
        if (r >= 0)
                r = default_string(&h->ipc_mode, "private");
        if (r >= 0)
                r = default_string(&h->cgroupns_mode, "private");
        if (r >= 0 && !h->privileged)
                r = default_list(&h->masked_paths, masked_paths);
        if (r >= 0 && !h->privileged)
                r = default_list(&h->readonly_paths, readonly_paths);
        if (r < 0)
                return r;

        if (h->resources.memory > 0 && h->resources.memory_swap == 0 &&
                MUL_OVERFLOWS(h->resources.memory, 2, &h->resources.memory_swap))
                h->resources.memory_swap = INT64_MAX;

        return 0;
}

static bool list_has(char *const *list, const char *const *values) {
        if (!list)
                return true; /* the default will be put in */
        for (; *values; values++)
                if (!strv_contains(list, *values))
                        return false;
        return true;
}

bool container_spec_hides_system_paths(const HostConfig *h) {
        assert(h);

        return list_has(h->masked_paths, masked_paths) &&
               list_has(h->readonly_paths, readonly_paths);
}
