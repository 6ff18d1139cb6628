/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The seccomp profile of config.json as classic BPF. Compiling a profile as long as Docker's costs more than all the rest of a
 * start together, so compiled programs are kept in a folder of the state root, found by a hash of the profile and verified by
 * the whole profile: a file that holds another one is not used. Only root can write there. */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/macro.h"

typedef struct Error Error;
typedef struct RuntimeSeccomp RuntimeSeccomp;
typedef struct SeccompFilter SeccompFilter;

#define SECCOMP_NAMES_MAX 4096U /* system call names of one profile */

struct SeccompFilter {
        const struct sock_filter *instructions; /* NULL: no filter */
        size_t n_instructions;
        unsigned flags; /* SECCOMP_FILTER_FLAG_* */
        void *map;      /* of the cache file, or NULL */
        size_t map_size;
        void *owned; /* memory of a filter just compiled, or NULL */
};

/* The profile as bytes that are equal exactly for equal profiles on the same machine and library. */
int seccomp_key(const RuntimeSeccomp *s, Buffer *ret);
/* Without the cache. */
int seccomp_compile(const RuntimeSeccomp *s, SeccompFilter *ret, Error *reterr);
/* root_fd: the state root, -EBADF for no cache. A cache that cannot be read or written costs time, nothing else. */
int seccomp_prepare(const RuntimeSeccomp *s, int root_fd, SeccompFilter *ret, Error *reterr);
void seccomp_filter_done(SeccompFilter *f);

/* From here on every system call of this process is looked at. */
int seccomp_filter_install(const SeccompFilter *f);

/* What the filter says to a call of this machine's native interface (args NULL: six zeros), without making it. Pure. */
bool seccomp_filter_allows(const SeccompFilter *f, int number, const uint64_t args[6]);

/* For `features`; NULL-terminated. */
extern const char *const seccomp_action_names[];
extern const char *const seccomp_operator_names[];
extern const char *const seccomp_arch_names[];
extern const char *const seccomp_flag_names[];
