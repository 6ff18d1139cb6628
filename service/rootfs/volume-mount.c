/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/rootfs/volume-mount.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/mountinfo.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define DATA_FOLDER "_data"
#define VOLUME_FILE "volume.json"
#define LAYERS_MAX  100u /* of mounts on one place */

/* ---- options ---- */

int volume_flags_parse(const char *options, VolumeFlags *ret) {
        static const struct {
                const char *word;
                unsigned long flag;
                bool clear;
        } words[] = {
                { "ro", MS_RDONLY, false },
                { "rw", MS_RDONLY, true },
                { "nosuid", MS_NOSUID, false },
                { "suid", MS_NOSUID, true },
                { "nodev", MS_NODEV, false },
                { "dev", MS_NODEV, true },
                { "noexec", MS_NOEXEC, false },
                { "exec", MS_NOEXEC, true },
                { "sync", MS_SYNCHRONOUS, false },
                { "async", MS_SYNCHRONOUS, true },
                { "dirsync", MS_DIRSYNC, false },
                { "mand", MS_MANDLOCK, false },
                { "nomand", MS_MANDLOCK, true },
                { "noatime", MS_NOATIME, false },
                { "atime", MS_NOATIME, true },
                { "nodiratime", MS_NODIRATIME, false },
                { "diratime", MS_NODIRATIME, true },
                { "relatime", MS_RELATIME, false },
                { "norelatime", MS_RELATIME, true },
                { "strictatime", MS_STRICTATIME, false },
                { "nostrictatime", MS_STRICTATIME, true },
                { "bind", MS_BIND, false },
                { "rbind", MS_BIND | MS_REC, false },
                { "defaults", 0, false },
        };
        static const struct {
                const char *word;
                unsigned long flag;
        } propagations[] = {
                { "private", MS_PRIVATE },
                { "rprivate", MS_PRIVATE | MS_REC },
                { "shared", MS_SHARED },
                { "rshared", MS_SHARED | MS_REC },
                { "slave", MS_SLAVE },
                { "rslave", MS_SLAVE | MS_REC },
                { "unbindable", MS_UNBINDABLE },
                { "runbindable", MS_UNBINDABLE | MS_REC },
        };
        _cleanup_(strv_freep) char **list = NULL, **data = NULL;
        VolumeFlags f = {};
        int r;

        r = strv_split(str_or_empty(options), ",", /* keep_empty= */ false, &list);
        STRV_FOREACH (word, list) {
                bool known = false;

                for (size_t i = 0; !known && i < ARRAY_SIZE(words); i++)
                        if (streq(words[i].word, *word)) {
                                known = true;
                                f.flags = words[i].clear ? f.flags & ~words[i].flag
                                                         : f.flags | words[i].flag;
                        }
                for (size_t i = 0; !known && i < ARRAY_SIZE(propagations); i++)
                        if (streq(propagations[i].word, *word)) {
                                known = true;
                                f.propagation = propagations[i].flag;
                        }
                if (!known && r >= 0)
                        r = strv_add(&data, *word);
        }
        f.data = r < 0 ? NULL : strv_join(data, ",");
        if (!f.data)
                return r < 0 ? r : -ENOMEM;
        *ret = f;
        return 0;
}

void volume_flags_done(VolumeFlags *f) {
        free(f->data);
        *f = (VolumeFlags) {};
}

/* The kernel takes numbers only for the server of a network file system. */
static int resolve_address(const VolumeMount *v, char **data, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        if (!STR_IN_SET(str_or_empty(v->type), "nfs", "nfs4", "cifs"))
                return 0;
        r = strv_split(*data, ",", /* keep_empty= */ false, &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
                char number[NI_MAXHOST];
                struct addrinfo *found;
                const char *name = str_starts(*word, "addr=");

                if (!name)
                        continue;
                r = getaddrinfo(name, NULL, &hints, &found);
                if (r != 0)
                        return error_set(reterr, ERROR_INVALID,
                                "error resolving passed in network volume address: lookup %s: %s",
                                name, gai_strerror(r));
                r = getnameinfo(found->ai_addr, found->ai_addrlen, number, sizeof(number), NULL, 0,
                        NI_NUMERICHOST);
                freeaddrinfo(found);
                if (r != 0)
                        return -EHOSTUNREACH;
                *word = mfree(*word);
                r = str_printf(word, "addr=%s", number);
                if (r < 0)
                        return r;
        }
        free(*data);
        *data = strv_join(words, ",");
        return *data ? 0 : -ENOMEM;
}

/* ---- mounting ---- */

/* As dockerd words it; what follows "password=" is nobody's business. */
static int mount_failed(
        const VolumeMount *v, const char *target, const VolumeFlags *f, int r, Error *reterr) {
        _cleanup_(freep) char *flags = NULL, *data = NULL, *why = NULL;
        const char *secret = strstr(f->data, "password=");

        if (str_copy(&why, strerror(-r)) < 0)
                return -ENOMEM;
        why[0] = (char) tolower((unsigned char) why[0]); /* as Go has it */

        if (f->flags != 0 && str_printf(&flags, ", flags: 0x%lx", f->flags) < 0)
                return -ENOMEM;
        if (secret) {
                size_t before = (size_t) (secret - f->data) + strlen("password=");
                const char *after = f->data + before + strcspn(f->data + before, ",");

                if (str_printf(&data, ", data: %.*s********%s", (int) before, f->data, after) < 0)
                        return -ENOMEM;
        } else if (f->data[0] && str_printf(&data, ", data: %s", f->data) < 0)
                return -ENOMEM;
        return error_set(reterr, ERROR_INTERNAL,
                "error while mounting volume '%s': failed to mount local volume: mount "
                "%s:%s%s%s: %s",
                target, str_or_empty(v->device), target, str_or_empty(flags), str_or_empty(data),
                why);
}

static int mount_it(const VolumeMount *v, Error *reterr) {
        _cleanup_(volume_flags_done) VolumeFlags f = {};
        _cleanup_(freep) char *target = path_join(v->folder, DATA_FOLDER);
        int r;

        if (!target)
                return -ENOMEM;
        r = volume_flags_parse(v->options, &f);
        if (r >= 0)
                r = resolve_address(v, &f.data, reterr);
        if (r < 0)
                return r;
        if (mount(str_or_empty(v->device), target, str_or_empty(v->type), f.flags,
                    f.data[0] ? f.data : NULL) < 0)
                return mount_failed(v, target, &f, -errno, reterr);

        /* Flags of a bind, and propagation, are only taken by a second call. */
        r = 0;
        if (f.flags & MS_BIND && f.flags & ~(unsigned long) (MS_BIND | MS_REC) &&
                mount(NULL, target, NULL, (f.flags & ~(unsigned long) MS_REC) | MS_REMOUNT, NULL) <
                        0)
                r = -errno;
        if (r >= 0 && f.propagation != 0 && mount(NULL, target, NULL, f.propagation, NULL) < 0)
                r = -errno;
        if (r < 0) {
                (void) umount2(target, UMOUNT_NOFOLLOW | MNT_DETACH);
                return mount_failed(v, target, &f, r, reterr);
        }
        return 0;
}

static int lock_open(int folder_fd, const char *name, int how) {
        int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        while (flock(fd, how) < 0)
                if (errno != EINTR) {
                        int r = -errno;

                        (void) close(fd);
                        return r;
                }
        return fd;
}

int volume_mount_acquire(const VolumeMount *v, int *ret_lock_fd, Error *reterr) {
        _cleanup_(fd_closep) int folder_fd = -EBADF, mutex_fd = -EBADF, lock_fd = -EBADF;
        int r;

        folder_fd = file_open_dir(AT_FDCWD, v->folder);
        mutex_fd = folder_fd < 0 ? folder_fd : lock_open(folder_fd, VOLUME_FILE, LOCK_EX);
        if (mutex_fd < 0)
                return error_set_errno(reterr, mutex_fd, "Cannot lock the volume %s", v->folder);

        /* Who unmounts asks for it without waiting, and has the other one first: so this does not wait. */
        lock_fd = lock_open(folder_fd, ".", LOCK_SH);
        r = lock_fd < 0 ? lock_fd : mount_is_mount_point(folder_fd, DATA_FOLDER);
        if (r == 0)
                r = mount_it(v, reterr);
        if (r < 0)
                return error_set_errno(reterr, r, "Cannot mount the volume %s", v->folder);
        *ret_lock_fd = TAKE_FD(lock_fd);
        return 0;
}

/* All that lies on NAME/_data. */
static int unmount(int folder_fd) {
        char path[FD_PATH_SIZE], target[FD_PATH_SIZE + sizeof(DATA_FOLDER) + 1];

        (void) snprintf(target, sizeof(target), "%s/" DATA_FOLDER, fd_path(folder_fd, path));
        for (unsigned i = 0; i < LAYERS_MAX; i++) {
                int r = mount_is_mount_point(folder_fd, DATA_FOLDER);

                if (r <= 0)
                        return r < 0 && r != -ENOENT ? r : i > 0;
                if (umount2(target, UMOUNT_NOFOLLOW | MNT_DETACH) < 0)
                        return -errno;
        }
        return -EBUSY;
}

int volume_mount_release(int volumes_fd, const char *name) {
        _cleanup_(fd_closep) int folder_fd = -EBADF, mutex_fd = -EBADF, lock_fd = -EBADF;

        folder_fd = file_open_dir(volumes_fd, name);
        mutex_fd = folder_fd < 0 ? folder_fd : lock_open(folder_fd, VOLUME_FILE, LOCK_EX);
        if (mutex_fd < 0)
                return mutex_fd == -ENOENT ? 0 : mutex_fd; /* removed meanwhile */
        lock_fd = lock_open(folder_fd, ".", LOCK_EX | LOCK_NB);
        if (lock_fd < 0)
                return lock_fd == -EWOULDBLOCK ? 0 : lock_fd;
        return unmount(folder_fd);
}

void volume_mount_clear_trash(int trash_fd) {
        struct dirent *e;
        int copy_fd;
        DIR *d;

        copy_fd = openat(trash_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d = copy_fd < 0 ? NULL : fdopendir(copy_fd);
        if (!d) {
                (void) fd_close(copy_fd);
                return;
        }
        while ((e = readdir(d))) {
                int fd = e->d_name[0] == '.' ? -EBADF : file_open_dir(dirfd(d), e->d_name);

                if (fd >= 0)
                        (void) unmount(fd);
                (void) fd_close(fd);
        }
        (void) closedir(d);
}
