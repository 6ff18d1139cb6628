/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Capability sets: names to bits (pure), and the calls that make a process have exactly them. Rule R6: inheritable and
 * ambient stay empty unless config.json asks. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/macro.h"

typedef struct CapabilitySets CapabilitySets;
typedef struct Error Error;
typedef struct RuntimeCapabilities RuntimeCapabilities;

#define CAPABILITY_MAX 64U

struct CapabilitySets {
        uint64_t bounding;
        uint64_t effective;
        uint64_t permitted;
        uint64_t inheritable;
        uint64_t ambient;
};

/* "CAP_CHOWN" (any case, prefix may be missing): its number, or -EINVAL. */
int capability_from_name(const char *name);
const char *capability_to_name(unsigned capability); /* NULL: none that we know */

/* NULL gives five empty sets. Names that this program does not know are an error with the name in it: dropping less than
 * was meant must not go unnoticed, and giving less neither. */
int capabilities_parse(const RuntimeCapabilities *c, CapabilitySets *ret, Error *reterr);

/* Takes away what the process does not hold itself: on a host that runs in a container "all capabilities" means all that
 * are there. */
void capabilities_limit(CapabilitySets *s, uint64_t held);
int capabilities_held(uint64_t *ret); /* the permitted set of this process */

/* In this order: the bounding set while the process still may; keep the others across the change of the user; what is inherited,
 * and the effective set, so that from here on files are looked at with the rights that the container will have; all that is
 * held, for a moment; at last the sets of the container. The last is one system call, because a seccomp filter may be in
 * force by then. */
int capabilities_apply_bounding(const CapabilitySets *s);
int capabilities_keep(void);
int capabilities_apply_inherited(const CapabilitySets *s);
int capabilities_raise(const CapabilitySets *s);
int capabilities_apply(const CapabilitySets *s);
