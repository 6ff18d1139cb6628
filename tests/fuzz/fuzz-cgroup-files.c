/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/host/cgroup-stats.h"
#include "engine/host/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* cpu.stat, memory.stat, io.stat and /proc/stat as another kernel may write them: the readers take any of them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = strndup((const char *) data, size);
        CgroupFigures figures = {};
        CgroupStats stats = {};
        HostCpu host;

        assert(text);
        (void) cgroup_parse_keyed(text, "usage_usec");
        cgroup_parse_io(text, &figures);
        cgroup_stats_parse_memory(text, &stats);
        assert(cgroup_stats_parse_io(text, &stats) >= 0);
        host_cpu_parse(text, 100, &host);
        cgroup_stats_done(&stats);
        free(text);
        return 0;
}
