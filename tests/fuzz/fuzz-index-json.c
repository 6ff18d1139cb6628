/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "engine/image/tags.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"

/* The input is index.json. What can be read can be written and read again, and says the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/stauer-fuzz-index.XXXXXX";
static int folder_fd = -EBADF;

static void clean(void) {
        (void) file_remove_tree(AT_FDCWD, folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(tags_freep) Tags *t = NULL, *again = NULL;
        _cleanup_(error_done) Error e = {};

        if (folder_fd < 0) {
                if (!mkdtemp(folder))
                        abort();
                (void) atexit(clean);
                folder_fd = file_open_dir(AT_FDCWD, folder);
        }

        if (file_write_atomic(folder_fd, TAGS_FILE, data, size, 0600, 0) < 0)
                abort();
        if (tags_load(folder_fd, &t, &e) < 0)
                return 0;

        if (tags_save(t, folder_fd, &e) < 0 || tags_load(folder_fd, &again, &e) < 0)
                abort();
        assert(tags_count(t) == tags_count(again));
        for (size_t i = 0; i < tags_count(t); i++)
                if (tags_at(t, i)->name)
                        assert(tags_find(again, tags_at(t, i)->name));
        return 0;
}
