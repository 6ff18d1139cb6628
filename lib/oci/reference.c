/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/oci/reference.h"

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/oci/image-spec.h"

#define OFFICIAL        "library/"
#define REFERENCE_MAX   4096U /* more than name, tag and digest together can have */
#define IMAGE_ID_DIGITS 64

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static bool is_lower(char c) {
        return (c >= 'a' && c <= 'z') || is_digit(c);
}

static bool is_alnum(char c) {
        return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]+ separated by one ".", one or two "_", or any number of "-". */
static bool component_is_valid(const char *s, size_t n) {
        size_t i = 0;

        while (i < n) {
                size_t start = i;

                while (i < n && is_lower(s[i]))
                        i++;
                if (i == start)
                        return false;
                if (i == n)
                        return true;

                start = i;
                while (i < n && s[i] == s[start] && (s[i] == '.' || s[i] == '_' || s[i] == '-'))
                        i++;
                if (i == start || (s[start] == '.' && i - start > 1) ||
                        (s[start] == '_' && i - start > 2))
                        return false;
        }

        return false; /* empty, or ends with a separator */
}

static bool path_is_valid(const char *s) {
        for (;;) {
                size_t n = strcspn(s, "/");

                if (!component_is_valid(s, n))
                        return false;
                if (!s[n])
                        return true;
                s += n + 1;
        }
}

static bool port_is_valid(const char *s) {
        return *s && strspn(s, "0123456789") == strlen(s);
}

/* Letters, digits and inner "-", separated by "."; or an IPv6 address in brackets; then perhaps
 * a port. */
static bool domain_is_valid(const char *s) {
        if (*s == '[') {
                size_t n = strspn(s + 1, "0123456789abcdefABCDEF:");

                s += 1 + n;
                if (n == 0 || *s != ']')
                        return false;
                s++;
                return !*s || (*s == ':' && port_is_valid(s + 1));
        }

        for (;;) {
                size_t n = strcspn(s, ".:");

                if (n == 0 || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
                        return false;
                for (size_t i = 0; i < n; i++)
                        if (!is_alnum(s[i]) && s[i] != '-')
                                return false;
                s += n;
                if (!*s)
                        return true;
                if (*s++ == ':')
                        return port_is_valid(s);
        }
}

bool reference_tag_is_valid(const char *tag) {
        size_t n = strlen(tag);

        if (n == 0 || n > REFERENCE_TAG_MAX || (!is_alnum(tag[0]) && tag[0] != '_'))
                return false;

        for (size_t i = 0; i < n; i++)
                if (!is_alnum(tag[i]) && tag[i] != '_' && tag[i] != '.' && tag[i] != '-')
                        return false;

        return true;
}

/* Docker's rule what before the first "/" is a host and not a part of the path. */
static bool looks_like_domain(const char *s, size_t n) {
        if (n == STRLEN("localhost") && strncmp(s, "localhost", n) == 0)
                return true;

        for (size_t i = 0; i < n; i++)
                if (s[i] == '.' || s[i] == ':' || (s[i] >= 'A' && s[i] <= 'Z'))
                        return true;

        return false;
}

/* Splits a name without tag and digest, and adds what is implied. */
static int parse_name(const char *name, Reference *r) {
        const char *slash = strchr(name, '/'), *path = name;
        int e;

        if (slash && looks_like_domain(name, (size_t) (slash - name))) {
                e = str_copy_n(&r->domain, name, (size_t) (slash - name));
                if (e < 0)
                        return e;
                path = slash + 1;
        }

        if (!r->domain || streq(r->domain, "index.docker.io")) {
                e = str_copy(&r->domain, REFERENCE_DOMAIN_DEFAULT);
                if (e < 0)
                        return e;
        }

        e = str_printf(&r->path, "%s%s",
                streq(r->domain, REFERENCE_DOMAIN_DEFAULT) && !strchr(path, '/') ? OFFICIAL : "",
                path);
        if (e < 0)
                return e;

        if (!domain_is_valid(r->domain) || !path_is_valid(r->path) ||
                strlen(r->domain) + 1 + strlen(r->path) > REFERENCE_NAME_MAX)
                return -EINVAL;

        return 0;
}

int reference_parse_untagged(const char *s, Reference *ret) {
        _cleanup_(reference_done) Reference r = {};
        _cleanup_(freep) char *name = NULL;
        char *at, *colon, *slash;
        int e;

        assert(s);
        assert(ret);

        if (strlen(s) > REFERENCE_MAX || str_is_hex(s, IMAGE_ID_DIGITS))
                return -EINVAL;

        e = str_copy(&name, s);
        if (e < 0)
                return e;

        at = strchr(name, '@');
        if (at) {
                *at++ = 0;
                if (!image_digest_is_valid(at))
                        return -EINVAL;
                e = str_copy(&r.digest, at);
                if (e < 0)
                        return e;
        }

        slash = strrchr(name, '/');
        colon = strrchr(slash ? slash : name, ':');
        if (colon) {
                *colon++ = 0;
                if (!reference_tag_is_valid(colon))
                        return -EINVAL;
                e = str_copy(&r.tag, colon);
                if (e < 0)
                        return e;
        }

        e = parse_name(name, &r);
        if (e < 0)
                return e;

        *ret = TAKE_STRUCT(r);
        return 0;
}

int reference_parse(const char *s, Reference *ret) {
        _cleanup_(reference_done) Reference r = {};
        int e;

        e = reference_parse_untagged(s, &r);
        if (e < 0)
                return e;

        if (!r.tag && !r.digest) {
                e = str_copy(&r.tag, "latest");
                if (e < 0)
                        return e;
        }

        *ret = TAKE_STRUCT(r);
        return 0;
}

void reference_done(Reference *r) {
        if (!r)
                return;

        free(r->domain);
        free(r->path);
        free(r->tag);
        free(r->digest);
        *r = (Reference) {};
}

int reference_copy(const Reference *from, Reference *ret) {
        _cleanup_(reference_done) Reference r = {};

        assert(from);
        assert(ret);

        if (str_copy(&r.domain, from->domain) < 0 || str_copy(&r.path, from->path) < 0 ||
                str_copy(&r.tag, from->tag) < 0 || str_copy(&r.digest, from->digest) < 0)
                return -ENOMEM;

        *ret = TAKE_STRUCT(r);
        return 0;
}

static int format(
        const Reference *r, const char *domain, const char *slash, const char *path, char **ret) {
        return str_printf(ret, "%s%s%s%s%s%s%s", domain, slash, path, r->tag ? ":" : "",
                str_or_empty(r->tag), r->digest ? "@" : "", str_or_empty(r->digest));
}

int reference_format(const Reference *r, char **ret) {
        assert(r);
        assert(ret);

        return format(r, r->domain, "/", r->path, ret);
}

/* The path without library/, or NULL when the short form would be read as another name:
 * library/a/b is not a/b, and docker.io/x.io/a is not x.io/a. */
static const char *familiar_path(const Reference *r) {
        const char *rest = str_starts(r->path, OFFICIAL), *slash = strchr(r->path, '/');

        if (!streq(r->domain, REFERENCE_DOMAIN_DEFAULT))
                return NULL;
        if (slash && looks_like_domain(r->path, (size_t) (slash - r->path)))
                return NULL;

        return rest && !strchr(rest, '/') ? rest : r->path;
}

int reference_format_familiar(const Reference *r, char **ret) {
        const char *path;

        assert(r);
        assert(ret);

        path = familiar_path(r);
        if (path)
                return format(r, "", "", path, ret);

        return format(r, r->domain, "/", r->path, ret);
}

int reference_format_familiar_name(const Reference *r, char **ret) {
        Reference name;

        assert(r);

        name = (Reference) { .domain = r->domain, .path = r->path };
        return reference_format_familiar(&name, ret);
}

bool reference_is_ambiguous(const Reference *r) {
        assert(r);

        return str_equal(r->domain, REFERENCE_DOMAIN_DEFAULT) &&
               str_equal(r->path, "library/sha256");
}

bool reference_same_repository(const Reference *a, const Reference *b) {
        return streq(a->domain, b->domain) && streq(a->path, b->path);
}

/* As Go's path.Match(): "*" does not cross a "/", so both sides are compared part by part. */
static int match_path(const char *pattern, const char *s) {
        for (;;) {
                size_t np = strcspn(pattern, "/"), ns = strcspn(s, "/");
                _cleanup_(freep) char *p = NULL, *q = NULL;

                if (str_copy_n(&p, pattern, np) < 0 || str_copy_n(&q, s, ns) < 0)
                        return -ENOMEM;
                if (!str_matches(p, q) || !pattern[np] != !s[ns])
                        return 0;
                if (!pattern[np])
                        return 1;
                pattern += np + 1;
                s += ns + 1;
        }
}

bool reference_matches(const Reference *r, const char *pattern) {
        _cleanup_(freep) char *whole = NULL, *name = NULL;

        assert(r);
        assert(pattern);

        if (reference_format_familiar(r, &whole) < 0 ||
                reference_format_familiar_name(r, &name) < 0)
                return false;

        return match_path(pattern, whole) > 0 || match_path(pattern, name) > 0;
}
