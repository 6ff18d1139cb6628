/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Mount options, one a line: parsed, written and parsed again they mean the same. */

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/strv.h"
#include "service/runtime/mount-options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(mount_options_done) MountOptions once = {}, twice = {};
        _cleanup_(strv_freep) char **words = NULL, **again = NULL;
        _cleanup_(freep) char *text = alloc_copy0(data, size);

        if (!text || strv_split(text, "\n", /* keep_empty= */ true, &words) < 0)
                return 0;
        if (mount_options_parse(words, &once, NULL) < 0)
                return 0;

        if (mount_options_format(&once, &again) < 0 || mount_options_parse(again, &twice, NULL) < 0)
                abort();
        if (once.set != twice.set || once.clear != twice.clear ||
                once.recursive_set != twice.recursive_set ||
                once.recursive_clear != twice.recursive_clear ||
                once.propagation != twice.propagation || once.bind != twice.bind ||
                once.recursive != twice.recursive ||
                !strv_equal(once.data ?: (char *[]) { NULL }, twice.data ?: (char *[]) { NULL }))
                abort();
        return 0;
}
