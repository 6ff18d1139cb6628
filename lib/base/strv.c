/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/strv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

char **strv_free(char **l) {
        STRV_FOREACH (s, l)
                free(*s);
        free(l);
        return NULL;
}

size_t strv_length(char *const *l) {
        size_t n = 0;

        while (l && l[n])
                n++;
        return n;
}

char **strv_new_internal(const char *first, ...) {
        _cleanup_(strv_freep) char **l = NULL;
        va_list ap;
        int r = 0;

        l = new0(char *, 1);
        if (!l)
                return NULL;

        va_start(ap, first);
        for (const char *s = first; s && r >= 0; s = va_arg(ap, const char *))
                r = strv_add(&l, s);
        va_end(ap);

        return r < 0 ? NULL : TAKE_PTR(l);
}

char **strv_copy(char *const *l) {
        _cleanup_(strv_freep) char **copy = NULL;
        size_t n = 0;

        copy = new0(char *, strv_length(l) + 1);
        if (!copy)
                return NULL;

        STRV_FOREACH (s, l) {
                copy[n] = strdup(*s);
                if (!copy[n++])
                        return NULL;
        }
        return TAKE_PTR(copy);
}

static int strv_insert(char ***l, size_t position, char *s) {
        size_t n, room;
        char **p;

        assert(l);

        if (!s)
                return -ENOMEM;

        n = strv_length(*l);
        /* Powers of two: a list that is built one by one moves seldom, and realloc() to the same
         * size is cheap. */
        for (room = 4; room < n + 2;)
                room *= 2;
        p = reallocarray(*l, room, sizeof(char *));
        if (!p) {
                free(s);
                return -ENOMEM;
        }
        *l = p;

        memmove(p + position + 1, p + position, (n - position) * sizeof(char *));
        p[position] = s;
        p[n + 1] = NULL;
        return 0;
}

int strv_take(char ***l, char *s) {
        assert(l);

        return strv_insert(l, strv_length(*l), s);
}

int strv_add(char ***l, const char *s) {
        assert(s);

        return strv_take(l, strdup(s));
}

int strv_addf(char ***l, const char *format, ...) {
        va_list ap;
        char *s;
        int r;

        assert(format);

        va_start(ap, format);
        r = vasprintf(&s, format, ap);
        va_end(ap);

        return r < 0 ? -ENOMEM : strv_take(l, s);
}

int strv_prepend(char ***l, const char *s) {
        assert(s);

        return strv_insert(l, 0, strdup(s));
}

int strv_add_all(char ***l, char *const *more) {
        bool self;
        size_t before;
        int r;

        assert(l);

        self = *l == more; /* moves when it grows */
        before = strv_length(*l);
        for (size_t i = 0, n = strv_length(more); i < n; i++) {
                r = strv_add(l, self ? (*l)[i] : more[i]);
                if (r < 0) {
                        for (size_t k = before; *l && (*l)[k]; k++)
                                (*l)[k] = mfree((*l)[k]);
                        return r;
                }
        }
        return 0;
}

int strv_set(char ***l, char *const *from) {
        char **copy;

        assert(l);

        copy = strv_copy(from);
        if (!copy)
                return -ENOMEM;

        strv_free(*l);
        *l = copy;
        return 0;
}

size_t strv_remove(char **l, const char *s) {
        char **to = l;
        size_t n = 0;

        assert(s);

        if (!l)
                return 0;

        for (char **from = l; *from; from++)
                if (streq(*from, s)) {
                        free(*from);
                        n++;
                } else
                        *to++ = *from;
        *to = NULL;
        return n;
}

ssize_t strv_index(char *const *l, const char *s) {
        assert(s);

        for (size_t i = 0; l && l[i]; i++)
                if (streq(l[i], s))
                        return (ssize_t) i;
        return -1;
}

bool strv_contains(char *const *l, const char *s) {
        return strv_index(l, s) >= 0;
}

bool strv_equal(char *const *a, char *const *b) {
        size_t i = 0;

        for (; a && a[i]; i++)
                if (!b || !b[i] || !streq(a[i], b[i]))
                        return false;
        return !b || !b[i];
}

static int strv_compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **l) {
        if (!strv_empty(l))
                qsort(l, strv_length(l), sizeof(char *), strv_compare);
}

void strv_uniq(char **l) {
        char **to = l;

        if (strv_empty(l))
                return;

        for (char **from = l + 1; *from; from++)
                if (streq(*from, *to))
                        free(*from);
                else
                        *++to = *from;
        to[1] = NULL;
}

char *strv_join(char *const *l, const char *separator) {
        size_t size = 1, gap;
        char *s, *p;

        assert(separator);

        gap = strlen(separator);
        STRV_FOREACH (part, l)
                size += strlen(*part) + gap;

        s = malloc(size);
        if (!s)
                return NULL;

        p = s;
        STRV_FOREACH (part, l) {
                if (part != l)
                        p = mempcpy(p, separator, gap);
                p = mempcpy(p, *part, strlen(*part));
        }
        *p = 0;
        return s;
}

int strv_split(const char *s, const char *separators, bool keep_empty, char ***ret) {
        _cleanup_(strv_freep) char **l = NULL;
        int r;

        assert(separators);
        assert(ret);

        l = new0(char *, 1);
        if (!l)
                return -ENOMEM;

        for (; s; s = *s ? s + 1 : NULL) {
                size_t n = strcspn(s, separators);

                if (n > 0 || keep_empty) {
                        r = strv_take(&l, strndup(s, n));
                        if (r < 0)
                                return r;
                }
                s += n;
        }

        *ret = TAKE_PTR(l);
        return 0;
}

static bool env_has_key(const char *entry, const char *key, size_t n) {
        return strncmp(entry, key, n) == 0 && (entry[n] == '=' || !entry[n]);
}

const char *strv_env_get(char *const *env, const char *key) {
        const char *found = NULL;
        size_t n;

        assert(key);

        n = strlen(key);
        STRV_FOREACH (s, env)
                if (env_has_key(*s, key, n) && (*s)[n] == '=')
                        found = *s + n + 1;
        return found;
}

static void env_remove(char **env, const char *key, size_t n, const char *keep) {
        char **to = env;

        for (char **from = env; from && *from; from++)
                if (*from != keep && env_has_key(*from, key, n))
                        free(*from);
                else
                        *to++ = *from;
        if (to)
                *to = NULL;
}

int strv_env_set(char ***env, const char *key, const char *value) {
        char *entry = NULL;
        size_t n;
        int r;

        assert(env);
        assert(!str_empty(key));

        n = strlen(key);
        if (value) {
                r = str_printf(&entry, "%s=%s", key, value);
                if (r < 0)
                        return r;

                /* An existing entry keeps its place. */
                STRV_FOREACH (s, *env)
                        if (env_has_key(*s, key, n)) {
                                free(*s);
                                *s = entry;
                                env_remove(*env, key, n, entry);
                                return 0;
                        }
                return strv_take(env, entry);
        }

        env_remove(*env, key, n, NULL);
        return 0;
}

int strv_env_merge(char ***env, char *const *more) {
        int r;

        assert(env);

        STRV_FOREACH (s, more) {
                size_t n = strcspn(*s, "=");
                _cleanup_(freep) char *entry = strdup(*s);

                if (!entry)
                        return -ENOMEM;

                r = 0;
                STRV_FOREACH (old, *env)
                        if (env_has_key(*old, entry, n)) {
                                char *kept = TAKE_PTR(entry);

                                free(*old);
                                *old = kept;
                                env_remove(*env, kept, n, kept);
                                r = 1;
                                break;
                        }
                if (r == 0) {
                        r = strv_take(env, TAKE_PTR(entry));
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}
