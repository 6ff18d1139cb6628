/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a unit test needs of cmocka, in the order it wants; and a folder that is gone afterwards. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
/* clang-format on */

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/file.h"

#define assert_ok(expression) assert_true((expression) >= 0)

/* A new empty folder below $TMPDIR; *state is its path. The teardown removes it. */
static inline int test_folder_setup(void **state) {
        const char *base = getenv("TMPDIR");
        char *path;

        if (asprintf(&path, "%s/stauer-test.XXXXXX", base ? base : "/tmp") < 0)
                return -1;
        if (!mkdtemp(path)) {
                free(path);
                return -1;
        }
        *state = path;
        return 0;
}

static inline int test_folder_teardown(void **state) {
        int r;

        r = file_remove_tree(AT_FDCWD, *state);
        free(*state);
        return r < 0 ? -1 : 0;
}

static inline int test_folder_open(void **state) {
        int fd;

        fd = file_open_dir(AT_FDCWD, *state);
        assert_true(fd >= 0);
        return fd;
}

/* A mount namespace of this program's own, as root in it; false where neither root nor a user
 * namespace can be had (the test then skips). */
static inline bool test_enter_mount_namespace(void) {
        uid_t uid = geteuid();
        gid_t gid = getegid();
        char map[64];

        if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) < 0)
                return false;

        if (uid != 0) {
                (void) snprintf(map, sizeof(map), "0 %u 1", uid);
                if (file_write_kernel("/proc/self/uid_map", map) < 0)
                        return false;
                (void) snprintf(map, sizeof(map), "0 %u 1", gid);
                if (file_write_kernel("/proc/self/setgroups", "deny") < 0 ||
                        file_write_kernel("/proc/self/gid_map", map) < 0)
                        return false;
        }

        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) >= 0;
}
