/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/content/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define LAYOUT_MARK "{\"imageLayoutVersion\":\"1.0.0\"}\n"
#define LOCK_NAME   "lock"

struct Blobs {
        int root_fd; /* borrowed */
        int dir_fd;  /* blobs/sha256 */
        int tmp_fd;
        int trash_fd;
        int lock_fd;
};

struct BlobWriter {
        Blobs *blobs;
        int fd;
        char *name; /* in tmp; NULL once it has its real one */
        Digest *digest;
        uint64_t size;
        char text[DIGEST_TEXT_SIZE];
};

int blobs_open(int root_fd, Blobs **ret) {
        _cleanup_(blobs_freep) Blobs *b = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        assert(root_fd >= 0);
        assert(ret);

        b = new (Blobs, 1);
        if (!b)
                return -ENOMEM;
        *b = (Blobs) { root_fd, -EBADF, -EBADF, -EBADF, -EBADF };

        fd = file_mkdir_open(root_fd, "blobs", 0700);
        if (fd < 0)
                return fd;
        b->dir_fd = file_mkdir_open(fd, "sha256", 0700);
        if (b->dir_fd < 0)
                return b->dir_fd;
        b->tmp_fd = file_mkdir_open(root_fd, "tmp", 0700);
        if (b->tmp_fd < 0)
                return b->tmp_fd;
        b->trash_fd = file_mkdir_open(b->tmp_fd, "trash", 0700);
        if (b->trash_fd < 0)
                return b->trash_fd;

        r = file_exists_at(root_fd, "oci-layout");
        if (r == 0)
                r = file_write_atomic_string(
                        root_fd, "oci-layout", LAYOUT_MARK, 0600, FILE_WRITE_DURABLE);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(b);
        return 0;
}

Blobs *blobs_free(Blobs *b) {
        if (!b)
                return NULL;

        fd_close(b->dir_fd);
        fd_close(b->tmp_fd);
        fd_close(b->trash_fd);
        fd_close(b->lock_fd);
        return mfree(b);
}

int blobs_lock(Blobs *b, bool exclusive, bool wait) {
        assert(b);

        if (b->lock_fd < 0) {
                b->lock_fd = openat(
                        b->tmp_fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (b->lock_fd < 0) {
                        b->lock_fd = -EBADF;
                        return -errno;
                }
        }

        return file_lock(b->lock_fd, exclusive, wait);
}

void blobs_unlock(Blobs *b) {
        assert(b);

        b->lock_fd = fd_close(b->lock_fd);
}

/* The file's name: the digits alone, so nothing but digits ever reaches a path. */
static int blob_name(const char *digest, const char **ret) {
        DigestKind kind;
        int r;

        if (!digest)
                return -EINVAL;
        r = digest_parse(digest, &kind, ret);
        if (r < 0)
                return r;
        return kind == DIGEST_SHA256 ? 0 : -EINVAL;
}

int blobs_exists(Blobs *b, const char *digest) {
        const char *name;
        int r;

        assert(b);

        r = blob_name(digest, &name);
        if (r < 0)
                return r;
        return file_exists_at(b->dir_fd, name);
}

/* 1 if it has the right digest, 0 if not, -EFBIG if it is too large to find out here. */
static int blob_check(Blobs *b, const char *name) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char seen[DIGEST_TEXT_SIZE];
        struct stat st;
        int r;

        fd = openat(b->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT || errno == ELOOP ? 0 : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return 0;
        if ((uint64_t) st.st_size > BLOBS_SMALL_MAX)
                return -EFBIG;

        r = digest_fd(fd, seen, NULL);
        if (r == -EIO) /* the disk cannot read it any more */
                return 0;
        return r < 0 ? r : streq(digest_hex(seen), name);
}

int blobs_is_whole(Blobs *b, const char *digest) {
        const char *name;
        int r;

        assert(b);

        r = blob_name(digest, &name);
        if (r < 0)
                return r;
        r = blob_check(b, name);
        return r == -EFBIG ? 1 : r;
}

int blobs_open_fd(Blobs *b, const char *digest, uint64_t *ret_size) {
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *name;
        struct stat st;
        int r;

        assert(b);

        r = blob_name(digest, &name);
        if (r < 0)
                return r;

        fd = openat(b->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = fd_verify_regular(fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;

        if (ret_size)
                *ret_size = (uint64_t) st.st_size;
        return TAKE_FD(fd);
}

int blobs_read(Blobs *b, const char *digest, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        char seen[DIGEST_TEXT_SIZE];
        const char *name;
        size_t size;
        int r;

        assert(b);
        assert(ret);
        assert(ret_size);

        r = blob_name(digest, &name);
        if (r < 0)
                return error_set(
                        reterr, ERROR_INVALID, "\"%s\" is no sha256 digest", str_or_empty(digest));

        r = file_read_at(b->dir_fd, name, BLOBS_SMALL_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "blob %s", digest);

        r = digest_data(text, size, seen);
        if (r < 0)
                return r;
        if (!streq(seen, digest)) {
                (void) error_set(reterr, ERROR_INTERNAL, "blob %s is damaged on disk", digest);
                return -EBADMSG;
        }

        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}

int blob_writer_new(Blobs *b, BlobWriter **ret) {
        _cleanup_(blob_writer_freep) BlobWriter *w = NULL;
        int r;

        assert(b);
        assert(ret);

        w = new0(BlobWriter, 1);
        if (!w)
                return -ENOMEM;
        w->blobs = b;
        w->fd = -EBADF;

        r = digest_new(DIGEST_SHA256, &w->digest);
        if (r < 0)
                return r;

        r = str_printf(&w->name, "blob-%016llx", (unsigned long long) random_u64());
        if (r < 0)
                return r;

        w->fd = openat(
                b->tmp_fd, w->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (w->fd < 0) {
                r = -errno;
                w->fd = -EBADF;
                w->name = mfree(w->name);
                return r;
        }

        *ret = TAKE_PTR(w);
        return 0;
}

BlobWriter *blob_writer_free(BlobWriter *w) {
        if (!w)
                return NULL;

        if (w->name)
                (void) unlinkat(w->blobs->tmp_fd, w->name, 0);
        fd_close(w->fd);
        digest_free(w->digest);
        free(w->name);
        return mfree(w);
}

void blob_writer_skip_hash(BlobWriter *w) {
        assert(w);
        assert(w->size == 0);

        w->digest = digest_free(w->digest);
}

int blob_writer_write(BlobWriter *w, const void *data, size_t size) {
        int r;

        assert(w);

        r = fd_write_full(w->fd, data, size);
        if (r < 0)
                return r;

        if (w->digest)
                digest_update(w->digest, data, size);

        w->size += size;
        return 0;
}

uint64_t blob_writer_size(const BlobWriter *w) {
        return w->size;
}

int blob_writer_fd(const BlobWriter *w) {
        return w->fd;
}

const char *blob_writer_digest(BlobWriter *w) {
        assert(w);

        return w->digest ? digest_text(w->digest, w->text) : NULL;
}

/* The name is taken. An image may stand on that file already: it stays as durable as it was. */
static int blob_writer_meet(BlobWriter *w, const char *name) {
        int r;

        r = blob_check(w->blobs, name);
        if (r > 0)
                return unlinkat(w->blobs->tmp_fd, w->name, 0) < 0 ? -errno : 0;
        if (r < 0 && r != -EFBIG)
                return r;

        if (fdatasync(w->fd) < 0 || renameat(w->blobs->tmp_fd, w->name, w->blobs->dir_fd, name) < 0)
                return -errno;
        return 0;
}

int blob_writer_commit(BlobWriter *w, const char *expected, const char *computed, Error *reterr) {
        const char *digest, *name;
        int r;

        assert(w);
        assert(w->name);
        assert(!w->digest == !!computed);

        digest = computed ?: blob_writer_digest(w);
        if (expected && !streq(expected, digest))
                return error_set(reterr, ERROR_INVALID,
                        "content does not match its digest: expected %s, got %s", expected, digest);

        r = blob_name(digest, &name);
        if (r < 0)
                return r;

        r = renameat2(w->blobs->tmp_fd, w->name, w->blobs->dir_fd, name, RENAME_NOREPLACE) < 0
                  ? -errno
                  : 0;
        if (r == -EEXIST)
                r = blob_writer_meet(w, name);
        if (r < 0)
                return error_set_errno(reterr, r, "blob %s", digest);

        w->name = mfree(w->name);
        return 0;
}

int blobs_put(Blobs *b, const void *data, size_t size, char ret[static DIGEST_TEXT_SIZE]) {
        _cleanup_(blob_writer_freep) BlobWriter *w = NULL;
        char digest[DIGEST_TEXT_SIZE];
        int r;

        assert(b);

        r = digest_data(data, size, digest);
        if (r < 0)
                return r;

        r = blobs_is_whole(b, digest);
        if (r == 0) {
                r = blob_writer_new(b, &w);
                if (r < 0)
                        return r;
                blob_writer_skip_hash(w);
                r = blob_writer_write(w, data, size);
                if (r >= 0)
                        r = blob_writer_commit(w, NULL, digest, NULL);
        }
        if (r < 0)
                return r;

        (void) strcpy(ret, digest);
        return 0;
}

int blobs_remove(Blobs *b, const char *digest) {
        const char *name;
        int r;

        assert(b);

        r = blob_name(digest, &name);
        if (r < 0)
                return r;

        /* Freeing the blocks of a large file takes long: that is for who empties the trash. */
        if (renameat(b->dir_fd, name, b->trash_fd, name) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 1;
}

int blobs_list(Blobs *b, char ***ret) {
        _cleanup_(strv_freep) char **names = NULL, **list = NULL;
        size_t n = 0;
        int r;

        assert(b);
        assert(ret);

        r = file_list(b->dir_fd, ".", /* hidden= */ false, &names);
        if (r < 0)
                return r;

        list = new0(char *, strv_length(names) + 1);
        if (!list)
                return -ENOMEM;

        STRV_FOREACH (s, names) {
                if (!ident_is_valid(*s)) /* not one of ours: left alone */
                        continue;
                r = str_printf(list + n, "sha256:%s", *s);
                if (r < 0)
                        return r;
                n++;
        }

        *ret = TAKE_PTR(list);
        return 0;
}
