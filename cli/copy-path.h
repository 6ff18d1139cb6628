/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* docker cp's rules about names, as text: which of both is in a container, what "/" and "/." at the end ask for, and what is to be called how where.
 * Nothing here looks at files. */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

/* "CONTAINER:PATH": both (*ret_container NULL: the word is a name here, as "/x:y", "./x:y" and "x" are). */
int copy_split_word(const char *word, char **ret_container, char **ret_path);

/* Folder and last component of a path, cleaned; a last "." stays: "/a/b/" is "/a" and "b", "/a/." is "/a" and ".", "/" is "/" and "/". */
int copy_split_path(const char *path, char **ret_folder, char **ret_name);

/* Ends with "/", or its last component is ".": it must be a folder. */
bool copy_wants_folder(const char *path) _pure_;
/* Its last component is ".": what is in the folder, not the folder. */
bool copy_wants_content(const char *path) _pure_;

/* The path absolute and clean, with "/" or "/." at its end as it was. */
int copy_absolute(const char *path, char **ret);
/* Where a link at path leads, from its own folder on. */
int copy_follow(const char *path, const char *target, char **ret);

typedef struct CopySource {
        const char *path;
        bool is_folder;
        const char *
                renamed; /* what it is to be called when path is not its name any more (a link was followed); NULL */
} CopySource;

typedef struct CopyTarget {
        const char *path;
        bool exists;
        bool is_folder;
} CopyTarget;

/* What docker cp makes of both: folder is unpacked into; the archive's entries at or below base become name (both "" for the content of a folder that
 * goes into one). ERROR_INVALID in docker's words. */
typedef struct CopyPlan {
        char *folder;
        char *base;
        char *name;
} CopyPlan;

int copy_plan(const CopySource *source, const CopyTarget *target, CopyPlan *ret, Error *reterr);
void copy_plan_done(CopyPlan *p);

/* A path that a link was followed on: "/" or "/." at the end as they were in the wish, and the wish's name when the new one differs (NULL: it does not). */
int copy_rename(const char *wish, const char *resolved, char **ret_path, char **ret_name);
