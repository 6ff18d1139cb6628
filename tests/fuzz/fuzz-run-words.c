/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammars of --mount, -v, -p, --expose, --gpus and --network: whatever is accepted is a whole wish. */
#include "cli/run-mount.h"
#include "cli/run-network.h"
#include "cli/run-values.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *s = alloc_copy0(data, size);
        _cleanup_(run_networks_done) RunNetworks networks = {};
        _cleanup_(container_spec_done) ContainerSpec spec;
        const HostConfig *h = &spec.host;

        if (!s)
                return 0;
        container_spec_init(&spec);
        if (run_mount_add(&spec, s, NULL) >= 0)
                assert(!str_empty(h->mounts[0].type) && !str_empty(h->mounts[0].target));
        if (run_volume_add(&spec, s, NULL) >= 0)
                assert(spec.config.volumes || h->binds);
        if (run_to_published(s, &spec, NULL) >= 0)
                assert(h->n_port_bindings > 0 && h->port_bindings[0].n_bindings > 0);
        (void) run_to_exposed(s, &spec, NULL);
        if (run_to_gpus(s, &spec, NULL) >= 0)
                assert(h->resources.device_requests[0].n_capabilities == 1);
        if (run_to_device(s, &spec, NULL) >= 0)
                assert(h->resources.n_devices > 0 || h->resources.n_device_requests > 0);
        if (run_network_add(&networks, s, NULL) >= 0)
                assert(networks.list[0].network);
        return 0;
}
