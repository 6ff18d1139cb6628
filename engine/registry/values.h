/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Small things said in headers and options, read without any I/O: how long to wait, which bytes come, who is reached without a proxy. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Retry-After: seconds, or a date of HTTP. Seconds from now, 0 when it is past; -EINVAL. */
int64_t retry_after_parse(const char *s, int64_t now_ns);

/* How long to wait before attempt n + 1 (n = 1, 2, …): 1 s, 2 s, 4 s … 30 s. Microseconds. */
uint64_t retry_delay(unsigned n);

/* "bytes 100-199/200": the first byte, the last and the size (UINT64_MAX: *). -EINVAL. */
int content_range_parse(const char *s, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_size);

/* Is host (a name, or an address without brackets) named by no_proxy? "*", names with or without their dot in front (which name all below), name:port,
 * addresses, CIDR. This host itself is never asked of a proxy. */
bool no_proxy_fits(const char *no_proxy, const char *host, unsigned port);

/* Is the address in the network "10.0.0.0/8", "fd00::/8"? A word that is no network has nothing in it. */
bool network_has(const char *cidr, const struct sockaddr *address);

/* Is the registry HOST[:PORT] one of the insecure ones by its name? "*" is none. */
bool insecure_names(char *const *insecure, const char *host_port);
