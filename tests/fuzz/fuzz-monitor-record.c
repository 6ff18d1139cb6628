/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>

#include "lib/api/monitor-spec.h"
#include "lib/json/json.h"

#define SIZE_MAX_OF_RECORD ((size_t) 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a monitor says, and what it has left in exit.json. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(monitor_record_done) MonitorRecord record = {};
        _cleanup_(error_done) Error e = {};
        _cleanup_(json_unrefp) Json *v = NULL, *back = NULL;

        if (json_parse((const char *) data, size, SIZE_MAX_OF_RECORD, &v, &e) < 0)
                return 0;
        if (monitor_record_read(v, &record, &e) >= 0)
                assert(json_write(&record, monitor_record_fields, &back) >= 0);
        return 0;
}
