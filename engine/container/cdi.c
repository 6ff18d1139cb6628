/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/cdi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/cdi-spec.h"

typedef struct CdiFile {
        CdiSpec spec;
        unsigned folder;
} CdiFile;

struct CdiDevices {
        CdiFile *files;
        size_t n;
        size_t n_allocated;
};

CdiDevices *cdi_devices_free(CdiDevices *d) {
        if (!d)
                return NULL;
        for (size_t i = 0; i < d->n; i++)
                cdi_spec_done(&d->files[i].spec);
        free(d->files);
        free(d);
        return NULL;
}

/* ---- reading ---- */

/* A fifo must not hold the daemon. */
static int read_text(int folder_fd, const char *name, char **ret, size_t *ret_size) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;

        fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        return file_read_fd(fd, CDI_SPEC_SIZE_MAX, ret, ret_size);
}

static int read_file(
        CdiDevices *d, int folder_fd, const char *folder, const char *name, unsigned i, bool yaml) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        CdiSpec spec;
        int r;

        r = read_text(folder_fd, name, &text, &size);
        if (r >= 0)
                r = cdi_spec_parse(text, size, yaml, &spec, &e);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                log_warning("CDI file %s/%s: %s, ignoring", folder, name, error_text(&e, r));
                return 0;
        }
        r = array_grow(&d->files, &d->n_allocated, d->n + 1);
        if (r < 0) {
                cdi_spec_done(&spec);
                return r;
        }
        d->files[d->n++] = (CdiFile) { .spec = spec, .folder = i };
        return 0;
}

static int read_folder(CdiDevices *d, const char *folder, unsigned i) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        unsigned n = 0;
        int r;

        fd = file_open_dir(AT_FDCWD, folder);
        r = fd < 0 ? fd : file_list(fd, ".", /* hidden= */ false, &names);
        if (r < 0) {
                if (r != -ENOENT)
                        log_warning("CDI folder %s: %s, ignoring", folder, error_text(NULL, r));
                return r == -ENOMEM ? r : 0;
        }
        strv_sort(names);
        STRV_FOREACH (name, names) {
                bool yaml = str_ends(*name, ".yaml") || str_ends(*name, ".yml");

                if (!yaml && !str_ends(*name, ".json"))
                        continue;
                if (n++ >= CDI_FILES_MAX) {
                        log_warning("CDI folder %s: more than %u files, ignoring the rest", folder,
                                CDI_FILES_MAX);
                        break;
                }
                r = read_file(d, fd, folder, *name, i, yaml);
                if (r < 0)
                        return r;
        }
        return 0;
}

int cdi_devices_read(char *const *dirs, CdiDevices **ret) {
        _cleanup_(cdi_devices_freep) CdiDevices *d = NULL;
        unsigned i = 0;

        assert(ret);

        d = new0(CdiDevices, 1);
        if (!d)
                return -ENOMEM;
        STRV_FOREACH (dir, dirs) {
                int r = str_empty(*dir) ? 0 : read_folder(d, *dir, i++);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(d);
        return 0;
}

/* ---- looking ---- */

static const CdiDevice *file_find(const CdiFile *f, const char *name) {
        size_t n = strlen(f->spec.kind);

        if (strncmp(name, f->spec.kind, n) != 0 || name[n] != '=')
                return NULL;
        for (size_t i = 0; i < f->spec.n_devices; i++)
                if (streq(f->spec.devices[i].name, name + n + 1))
                        return f->spec.devices + i;
        return NULL;
}

/* NULL: it is not there, or there is no saying which one it is. */
static const CdiDevice *find(const CdiDevices *d, const char *name, const CdiFile **ret_file) {
        const CdiDevice *found = NULL;
        const CdiFile *last = NULL;

        for (size_t i = 0; i < d->n; i++) {
                const CdiDevice *device = file_find(d->files + i, name);

                if (!device)
                        continue;
                found = last && last->folder == d->files[i].folder ? NULL : device;
                last = d->files + i;
        }
        *ret_file = last;
        return found;
}

int cdi_devices_list(const CdiDevices *d, char ***ret) {
        _cleanup_(strv_freep) char **all = NULL;
        int r = 0;

        for (size_t i = 0; i < d->n; i++) {
                const CdiSpec *s = &d->files[i].spec;

                for (size_t k = 0; k < s->n_devices && r >= 0; k++) {
                        _cleanup_(freep) char *name = NULL;
                        const CdiFile *file;

                        r = str_printf(&name, "%s=%s", s->kind, s->devices[k].name);
                        if (r >= 0 && find(d, name, &file) == s->devices + k)
                                r = strv_add(&all, name);
                }
        }
        if (r < 0)
                return r;
        strv_sort(all);
        *ret = TAKE_PTR(all);
        return 0;
}

static void add_once(const CdiEdits **list, size_t *n, const CdiEdits *e) {
        for (size_t i = 0; i < *n; i++)
                if (list[i] == e)
                        return;
        list[(*n)++] = e;
}

int cdi_devices_find(const CdiDevices *d, char *const *names, const CdiEdits ***ret, size_t *ret_n,
        Error *reterr) {
        _cleanup_(strv_freep) char **unknown = NULL;
        _cleanup_(freep) const CdiEdits **list = NULL;
        size_t n = 0;
        int r = 0;

        assert(d);
        assert(ret);

        list = new0(const CdiEdits *, 2 * strv_length(names) + 1);
        if (!list)
                return -ENOMEM;
        STRV_FOREACH (name, names) {
                const CdiFile *file = NULL;
                const CdiDevice *device = find(d, *name, &file);

                if (!device) {
                        r = strv_add(&unknown, *name);
                        if (r < 0)
                                return r;
                        continue;
                }
                add_once(list, &n, &file->spec.edits);
                add_once(list, &n, &device->edits);
        }
        if (unknown) {
                _cleanup_(freep) char *joined = strv_join(unknown, ", ");

                return joined ? error_set(reterr, ERROR_INTERNAL,
                                        "CDI device injection failed: unresolvable CDI devices %s",
                                        joined)
                              : -ENOMEM;
        }
        *ret = TAKE_PTR(list);
        *ret_n = n;
        return 0;
}
