/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define PASSWD_FIELDS 7U
#define GROUP_FIELDS  4U

typedef struct Field Field;

/* A piece of the file's text; nothing is copied until something matches. */
struct Field {
        const char *text;
        size_t n;
};

void user_identity_done(UserIdentity *u) {
        if (!u)
                return;

        free(u->groups);
        free(u->home);
        free(u->name);
        *u = (UserIdentity) {};
}

static bool field_is(const Field *f, const char *s) {
        return strlen(s) == f->n && memcmp(f->text, s, f->n) == 0;
}

/* Strictly decimal. A line whose number is none is no line: Go's reading as 0 would make its
 * user root. */
static int field_id(const Field *f, uint32_t *ret) {
        char text[11];

        if (f->n == 0 || f->n >= sizeof(text))
                return -EINVAL;

        memcpy(text, f->text, f->n);
        text[f->n] = 0;
        return parse_uid(text, ret);
}

/* The next line that is not empty, cut at colons; fields that are not there are empty. 1 or, at
 * the end, 0. */
static int next_line(const char **p, Field *fields, size_t n_fields) {
        while (*p && **p) {
                const char *line = *p, *end = line + strcspn(line, "\n");

                *p = *end ? end + 1 : end;
                while (line < end && strchr(" \t\r", *line))
                        line++;
                while (end > line && strchr(" \t\r", end[-1]))
                        end--;
                if (line == end || *line == '#')
                        continue;

                for (size_t i = 0; i < n_fields; i++) {
                        const char *colon = line ? memchr(line, ':', (size_t) (end - line)) : NULL;

                        fields[i].text = line ? line : end;
                        fields[i].n = !line ? 0 : (size_t) ((colon ? colon : end) - line);
                        line = colon ? colon + 1 : NULL;
                }
                return 1;
        }
        return 0;
}

static int fail(char **reterr_text, int r, const char *what, const char *name, const char *why) {
        if (reterr_text) {
                _cleanup_(freep) char *text = NULL;

                if (str_printf(&text, "unable to find %s %s: %s", what, name, why) >= 0)
                        *reterr_text = str_escape_terminal(text);
        }
        return r;
}

/* "user:group" into its two parts, either of which may be missing. */
static int split_spec(const char *text, char **ret_user, char **ret_group) {
        int r;

        r = str_split_pair(text, ':', ret_user, ret_group);
        if (r != -EINVAL)
                return r;

        *ret_group = NULL;
        return str_copy(ret_user, text);
}

static bool is_number(const char *s) {
        return s[0] && !s[strspn(s, "0123456789")];
}

/* Adds a group that is not there yet. */
static int add_group(UserIdentity *u, size_t *allocated, gid_t gid) {
        int r;

        for (size_t i = 0; i < u->n_groups; i++)
                if (u->groups[i] == gid)
                        return 0;
        if (u->n_groups >= USERS_GROUPS_MAX)
                return -E2BIG;

        r = array_grow(&u->groups, allocated, u->n_groups + 1);
        if (r < 0)
                return r;
        u->groups[u->n_groups++] = gid;
        return 0;
}

/* The first group of this name or number; the number itself when no line has it. */
static int find_group(const char *group, const char *name, gid_t *ret) {
        bool numeric = is_number(name);
        Field f[GROUP_FIELDS];
        uint32_t wanted = 0, gid;
        int r;

        if (numeric) {
                r = parse_uid(name, &wanted);
                if (r < 0)
                        return r;
                *ret = wanted;
                return 0;
        }

        for (const char *p = group; next_line(&p, f, GROUP_FIELDS) > 0;)
                if (field_is(f + 0, name) && field_id(f + 2, &gid) >= 0) {
                        *ret = gid;
                        return 0;
                }
        return -ENOENT;
}

/* passwd: the first line that fits. 1 found, 0 not there. */
static int find_user(
        const char *passwd, const char *user, bool numeric, uid_t uid, UserIdentity *u) {
        Field f[PASSWD_FIELDS];
        uint32_t line_uid, line_gid;

        for (const char *p = passwd; next_line(&p, f, PASSWD_FIELDS) > 0;) {
                if (field_id(f + 2, &line_uid) < 0 || field_id(f + 3, &line_gid) < 0 || f[0].n == 0)
                        continue;
                if (numeric ? line_uid != uid : !field_is(f + 0, user))
                        continue;

                u->name = alloc_copy0(f[0].text, f[0].n);
                u->home = f[5].n > 0 ? alloc_copy0(f[5].text, f[5].n) : strdup("/");
                if (!u->name || !u->home)
                        return -ENOMEM;
                u->uid = line_uid;
                u->gid = line_gid;
                return 1;
        }
        return 0;
}

/* Groups whose member list names the user. */
static int add_member_groups(UserIdentity *u, size_t *allocated, const char *group) {
        Field f[GROUP_FIELDS];
        uint32_t gid;
        int r;

        for (const char *p = group; next_line(&p, f, GROUP_FIELDS) > 0;) {
                const char *member = f[3].text, *end = member + f[3].n;

                if (field_id(f + 2, &gid) < 0)
                        continue;
                while (member < end) {
                        const char *comma = memchr(member, ',', (size_t) (end - member));
                        Field m = { member, (size_t) ((comma ? comma : end) - member) };

                        if (field_is(&m, u->name)) {
                                r = add_group(u, allocated, gid);
                                if (r < 0)
                                        return r;
                                break;
                        }
                        member = comma ? comma + 1 : end;
                }
        }
        return 0;
}

static int resolve_user(const char *passwd, const char *user, UserIdentity *u, char **reterr_text) {
        bool numeric = str_empty(user) || is_number(user);
        uint32_t uid = 0;
        int r;

        if (!str_empty(user) && numeric) {
                r = parse_uid(user, &uid);
                if (r < 0)
                        return fail(reterr_text, -EINVAL, "user", user,
                                "ids must be in range 0-4294967294");
        }

        r = find_user(passwd, user, numeric, uid, u);
        if (r < 0)
                return r;
        if (r > 0)
                return 0;
        if (!numeric)
                return fail(
                        reterr_text, -ENOENT, "user", user, "no matching entries in passwd file");

        u->uid = uid;
        return str_copy(&u->home, "/");
}

static int resolve_group(const char *group, const char *name, gid_t *ret, char **reterr_text) {
        int r;

        r = find_group(group, name, ret);
        if (r == -ENOENT)
                return fail(reterr_text, r, "group", name, "no matching entries in group file");
        if (r < 0)
                return fail(
                        reterr_text, -EINVAL, "group", name, "ids must be in range 0-4294967294");
        return 0;
}

int users_resolve_text(const char *passwd, const char *group, const char *text,
        char *const *additional, UserIdentity *ret, char **reterr_text) {
        _cleanup_(user_identity_done) UserIdentity u = {};
        _cleanup_(freep) char *user_part = NULL, *group_part = NULL;
        size_t allocated = 0;
        int r;

        assert(text);
        assert(ret);

        r = split_spec(text, &user_part, &group_part);
        if (r < 0)
                return r;

        r = resolve_user(passwd, user_part, &u, reterr_text);
        if (r < 0)
                return r;

        if (!str_empty(group_part)) {
                r = resolve_group(group, group_part, &u.gid, reterr_text);
                if (r < 0)
                        return r;
        }

        /* setgroups() replaces the list, and permission checks look at it: the primary group
         * belongs in it, or a file that shuts out that group would be open (CVE-2022-36109). */
        r = add_group(&u, &allocated, u.gid);
        if (r >= 0 && str_empty(group_part) && u.name)
                r = add_member_groups(&u, &allocated, group);
        if (r < 0)
                return r;

        for (size_t i = 0; additional && additional[i]; i++) {
                gid_t gid;

                r = resolve_group(group, additional[i], &gid, reterr_text);
                if (r < 0)
                        return r;
                r = add_group(&u, &allocated, gid);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_STRUCT(u);
        return 0;
}

/* A file that is not there is an empty one; one that is not what it should be is an error. */
static int read_file(int root_fd, const char *path, char **ret, char **reterr_text) {
        int r;

        r = beneath_read(root_fd, path, USERS_FILE_MAX, ret);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r < 0 && reterr_text)
                (void) str_printf(reterr_text, "unable to read %s: %s", path, strerror(-r));
        return r;
}

int users_resolve(int root_fd, const char *text, char *const *additional, UserIdentity *ret,
        char **reterr_text) {
        _cleanup_(freep) char *passwd = NULL, *group = NULL;
        int r;

        r = read_file(root_fd, "/etc/passwd", &passwd, reterr_text);
        if (r >= 0)
                r = read_file(root_fd, "/etc/group", &group, reterr_text);
        if (r < 0)
                return r;

        return users_resolve_text(passwd, group, text, additional, ret, reterr_text);
}

int users_find_group(int root_fd, const char *name, gid_t *ret) {
        _cleanup_(freep) char *group = NULL;
        int r;

        assert(name);
        assert(ret);

        r = read_file(root_fd, "/etc/group", &group, NULL);
        if (r < 0)
                return r;

        return find_group(group, name, ret);
}
