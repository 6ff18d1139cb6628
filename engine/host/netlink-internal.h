/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Between netlink-batch.c and netlink-query.c, which write steps, and netlink.c, which sends them. */

#include <linux/netlink.h>
#include <sys/types.h>

#include "engine/host/netlink.h"
#include "lib/base/list.h"

typedef struct NetlinkRef NetlinkRef;
typedef struct NetlinkStep NetlinkStep;
struct nl_msg;

#define NETLINK_REFS_MAX 2U

/* A link whose index has to be written into the message before it is sent. */
struct NetlinkRef {
        char name[NETLINK_NAME_SIZE];
        size_t offset; /* from the message's beginning */
};

struct NetlinkStep {
        ListNode node;
        struct nl_msg *message; /* NULL: it is a sysctl */
        char *sysctl, *value;   /* .value is also what the answer is looked at for */
        NetlinkRef refs[NETLINK_REFS_MAX];
        unsigned n_refs;
        int fine[2];  /* negative errno that count as done */
        bool removes; /* the link named .value; by the remover, if there is one */
        bool renames; /* what was looked up before may not hold afterwards */
        char *what;   /* "add link x": behind "Failed to" */

        /* Each message of the answer, in order; a negative answer of it fails the step. NULL: none are expected. May put steps behind s. */
        int (*on_message)(NetlinkBatch *b, NetlinkStep *s, const struct nlmsghdr *h);
        netlink_entry_t on_entry;
        void *userdata;
        int family;
        int ifindex;
        struct in6_addr keep; /* netlink_address_only(); four bytes of it for IPv4 */
        unsigned keep_prefix;
        bool keeps;
        char *kind; /* that the link must be of */
};

struct NetlinkBatch {
        List steps;
        int failure; /* of writing the steps */
};

NetlinkStep *netlink_step_free(NetlinkStep *s);

/* A step with a message of this type, without attributes yet. flags: NLM_F_*, NLM_F_REQUEST is added. Both give NULL and set b->failure. */
NetlinkStep *netlink_step_new(NetlinkBatch *b, uint16_t type, uint16_t flags, const void *header,
        size_t size, const char *what, ...) _printf_(6, 7);
/* The index of the link will be written at offset. */
int netlink_step_refer(NetlinkStep *s, const char *name, size_t offset);
/* An attribute with the index of that link. */
int netlink_put_index(NetlinkStep *s, int type, const char *name);
/* Notes the first thing that could not be written; gives r. */
int netlink_batch_fail(NetlinkBatch *b, int r);
/* Appends the step; r is what came of writing it. Takes s. */
int netlink_batch_add(NetlinkBatch *b, NetlinkStep *s, int r);
/* The same, but right behind after. */
int netlink_batch_insert(NetlinkBatch *b, NetlinkStep *after, NetlinkStep *s, int r);

/* RTM_DELADDR without an index, which the caller fills in: netlink_step_refer(), or the number itself. */
NetlinkStep *netlink_step_remove_address(NetlinkBatch *b, const char *name, int family,
        const void *address, unsigned prefix, int ifindex);
