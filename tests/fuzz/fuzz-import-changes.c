/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "service/worker/import-changes.h"

/* The input is lines of --change. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(image_run_config_done) ImageRunConfig c = {};
        _cleanup_(freep) char *text = alloc_copy0(data, size);
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(error_done) Error e = {};

        if (!text || strv_split(text, "\n", /* keep_empty= */ false, &lines) < 0)
                return 0;

        image_run_config_init(&c);
        if (import_changes_apply(&c, lines, &e) < 0)
                assert(error_is_set(&e));
        return 0;
}
