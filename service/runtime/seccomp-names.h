/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The words of a seccomp profile and libseccomp's values for them. Pure. */

#include <seccomp.h>
#include <stdint.h>

int seccomp_action_from_name(const char *name, uint32_t *ret); /* -EINVAL; NULL too */
int seccomp_operator_from_name(const char *name, enum scmp_compare *ret);
int seccomp_arch_from_name(const char *name, uint32_t *ret);
