/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <augeas.h>

#include "config/env-value.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One handle for all inputs: compiling the lens takes longer than a hundred of them. */
static augeas *handle(void) {
        static augeas *a;

        if (!a) {
                a = aug_init("/", TEST_LENS_DIR,
                        AUG_NO_STDINC | AUG_NO_LOAD | AUG_NO_MODL_AUTOLOAD | AUG_NO_ERR_CLOSE);
                assert(a);
                assert(aug_transform(a, "Envfile.lns", "/dev/null/none", 0) >= 0);
                assert(aug_load(a) >= 0);
        }
        return a;
}

static const char *print(augeas *a) {
        const char *out = NULL;

        if (aug_text_retrieve(a, "Envfile.lns", "/raw/text", "/cfg", "/raw/out") < 0)
                return NULL;
        assert(aug_get(a, "/raw/out", &out) == 1);
        return out;
}

/* Each value in the tree is one value for systemd as well. */
static void check_values(augeas *a) {
        char **paths = NULL;
        int n;

        n = aug_match(a, "/cfg/*", &paths);
        for (int i = 0; i < n; i++) {
                _cleanup_(env_value_done) EnvValue v = {};
                const char *label = NULL, *value = NULL;

                assert(aug_label(a, paths[i], &label) >= 0 && aug_get(a, paths[i], &value) >= 0);
                if (label[0] != '#' && value && str_is_utf8(value, strlen(value)))
                        assert(env_value_decode(value, &v) >= 0);
                free(paths[i]);
        }
        free(paths);
}

/* What is read is printed byte for byte; an edited value changes its own bytes, and edited back the
 * text is what it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = alloc_copy0(data, size), *whole = NULL, *old = NULL;
        const char *value = NULL, *out;
        augeas *a = handle();

        /* sysconfig.c does not let these bytes through. */
        if (!text || size > 2048 || strlen(text) != size || strpbrk(text, "\x01\x02\x03\x04"))
                return 0;
        if (str_printf(&whole, "%s%s", text, size > 0 && text[size - 1] == '\n' ? "" : "\n") < 0)
                return 0;
        assert(aug_set(a, "/raw/text", whole) >= 0);
        if (aug_text_store(a, "Envfile.lns", "/raw/text", "/cfg") < 0)
                return 0;

        out = print(a);
        assert(out && streq(out, whole));
        check_values(a);

        if (aug_get(a, "/cfg/DOCKER_OPTS[last()]", &value) != 1 || str_empty(value))
                return 0;
        if (str_copy(&old, value) < 0)
                return 0;
        assert(aug_set(a, "/cfg/DOCKER_OPTS[last()]", "\"-s vfs\"") >= 0);
        out = print(a);
        assert(out && strstr(out, "\"-s vfs\""));
        assert(aug_set(a, "/cfg/DOCKER_OPTS[last()]", old) >= 0);
        out = print(a);
        assert(out && streq(out, whole));
        return 0;
}
