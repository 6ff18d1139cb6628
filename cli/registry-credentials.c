/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/registry-credentials.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client-config.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/oci/reference.h"

#define HELPER_PREFIX "docker-credential-"
#define HELPER_USEC   (60 * USEC_PER_SEC) /* it may ask a person */
#define ANSWER_MAX    ((size_t) 64 * 1024)

extern char **environ;

int credentials_key_of_image(const char *image, char **ret) {
        _cleanup_(reference_done) Reference ref = {};
        int r;

        r = reference_parse(image, &ref);
        if (r < 0)
                return r;
        return str_copy(
                ret, streq(ref.domain, REFERENCE_DOMAIN_DEFAULT) ? REGISTRY_HUB_KEY : ref.domain);
}

/* ---- helpers ---- */

static const char *helper_of(const ClientConfig *c, const char *key) {
        const char *own = json_get_text(json_get(c->document, "credHelpers"), key);

        return own ? own : json_get_text(c->document, "credsStore");
}

static int find_helper(const char *name, char **ret, Error *reterr) {
        _cleanup_(strv_freep) char **folders = NULL;
        const char *path = getenv("PATH");
        int r;

        if (strchr(name, '/'))
                return error_set(reterr, ERROR_INVALID, "\"%s\" is no credential helper", name);
        r = strv_split(str_or(path, "/usr/local/bin:/usr/bin:/bin"), ":", /* keep_empty= */ false,
                &folders);
        if (r < 0)
                return r;
        STRV_FOREACH (f, folders) {
                _cleanup_(freep) char *file = NULL;

                if ((*f)[0] != '/')
                        continue;
                if (str_printf(&file, "%s/" HELPER_PREFIX "%s", *f, name) < 0)
                        return -ENOMEM;
                if (access(file, X_OK) >= 0) {
                        *ret = TAKE_PTR(file);
                        return 0;
                }
        }
        return error_set(reterr, ERROR_NOT_FOUND,
                "error getting credentials - err: exec: \"" HELPER_PREFIX
                "%s\": executable file not found in $PATH",
                name);
}

/* What it prints; ret_code: its exit status. */
static int run_helper(const char *name, const char *verb, const char *input, char **ret,
        int *ret_code, Error *reterr) {
        _cleanup_(fd_closep) int in = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = find_helper(name, &path, reterr);
        if (r < 0)
                return r;
        in = fd_memfd_sealed("credentials", input, strlen(input));
        if (in < 0)
                return in;

        const ProcessFd fds[] = { { in, STDIN_FILENO }, { STDERR_FILENO, STDERR_FILENO } };
        const ProcessSpec spec = {
                .path = path,
                .argv = (char *[]) { path, (char *) verb, NULL },
                .env = environ,
                .fds = fds,
                .n_fds = ARRAY_SIZE(fds),
                .keep_dir = true,
        };
        r = process_run(&spec, HELPER_USEC, ANSWER_MAX, ret);
        if (r < 0)
                return error_set_errno(reterr, r, "%s", path);
        *ret_code = r;
        return 0;
}

/* {"ServerURL":…,"Username":…,"Secret":…}; the user "<token>" means that the secret is an identity token. */
static int ask_helper(const char *name, const char *key, RegistryAuth *ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *user, *secret;
        char *text = NULL;
        int code = 0, r;

        r = run_helper(name, "get", key, &text, &code, reterr);
        if (r < 0)
                return r;
        if (code != 0) {
                r = strstr(text, "credentials not found")
                          ? 0
                          : error_set(reterr, ERROR_INTERNAL,
                                    "error getting credentials - err: exit status %d, out: `%s`",
                                    code, str_chomp(text));
                free(text);
                return r;
        }
        r = json_parse(text, strlen(text), ANSWER_MAX, &v, NULL);
        alloc_erase_free(text, strlen(text));
        if (r < 0)
                return error_set(reterr, ERROR_INTERNAL,
                        "credential helper %s: its answer is no JSON", name);

        user = json_get_text(v, "Username");
        secret = json_get_text(v, "Secret");
        if (str_equal(user, "<token>"))
                r = str_copy(&ret->identity_token, secret);
        else {
                r = str_copy(&ret->username, user);
                if (r >= 0)
                        r = str_copy(&ret->password, secret);
        }
        return r < 0 ? r : str_copy(&ret->server_address, key);
}

/* ---- the file ---- */

/* "https://host/v1/" and "host" are the same. */
static bool same_registry(const char *a, const char *b) {
        const char *x = str_starts(a, "https://"), *y = str_starts(b, "https://");
        size_t n, m;

        x = x ?: str_starts(a, "http://") ?: a;
        y = y ?: str_starts(b, "http://") ?: b;
        n = strcspn(x, "/");
        m = strcspn(y, "/");
        return n == m && strncmp(x, y, n) == 0;
}

int credentials_find(const ClientConfig *c, const char *key, RegistryAuth *ret, Error *reterr) {
        const char *helper = helper_of(c, key), *name;
        _cleanup_(freep) char *text = NULL;
        Json *entry = NULL, *one;
        int r;

        assert(c);
        assert(key);
        assert(ret);

        if (!str_empty(helper))
                return ask_helper(helper, key, ret, reterr);

        entry = json_get(json_get(c->document, "auths"), key);
        JSON_FOREACH (name, one, json_get(c->document, "auths"))
                if (!entry && same_registry(name, key))
                        entry = one;
        if (!entry)
                return 0;
        r = json_print(entry, JSON_COMPACT, &text);
        if (r >= 0)
                r = registry_auth_read_text(text, ret);
        if (text)
                explicit_bzero(text, strlen(text));
        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID,
                        "%s/config.json: auths: \"%s\" cannot be read", c->folder, key);
        return r < 0 ? r : str_copy(&ret->server_address, key);
}

int credentials_header(const RegistryAuth *a, char **ret) {
        char *json = NULL, *text;
        int r;

        r = json_write_text(a, registry_auth_fields, &json);
        if (r < 0)
                return r;
        text = new (char, BASE64_SIZE(strlen(json)));
        if (text) {
                base64_encode(json, strlen(json), text);
                for (char *p = text; *p; p++)
                        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
        }
        alloc_erase_free(json, strlen(json));
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}
