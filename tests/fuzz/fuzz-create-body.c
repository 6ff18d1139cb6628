/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A body that is taken, saved and loaded again, is the same spec; so is its copy. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *saved = NULL, *copied = NULL, *again = NULL;
        _cleanup_(container_spec_done) ContainerSpec s, copy = {}, loaded;
        _cleanup_(error_done) Error e = {};
        int r;

        container_spec_init(&s);
        container_spec_init(&loaded);

        r = container_spec_read_text((const char *) data, size, &s, &e);
        if (r < 0) {
                assert(r == -ENOMEM || e.text);
                return 0;
        }

        if (json_write_text(&s, container_spec_fields, &saved) < 0 ||
                container_spec_copy(&s, &copy) < 0 ||
                json_write_text(&copy, container_spec_fields, &copied) < 0)
                return 0;
        assert(streq(saved, copied));

        r = container_spec_read_text(saved, strlen(saved), &loaded, &e);
        assert(r >= 0);
        if (json_write_text(&loaded, container_spec_fields, &again) < 0)
                return 0;
        assert(streq(saved, again));

        (void) container_spec_fill_defaults(&s);
        return 0;
}
