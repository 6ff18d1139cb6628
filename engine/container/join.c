/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/join.h"

#include "engine/container/containers.h"
#include "engine/container/set.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static const struct {
        const char *what;
        const char *file; /* below /proc/PID/ns */
} kinds[_JOIN_KIND_MAX] = {
        [JOIN_NETWORK] = { "network", "net" },
        [JOIN_IPC] = { "IPC", "ipc" },
        [JOIN_PID] = { "PID", "pid" },
};

void joins_done(NamespaceJoin joins[static _JOIN_KIND_MAX]) {
        for (size_t i = 0; i < _JOIN_KIND_MAX; i++) {
                free(joins[i].id);
                free(joins[i].path);
                free(joins[i].shm_path);
                joins[i] = (NamespaceJoin) {};
        }
}

const char *join_target(const char *mode) {
        return mode ? str_starts(mode, "container:") : NULL;
}

const char *join_mode(const HostConfig *h, JoinKind kind) {
        return kind == JOIN_NETWORK ? h->network_mode
             : kind == JOIN_IPC     ? h->ipc_mode
                                    : h->pid_mode;
}

bool join_wanted(const HostConfig *h) {
        for (JoinKind k = 0; k < _JOIN_KIND_MAX; k++)
                if (join_target(join_mode(h, k)))
                        return true;
        return false;
}

int join_check(const ContainerSpec *spec, Error *reterr) {
        const ContainerConfig *c = &spec->config;
        const HostConfig *h = &spec->host;
        const char *target = join_target(h->network_mode);
        const struct {
                bool conflict;
                const char *text;
        } table[] = {
                { !str_empty(c->hostname), "conflicting options: hostname and the network mode" },
                { !strv_empty(h->links), "conflicting options: container type network can't be "
                                         "used with links. This "
                                         "would result in undefined behavior" },
                { !strv_empty(h->dns), "conflicting options: dns and the network mode" },
                { !strv_empty(h->extra_hosts),
                        "conflicting options: custom host-to-IP mapping and the network mode" },
                { !str_empty(c->mac_address),
                        "conflicting options: mac-address and the network mode" },
                { h->n_port_bindings > 0 || h->publish_all_ports,
                        "conflicting options: port publishing and the container type network "
                        "mode" },
                { !strv_empty(c->exposed_ports),
                        "conflicting options: port exposing and the container type network mode" },
        };

        if (!target) {
                if (str_equal(h->network_mode, "container"))
                        return error_set(reterr, ERROR_INVALID,
                                "Invalid network mode: invalid container format "
                                "container:<name|id>");
                if (str_equal(h->network_mode, "host") && !str_empty(c->mac_address))
                        return error_set(reterr, ERROR_INVALID,
                                "conflicting options: mac-address and the network mode");
                if (str_equal(h->network_mode, "host") && !strv_empty(h->links))
                        return error_set(reterr, ERROR_INVALID,
                                "conflicting options: host type networking can't be used with "
                                "links. This would result in undefined behavior");
                return 0;
        }
        if (str_empty(target))
                return error_set(reterr, ERROR_INVALID,
                        "Invalid network mode: invalid container format container:<name|id>");
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].conflict)
                        return error_set(reterr, ERROR_INVALID, "%s", table[i].text);
        return 0;
}

static int check_shareable(const Container *c, const Container *owner, Error *reterr) {
        if (STR_IN_SET(str_or_empty(owner->spec.host.ipc_mode), "shareable", "host"))
                return 0;
        return error_set(reterr, ERROR_INVALID,
                "can't join IPC of container %s: non-shareable IPC (hint: use IpcMode:shareable "
                "for "
                "the donor container)",
                owner->id);
}

static int join_find(
        Container *c, JoinKind kind, const char *target, NamespaceJoin *ret, Error *reterr) {
        _cleanup_(freep) char *run = NULL;
        Container *owner;
        int r;

        r = containers_find(c->set, target, &owner, reterr);
        if (r < 0)
                return r;
        if (owner == c)
                return error_set(
                        reterr, ERROR_INVALID, "cannot join own %s namespace", kinds[kind].what);
        if (kind == JOIN_IPC && (!container_is_running(owner) || owner->pid <= 0))
                return error_set(reterr, ERROR_CONFLICT,
                        "can't join IPC of container %s: container %s is not running", owner->id,
                        owner->id);
        if (!container_is_running(owner) || owner->pid <= 0)
                return error_set(reterr, ERROR_CONFLICT,
                        "cannot join %s of a non running container: %s", kinds[kind].what,
                        owner->id);
        if (kind == JOIN_IPC) {
                r = check_shareable(c, owner, reterr);
                if (r < 0)
                        return r;
        }

        ret->pid = owner->pid;
        r = str_copy(&ret->id, owner->id);
        if (r >= 0)
                r = str_printf(
                        &ret->path, "/proc/%lld/ns/%s", (long long) owner->pid, kinds[kind].file);
        if (r < 0 || kind != JOIN_IPC)
                return r;

        if (str_equal(owner->spec.host.ipc_mode, "host"))
                return str_copy(&ret->shm_path, "/dev/shm");
        run = container_run_folder(c);
        ret->shm_path = run ? path_join(run, "bundle/shm") : NULL;
        return ret->shm_path ? 0 : -ENOMEM;
}

static char **join_mode_ref(HostConfig *h, JoinKind kind) {
        return kind == JOIN_NETWORK ? &h->network_mode
             : kind == JOIN_IPC     ? &h->ipc_mode
                                    : &h->pid_mode;
}

int joins_resolve(Containers *s, HostConfig *h, Error *reterr) {
        for (JoinKind k = 0; k < _JOIN_KIND_MAX; k++) {
                char **mode = join_mode_ref(h, k);
                const char *target = join_target(*mode);
                _cleanup_(freep) char *named = NULL;
                Container *owner;
                int r;

                if (str_empty(target)) /* no such mode, or one that the check refuses */
                        continue;
                r = containers_find(s, target, &owner, NULL);
                if (r == -ENOENT && k == JOIN_NETWORK)
                        continue; /* as Docker has it: the start will tell */
                if (r == -ENOENT)
                        return error_set(reterr, ERROR_INVALID, "No such container: %s", target);
                if (r < 0)
                        return containers_find(s, target, &owner, reterr); /* says why */
                named = str_concat("container:", owner->id);
                if (!named)
                        return -ENOMEM;
                free(*mode);
                *mode = TAKE_PTR(named);
        }
        return 0;
}

int joins_find(Container *c, NamespaceJoin ret[static _JOIN_KIND_MAX], Error *reterr) {
        for (JoinKind k = 0; k < _JOIN_KIND_MAX; k++) {
                const char *target = join_target(join_mode(&c->spec.host, k));
                int r;

                if (!target)
                        continue;
                r = join_find(c, k, target, ret + k, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

Container *join_network_owner(const Container *c) {
        const char *target = join_target(c->spec.host.network_mode);
        Container *owner;

        return target && containers_find(c->set, target, &owner, NULL) >= 0 ? owner : NULL;
}
