/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Users and groups as an image's /etc/passwd and /etc/group name them, resolved as Docker does.
 * The files are hostile: read beneath the root fd, not through a link, only as regular files of
 * at most 1 MiB; a missing file is an empty one. No NSS. */

#include <sys/types.h>

#include "lib/base/macro.h"

#define USERS_FILE_MAX   (1024U * 1024U)
#define USERS_GROUPS_MAX 1024U

typedef struct UserIdentity UserIdentity;

struct UserIdentity {
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* for setgroups(), complete: the primary one first, each once */
        size_t n_groups;
        char *home; /* "/" when the user is in no file */
        char *name; /* NULL when the user is in no file */
};

void user_identity_done(UserIdentity *u);

/* text: "", "user", "uid", "user:group", "uid:gid" and mixtures; numeric means the id, also when
 * a user has digits as name; ids are decimal and at most 2^32 - 2. "" is root. An explicit group
 * means no supplementary groups from the files, as in Docker. additional: group names or gids to
 * add (--group-add), may be NULL. On -EINVAL or -ENOENT (no such user or group) *reterr_text
 * (may be NULL) says what, for instance "unable to find user web: no matching entries in passwd
 * file". */
int users_resolve(int root_fd, const char *text, char *const *additional, UserIdentity *ret,
        char **reterr_text);

/* The pure half: the same on the text of both files (NULL: no such file). */
int users_resolve_text(const char *passwd, const char *group, const char *text,
        char *const *additional, UserIdentity *ret, char **reterr_text);

/* The gid of a group of the host or of a root, by name or number; -ENOENT. */
int users_find_group(int root_fd, const char *name, gid_t *ret);
