/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/digest.h"

#include "lib/base/str.h"

static const struct {
        const char *name;
        size_t digits;
} kinds[_DIGEST_KIND_MAX] = {
        [DIGEST_SHA256] = { "sha256", 64 },
        [DIGEST_SHA512] = { "sha512", 128 },
};

const char *digest_kind_to_string(DigestKind kind) {
        return (int) kind >= 0 && kind < _DIGEST_KIND_MAX ? kinds[kind].name : NULL;
}

DigestKind digest_kind_from_string(const char *s) {
        for (size_t i = 0; s && i < _DIGEST_KIND_MAX; i++)
                if (streq(kinds[i].name, s))
                        return (DigestKind) i;
        return _DIGEST_KIND_INVALID;
}

int digest_parse(const char *s, DigestKind *ret_kind, const char **ret_hex) {
        for (size_t i = 0; s && i < _DIGEST_KIND_MAX; i++) {
                const char *hex = str_starts(s, kinds[i].name);

                if (!hex || *hex++ != ':')
                        continue;
                if (!str_is_hex(hex, kinds[i].digits))
                        return -EINVAL;

                if (ret_kind)
                        *ret_kind = (DigestKind) i;
                if (ret_hex)
                        *ret_hex = hex;
                return 0;
        }
        return -EINVAL;
}

const char *digest_hex(const char *s) {
        const char *hex = NULL;
        int r;

        r = digest_parse(s, NULL, &hex);
        assert(r >= 0);
        return hex;
}
