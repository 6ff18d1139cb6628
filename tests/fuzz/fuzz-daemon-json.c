/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/daemon-json.h"
#include "config/settings.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any text is taken or refused with a sentence, and leaves nothing behind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(settings_freep) Settings *s = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        if (settings_new(&s) < 0)
                return 0;
        r = daemon_json_apply_text(s, "fuzz", (const char *) data, size, &e);
        assert(r >= 0 || !str_empty(error_text(&e, r)));
        return 0;
}
