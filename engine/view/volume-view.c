/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/view/volume-view.h"

#include <time.h>

#include "engine/volume/volume.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/json/json.h"

/* Seconds and the zone of this host, as Docker has it. */
static int set_created(Json *v, int64_t ns) {
        char text[sizeof("2006-01-02T15:04:05+0000")], zone[sizeof("+0000")];
        time_t seconds = (time_t) (ns / NSEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&seconds, &tm) ||
                strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0 ||
                strftime(zone, sizeof(zone), "%z", &tm) == 0)
                return json_set_text(v, "CreatedAt", "");
        return tm.tm_gmtoff == 0
                     ? json_set_textf(v, "CreatedAt", "%sZ", text)
                     : json_set_textf(v, "CreatedAt", "%s%.3s:%.2s", text, zone, zone + 3);
}

static int set_usage(Json *v, const Volume *volume) {
        Json *usage;
        int r;

        r = json_set_new_object(v, "UsageData", &usage);
        if (r >= 0)
                r = json_set_int64(usage, "RefCount", volume_count_users(volume));
        return r < 0 ? r
                     : json_set_int64(
                               usage, "Size", volume->has_size ? (int64_t) volume->size : -1);
}

int volume_view(const Volume *volume, bool usage, Json **ret) {
        _cleanup_(freep) char *mountpoint = volume_mountpoint(volume);
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        if (!mountpoint)
                return -ENOMEM;
        r = json_new_object(&v);
        if (r >= 0)
                r = set_created(v, volume->created_ns);
        if (r >= 0)
                r = json_set_text(v, "Driver", VOLUME_DRIVER);
        if (r >= 0)
                r = volume->labels ? json_set_pairs(v, "Labels", volume->labels)
                                   : json_set_null(v, "Labels");
        if (r >= 0)
                r = json_set_text(v, "Mountpoint", mountpoint);
        if (r >= 0)
                r = json_set_text(v, "Name", volume->name);
        if (r >= 0)
                r = volume->options ? json_set_pairs(v, "Options", volume->options)
                                    : json_set_null(v, "Options");
        if (r >= 0)
                r = json_set_text(v, "Scope", "local");
        if (r >= 0 && usage)
                r = set_usage(v, volume);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
