/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/registry-auth.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

/* clang-format off */
const JsonField registry_auth_fields[] = {
        JSON_STRING("username",      RegistryAuth, username,       JSON_OMIT_EMPTY),
        JSON_STRING("password",      RegistryAuth, password,       JSON_OMIT_EMPTY),
        JSON_STRING("auth",          RegistryAuth, auth,           JSON_OMIT_EMPTY),
        JSON_STRING("serveraddress", RegistryAuth, server_address, JSON_OMIT_EMPTY),
        JSON_STRING("identitytoken", RegistryAuth, identity_token, JSON_OMIT_EMPTY),
        JSON_STRING("registrytoken", RegistryAuth, registry_token, JSON_OMIT_EMPTY),
        {}
};
/* clang-format on */

static void erase(char **s) {
        *s = *s ? alloc_erase_free(*s, strlen(*s)) : NULL;
}

void registry_auth_done(RegistryAuth *a) {
        assert(a);

        erase(&a->password);
        erase(&a->auth);
        erase(&a->identity_token);
        erase(&a->registry_token);
        fields_done(registry_auth_fields, a);
}

/* Either alphabet, padding or none → the one that base64_decode() reads. */
static int decode(const char *text, char **ret) {
        size_t n = strcspn(text, "="), size;
        char *plain = NULL, *copy, *s;
        int r;

        if (n > REGISTRY_AUTH_MAX || text[n + strspn(text + n, "=")] != '\0')
                return -EINVAL;
        s = new0(char, n + 4);
        if (!s)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                s[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
        for (size_t i = n; i % 4 != 0; i++)
                s[i] = '=';

        r = base64_decode(s, &plain, &size);
        alloc_erase_free(s, n);
        if (r < 0)
                return r;
        copy = memchr(plain, '\0', size) ? NULL : strndup(plain, size);
        alloc_erase_free(plain, size);
        if (!copy)
                return -EINVAL;
        *ret = copy;
        return 0;
}

/* "username:password" of .auth, unless both are there already. */
static int take_apart(RegistryAuth *a) {
        char *plain, *colon;
        int r;

        if (str_empty(a->auth) || !str_empty(a->username))
                return 0;
        r = decode(a->auth, &plain);
        if (r < 0)
                return r;
        colon = strchr(plain, ':');
        r = colon ? str_copy_n(&a->username, plain, (size_t) (colon - plain)) : -EINVAL;
        if (r >= 0)
                r = str_copy(&a->password, colon + 1);
        alloc_erase_free(plain, strlen(plain));
        return r;
}

int registry_auth_read_text(const char *text, RegistryAuth *ret) {
        _cleanup_(registry_auth_done) RegistryAuth a = {};
        int r = 0;

        assert(ret);

        if (!str_empty(text)) {
                r = strlen(text) > REGISTRY_AUTH_MAX
                          ? -EINVAL
                          : json_read_text(text, strlen(text), registry_auth_fields, &a,
                                    JSON_READ_DOCKER, NULL);
                if (r >= 0)
                        r = take_apart(&a);
        }
        /* One that ends its line would begin another header. */
        if (r >= 0 && (str_has_control(str_or_empty(a.registry_token)) ||
                              str_has_control(str_or_empty(a.username))))
                r = -EINVAL;
        if (r < 0)
                return r == -ENOMEM ? r : -EINVAL;

        *ret = TAKE_STRUCT(a);
        return 0;
}

int registry_auth_read_header(const char *header, RegistryAuth *ret) {
        char *text = NULL;
        int r = 0;

        assert(ret);

        *ret = (RegistryAuth) {};
        if (!str_empty(header))
                r = decode(header, &text);
        if (r >= 0 && text)
                r = registry_auth_read_text(text, ret);
        if (text)
                alloc_erase_free(text, strlen(text));
        return r == -ENOMEM ? r : 0;
}
