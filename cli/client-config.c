/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/client-config.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define CONFIG_MAX (1024U * 1024)

static int default_folder(char **ret) {
        const char *home = getenv("DOCKER_CONFIG");

        if (!str_empty(home))
                return str_copy(ret, home);

        home = getenv("HOME");
        if (str_empty(home)) {
                const struct passwd *pw = getpwuid(geteuid());

                home = pw ? pw->pw_dir : "/";
        }
        *ret = path_join(home, ".docker");
        return *ret ? 0 : -ENOMEM;
}

static void read_document(ClientConfig *c, const char *path) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(path, CONFIG_MAX, &text, &size);
        if (r == -ENOENT)
                return;
        if (r >= 0)
                r = json_parse(text, size, CONFIG_MAX, &c->document, &e);
        if (r >= 0 && json_type_of(c->document) != JSON_TYPE_OBJECT) {
                c->document = json_unref(c->document);
                r = -EINVAL;
        }
        if (r < 0)
                fprintf(stderr, "WARNING: Error loading config file: %s: %s\n", path,
                        error_text(&e, r));
}

int client_config_load(const char *folder, ClientConfig **ret) {
        _cleanup_(client_config_freep) ClientConfig *c = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        c = new0(ClientConfig, 1);
        if (!c)
                return -ENOMEM;

        r = str_empty(folder) ? default_folder(&c->folder) : str_copy(&c->folder, folder);
        if (r < 0)
                return r;
        path = path_join(c->folder, "config.json");
        if (!path)
                return -ENOMEM;

        read_document(c, path);
        if (!c->document) {
                r = json_new_object(&c->document);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(c);
        return 0;
}

ClientConfig *client_config_free(ClientConfig *c) {
        if (!c)
                return NULL;

        json_unref(c->document);
        free(c->folder);
        return mfree(c);
}

int client_config_set(ClientConfig *c, const char *key, const char *value, Error *reterr) {
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        int r = 0;

        if (value)
                r = json_set_text(c->document, key, value);
        else
                json_unset(c->document, key);
        if (r >= 0)
                r = json_print(c->document, JSON_PRETTY, &text);
        if (r < 0)
                return r;

        r = file_mkdir_p(c->folder, 0700);
        if (r >= 0)
                r = dir_fd = open(c->folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (r >= 0)
                r = file_write_atomic_string(dir_fd, "config.json", text, 0600, FILE_WRITE_DURABLE);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write %s/config.json", c->folder);
        return 0;
}

/* ---- proxies, headers ---- */

static int add_proxy(char ***env, const char *name, const char *value) {
        char lower[16] = {};
        int r = 0;

        if (str_empty(value))
                return 0;
        for (size_t i = 0; name[i] && i < sizeof lower - 1; i++)
                lower[i] = (char) tolower((unsigned char) name[i]);

        if (!strv_env_get(*env, name))
                r = strv_env_set(env, name, value);
        if (r >= 0 && !strv_env_get(*env, lower))
                r = strv_env_set(env, lower, value);
        return r;
}

int client_config_proxies(const ClientConfig *c, const char *shown, char ***env) {
        static const struct {
                const char *key, *name;
        } table[] = {
                { "httpProxy", "HTTP_PROXY" },
                { "httpsProxy", "HTTPS_PROXY" },
                { "noProxy", "NO_PROXY" },
                { "ftpProxy", "FTP_PROXY" },
                { "allProxy", "ALL_PROXY" },
        };
        const Json *proxies = json_get(c->document, "proxies"), *set;

        set = shown ? json_get(proxies, shown) : NULL;
        if (!set)
                set = json_get(proxies, "default");

        for (size_t i = 0; set && i < ARRAY_SIZE(table); i++) {
                int r = add_proxy(env, table[i].name, json_get_text(set, table[i].key));

                if (r < 0)
                        return r;
        }
        return 0;
}

int client_config_headers(const ClientConfig *c, char ***ret) {
        const char *key;
        Json *value;

        JSON_FOREACH (key, value, json_get(c->document, "HttpHeaders")) {
                const char *text = json_to_text(value);
                int r;

                /* One that ends its line would begin another header. */
                if (!text || str_has_control(text) || str_has_control(key) ||
                        strcasecmp(key, "User-Agent") == 0)
                        continue;
                r = strv_addf(ret, "%s: %s", key, text);
                if (r < 0)
                        return r;
        }
        return 0;
}
