/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The three files that every container gets bind-mounted into /etc: made anew at each start. The text is pure; so are the checks. */

#include <stdbool.h>

#include "lib/base/error.h"

/* A container that is linked with, on the default bridge. */
typedef struct HostsLink {
        const char *address;
        const char *names; /* "alias hostname name" */
} HostsLink;

typedef struct HostsFile {
        const char *hostname;
        const char *domainname;
        char *const *addresses; /* its own: a line each, with the host name */
        char *const *
                extra_hosts; /* "name:address" or "name=address"; address may be "host-gateway" … */
        char *const *host_gateways; /* … which stands for these */
        const HostsLink *links;
        size_t n_links;
        char *const *dns;
        char *const *dns_search;
        char *const *dns_options;
        const char *host_hosts;  /* text of the host's /etc/hosts, for network "host"; else NULL */
        const char *host_resolv; /* text of the host's resolv.conf; NULL: none */
        bool host_network;       /* loopback name servers of the host are of use */
        bool resolver;           /* 127.0.0.11 is the only name server */
        bool ipv6;               /* name servers with such an address are of use */
} HostsFile;

int hosts_file_format(const HostsFile *h, char **ret);
int hosts_file_format_resolv(const HostsFile *h, char **ret);

/* text without the lines of the addresses that are gone (and carry the host name), with one for each of h->addresses that has none. What
 * somebody has written into it himself stays. */
int hosts_file_edit(const HostsFile *h, const char *text, char *const *gone, char **ret);

/* "invalid IP address in add-host: \"x\"" and the like. */
int hosts_file_check_extra(const char *entry, Error *reterr);
int hosts_file_check_dns(const char *address, Error *reterr);

/* The host's resolv.conf for HostsFile.host_resolv; where it names nothing but the stub of systemd-resolved, which is of no use in another
 * network namespace, the file with the real servers. NULL when there is none. for_host_network: always the first. -ENOMEM */
int hosts_file_read_host_resolv(bool for_host_network, char **ret);
bool hosts_file_is_stub(const char *resolv) _pure_;

/* Writes hosts, hostname and resolv.conf into the container's folder: before it starts. */
int hosts_file_write(int folder_fd, const HostsFile *h);
/* It runs and has come into a network, or left one (gone: its addresses there): the files that it sees are changed in place. A resolv.conf that
 * somebody has changed stays as it is. */
int hosts_file_update(int folder_fd, const HostsFile *h, char *const *gone);
