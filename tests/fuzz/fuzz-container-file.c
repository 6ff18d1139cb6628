/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-store.h"
#include "engine/container/container.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* container.json of a disk that lies. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(json_unrefp) Json *v = NULL, *back = NULL;

        if (container_new("0123", "x", &c) < 0)
                return 0;
        if (json_parse((const char *) data, size, CONTAINER_FILE_MAX, &v, &e) < 0)
                return 0;
        if (json_read(v, container_fields, c, &e) >= 0 && c->state != CONTAINER_REMOVING)
                assert(json_write(c, container_fields, &back) >= 0);
        return 0;
}
