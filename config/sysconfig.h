/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* /etc/sysconfig/docker as a list of lines with a meaning. Augeas with a lens of our own parses and
 * prints text; it never touches the file: we read it, and we replace it (sysconfig-save.c), so that
 * a concurrent edit, an ACL or an xattr is never lost. A Sysconfig is one reading of the file,
 * owned by who loaded it; an edit changes the text in memory, save writes it if the file is still
 * the one read. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

struct augeas;
typedef struct Sysconfig Sysconfig;
typedef struct SysconfigEntry SysconfigEntry;

#define SYSCONFIG_SIZE_MAX     (1024U * 1024U)
#define SYSCONFIG_ETAG_MISSING "missing" /* etag of a file that is not there */

struct SysconfigEntry {
        char *name;    /* "#other": a line that systemd skips, its text in raw */
        char *raw;     /* with its quotes, as in the file */
        unsigned line; /* 1… */
};

struct Sysconfig {
        char *path; /* symlinks followed */
        char *lens_dir;
        bool exists;
        struct stat st; /* of what was read */
        char etag[65];  /* sha256 of what was read, or SYSCONFIG_ETAG_MISSING */
        char *text;     /* NUL-terminated, holds no other NUL */
        bool changed;   /* text is not what was read any more */
        SysconfigEntry *entries;
        size_t n_entries;
        struct augeas *augeas; /* sysconfig.c; compiling the lens is most of the time */
        void (*close)(struct augeas *augeas);
};

/* A missing file is an empty one with exists=false. -EBADMSG with file and line when it does not
 * parse. */
int sysconfig_load(const char *path, const char *lens_dir, Sysconfig **ret, Error *reterr);
/* The same for text from elsewhere; such a Sysconfig cannot be saved. path is for the sentences. */
int sysconfig_parse(
        const char *path, const char *text, const char *lens_dir, Sysconfig **ret, Error *reterr);
Sysconfig *sysconfig_free(Sysconfig *s);
DEFINE_CLEANUP(Sysconfig *, sysconfig_free);

/* The last one wins, as for systemd. NULL: not there. */
const SysconfigEntry *sysconfig_find(const Sysconfig *s, const char *name);

/* Replaces the raw text of the entry that counts, or adds a line at the end. 0: it was so already,
 * 1: changed. */
int sysconfig_set_raw(Sysconfig *s, const char *name, const char *raw, Error *reterr);

/* Writes the text beside the file and swaps it in, with mode, owner, ACL and xattrs of the old one.
 * -ESTALE when someone else changed the file since it was read: what they wrote stays. Afterwards
 * st and etag describe the new file. */
int sysconfig_save(Sysconfig *s, Error *reterr);

/* The file as it is now: stat and etag, without parsing. ret_text may be NULL. 0: not there, 1:
 * there. */
int sysconfig_read(const char *path, struct stat *ret_st, char ret_etag[static 65], char **ret_text,
        Error *reterr);
int sysconfig_read_at(int dir_fd, const char *name, struct stat *ret_st, char ret_etag[static 65],
        char **ret_text);
