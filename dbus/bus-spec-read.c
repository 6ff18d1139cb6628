/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-spec-read.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/container/container.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

int spec_read_string(sd_bus_message *m, void *field) {
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, 's', &s);
        return r < 0 ? r : str_copy(field, s);
}

int spec_read_strv(sd_bus_message *m, void *field) {
        _cleanup_(strv_freep) char **l = NULL;
        char ***strv = field;
        int r;

        r = sd_bus_message_read_strv(m, &l);
        if (r < 0)
                return r;
        return strv_set(strv, l);
}

int spec_read_pairs(sd_bus_message *m, void *field) {
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

int spec_read_bool(sd_bus_message *m, void *field) {
        int b, r;

        r = sd_bus_message_read_basic(m, 'b', &b);
        if (r >= 0)
                *(bool *) field = b;
        return r;
}

/* -1 is "as the daemon is set", which only the absence of the property says. */
int spec_read_switch(sd_bus_message *m, void *field) {
        int b, r;

        r = sd_bus_message_read_basic(m, 'b', &b);
        if (r >= 0)
                *(int *) field = b;
        return r;
}

int spec_read_int(sd_bus_message *m, void *field) {
        int32_t n;
        int r;

        r = sd_bus_message_read_basic(m, 'i', &n);
        if (r >= 0)
                *(int *) field = n;
        return r;
}

/* Path on the host, in the container, permissions; the last two may be "". */
int spec_read_devices(sd_bus_message *m, void *field) {
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
int spec_read_limit(sd_bus_message *m, void *field) {
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
int spec_read_cpu_quota(sd_bus_message *m, void *field) {
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

int spec_read_seconds(sd_bus_message *m, void *field) {
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
int spec_read_ulimits(sd_bus_message *m, void *field) {
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

/* Seconds and a fraction there, nanoseconds in Docker. */
static int read_nsec(sd_bus_message *m, int64_t *ret) {
        uint64_t usec;
        int r;

        r = sd_bus_message_read_basic(m, 't', &usec);
        if (r < 0)
                return r;
        if (usec > INT64_MAX / NSEC_PER_USEC)
                return -ERANGE;
        *ret = (int64_t) usec * NSEC_PER_USEC;
        return 0;
}

static HealthSpec *need_health(void *field) {
        HealthSpec **health = field;

        if (!*health)
                *health = new0(HealthSpec, 1);
        return *health;
}

/* A list in Docker's words: CMD, CMD-SHELL or NONE first. */
static int set_test(void *field, const char *kind, char *const *words) {
        _cleanup_(strv_freep) char **test = NULL;
        HealthSpec *h = need_health(field);
        int r;

        if (!h)
                return -ENOMEM;
        r = strv_add(&test, kind);
        if (r >= 0)
                r = strv_add_all(&test, words);
        if (r < 0)
                return r;
        strv_free(h->test);
        h->test = TAKE_PTR(test);
        return 0;
}

/* An empty one: no check, whatever the image says. */
int spec_read_health_command(sd_bus_message *m, void *field) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &words);
        return r < 0 ? r : set_test(field, strv_empty(words) ? "NONE" : "CMD", words);
}

int spec_read_health_shell(sd_bus_message *m, void *field) {
        const char *line;
        int r;

        r = sd_bus_message_read_basic(m, 's', &line);
        return r < 0 ? r : set_test(field, "CMD-SHELL", (char *[]) { (char *) line, NULL });
}

#define HEALTH_TIME(name, member)                                     \
        int spec_read_health_##name(sd_bus_message *m, void *field) { \
                HealthSpec *h = need_health(field);                   \
                                                                      \
                return h ? read_nsec(m, &h->member) : -ENOMEM;        \
        }

HEALTH_TIME(interval, interval)
HEALTH_TIME(timeout, timeout)
HEALTH_TIME(start_period, start_period)
HEALTH_TIME(start_interval, start_interval)

static int read_count(sd_bus_message *m, int *ret) {
        uint32_t n;
        int r;

        r = sd_bus_message_read_basic(m, 'u', &n);
        if (r < 0)
                return r;
        if (n > INT32_MAX)
                return -ERANGE;
        *ret = (int) n;
        return 0;
}

int spec_read_health_retries(sd_bus_message *m, void *field) {
        HealthSpec *h = need_health(field);

        return h ? read_count(m, &h->retries) : -ENOMEM;
}

int spec_read_count(sd_bus_message *m, void *field) {
        return read_count(m, field);
}

int spec_read_on_unhealthy(sd_bus_message *m, void *field) {
        const char *what;
        int r;

        r = sd_bus_message_read_basic(m, 's', &what);
        if (r < 0)
                return r;
        if (!STR_IN_SET(what, "none", "restart", "stop", "kill"))
                return -EINVAL;
        return pairs_set(field, ON_UNHEALTHY_LABEL, what);
}

/* Height and width. */
int spec_read_size(sd_bus_message *m, void *field) {
        uint32_t *size = field;

        return sd_bus_message_read(m, "(uu)", size, size + 1);
}

int spec_read_weight(sd_bus_message *m, void *field) {
        uint64_t n;
        int r;

        r = sd_bus_message_read_basic(m, 't', &n);
        if (r < 0)
                return r;
        if (n > UINT16_MAX)
                return -ERANGE;
        *(uint16_t *) field = (uint16_t) n;
        return 0;
}

/* Path of the device, bytes or operations a second. */
static int read_throttles(sd_bus_message *m, ThrottleDevice **list, size_t *n) {
        size_t allocated = 0;
        const char *path;
        uint64_t rate;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(st)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(st)", &path, &rate)) > 0) {
                r = array_grow(list, &allocated, *n + 1);
                if (r < 0)
                        return r;
                (*list)[*n] = (ThrottleDevice) { .rate = rate };
                r = str_copy(&(*list)[*n].path, path);
                if (r < 0)
                        return r;
                (*n)++;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

#define THROTTLE(name, member)                                                        \
        int spec_read_##name(sd_bus_message *m, void *field) {                        \
                Resources *resources = field;                                         \
                                                                                      \
                return read_throttles(m, &resources->member, &resources->n_##member); \
        }

THROTTLE(read_bandwidth, blkio_device_read_bps)
THROTTLE(write_bandwidth, blkio_device_write_bps)
THROTTLE(read_iops, blkio_device_read_iops)
THROTTLE(write_iops, blkio_device_write_iops)

/* Type, source, target, read-only. */
int spec_read_mounts(sd_bus_message *m, void *field) {
        const char *type, *source, *target;
        HostConfig *host = field;
        size_t allocated = 0;
        int readonly, r;

        r = sd_bus_message_enter_container(m, 'a', "(sssb)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(sssb)", &type, &source, &target, &readonly)) > 0) {
                MountRequest *k;

                r = array_grow(&host->mounts, &allocated, host->n_mounts + 1);
                if (r < 0)
                        return r;
                k = host->mounts + host->n_mounts++;
                *k = (MountRequest) { .read_only = readonly };
                r = str_copy(&k->type, type);
                if (r >= 0)
                        r = str_copy(&k->source, source);
                if (r >= 0)
                        r = str_copy(&k->target, target);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The bindings of a port; made if there are none yet. */
static PortBindings *need_port(HostConfig *host, const char *port, size_t *allocated) {
        PortBindings *p;

        for (size_t i = 0; i < host->n_port_bindings; i++)
                if (str_equal(host->port_bindings[i].port, port))
                        return host->port_bindings + i;
        if (array_grow(&host->port_bindings, allocated, host->n_port_bindings + 1) < 0)
                return NULL;
        p = host->port_bindings + host->n_port_bindings;
        *p = (PortBindings) {};
        if (str_copy(&p->port, port) < 0)
                return NULL;
        host->n_port_bindings++;
        return p;
}

static int add_binding(PortBindings *p, const char *ip, const char *number) {
        PortBinding *grown, *b;
        int r;

        grown = reallocarray(p->bindings, p->n_bindings + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        p->bindings = grown;
        b = grown + p->n_bindings++;
        *b = (PortBinding) {};
        r = str_copy(&b->host_ip, ip);
        return r < 0 ? r : str_copy(&b->host_port, number);
}

/* Port with its protocol, address of the host, port there; the last two may be "". */
int spec_read_ports(sd_bus_message *m, void *field) {
        const char *port, *ip, *number;
        HostConfig *host = field;
        size_t allocated = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sss)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(sss)", &port, &ip, &number)) > 0) {
                PortBindings *p = need_port(host, port, &allocated);

                r = p ? add_binding(p, ip, number) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}
