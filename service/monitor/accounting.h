/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The final figures of a container, read from its cgroup after the last process is gone. What the host cannot tell stays UINT64_MAX. */

#include "lib/api/monitor-spec.h"

/* cgroup_fd: of container/. Never fails: a file that is not there is a figure that is not there. */
void accounting_read(int cgroup_fd, Accounting *ret);

/* The pure part, one cgroup file each. */
void accounting_parse_cpu(const char *text, Accounting *a);
void accounting_parse_io(const char *text, Accounting *a);
void accounting_parse_memory_events(const char *text, Accounting *a);

/* "key value" lines: the value of key, UINT64_MAX when it is not there. */
uint64_t accounting_find(const char *text, const char *key);
