/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ps prints, beside processes whose names a container chooses. The first line may be anything too: `ps` takes its arguments
 * from the user. */

#include <assert.h>
#include <stdint.h>

#include "engine/container/top-table.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const pid_t pids[] = { 1, 7, 4711 };
        _cleanup_(freep) char *text = NULL;
        TopTable t = {};

        if (str_copy_n(&text, (const char *) data, size) < 0)
                return 0;
        if (top_parse(text, pids, ARRAY_SIZE(pids), &t, NULL) >= 0)
                top_table_done(&t);
        (void) top_check_args(text, NULL);
        return 0;
}
