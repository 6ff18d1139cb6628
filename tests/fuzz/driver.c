/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Runs one fuzzer over files and folders without libFuzzer: every input, every shorter beginning
 * of it (long inputs: 2000 of them, evenly spread) and a few with one bit turned. The input lies
 * in memory of exactly its size, so that the address sanitizer sees a read beyond it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/strv.h"

#define INPUT_MAX      (4U * 1024U * 1024U)
#define BEGINNINGS_MAX 2000U
#define FLIPS          200U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static void run_exact(const char *data, size_t size) {
        uint8_t *copy;

        copy = alloc_copy(data, size);
        if (!copy)
                abort();
        (void) LLVMFuzzerTestOneInput(copy, size);
        free(copy);
}

static int run_input(int dir_fd, const char *name) {
        _cleanup_(freep) char *data = NULL;
        size_t size, step;
        int r;

        r = file_read_at(dir_fd, name, INPUT_MAX, &data, &size);
        if (r < 0)
                return r;

        run_exact(data, size);

        step = size / BEGINNINGS_MAX + 1;
        for (size_t n = 0; n < size; n += step)
                run_exact(data, n);

        step = size / FLIPS + 1;
        for (size_t i = 0; i < size; i += step) {
                char kept = data[i];

                for (unsigned bit = 0; bit < 8; bit++) {
                        data[i] = (char) (kept ^ (1 << bit));
                        run_exact(data, size);
                }
                data[i] = kept;
        }
        return 0;
}

static int run_folder(const char *path, size_t *n_inputs) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        fd = file_open_dir(AT_FDCWD, path);
        if (fd == -ENOTDIR) {
                (*n_inputs)++;
                return run_input(AT_FDCWD, path);
        }
        if (fd < 0)
                return fd;

        r = file_list(fd, ".", /* hidden= */ false, &names);
        if (r < 0)
                return r;

        STRV_FOREACH (name, names) {
                r = run_input(fd, *name);
                if (r < 0)
                        return r;
                (*n_inputs)++;
        }
        return 0;
}

int main(int argc, char *argv[]) {
        size_t n_inputs = 0;
        int r;

        if (LLVMFuzzerInitialize)
                (void) LLVMFuzzerInitialize(&argc, &argv);

        run_exact("", 0);
        for (int i = 1; i < argc; i++) {
                r = run_folder(argv[i], &n_inputs);
                if (r < 0) {
                        (void) fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
                        return EXIT_FAILURE;
                }
        }

        (void) printf("%zu inputs\n", n_inputs);
        return n_inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
