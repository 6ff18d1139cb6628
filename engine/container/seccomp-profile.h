/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A SeccompProfile is Docker's kind of profile: OCI's with conditions (capabilities, architecture, kernel) on its rules. The built-in one is a
 * data file of the package. Evaluating it gives what an OCI runtime understands. Pure. */

#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct RuntimeSeccomp RuntimeSeccomp;
typedef struct SeccompProfile SeccompProfile;

#define SECCOMP_PROFILE_SIZE_MAX ((size_t) 1024 * 1024)

int seccomp_profile_parse(const char *text, size_t size, SeccompProfile **ret, Error *reterr);
SeccompProfile *seccomp_profile_free(SeccompProfile *p);
DEFINE_CLEANUP(SeccompProfile *, seccomp_profile_free);

/* architecture: Go's name (amd64); capabilities: CAP_… of the container; kernel: major, minor. */
int seccomp_profile_evaluate(const SeccompProfile *p, const char *architecture,
        char *const *capabilities, const unsigned kernel[2], RuntimeSeccomp **ret);
