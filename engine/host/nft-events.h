/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The kernel's news of nftables: what is in a message, and the number of the ruleset's generation. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Are there changes of the table in these netlink messages? Also when they cannot be read. Pure. */
bool nft_events_name_table(const void *data, size_t size, const char *table);

/* The number that every transaction of anybody raises by one. fd: any NETLINK_NETFILTER socket that has joined no group. */
int nft_generation(int fd, uint32_t *ret);
/* The number in an answer; -EBADMSG. Pure. */
int nft_generation_parse(const void *data, size_t size, uint32_t *ret);

int nft_events_open(void);     /* non-blocking socket that hears all changes */
int nft_generation_open(void); /* for nft_generation() */
