/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/path.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

#define PATH_JOIN_END ((const char *) -1)

char *path_join_internal(const char *first, ...) {
        size_t size = 1, n = 0;
        const char *part;
        va_list ap;
        char *s;

        va_start(ap, first);
        for (part = first; part != PATH_JOIN_END; part = va_arg(ap, const char *))
                size += str_empty(part) ? 0 : strlen(part) + 1;
        va_end(ap);

        s = malloc(size);
        if (!s)
                return NULL;

        va_start(ap, first);
        for (part = first; part != PATH_JOIN_END; part = va_arg(ap, const char *)) {
                size_t length;

                if (str_empty(part))
                        continue;
                if (n > 0) {
                        while (n > 1 && s[n - 1] == '/')
                                n--;
                        if (s[n - 1] != '/')
                                s[n++] = '/';
                        part += strspn(part, "/");
                }
                length = strlen(part);
                memcpy(s + n, part, length);
                n += length;
        }
        va_end(ap);

        s[n] = 0;
        return s;
}

int path_next(const char **p, const char **ret, size_t *ret_n) {
        const char *s;
        size_t n;

        assert(p && *p);
        assert(ret);
        assert(ret_n);

        for (s = *p;; s += n) {
                s += strspn(s, "/");
                n = strcspn(s, "/");
                if (n == 0) {
                        *p = s;
                        return 0;
                }
                if (n != 1 || s[0] != '.')
                        break;
        }

        if (n > NAME_MAX)
                return -ENAMETOOLONG;

        *ret = s;
        *ret_n = n;
        *p = s + n;
        return 1;
}

int path_normalise(const char *p, char **ret) {
        _cleanup_(freep) char *s = NULL;
        size_t n = 0, floor;
        bool absolute;

        assert(p);
        assert(ret);

        s = malloc(strlen(p) + 2);
        if (!s)
                return -ENOMEM;

        absolute = path_is_absolute(p);
        if (absolute)
                s[n++] = '/';
        floor = n; /* ".." takes nothing away below here */

        for (;;) {
                size_t length;

                p += strspn(p, "/");
                length = strcspn(p, "/");
                if (length == 0)
                        break;

                if (length == 2 && p[0] == '.' && p[1] == '.' && (absolute || n > floor)) {
                        while (n > floor && s[n - 1] != '/')
                                n--;
                        if (n > floor)
                                n--;
                } else if (length != 1 || p[0] != '.') {
                        if (n > 0 && s[n - 1] != '/')
                                s[n++] = '/';
                        memcpy(s + n, p, length);
                        n += length;
                        if (length == 2 && p[0] == '.' && p[1] == '.')
                                floor = n;
                }
                p += length;
        }

        if (n == 0)
                s[n++] = '.';
        s[n] = 0;
        *ret = TAKE_PTR(s);
        return 0;
}

bool path_is_normalised(const char *p) {
        assert(p);

        if (p[0] != '/')
                return false;
        if (!p[1])
                return true;

        while (*p) {
                size_t n = strcspn(++p, "/");

                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return false;
                p += n;
        }
        return true;
}

bool path_is_safe_name(const char *name) {
        if (str_empty(name) || streq(name, ".") || streq(name, "..") || strchr(name, '/'))
                return false;

        return strnlen(name, NAME_MAX + 1) <= NAME_MAX && !str_has_control(name);
}

const char *path_below(const char *p, const char *base) {
        size_t n;

        assert(p);
        assert(base);

        n = strlen(base);
        while (n > 0 && base[n - 1] == '/')
                n--;

        if (strncmp(p, base, n) != 0)
                return NULL;
        if (p[n] == 0)
                return n > 0 || base[0] == 0 ? p + n : NULL;
        if (p[n] != '/')
                return NULL;

        return p + n + strspn(p + n, "/");
}

bool path_is_below(const char *p, const char *base) {
        return path_below(p, base) != NULL;
}

const char *path_last(const char *p) {
        const char *slash;

        assert(p);

        slash = strrchr(p, '/');
        return slash ? slash + 1 : p;
}

int path_parent(const char *p, char **ret) {
        const char *slash;
        char *s;

        assert(p);
        assert(ret);

        slash = strrchr(p, '/');
        if (!slash)
                return -EINVAL;

        s = alloc_copy0(p, MAX(slash - p, 1));
        if (!s)
                return -ENOMEM;

        *ret = s;
        return 0;
}
