/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "engine/registry/challenge.h"
#include "engine/registry/values.h"
#include "lib/api/registry-auth.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a registry says in headers, and a client in its own. Nothing that is taken out of one can end a line of another. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *s = alloc_copy0(data, size);
        _cleanup_(registry_auth_done) RegistryAuth a = {}, b = {};
        _cleanup_(challenge_done) Challenge c = {};
        uint64_t first, last, whole;

        if (!s || challenge_parse(s, &c) < 0)
                return 0;
        assert(!c.realm || (c.bearer && !str_has_control(c.realm)));
        assert(!c.service || !str_has_control(c.service));
        assert(!c.scope || !str_has_control(c.scope));
        (void) challenge_parse(s, &c);

        assert(retry_after_parse(s, 0) >= -22);
        if (content_range_parse(s, &first, &last, &whole) >= 0)
                assert(first <= last && last < whole);
        (void) no_proxy_fits(s, "r.example", 443);
        (void) no_proxy_fits(s, "10.1.2.3", 443);
        (void) no_proxy_fits("a,10.0.0.0/8", s, 80);

        if (registry_auth_read_header(s, &a) >= 0 && a.registry_token)
                assert(!str_has_control(a.registry_token));
        if (registry_auth_read_text(s, &b) >= 0 && b.username)
                assert(!str_has_control(b.username));
        return 0;
}
