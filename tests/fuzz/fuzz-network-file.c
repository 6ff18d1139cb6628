/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#include "engine/core/hub.h"
#include "engine/network/endpoint.h"
#include "engine/network/networks-internal.h"
#include "engine/network/sandbox.h"
#include "lib/base/file.h"
#include "lib/json/json.h"

#define ID       "838c29e9bcef30223c46ce4b41222fb3e29abb74109e53d04de122a0ad7f6650"
#define TEXT_MAX ((size_t) 1024 * 1024)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Networks *set;

/* A set in a folder that is gone again: nothing is saved by reading. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
        static const NetworkGround ground = {};
        char root[] = "/tmp/fuzz-networks-XXXXXX";
        _cleanup_(error_done) Error e = {};
        static Hub *hub;
        NetworksWiring w = {
                .seed = "seed",
                .ground = &ground,
                .defaults = { .bip = "10.77.0.1/24", .icc = true, .masquerade = true },
        };

        (void) argc;
        (void) argv;
        w.data_root = mkdtemp(root);
        assert(w.data_root);
        assert(hub_new(&hub) >= 0);
        w.hub = hub;
        assert(networks_new(&w, &set, &e) >= 0);
        (void) file_remove_tree(AT_FDCWD, root);
        return 0;
}

static void read_network(const char *text, size_t size) {
        _cleanup_(error_done) Error e = {};
        Network *n = NULL;

        if (network_parse(set, ID, text, size, &n, &e) < 0)
                return;
        if (network_revive(set, n, &e) >= 0)
                networks_drop(set, n);
        network_free(n);
}

/* What a container has of its networks: in the file beside its own. */
static void read_sandbox(const char *text, size_t size) {
        const SandboxWish wish = { .container_id = ID, .container_name = "name" };
        _cleanup_(json_unrefp) Json *v = NULL, *back = NULL;
        _cleanup_(error_done) Error e = {};
        Sandbox *b = NULL;

        if (json_parse(text, size, TEXT_MAX, &v, &e) < 0)
                return;
        if (sandbox_read(set, &wish, v, &b, &e) < 0)
                return;
        assert(sandbox_write(b, &back) >= 0);
        sandbox_close(b);
}

/* The files of networks and endpoints of a disk that lies. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        read_network((const char *) data, size);
        read_sandbox((const char *) data, size);
        return 0;
}
