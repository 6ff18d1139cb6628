/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/format.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] = "{\"A\":\"text\",\"B\":[1,2.5,null,[\"x\"]],\"C\":{\"k\":\"v\","
                               "\"D\":{\"E\":true}},\"N\":null,\"Labels\":{\"a\":\"b\"}}";

/* Any text is a template or an error with words; running it ends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(buffer_done) Buffer out = { .max = 1024 * 1024 };
        _cleanup_(format_freep) Format *f = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;
        FormatData d = {};
        int r;

        if (size > 4096)
                return 0;
        text = alloc_copy0(data, size);
        if (!text)
                return 0;
        r = format_parse(text, 0, "", &f, &e);
        if (r < 0) {
                assert(r == -ENOMEM || e.text);
                return 0;
        }

        if (json_parse(document, strlen(document), JSON_SIZE_MAX, &v, NULL) < 0)
                return 0;
        d = (FormatData) { .root = v,
                .labels = json_get(v, "Labels"),
                .type = size % 2 ? "*Row" : NULL,
                .header = size % 3 == 0 };
        r = format_execute(f, &d, &out, &e);
        assert(r >= 0 || r == -ENOMEM || r == -EFBIG || e.text);
        return 0;
}
