/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/oci/image-spec.h"
#include "lib/oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Both printed forms read as the same name again; nothing in a name can leave a folder or end a
 * line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *s = alloc_copy0(data, size), *normal = NULL, *familiar = NULL,
                              *again = NULL;
        _cleanup_(reference_done) Reference r = {}, a = {}, b = {};
        int e;

        if (!s || reference_parse(s, &r) < 0)
                return 0;

        if (reference_format(&r, &normal) < 0 || reference_format_familiar(&r, &familiar) < 0)
                return 0;
        assert(str_is_ascii_printable(normal));
        assert(!strstr(normal, "/../") && !strstr(normal, "//"));
        assert(!r.digest || image_digest_is_valid(r.digest));

        e = reference_parse(normal, &a);
        assert(e >= 0);
        e = reference_parse(familiar, &b);
        assert(e >= 0);
        assert(reference_same_repository(&r, &a) && reference_same_repository(&r, &b));
        assert(str_equal(r.tag, a.tag) && str_equal(r.digest, b.digest));
        if (reference_format(&b, &again) < 0)
                return 0;
        assert(streq(normal, again));
        assert(reference_matches(&r, familiar) || strpbrk(familiar, "[]"));
        (void) reference_matches(&r, s);
        return 0;
}
