/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry/challenge.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

void challenge_done(Challenge *c) {
        assert(c);

        free(c->realm);
        free(c->service);
        free(c->scope);
        free(c->error);
        *c = (Challenge) {};
}

static bool is_token_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_size(const char *s) {
        size_t n = 0;

        while (is_token_char(s[n]))
                n++;
        return n;
}

static const char *skip_space(const char *s) {
        return s + strspn(s, " \t");
}

/* A token or a quoted string at *s; moves *s behind it. 1, or 0: it is neither. */
static int read_value(const char **s, char **ret) {
        const char *p = *s;
        size_t n = 0;
        char *value;

        if (*p != '"') {
                n = token_size(p);
                if (n == 0)
                        return 0;
                value = strndup(p, n);
                if (!value)
                        return -ENOMEM;
                *s = p + n;
                *ret = value;
                return 1;
        }

        value = new0(char, strlen(p));
        if (!value)
                return -ENOMEM;
        for (p++; *p && *p != '"'; p++) {
                if (*p == '\\' && p[1])
                        p++;
                value[n++] = *p;
        }
        if (*p != '"') { /* it does not end */
                free(value);
                return 0;
        }
        *s = p + 1;
        *ret = value;
        return 1;
}

/* The first value of a parameter counts. */
static void take_parameter(Challenge *c, const char *name, size_t size, char *value) {
        const struct {
                const char *name;
                char **member;
        } table[] = {
                { "realm", &c->realm },
                { "service", &c->service },
                { "scope", &c->scope },
                { "error", &c->error },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (strlen(table[i].name) == size && strncasecmp(table[i].name, name, size) == 0 &&
                        !*table[i].member && !str_has_control(value)) {
                        *table[i].member = value;
                        return;
                }
        free(value);
}

/* name=value at *s. 1 it was one, 0 it is something else: perhaps the next scheme. */
static int read_parameter(const char **s, bool wanted, Challenge *c) {
        const char *name = *s, *p;
        size_t size = token_size(name);
        char *value;
        int r;

        if (size == 0)
                return 0;
        p = skip_space(name + size);
        if (*p != '=')
                return 0;
        p = skip_space(p + 1);
        r = read_value(&p, &value);
        if (r <= 0)
                return r;
        if (wanted)
                take_parameter(c, name, size, value);
        else
                free(value);
        *s = p;
        return 1;
}

int challenge_parse(const char *header, Challenge *c) {
        const char *s;
        int r = 0;

        assert(header);
        assert(c);

        if (strlen(header) > CHALLENGE_SIZE_MAX)
                return 0;

        for (s = header; *(s += strspn(s, " \t,"));) {
                size_t size = token_size(s);
                bool bearer = size == 6 && strncasecmp(s, "Bearer", 6) == 0;

                if (size == 0) { /* a Negotiate has something else there */
                        s += strcspn(s, ",");
                        continue;
                }
                c->basic = c->basic || (size == 5 && strncasecmp(s, "Basic", 5) == 0);
                bearer = bearer && !c->bearer; /* the first of two */
                c->bearer = c->bearer || bearer;

                s = skip_space(s + size);
                while ((r = read_parameter(&s, bearer, c)) > 0)
                        s += strspn(s, " \t,");
                if (r < 0)
                        return r;
        }
        return 0;
}
