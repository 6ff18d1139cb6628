/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which names and addresses the networks know, and who may see them. Pure data, owned by Resolver. Names are compared without regard to
 * case. */

#include <netinet/in.h>

#include "lib/base/macro.h"

typedef struct NameTable NameTable;
typedef struct NameAnswer NameAnswer;
typedef struct ResolverLeg ResolverLeg;

#define NAME_ANSWER_MAX 1024U /* addresses of one name: more than a message carries */

struct NameAnswer {
        struct in_addr four[NAME_ANSWER_MAX];
        size_t n_four;
        struct in6_addr six[NAME_ANSWER_MAX];
        size_t n_six;
};

int name_table_new(NameTable **ret);
NameTable *name_table_free(NameTable *t);
DEFINE_CLEANUP(NameTable *, name_table_free);

int name_table_add(NameTable *t, const ResolverLeg *leg); /* as resolver_add_leg() */
void name_table_remove(NameTable *t, const char *endpoint_id);

/* What container asks for. 1 known: its addresses, those of several containers beginning with another one each time; 0 not known. With "a.b"
 * the network b is asked for a as well. */
int name_table_find(NameTable *t, const char *container_id, const char *name, NameAnswer *ret);

/* The name "container.network" of an address in a network of the container, into ret; 1 found, 0 not. */
int name_table_find_address(const NameTable *t, const char *container_id, int family,
        const void *address, char *ret, size_t size);

/* True: the container has a leg in a network that leads outside. */
bool name_table_leads_outside(const NameTable *t, const char *container_id) _pure_;
