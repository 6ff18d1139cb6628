/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The three files that every container gets bind-mounted into /etc: made anew at each start. The text is pure; so are the checks. */

#include <stdbool.h>

#include "lib/base/error.h"

typedef struct HostsFile {
        const char *hostname;
        const char *domainname;
        char *const *extra_hosts; /* "name:address" or "name=address" */
        char *const *dns;
        char *const *dns_search;
        char *const *dns_options;
        const char *host_hosts;  /* text of the host's /etc/hosts, for network "host"; else NULL */
        const char *host_resolv; /* text of the host's resolv.conf; NULL: none */
        bool host_network;       /* loopback name servers of the host are of use */
} HostsFile;

int hosts_file_format(const HostsFile *h, char **ret);
int hosts_file_format_resolv(const HostsFile *h, char **ret);

/* "invalid IP address in add-host: \"x\"" and the like. */
int hosts_file_check_extra(const char *entry, Error *reterr);
int hosts_file_check_dns(const char *address, Error *reterr);

/* Writes hosts, hostname and resolv.conf into the container's folder. */
int hosts_file_write(int folder_fd, const HostsFile *h);
