/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/data-root.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"

#define MARK_FILE "stauer-id" /* only we write it; Docker has an engine-id */
#define LOCK_FILE "lock"
#define LAYOUT    "oci-layout"
#define ID_MAX    ((size_t) 256)

/* What other engines have at the top of theirs; "containers" and "tmp" are everybody's. */
static int check_foreign(int fd, const char *path, Error *reterr) {
        static const struct {
                const char *name;
                const char *engine;
        } marks[] = {
                { "engine-id", "Docker" },
                { "buildkit", "Docker" },
                { "image", "Docker" },
                { "overlay2", "Docker" },
                { "containerd", "Docker" },
                { "runtimes", "Docker" },
                { "overlay-containers", "Podman" },
                { "overlay-images", "Podman" },
                { "vfs-containers", "Podman" },
                { "libpod", "Podman" },
                { "storage.lock", "Podman" },
                { "io.containerd.content.v1.content", "containerd" },
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
                r = file_exists_at(fd, marks[i].name);
                if (r < 0)
                        return error_set_errno(reterr, r, "Failed to look into %s", path);
                if (r > 0)
                        return error_set(reterr, ERROR_CONFLICT,
                                "%s holds the data of %s (\"%s\"), which is left alone: choose "
                                "another folder with --data-root in DOCKER_OPTS, or move that data "
                                "away",
                                path, marks[i].engine, marks[i].name);
        }
        return 0;
}

static int read_id(int fd, const char *path, char **ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        char id[IDENT_SIZE];
        int r;

        r = file_read_at(fd, MARK_FILE, ID_MAX, &text, NULL);
        if (r >= 0 && ident_is_valid(str_chomp(text))) {
                *ret = TAKE_PTR(text);
                return 0;
        }
        if (r < 0 && r != -ENOENT)
                return error_set_errno(reterr, r, "Failed to read %s/" MARK_FILE, path);

        r = file_write_atomic_string(fd, MARK_FILE, ident_random(id), 0644, FILE_WRITE_DURABLE);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to write %s/" MARK_FILE, path);
        return str_copy(ret, id);
}

int data_root_open(const char *path, int *ret_lock, char **ret_id, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF, lock = -EBADF;
        _cleanup_(freep) char *id = NULL;
        struct stat st;
        int r;

        assert(path);
        assert(ret_lock);
        assert(ret_id);

        r = file_mkdir_p(path, 0710);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to make the data root %s", path);
        fd = open(path,
                O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* may be a link: it is the administrator's */
        if (fd < 0)
                return error_set_errno(reterr, -errno, "Failed to open the data root %s", path);
        if (fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "Failed to look at the data root %s", path);
        if (st.st_uid != geteuid())
                return error_set(reterr, ERROR_FORBIDDEN,
                        "The data root %s belongs to user %u, not to us: chown it or choose "
                        "another one with --data-root",
                        path, (unsigned) st.st_uid);
        if ((st.st_mode & 07777) != 0710 && fchmod(fd, 0710) < 0)
                return error_set_errno(
                        reterr, -errno, "Failed to set the mode of the data root %s", path);

        if (file_exists_at(fd, MARK_FILE) <= 0) {
                r = check_foreign(fd, path, reterr);
                if (r < 0)
                        return r;
        }

        lock = openat(fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (lock < 0)
                return error_set_errno(reterr, -errno, "Failed to open %s/" LOCK_FILE, path);
        r = file_lock(lock, /* exclusive= */ true, /* wait= */ false);
        if (r == -EAGAIN)
                return error_set(
                        reterr, ERROR_CONFLICT, "Another stauerd uses the data root %s", path);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to lock %s/" LOCK_FILE, path);

        r = read_id(fd, path, &id, reterr);
        if (r < 0)
                return r;

        *ret_lock = TAKE_FD(lock);
        *ret_id = TAKE_PTR(id);
        return 0;
}
