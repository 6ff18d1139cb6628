/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/users.h"

/* The input is a user, a newline, and then the text of passwd and group in one. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(user_identity_done) UserIdentity u = {};
        _cleanup_(freep) char *text = alloc_copy0(data, size), *error = NULL;
        char *files;

        if (!text)
                return 0;
        files = text + strcspn(text, "\n");
        if (*files)
                *files++ = 0;

        if (users_resolve_text(files, files, text, NULL, &u, &error) >= 0) {
                assert(u.uid != (uid_t) -1 && u.gid != (gid_t) -1);
                assert(u.n_groups >= 1 && u.groups[0] == u.gid);
                assert(u.home);
        } else
                assert(!error || !str_needs_escape(error));
        return 0;
}
