/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/archive/tar-read.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"

struct TarReader {
        ByteSource source;
        const TarLimits *limits;
        int source_error;

        struct archive *archive;
        struct archive_entry *current; /* belongs to archive */
        bool opened;
        TarEntry entry;
        char *link;
        uint64_t n_entries;
        uint64_t n_bytes;
};

static la_ssize_t tar_reader_read(struct archive *a, void *userdata, const void **ret) {
        TarReader *t = userdata;
        size_t size;
        int r;

        r = byte_source_next(&t->source, ret, &size);
        if (r < 0) {
                t->source_error = r;
                archive_set_error(a, -r, "source");
                return -1;
        }

        return r == 0 ? 0 : (la_ssize_t) size;
}

int tar_reader_new(const ByteSource *source, const TarLimits *limits, TarReader **ret) {
        _cleanup_(tar_reader_freep) TarReader *t = NULL;

        assert(source);
        assert(ret);

        t = new0(TarReader, 1);
        if (!t)
                return -ENOMEM;

        t->source = *source;
        t->limits = limits ?: &tar_limits_default;
        t->archive = archive_read_new();
        if (!t->archive)
                return -ENOMEM;

        if (archive_read_support_format_tar(t->archive) != ARCHIVE_OK ||
                archive_read_support_format_empty(t->archive) != ARCHIVE_OK)
                return -EOPNOTSUPP;

        *ret = TAKE_PTR(t);
        return 0;
}

TarReader *tar_reader_free(TarReader *t) {
        if (!t)
                return NULL;

        if (t->archive)
                (void) archive_read_free(t->archive);
        free(t->entry.path);
        free(t->link);
        return mfree(t);
}

/* What the library said, or what our source said. */
static int tar_reader_fail(TarReader *t, Error *reterr) {
        const char *text;

        if (t->source_error < 0)
                return t->source_error;

        if (archive_errno(t->archive) == ENOMEM)
                return -ENOMEM;

        text = archive_error_string(t->archive);
        return error_set(
                reterr, ERROR_INVALID, "damaged tar archive: %s", str_or(text, "unknown format"));
}

/* "/./a//b/" becomes "a/b". The entry's name is in every sentence, escaped by error_set(). */
static int tar_path_clean(const TarLimits *l, const char *path, char **ret, Error *reterr) {
        _cleanup_(freep) char *clean = NULL;
        const char *p = path, *part;
        char *at;
        unsigned depth = 0;
        size_t n;
        int r;

        if (strnlen(path, l->path + 1) > l->path)
                return error_set(reterr, ERROR_TOO_LARGE,
                        "entry \"%.64s…\": path is longer than %zu bytes", path, l->path);

        at = clean = new (char, strlen(path) + 1);
        if (!clean)
                return -ENOMEM;

        while ((r = path_next(&p, &part, &n)) > 0) {
                if (n == 2 && memcmp(part, "..", 2) == 0)
                        return error_set(
                                reterr, ERROR_INVALID, "entry \"%s\": \"..\" in a path", path);
                if (++depth > l->depth)
                        return error_set(reterr, ERROR_TOO_LARGE,
                                "entry \"%.64s…\": more than %u levels deep", path, l->depth);
                if (at != clean)
                        *at++ = '/';
                at = mempcpy(at, part, n);
        }
        if (r < 0)
                return error_set(reterr, ERROR_INVALID,
                        "entry \"%.64s…\": a name is longer than 255 bytes", path);

        *at = '\0';
        *ret = TAKE_PTR(clean);
        return 0;
}

static int tar_entry_type(struct archive_entry *e) {
        if (archive_entry_hardlink(e))
                return TAR_HARDLINK;

        switch (archive_entry_filetype(e)) {
        case AE_IFREG:
                return TAR_FILE;
        case AE_IFDIR:
                return TAR_DIRECTORY;
        case AE_IFLNK:
                return TAR_SYMLINK;
        case AE_IFCHR:
                return TAR_CHARACTER;
        case AE_IFBLK:
                return TAR_BLOCK;
        case AE_IFIFO:
                return TAR_FIFO;
        default:
                return _TAR_TYPE_INVALID;
        }
}

static struct timespec tar_time(time_t sec, long nsec) {
        return (struct timespec) { sec, nsec >= 0 && nsec < 1000000000L ? nsec : 0 };
}

static int tar_entry_numbers(TarReader *t, struct archive_entry *e, Error *reterr) {
        TarEntry *x = &t->entry;
        int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e),
                size = archive_entry_size(e);

        if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
                return error_set(reterr, ERROR_INVALID,
                        "entry \"%s\": owner %lld:%lld is out of range", x->path, (long long) uid,
                        (long long) gid);

        x->uid = (uid_t) uid;
        x->gid = (gid_t) gid;
        x->mode = archive_entry_perm(e) & 07777;

        if (x->type == TAR_FILE) {
                if (size < 0 || (uint64_t) size > t->limits->file_size)
                        return error_set(reterr, ERROR_TOO_LARGE,
                                "entry \"%s\": its size is above the limit", x->path);
                x->size = (uint64_t) size;
        }

        if (x->type == TAR_CHARACTER || x->type == TAR_BLOCK) {
                uint64_t major_number = archive_entry_rdevmajor(e),
                         minor_number = archive_entry_rdevminor(e);

                if (major_number >= 1 << 12 || minor_number >= 1 << 20)
                        return error_set(reterr, ERROR_INVALID,
                                "entry \"%s\": device number is out of range", x->path);
                x->device = makedev((unsigned) major_number, (unsigned) minor_number);
        }

        x->mtime = tar_time(archive_entry_mtime(e), archive_entry_mtime_nsec(e));
        x->atime = archive_entry_atime_is_set(e)
                         ? tar_time(archive_entry_atime(e), archive_entry_atime_nsec(e))
                         : x->mtime;
        return 0;
}

static int tar_entry_link(TarReader *t, struct archive_entry *e, Error *reterr) {
        TarEntry *x = &t->entry;
        const char *target;
        int r;

        if (x->type == TAR_HARDLINK) {
                target = archive_entry_hardlink(e);
                r = tar_path_clean(t->limits, target, &t->link, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "entry \"%s\": hard link", x->path);
                if (str_empty(t->link))
                        return error_set(reterr, ERROR_INVALID,
                                "entry \"%s\": hard link to nothing", x->path);
        } else if (x->type == TAR_SYMLINK) {
                target = archive_entry_symlink(e);
                if (str_empty(target))
                        return error_set(reterr, ERROR_INVALID,
                                "entry \"%s\": symbolic link to nothing", x->path);
                if (strnlen(target, t->limits->path + 1) > t->limits->path)
                        return error_set(reterr, ERROR_TOO_LARGE,
                                "entry \"%s\": link target is too long", x->path);
                r = str_copy(&t->link, target);
                if (r < 0)
                        return r;
        }

        x->link = t->link;
        return 0;
}

int tar_reader_next(TarReader *t, const TarEntry **ret, Error *reterr) {
        const char *path;
        int r;

        assert(t);
        assert(ret);

        free(t->entry.path);
        t->entry = (TarEntry) {};
        t->link = mfree(t->link);
        t->current = NULL;

        if (!t->opened) {
                t->opened = true;
                if (archive_read_open(t->archive, t, NULL, tar_reader_read, NULL) != ARCHIVE_OK)
                        return tar_reader_fail(t, reterr);
        }

        r = archive_read_next_header(t->archive, &t->current);
        if (r == ARCHIVE_EOF)
                return 0;
        if (r < ARCHIVE_WARN) /* a warning is about a field that we do not need or a name kept as bytes */
                return tar_reader_fail(t, reterr);

        if (++t->n_entries > t->limits->entries)
                return error_set(reterr, ERROR_TOO_LARGE, "archive has more than %llu entries",
                        (unsigned long long) t->limits->entries);

        path = archive_entry_pathname(t->current);
        if (str_empty(path))
                return error_set(reterr, ERROR_INVALID, "archive entry without a name");

        r = tar_path_clean(t->limits, path, &t->entry.path, reterr);
        if (r < 0)
                return r;

        t->entry.name = path_last(t->entry.path);
        r = tar_entry_type(t->current);
        if (r < 0)
                return error_set(
                        reterr, ERROR_INVALID, "entry \"%s\": unknown kind of file", t->entry.path);
        t->entry.type = (TarType) r;

        if (t->entry.path[0] == '\0' && t->entry.type != TAR_DIRECTORY)
                return error_set(
                        reterr, ERROR_INVALID, "entry \"%s\": the root is not a directory", path);

        r = tar_entry_numbers(t, t->current, reterr);
        if (r < 0)
                return r;

        r = tar_entry_link(t, t->current, reterr);
        if (r < 0)
                return r;

        (void) archive_entry_xattr_reset(t->current);
        *ret = &t->entry;
        return 1;
}

int tar_reader_data(TarReader *t, const void **ret_data, size_t *ret_size, uint64_t *ret_offset,
        Error *reterr) {
        la_int64_t offset;
        uint64_t end;
        size_t size;
        int r;

        assert(t);
        assert(t->current);

        do {
                r = archive_read_data_block(t->archive, ret_data, &size, &offset);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r < ARCHIVE_WARN)
                        return tar_reader_fail(t, reterr);
        } while (size == 0);

        if (offset < 0 || ADD_OVERFLOWS((uint64_t) offset, (uint64_t) size, &end) ||
                end > t->entry.size)
                return error_set(reterr, ERROR_INVALID, "entry \"%s\": content beyond its size",
                        t->entry.path);

        t->n_bytes += size;
        if (t->n_bytes > t->limits->bytes)
                return error_set(reterr, ERROR_TOO_LARGE, "archive holds more than %llu bytes",
                        (unsigned long long) t->limits->bytes);

        *ret_size = size;
        *ret_offset = (uint64_t) offset;
        return 1;
}

int tar_reader_xattr(
        TarReader *t, const char **ret_name, const void **ret_value, size_t *ret_size) {
        assert(t);
        assert(t->current);

        return archive_entry_xattr_next(t->current, ret_name, ret_value, ret_size) == ARCHIVE_OK;
}

bool tar_reader_has_xattrs(const TarReader *t) {
        assert(t);
        assert(t->current);

        return archive_entry_xattr_count(t->current) > 0;
}

uint64_t tar_reader_bytes(const TarReader *t) {
        assert(t);

        return t->n_bytes;
}
