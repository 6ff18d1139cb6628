/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* A hostile tree may be deeper than we have fds: beyond this depth a folder is first moved up to
 * the top. */
#define TREE_DEPTH_MAX 128

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* A stream of its own over the folder, from the beginning; fd stays open. */
static int open_stream(int fd, DIR **ret) {
        int copy;

        copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy < 0)
                return -errno;

        *ret = fdopendir(copy);
        if (!*ret) {
                int r = -errno;

                (void) fd_close(copy);
                return r;
        }
        return 0;
}

static bool is_dot(const char *name) {
        return streq(name, ".") || streq(name, "..");
}

/* 1 an entry, 0 the end. */
static int next_entry(DIR *d, struct dirent **ret) {
        for (;;) {
                errno = 0;
                *ret = readdir(d);
                if (!*ret)
                        return errno ? -errno : 0;
                if (!is_dot((*ret)->d_name))
                        return 1;
        }
}

static int remove_inside(int dir_fd, int top_fd, unsigned depth);

/* Opens a folder to be emptied, giving ourselves the permission bits that are missing. A mount
 * point is known by its mount, not by its device number: a bind mount has the same one. */
static int open_to_remove(int dir_fd, const char *name) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct statx sx;

        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == EACCES) {
                _cleanup_(fd_closep) int path_fd = -EBADF;
                char path[FD_PATH_SIZE];

                /* By fd: fchmodat() would follow a link that took the folder's place. */
                path_fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (path_fd < 0 || chmod(fd_path(path_fd, path), 0700) < 0)
                        return -errno;
                fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0)
                return -errno;

        if (statx(fd, "", AT_EMPTY_PATH, STATX_MODE | STATX_UID, &sx) < 0)
                return -errno;
        if (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
                return -EXDEV;
        if ((sx.stx_mode & 0700) != 0700 && sx.stx_uid == geteuid() && fchmod(fd, 0700) < 0)
                return -errno;

        return TAKE_FD(fd);
}

static int remove_folder(int dir_fd, const char *name, int top_fd, unsigned depth) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        if (depth >= TREE_DEPTH_MAX) {
                char flat[sizeof(".#deep.") + 20];
                static unsigned counter;

                /* The pass over the top folder is repeated until nothing is left, so it comes
                 * back to this one. */
                for (;;) {
                        (void) snprintf(flat, sizeof(flat), ".#deep.%u", counter++);
                        if (renameat2(dir_fd, name, top_fd, flat, RENAME_NOREPLACE) >= 0)
                                return 0;
                        if (errno != EEXIST)
                                return -errno;
                }
        }

        fd = open_to_remove(dir_fd, name);
        if (fd < 0)
                return fd;

        r = remove_inside(fd, top_fd, depth + 1);
        if (r < 0)
                return r;

        if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0)
                return errno == EBUSY ? -EXDEV : -errno;
        return 0;
}

static int remove_inside(int dir_fd, int top_fd, unsigned depth) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *entry;
        bool again;
        int r;

        r = open_stream(dir_fd, &d);
        if (r < 0)
                return r;

        /* Names that appear while we read are seen by the next pass; the last pass finds
         * nothing. */
        do {
                again = false;
                rewinddir(d);
                while ((r = next_entry(d, &entry)) > 0) {
                        again = true;
                        if (entry->d_type != DT_DIR) {
                                if (unlinkat(dir_fd, entry->d_name, 0) >= 0 || errno == ENOENT)
                                        continue;
                                if (errno != EISDIR && errno != EPERM)
                                        return errno == EBUSY ? -EXDEV : -errno;
                        }
                        r = remove_folder(dir_fd, entry->d_name, top_fd, depth);
                        if (r < 0 && r != -ENOENT)
                                return r;
                }
                if (r < 0)
                        return r;
        } while (again);

        return 0;
}

int file_remove_contents(int dir_fd) {
        return remove_inside(dir_fd, dir_fd, 0);
}

int file_remove_tree(int dir_fd, const char *name) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;
        int r;

        assert(!str_empty(name));

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISDIR(st.st_mode))
                return file_unlink(dir_fd, name);

        fd = open_to_remove(dir_fd, name);
        if (fd < 0)
                return fd;

        r = remove_inside(fd, fd, 0);
        if (r < 0)
                return r;

        if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0)
                return errno == EBUSY ? -EXDEV : -errno;
        return 1;
}

int file_is_empty_dir_at(int dir_fd, const char *name) {
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *entry;
        int r;

        fd = file_open_dir(dir_fd, name);
        if (fd < 0)
                return fd;
        r = open_stream(fd, &d);
        if (r >= 0)
                r = next_entry(d, &entry);
        return r < 0 ? r : r == 0;
}

int file_list(int dir_fd, const char *name, bool hidden, char ***ret) {
        _cleanup_(strv_freep) char **l = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(closedirp) DIR *d = NULL;
        size_t n = 0, allocated = 0;
        struct dirent *entry;
        int r;

        assert(name);
        assert(ret);

        fd = file_open_dir(dir_fd, name);
        if (fd < 0)
                return fd;
        r = open_stream(fd, &d);
        if (r < 0)
                return r;

        r = array_grow(&l, &allocated, 1);
        if (r < 0)
                return r;
        while ((r = next_entry(d, &entry)) > 0) {
                if (entry->d_name[0] == '.' && !hidden)
                        continue;
                r = array_grow(&l, &allocated, n + 2);
                if (r < 0)
                        return r;
                l[n] = strdup(entry->d_name);
                if (!l[n])
                        return -ENOMEM;
                l[++n] = NULL;
        }
        if (r < 0)
                return r;

        strv_sort(l);
        *ret = TAKE_PTR(l);
        return 0;
}

/* Bytes by the kernel: within a file system without passing through us. 0 nothing left,
 * -EOPNOTSUPP try another way. */
static ssize_t copy_chunk(int from_fd, int to_fd, size_t size, bool *kernel) {
        static const size_t user_size = 128 * 1024;
        char buffer[128 * 1024];
        ssize_t n;
        int r;

        if (*kernel) {
                do
                        n = copy_file_range(from_fd, NULL, to_fd, NULL, size, 0);
                while (n < 0 && errno == EINTR);
                if (n > 0)
                        return n;
                if (n < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP &&
                        errno != ENOSYS && errno != EBADF && errno != EPERM)
                        return -errno;
                /* 0 is also what some kernel files say that have more to read. */
                *kernel = false;
        }

        do
                n = read(from_fd, buffer, MIN(size, user_size));
        while (n < 0 && errno == EINTR);
        if (n <= 0)
                return n < 0 ? -errno : 0;

        r = fd_write_full(to_fd, buffer, (size_t) n);
        return r < 0 ? r : n;
}

static int64_t copy_range(int from_fd, int to_fd, uint64_t size) {
        bool kernel = true;
        uint64_t done = 0;

        while (done < size) {
                ssize_t n;

                n = copy_chunk(
                        from_fd, to_fd, (size_t) MIN(size - done, UINT64_C(1) << 30), &kernel);
                if (n < 0)
                        return n;
                if (n == 0)
                        break;
                done += (uint64_t) n;
        }
        return (int64_t) done;
}

/* Regular files: only the data parts are copied, the holes stay. */
static int64_t copy_sparse(int from_fd, int to_fd, off_t from, off_t to, off_t size) {
        off_t position = from, end = from + size;
        struct stat st;

        while (position < end) {
                off_t data, hole;
                int64_t n;

                data = lseek(from_fd, position, SEEK_DATA);
                if (data < 0) {
                        if (errno != ENXIO)
                                return -errno;
                        break;
                }
                if (data >= end)
                        break;
                hole = lseek(from_fd, data, SEEK_HOLE);
                if (hole < 0)
                        return -errno;
                hole = MIN(hole, end);

                if (lseek(from_fd, data, SEEK_SET) < 0 ||
                        lseek(to_fd, to + (data - from), SEEK_SET) < 0)
                        return -errno;
                n = copy_range(from_fd, to_fd, (uint64_t) (hole - data));
                if (n < 0)
                        return n;
                position = hole;
        }

        /* A hole at the end exists by the size only. */
        if (fstat(to_fd, &st) < 0)
                return -errno;
        if (st.st_size < to + size && ftruncate(to_fd, to + size) < 0)
                return -errno;
        if (lseek(from_fd, end, SEEK_SET) < 0 || lseek(to_fd, to + size, SEEK_SET) < 0)
                return -errno;
        return size;
}

int64_t file_copy_fd(int from_fd, int to_fd, uint64_t size) {
        struct stat from_st, to_st;
        off_t from, to;

        if (fstat(from_fd, &from_st) < 0 || fstat(to_fd, &to_st) < 0)
                return -errno;

        /* Kernel files are regular with size 0: they are read like a pipe. */
        if (!S_ISREG(from_st.st_mode) || !S_ISREG(to_st.st_mode) || from_st.st_size == 0)
                return copy_range(from_fd, to_fd, size);

        from = lseek(from_fd, 0, SEEK_CUR);
        to = lseek(to_fd, 0, SEEK_CUR);
        if (from < 0 || to < 0)
                return -errno;
        if (from >= from_st.st_size)
                return 0;

        if (from == 0 && to_st.st_size == 0 && size >= (uint64_t) from_st.st_size &&
                ioctl(to_fd, FICLONE, from_fd) >= 0) {
                if (lseek(from_fd, 0, SEEK_END) < 0 || lseek(to_fd, 0, SEEK_END) < 0)
                        return -errno;
                return from_st.st_size;
        }

        /* Data that the target has already would show through the holes. */
        if (to < to_st.st_size)
                return copy_range(from_fd, to_fd, size);

        return copy_sparse(
                from_fd, to_fd, from, to, (off_t) MIN(size, (uint64_t) (from_st.st_size - from)));
}

static int usage_inside(int dir_fd, unsigned depth, uint64_t *blocks, uint64_t *apparent) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *entry;
        int r;

        if (depth > TREE_DEPTH_MAX * 8)
                return -ELOOP;

        r = open_stream(dir_fd, &d);
        if (r < 0)
                return r;

        while ((r = next_entry(d, &entry)) > 0) {
                struct stat st;

                if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                        if (errno == ENOENT)
                                continue;
                        return -errno;
                }
                /* Hard links count by their share, so that a tree with all its names adds up. */
                *blocks += (uint64_t) st.st_blocks * 512 /
                           (S_ISDIR(st.st_mode) ? 1 : MAX(st.st_nlink, 1U));
                if (S_ISREG(st.st_mode))
                        *apparent += (uint64_t) st.st_size / MAX(st.st_nlink, 1U);

                if (S_ISDIR(st.st_mode)) {
                        _cleanup_(fd_closep) int fd = -EBADF;

                        fd = file_open_dir(dir_fd, entry->d_name);
                        if (fd == -ENOENT)
                                continue;
                        if (fd < 0)
                                return fd;
                        r = usage_inside(fd, depth + 1, blocks, apparent);
                        if (r < 0)
                                return r;
                }
        }
        return r;
}

int file_tree_usage(int dir_fd, const char *name, uint64_t *ret_blocks, uint64_t *ret_apparent) {
        _cleanup_(fd_closep) int fd = -EBADF;
        uint64_t blocks = 0, apparent = 0;
        int r;

        fd = file_open_dir(dir_fd, name);
        if (fd < 0)
                return fd;

        r = usage_inside(fd, 0, &blocks, &apparent);
        if (r < 0)
                return r;

        if (ret_blocks)
                *ret_blocks = blocks;
        if (ret_apparent)
                *ret_apparent = apparent;
        return 0;
}
