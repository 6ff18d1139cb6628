/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/trust.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define FILE_SIZE_MAX ((size_t) 4 * 1024 * 1024)

/* Where distributions keep the list of authorities. */
static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/ca-bundle.pem",
        "/var/lib/ca-certificates/ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
};

void trust_done(Trust *t) {
        fd_close(t->ca_fd);
        fd_close(t->cert_fd);
        fd_close(t->key_fd);
        t->ca_fd = t->cert_fd = t->key_fd = -EBADF;
}

static int memory_file(const char *data, size_t size, int *ret_fd, char path[TRUST_PATH_SIZE]) {
        int fd = fd_memfd_sealed("registry-trust", data, size);

        if (fd < 0)
                return fd;
        *ret_fd = fd;
        (void) snprintf(path, TRUST_PATH_SIZE, "/proc/self/fd/%d", fd);
        return 0;
}

static int memory_copy(int dir_fd, const char *name, int *ret_fd, char path[TRUST_PATH_SIZE]) {
        char *text;
        size_t size;
        int r;

        r = file_read_at(dir_fd, name, FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r;
        r = memory_file(text, size, ret_fd, path);
        alloc_erase_free(text, size);
        return r;
}

static int add_authority(int dir_fd, const char *name, Buffer *list) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read_at(dir_fd, name, FILE_SIZE_MAX, &text, &size);
        if (r >= 0)
                r = buffer_append(list, text, size);
        return r < 0 ? r : buffer_append_char(list, '\n');
}

static int take_client(int dir_fd, const char *folder, const char *name, Trust *t, Error *reterr) {
        _cleanup_(freep) char *key = NULL;
        int r;

        if (str_printf(&key, "%.*s.key", (int) (strlen(name) - STRLEN(".cert")), name) < 0)
                return -ENOMEM;
        if (file_exists_at(dir_fd, key) == 0)
                return error_set(reterr, ERROR_INVALID,
                        "missing key %s for client certificate %s in %s. CA certificates must use "
                        "the extension .crt",
                        key, name, folder);
        if (t->cert_fd >= 0)
                return 0; /* the first by name */
        r = memory_copy(dir_fd, name, &t->cert_fd, t->cert);
        return r < 0 ? r : memory_copy(dir_fd, key, &t->key_fd, t->key);
}

static int read_folder(int dir_fd, const char *folder, Trust *t, Buffer *list, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = file_list(dir_fd, ".", /* hidden= */ false, &names);
        STRV_FOREACH (n, names) {
                if (r < 0)
                        break;
                if (str_ends(*n, ".crt"))
                        r = add_authority(dir_fd, *n, list);
                else if (str_ends(*n, ".cert"))
                        r = take_client(dir_fd, folder, *n, t, reterr);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read %s/%s", folder, *n);
        }
        return r;
}

int trust_load(const char *certs_dir, const char *host_port, Trust *ret, Error *reterr) {
        Trust t = { .ca_fd = -EBADF, .cert_fd = -EBADF, .key_fd = -EBADF };
        _cleanup_(buffer_done) Buffer list = {};
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        _cleanup_(freep) char *folder = NULL;
        int r;

        assert(host_port);
        assert(ret);

        *ret = t;
        if (str_empty(certs_dir) || strchr(host_port, '/') || host_port[0] == '.')
                return 0;
        folder = path_join(certs_dir, host_port);
        if (!folder)
                return -ENOMEM;
        dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return errno == ENOENT || errno == ENOTDIR
                             ? 0
                             : error_set_errno(reterr, -errno, "cannot read %s", folder);

        r = read_folder(dir_fd, folder, &t, &list, reterr);
        if (r >= 0 && !buffer_empty(&list)) {
                for (size_t i = 0; i < ARRAY_SIZE(bundles); i++)
                        if (add_authority(AT_FDCWD, bundles[i], &list) >= 0)
                                break;
                r = memory_file(buffer_head(&list), buffer_size(&list), &t.ca_fd, t.ca);
        }
        if (r < 0) {
                trust_done(&t);
                return r;
        }
        *ret = t;
        return 0;
}
