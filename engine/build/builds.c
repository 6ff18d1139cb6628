/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The set of builds. */
#include "engine/build/builds.h"

#include <systemd/sd-event.h>

#include "engine/build/build.h"
#include "engine/container/container-check.h"
#include "engine/core/job.h"
#include "engine/image/image-build.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"

const char *const build_host_keys[] = { "CgroupParent", "CpuPeriod", "CpuQuota", "CpuShares",
        "CpusetCpus", "CpusetMems", "ExtraHosts", "Memory", "MemorySwap", "NetworkMode", "ShmSize",
        "Ulimits", NULL };

const char *build_check_privilege(const BuildOptions *o) {
        const ContainerSpec spec = { .host = o->host }; /* borrowed */

        return container_check_privilege(&spec);
}

int builds_new(sd_event *e, Containers *containers, Images *images, Jobs *jobs, Builds **ret) {
        Builds *s = new0(Builds, 1);

        if (!s)
                return -ENOMEM;
        *s = (Builds) {
                .event = sd_event_ref(e), .containers = containers, .images = images, .jobs = jobs
        };
        list_init(&s->builds);
        list_init(&s->removals);
        *ret = s;
        return 0;
}

Builds *builds_free(Builds *s) {
        Build *b;

        if (!s)
                return NULL;
        build_removals_forget(s);
        while ((b = list_first(&s->builds, Build, node))) {
                job_set_cancel(b->job, NULL, NULL);
                build_free(b);
        }
        sd_event_unref(s->event);
        return mfree(s);
}

const char *const build_prune_filter_keys[] = { "id", "until", NULL };

int builds_prune(Builds *s, bool all, const Filter *f, char ***ret_keys, uint64_t *ret_bytes,
        Error *reterr) {
        char *const *until = filter_values(f, "until"), *const *ids = filter_values(f, "id");
        int64_t until_ns = INT64_MAX;

        if (until && until[0]) {
                if (until[1])
                        return error_set(
                                reterr, ERROR_INVALID, "more than one until filter specified");
                if (clock_parse_point(until[0], clock_realtime_ns(), &until_ns) < 0)
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter 'until=[%s]'", until[0]);
        }
        return images_prune_build_cache(s->images, all, until_ns, ids, ret_keys, ret_bytes, reterr);
}

void builds_pause(Builds *s, const Job *j, bool paused) {
        Build *b;

        LIST_FOREACH_SAFE (b, &s->builds, node)
                if (b->job == j && b->paused != paused) {
                        b->paused = paused;
                        build_run_pause(b);
                        return;
                }
}
