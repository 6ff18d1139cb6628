/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Name servers that are asked what our networks do not know: those of a list, or the host's, whose file is followed as it changes. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/base/macro.h"

#define UPSTREAMS_MAX 3U /* as many as the C library asks */

typedef struct HostUpstreams HostUpstreams;
typedef struct Upstream Upstream;
typedef struct Upstreams Upstreams;
typedef struct sd_event sd_event;

struct Upstream {
        union {
                struct sockaddr any;
                struct sockaddr_in four;
                struct sockaddr_in6 six;
        } address;
        socklen_t size;
};

struct Upstreams {
        Upstream items[UPSTREAMS_MAX];
        size_t n;
};

/* "10.0.0.1", "fd00::1", "fe80::1%eth0" (a link of the host), with port 53. -EINVAL; -ENODEV: no such link. */
int upstream_parse(const char *s, Upstream *ret);
bool upstream_equal(const Upstream *a, const Upstream *b) _pure_;

/* What of the list is an address, up to UPSTREAMS_MAX. */
void upstreams_from_list(char *const *addresses, Upstreams *ret);
/* The lines "nameserver" of a resolv.conf; none: the host itself (127.0.0.1), as the C library does it. -ENOMEM. */
int upstreams_from_file(const char *text, Upstreams *ret);

/* path NULL: /etc/resolv.conf. A file that is not there is none. */
int host_upstreams_new(sd_event *e, const char *path, HostUpstreams **ret);
HostUpstreams *host_upstreams_free(HostUpstreams *h);
DEFINE_CLEANUP(HostUpstreams *, host_upstreams_free);
const Upstreams *host_upstreams_get(HostUpstreams *h); /* valid until the loop runs again */
