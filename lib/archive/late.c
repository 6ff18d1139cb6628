/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libarchive, loaded when it is first called: for programs that seldom need it and must start without its dozen libraries (the command line).
 * Linked in its place; the functions have its names and hand on. */
#include "lib/archive/late.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>

#include "lib/base/macro.h"

#define LIBRARY "libarchive.so.13"

/* Return type, name, parameters, arguments. */
#define FUNCTIONS(X)                                                                             \
        X(struct archive *, archive_read_new, (void), ())                                        \
        X(int, archive_read_free, (struct archive * a), (a))                                     \
        X(int, archive_read_support_format_tar, (struct archive * a), (a))                       \
        X(int, archive_read_support_format_empty, (struct archive * a), (a))                     \
        X(int, archive_read_open,                                                                \
                (struct archive * a, void *userdata, archive_open_callback *on_open,             \
                        archive_read_callback *on_read, archive_close_callback *on_close),       \
                (a, userdata, on_open, on_read, on_close))                                       \
        X(int, archive_read_next_header, (struct archive * a, struct archive_entry * *ret),      \
                (a, ret))                                                                        \
        X(int, archive_read_data_block,                                                          \
                (struct archive * a, const void **data, size_t *size, la_int64_t *offset),       \
                (a, data, size, offset))                                                         \
        X(int, archive_errno, (struct archive * a), (a))                                         \
        X(const char *, archive_error_string, (struct archive * a), (a))                         \
        X(struct archive *, archive_write_new, (void), ())                                       \
        X(int, archive_write_free, (struct archive * a), (a))                                    \
        X(int, archive_write_fail, (struct archive * a), (a))                                    \
        X(int, archive_write_close, (struct archive * a), (a))                                   \
        X(int, archive_write_set_format_pax_restricted, (struct archive * a), (a))               \
        X(int, archive_write_set_format_option,                                                  \
                (struct archive * a, const char *m, const char *o, const char *v), (a, m, o, v)) \
        X(int, archive_write_add_filter_gzip, (struct archive * a), (a))                         \
        X(int, archive_write_set_bytes_per_block, (struct archive * a, int n), (a, n))           \
        X(int, archive_write_set_bytes_in_last_block, (struct archive * a, int n), (a, n))       \
        X(int, archive_write_open,                                                               \
                (struct archive * a, void *userdata, archive_open_callback *on_open,             \
                        archive_write_callback *on_write, archive_close_callback *on_close),     \
                (a, userdata, on_open, on_write, on_close))                                      \
        X(int, archive_write_header, (struct archive * a, struct archive_entry * e), (a, e))     \
        X(la_ssize_t, archive_write_data, (struct archive * a, const void *data, size_t size),   \
                (a, data, size))                                                                 \
        X(struct archive_entry *, archive_entry_new, (void), ())                                 \
        X(struct archive_entry *, archive_entry_clear, (struct archive_entry * e), (e))          \
        X(const char *, archive_entry_pathname, (struct archive_entry * e), (e))                 \
        X(const char *, archive_entry_hardlink, (struct archive_entry * e), (e))                 \
        X(const char *, archive_entry_symlink, (struct archive_entry * e), (e))                  \
        X(__LA_MODE_T, archive_entry_filetype, (struct archive_entry * e), (e))                  \
        X(__LA_MODE_T, archive_entry_perm, (struct archive_entry * e), (e))                      \
        X(la_int64_t, archive_entry_uid, (struct archive_entry * e), (e))                        \
        X(la_int64_t, archive_entry_gid, (struct archive_entry * e), (e))                        \
        X(la_int64_t, archive_entry_size, (struct archive_entry * e), (e))                       \
        X(dev_t, archive_entry_rdevmajor, (struct archive_entry * e), (e))                       \
        X(dev_t, archive_entry_rdevminor, (struct archive_entry * e), (e))                       \
        X(time_t, archive_entry_mtime, (struct archive_entry * e), (e))                          \
        X(long, archive_entry_mtime_nsec, (struct archive_entry * e), (e))                       \
        X(int, archive_entry_atime_is_set, (struct archive_entry * e), (e))                      \
        X(time_t, archive_entry_atime, (struct archive_entry * e), (e))                          \
        X(long, archive_entry_atime_nsec, (struct archive_entry * e), (e))                       \
        X(int, archive_entry_xattr_count, (struct archive_entry * e), (e))                       \
        X(int, archive_entry_xattr_reset, (struct archive_entry * e), (e))                       \
        X(int, archive_entry_xattr_next,                                                         \
                (struct archive_entry * e, const char **name, const void **value, size_t *size), \
                (e, name, value, size))                                                          \
        X(int, archive_entry_sparse_count, (struct archive_entry * e), (e))

#define PROCEDURES(X)                                                                              \
        X(archive_entry_free, (struct archive_entry * e), (e))                                     \
        X(archive_entry_set_pathname, (struct archive_entry * e, const char *s), (e, s))           \
        X(archive_entry_set_hardlink, (struct archive_entry * e, const char *s), (e, s))           \
        X(archive_entry_set_symlink, (struct archive_entry * e, const char *s), (e, s))            \
        X(archive_entry_set_filetype, (struct archive_entry * e, unsigned kind), (e, kind))        \
        X(archive_entry_set_perm, (struct archive_entry * e, __LA_MODE_T mode), (e, mode))         \
        X(archive_entry_set_uid, (struct archive_entry * e, la_int64_t id), (e, id))               \
        X(archive_entry_set_gid, (struct archive_entry * e, la_int64_t id), (e, id))               \
        X(archive_entry_set_size, (struct archive_entry * e, la_int64_t size), (e, size))          \
        X(archive_entry_set_rdev, (struct archive_entry * e, dev_t device), (e, device))           \
        X(archive_entry_set_mtime, (struct archive_entry * e, time_t sec, long nsec),              \
                (e, sec, nsec))                                                                    \
        X(archive_entry_sparse_add_entry,                                                          \
                (struct archive_entry * e, la_int64_t offset, la_int64_t size), (e, offset, size)) \
        X(archive_entry_xattr_add_entry,                                                           \
                (struct archive_entry * e, const char *name, const void *value, size_t size),      \
                (e, name, value, size))

#define VARIABLE(type, name, parameters, arguments) type(*name) parameters;
#define VARIABLE_VOID(name, parameters, arguments)  void(*name) parameters;
#define SYMBOL(type, name, parameters, arguments)   { #name, &api.name },
#define SYMBOL_VOID(name, parameters, arguments)    { #name, &api.name },
#define HAND_ON(type, name, parameters, arguments) \
        type name parameters {                     \
                return api.name arguments;         \
        }
#define HAND_ON_VOID(name, parameters, arguments) \
        void name parameters {                    \
                api.name arguments;               \
        }

static struct {
        bool loaded; /* all of it, for good */
        FUNCTIONS(VARIABLE)
        PROCEDURES(VARIABLE_VOID)
        void (*archive_set_error)(struct archive *a, int number, const char *format, ...);
} api;

static const struct {
        const char *name;
        void *function;
} symbols[] = { FUNCTIONS(SYMBOL)
                PROCEDURES(SYMBOL_VOID) { "archive_set_error", &api.archive_set_error } };

int archive_late_load(Error *reterr) {
        void *library;

        if (api.loaded)
                return 0;

        library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "archives need libarchive, which is not here: %s", dlerror());

        for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
                *(void **) symbols[i].function = dlsym(library, symbols[i].name);
                if (!*(void **) symbols[i].function) {
                        (void) dlclose(library);
                        return error_set(
                                reterr, ERROR_UNAVAILABLE, "libarchive has no %s", symbols[i].name);
                }
        }
        api.loaded = true;
        return 0;
}

FUNCTIONS(HAND_ON)
PROCEDURES(HAND_ON_VOID)

/* Our callers have a word for it, never a format. */
void archive_set_error(struct archive *a, int number, const char *format, ...) {
        api.archive_set_error(a, number, "%s", format);
}
