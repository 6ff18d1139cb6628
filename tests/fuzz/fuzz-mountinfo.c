/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(mountinfo_done) MountTable table = {};
        _cleanup_(freep) char *text = alloc_copy0(data, size);

        if (text && mountinfo_parse(text, &table) >= 0) {
                (void) mountinfo_find(&table, "/proc");
                (void) mountinfo_find_above(&table, "/proc/self");
        }
        return 0;
}
