/* SPDX-License-Identifier: GPL-2.0-or-later */

/* One line of a local log. What was read must survive being written and read again. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/log/local-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(json_line_done) JsonLine first = {}, second = {};
        _cleanup_(buffer_done) Buffer b = {};

        if (local_line_parse((const char *) data, size, &first) < 0)
                return 0;
        if (local_line_write(&b, &first.message, NULL) < 0)
                return 0;
        if (buffer_size(&b) - 1 > LOCAL_LINE_MAX)
                return 0;
        if (local_line_parse(buffer_head(&b), buffer_size(&b) - 1, &second) < 0)
                assert(!"what we wrote cannot be read");
        assert(second.message.stream == first.message.stream);
        assert(second.message.partial == first.message.partial);
        assert(second.message.time_nsec == first.message.time_nsec);
        assert(second.message.size == first.message.size);
        assert(memcmp(second.message.data, first.message.data, first.message.size) == 0);
        return 0;
}
