/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/volume/volume-options.h"

#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/json/pairs.h"

/* What is given needs the others. */
static const struct {
        const char *key;
        const char *needs[3];
} known[] = {
        { "device", { "type" } },
        { "o", { "device", "type" } },
        { "size", {} },
        { "type", { "device" } },
};

static int check_known(const char *key, Error *reterr) {
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(known[i].key, key))
                        return 0;
        return error_set(reterr, ERROR_INVALID, "invalid option: \"%s\"", key);
}

int volume_options_check(char *const *pairs, Error *reterr) {
        const char *key, *value, *size;
        uint64_t bytes;

        PAIRS_FOREACH(key, value, pairs) {
                int r = check_known(key, reterr);

                if (r < 0)
                        return r;
                if (str_has_control(value))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid value of option \"%s\"", key);
        }
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                for (const char *const *need = known[i].needs; *need; need++)
                        if (pairs_get(pairs, known[i].key) && !pairs_get(pairs, *need))
                                return error_set(reterr, ERROR_INVALID,
                                        "missing required option: \"%s\"", *need);
        size = pairs_get(pairs, "size");
        if (size && parse_size(size, &bytes) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid size: '%s'", size);
        if (size)
                return error_set(
                        reterr, ERROR_INVALID, "quota size requested but no quota support");
        return 0;
}
