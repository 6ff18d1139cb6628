/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a container may do: capabilities and the words of SecurityOpt. Pure tables; used by the check at create and by the
 * bundle at start. */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct HostConfig HostConfig;

typedef struct SecurityOptions {
        bool no_new_privileges;
        bool no_new_privileges_given; /* else it is as the daemon is set */
        bool seccomp_unconfined;
        bool writable_cgroups;
        char *seccomp_profile; /* JSON text of the user's own; NULL: the built-in one */
        char *apparmor;        /* profile; NULL: none given */
        char *selinux_label;   /* process label; NULL: none given */
} SecurityOptions;

void security_options_done(SecurityOptions *o);
int security_options_parse(char *const *words, SecurityOptions *ret, Error *reterr);

/* The AppArmor profile of the process on a host that has AppArmor: "unconfined", the one that was named, or Docker's own. */
const char *security_apparmor_profile(const HostConfig *h, const SecurityOptions *o);

/* "net_admin", "CAP_NET_ADMIN", any case: the kernel's name, a literal; NULL: no such capability. */
const char *security_capability(const char *word);
bool security_is_default_capability(const char *word);
/* Whether each word of a CapAdd or CapDrop list is a capability or "ALL". The words stay as they were given: who compares what inspect says with
 * what he asked for (Ansible) must find it. */
int security_check_capabilities(char *const *list, const char *what, Error *reterr);

/* The set of the container, in the kernel's order; last: highest one that this kernel knows. */
int security_capabilities(const HostConfig *h, unsigned last, char ***ret);
