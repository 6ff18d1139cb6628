/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/platform.h"

#include <string.h>
#include <sys/utsname.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static const struct {
        const char *machine; /* uname's */
        const char *architecture;
        const char *variant;
} machines[] = {
        { "aarch64", "arm64", NULL },
        { "armv6l", "arm", "v6" },
        { "armv7l", "arm", "v7" },
        { "armv8l", "arm", "v7" },
        { "i386", "386", NULL },
        { "i686", "386", NULL },
        { "loongarch64", "loong64", NULL },
        { "mips64", "mips64le", NULL },
        { "ppc64le", "ppc64le", NULL },
        { "riscv64", "riscv64", NULL },
        { "s390x", "s390x", NULL },
        { "x86_64", "amd64", NULL },
};

static int platform_set(
        Platform *p, const char *os, const char *architecture, const char *variant) {
        if (str_copy(&p->os, os) < 0 || str_copy(&p->architecture, architecture) < 0 ||
                str_copy(&p->variant, variant) < 0)
                return -ENOMEM;
        return 0;
}

static int platform_host(Platform *ret) {
        struct utsname name;

        if (uname(&name) < 0)
                return -errno;

        for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
                if (streq(machines[i].machine, name.machine))
                        return platform_set(
                                ret, "linux", machines[i].architecture, machines[i].variant);
        return platform_set(ret, "linux", name.machine, NULL);
}

static bool platform_word_is_valid(const char *s) {
        static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";

        return !str_empty(s) && strlen(s) <= 32 && strchr(first, s[0]) &&
               strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == strlen(s);
}

int platform_wanted(const char *text, Platform *ret, Error *reterr) {
        _cleanup_(strv_freep) char **parts = NULL;
        size_t n;
        int r;

        assert(ret);

        if (str_empty(text))
                return platform_host(ret);

        r = strv_split(text, "/", /* keep_empty= */ true, &parts);
        if (r < 0)
                return r;

        n = strv_length(parts);
        STRV_FOREACH (p, parts)
                if (n < 2 || n > 3 || !platform_word_is_valid(*p))
                        return error_set(reterr, ERROR_INVALID,
                                "\"%s\" is no platform: OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT "
                                "is",
                                text);
        if (!streq(parts[0], "linux"))
                return error_set(reterr, ERROR_INVALID,
                        "images for %s cannot run here: only linux can", parts[0]);

        return platform_set(ret, parts[0], parts[1], parts[2]);
}

bool platform_fits(const Platform *wanted, const Platform *offered) {
        if (!offered || (str_empty(offered->os) && str_empty(offered->architecture)))
                return true;

        return str_equal(wanted->os, offered->os) &&
               str_equal(wanted->architecture, offered->architecture) &&
               (str_empty(wanted->variant) || str_empty(offered->variant) ||
                       streq(wanted->variant, offered->variant));
}

/* The variant that an architecture has when none is said. */
static const char *variant_of(const char *architecture, const char *variant) {
        if (streq(architecture, "arm"))
                return str_empty(variant) ? "v7" : variant;
        if (streq(architecture, "arm64"))
                return str_empty(variant) ? "v8" : variant;
        if (streq(architecture, "amd64"))
                return str_empty(variant) ? "v1" : variant;
        return str_or_empty(variant);
}

/* 10: the same, less for older ones, 0: it is newer, or of another kind. */
static unsigned variant_rank(const char *wanted, const char *offered) {
        if (streq(wanted, offered))
                return 10;
        if (wanted[0] != 'v' || offered[0] != 'v' || strlen(wanted) != 2 || strlen(offered) != 2 ||
                offered[1] < '0' || offered[1] >= wanted[1] || wanted[1] > '9')
                return 0;
        return (unsigned) (10 - (wanted[1] - offered[1]));
}

unsigned platform_rank(const Platform *wanted, const Platform *offered) {
        const char *have, *want;

        assert(wanted);

        if (!offered || (str_empty(offered->os) && str_empty(offered->architecture)))
                return 1;
        if (!str_equal(wanted->os, offered->os) || !wanted->architecture || !offered->architecture)
                return 0;

        want = wanted->architecture;
        have = offered->architecture;
        if (streq(want, have))
                return variant_rank(variant_of(want, wanted->variant),
                               variant_of(have, offered->variant)) *
                       10;
        if (streq(want, "arm64") && streq(have, "arm"))
                return variant_rank("v8", variant_of(have, offered->variant));
        return streq(want, "amd64") && streq(have, "386") ? 2 : 0;
}
