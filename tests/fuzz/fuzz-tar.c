/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "lib/archive/compress.h"
#include "lib/archive/tar-extract.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"

/* The input is a tar, compressed or not. It is unpacked into a folder inside a folder; of the outer one nothing may change. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const TarLimits limits = {
        .entries = 64,
        .bytes = 64 * 1024,
        .file_size = 1024 * 1024,
        .path = 512,
        .depth = 16,
        .directories = 16 * 1024,
};

static char outer[] = "/tmp/stauer-fuzz-tar.XXXXXX";
static int outer_fd = -EBADF, root_fd = -EBADF;

static void clean(void) {
        (void) file_remove_tree(AT_FDCWD, outer);
}

static void prepare(void) {
        if (root_fd >= 0)
                return;
        if (!mkdtemp(outer))
                abort();
        (void) atexit(clean);
        outer_fd = file_open_dir(AT_FDCWD, outer);
        root_fd = file_mkdir_open(outer_fd, "root", 0700);
        if (root_fd < 0)
                abort();
}

static int removes(void *userdata, int dir_fd, const char *name, Error *reterr) {
        assert(name[0] && !strchr(name, '/') && strcmp(name, "..") != 0);
        return tar_remove_name(dir_fd, name, reterr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const TarExtractOps ops = { .whiteout = removes };
        MemorySource memory = { .data = data, .size = size, .step = 1000 };
        _cleanup_(decompressor_freep) Decompressor *d = NULL;
        _cleanup_(error_done) Error e = {};
        struct stat before, after;
        ByteSource source, plain;

        prepare();
        if (fstat(outer_fd, &before) < 0)
                abort();

        source = memory_source(&memory);
        if (decompressor_new(&source, &d) < 0)
                return 0;
        plain = decompressor_source(d);
        (void) tar_extract(
                &(const TarExtract) { .root_fd = root_fd, .limits = &limits, .ops = &ops }, &plain,
                NULL, &e);

        if (fstat(outer_fd, &after) < 0)
                abort();
        assert(before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
                before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
        assert(before.st_nlink == after.st_nlink && before.st_mode == after.st_mode);

        if (fchmod(root_fd, 0700) < 0 || file_remove_contents(root_fd) < 0)
                abort();
        return 0;
}
