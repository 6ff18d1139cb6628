/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/human.h"

#include <inttypes.h>
#include <stdio.h>

static char *scaled(uint64_t bytes, double step, const char *const *units, int digits, char *ret) {
        double size = (double) bytes;
        size_t i = 0;

        while (size >= step && units[i + 1]) {
                size /= step;
                i++;
        }

        (void) snprintf(ret, HUMAN_SIZE, "%.*g%s", digits, size, units[i]);
        return ret;
}

char *human_bytes(uint64_t bytes, int digits, char ret[static HUMAN_SIZE]) {
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB", NULL };

        return scaled(bytes, 1000, units, digits, ret);
}

char *human_bytes_binary(uint64_t bytes, char ret[static HUMAN_SIZE]) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL };

        return scaled(bytes, 1024, units, 4, ret);
}

char *human_duration(int64_t seconds, char ret[static HUMAN_SIZE]) {
        int64_t minutes = seconds / 60, hours = (seconds + 1800) / 3600;
        const char *word = NULL;
        const char *unit = "years";
        int64_t n = hours / 24 / 365;

        if (seconds < 1)
                word = "Less than a second";
        else if (seconds == 1)
                word = "1 second";
        else if (seconds < 60)
                n = seconds, unit = "seconds";
        else if (minutes == 1)
                word = "About a minute";
        else if (minutes < 60)
                n = minutes, unit = "minutes";
        else if (hours == 1)
                word = "About an hour";
        else if (hours < 48)
                n = hours, unit = "hours";
        else if (hours < 24 * 7 * 2)
                n = hours / 24, unit = "days";
        else if (hours < 24 * 30 * 2)
                n = hours / 24 / 7, unit = "weeks";
        else if (hours < 24 * 365 * 2)
                n = hours / 24 / 30, unit = "months";

        if (word)
                (void) snprintf(ret, HUMAN_SIZE, "%s", word);
        else
                (void) snprintf(ret, HUMAN_SIZE, "%" PRId64 " %s", n, unit);
        return ret;
}
