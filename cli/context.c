/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contexts: contexts/meta/<sha256 of the name>/meta.json and contexts/tls/<the same>/docker/{ca,cert,key}.pem below the configuration's folder. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client-config.h"
#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define META_MAX (1024U * 1024)

bool context_name_is_valid(const char *name) {
        if (str_empty(name) || !name[1] || !isalnum((unsigned char) name[0]))
                return false;
        for (const char *p = name; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("_.+-", *p))
                        return false;
        return true;
}

Context *context_free(Context *x) {
        if (!x)
                return NULL;

        free(x->name);
        free(x->description);
        free(x->host);
        free(x->meta_folder);
        free(x->tls_folder);
        json_unref(x->document);
        return mfree(x);
}

int context_folders(const ClientConfig *c, const char *name, char **ret_meta, char **ret_tls) {
        char text[DIGEST_TEXT_SIZE];
        int r;

        r = digest_data(name, strlen(name), text);
        if (r < 0)
                return r;

        *ret_meta = path_join(c->folder, "contexts/meta", digest_hex(text));
        *ret_tls = path_join(c->folder, "contexts/tls", digest_hex(text));
        return *ret_meta && *ret_tls ? 0 : -ENOMEM;
}

static bool has_file(const Context *x, const char *name) {
        _cleanup_(freep) char *path = path_join(x->tls_folder, "docker", name);

        return path && access(path, F_OK) >= 0;
}

static int read_meta(Context *x, const char *path) {
        _cleanup_(freep) char *text = NULL;
        const Json *endpoint;
        size_t size;
        int r;

        r = file_read(path, META_MAX, &text, &size);
        if (r >= 0)
                r = json_parse(text, size, META_MAX, &x->document, NULL);
        if (r < 0)
                return r;

        endpoint = json_get(json_get(x->document, "Endpoints"), "docker");
        x->skip_verify = json_get_bool(endpoint, "SkipTLSVerify", false);
        r = str_copy(&x->name, str_or_empty(json_get_text(x->document, "Name")));
        if (r >= 0)
                r = str_copy(&x->host, json_get_text(endpoint, "Host"));
        if (r >= 0)
                r = str_copy(&x->description,
                        json_get_text(json_get(x->document, "Metadata"), "Description"));
        x->ca = has_file(x, "ca.pem");
        x->cert = has_file(x, "cert.pem");
        x->key = has_file(x, "key.pem");
        return r;
}

int context_load(const ClientConfig *c, const char *name, Context **ret, Error *reterr) {
        _cleanup_(context_freep) Context *x = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        x = new0(Context, 1);
        if (!x)
                return -ENOMEM;
        r = context_folders(c, name, &x->meta_folder, &x->tls_folder);
        if (r < 0)
                return r;
        path = path_join(x->meta_folder, "meta.json");
        if (!path)
                return -ENOMEM;

        r = read_meta(x, path);
        if (r == -ENOENT)
                return error_set(reterr, ERROR_NOT_FOUND,
                        "context \"%s\": context not found: open %s: no such file or directory",
                        name, path);
        if (r < 0)
                return error_set_errno(reterr, r, "context \"%s\": cannot read %s", name, path);

        *ret = TAKE_PTR(x);
        return 0;
}

int context_list(const ClientConfig *c, char ***ret) {
        _cleanup_(strv_freep) char **folders = NULL, **names = NULL;
        _cleanup_(freep) char *meta = path_join(c->folder, "contexts/meta");
        int r;

        if (!meta)
                return -ENOMEM;
        r = file_list(AT_FDCWD, meta, /* hidden= */ false, &folders);
        if (r < 0 && r != -ENOENT)
                return r;

        STRV_FOREACH (folder, folders) {
                _cleanup_(freep) char *path = path_join(meta, *folder, "meta.json"), *text = NULL;
                _cleanup_(json_unrefp) Json *v = NULL;
                const char *name;
                size_t size;

                if (!path)
                        return -ENOMEM;
                if (file_read(path, META_MAX, &text, &size) < 0 ||
                        json_parse(text, size, META_MAX, &v, NULL) < 0)
                        continue;
                name = json_get_text(v, "Name");
                r = str_empty(name) ? 0 : strv_add(&names, name);
                if (r < 0)
                        return r;
        }
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

/* ---- writing ---- */

/* Members that we do not know stay. */
static int make_meta(const Context *x, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *metadata, *endpoints, *docker;
        int r;

        v = x->document ? json_ref(x->document) : NULL;
        r = v ? 0 : json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Name", x->name);
        metadata = json_get(v, "Metadata");
        if (r >= 0 && !metadata)
                r = json_set_new_object(v, "Metadata", &metadata);
        if (r >= 0 && !str_empty(x->description))
                r = json_set_text(metadata, "Description", x->description);
        endpoints = json_get(v, "Endpoints");
        if (r >= 0 && !endpoints)
                r = json_set_new_object(v, "Endpoints", &endpoints);
        if (r < 0)
                return r;
        docker = json_get(endpoints, "docker");
        if (!docker)
                r = json_set_new_object(endpoints, "docker", &docker);
        if (r >= 0 && !str_empty(x->host))
                r = json_set_text(docker, "Host", x->host);
        if (r >= 0)
                r = json_set_bool(docker, "SkipTLSVerify", x->skip_verify);
        return r < 0 ? r : json_print(v, JSON_COMPACT, ret);
}

static int copy_pem(const char *tls_folder, const char *name, const char *from, Error *reterr) {
        _cleanup_(freep) char *folder = path_join(tls_folder, "docker"), *text = NULL;
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        size_t size;
        int r;

        if (!from)
                return 0;
        if (!folder)
                return -ENOMEM;
        r = file_read(from, META_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "invalid docker endpoint options: open %s", from);

        r = file_mkdir_p(folder, 0700);
        if (r >= 0)
                r = dir_fd = file_open_dir(AT_FDCWD, folder);
        if (r >= 0)
                r = file_write_atomic(dir_fd, name, text, size, 0600, FILE_WRITE_DURABLE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write %s/%s", folder, name) : 0;
}

int context_save(const ClientConfig *c, const Context *x, const Endpoint *files, Error *reterr) {
        _cleanup_(freep) char *meta = NULL, *tls = NULL, *text = NULL;
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        int r;

        r = context_folders(c, x->name, &meta, &tls);
        if (r >= 0)
                r = make_meta(x, &text);
        if (r < 0)
                return r;

        if (files) {
                r = copy_pem(tls, "ca.pem", files->ca, reterr);
                if (r >= 0)
                        r = copy_pem(tls, "cert.pem", files->cert, reterr);
                if (r >= 0)
                        r = copy_pem(tls, "key.pem", files->key, reterr);
                if (r < 0)
                        return r;
        }

        r = file_mkdir_p(meta, 0755);
        if (r >= 0)
                r = dir_fd = file_open_dir(AT_FDCWD, meta);
        if (r >= 0)
                r = file_write_atomic_string(dir_fd, "meta.json", text, 0644, FILE_WRITE_DURABLE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write %s/meta.json", meta) : 0;
}

int context_remove(const ClientConfig *c, const char *name, Error *reterr) {
        _cleanup_(freep) char *meta = NULL, *tls = NULL;
        int r;

        r = context_folders(c, name, &meta, &tls);
        if (r < 0)
                return r;

        r = file_remove_tree(AT_FDCWD, meta);
        if (r >= 0 || r == -ENOENT) {
                int s = file_remove_tree(AT_FDCWD, tls);

                if (s < 0 && s != -ENOENT)
                        r = s;
        }
        if (r < 0 && r != -ENOENT)
                return error_set_errno(reterr, r, "cannot remove context \"%s\"", name);
        return 0;
}

/* ---- use ---- */

int context_endpoint(const Context *x, Endpoint *ret, Error *reterr) {
        bool tls = x->ca || x->cert || x->key || x->skip_verify;
        _cleanup_(endpoint_done) Endpoint e = {};
        int r;

        r = endpoint_parse(x->host, tls, &e, reterr);
        if (r < 0)
                return r;

        e.verify = !x->skip_verify;
        if (x->ca)
                e.ca = path_join(x->tls_folder, "docker/ca.pem");
        if (x->cert)
                e.cert = path_join(x->tls_folder, "docker/cert.pem");
        if (x->key)
                e.key = path_join(x->tls_folder, "docker/key.pem");
        if ((x->ca && !e.ca) || (x->cert && !e.cert) || (x->key && !e.key))
                return -ENOMEM;

        *ret = TAKE_STRUCT(e);
        return 0;
}
