/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>

#include "config/settings.h"
#include "engine/container/container-network.h"
#include "engine/container/set.h"
#include "engine/network/hosts-file.h"
#include "engine/network/networks.h"
#include "engine/network/sandbox.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* hosts, hostname and resolv.conf of a container: what its networks say. */

#define HOSTS_SIZE_MAX ((size_t) 1024 * 1024)

typedef struct Links {
        HostsLink *list;
        size_t n;
} Links;

static void links_done(Links *l) {
        for (size_t i = 0; i < l->n; i++) {
                free((char *) l->list[i].address);
                free((char *) l->list[i].names);
        }
        free(l->list);
}

int container_endpoint_addresses(const Endpoint *e, char ***ret) {
        char four[INET_ADDRSTRLEN], six[INET6_ADDRSTRLEN];
        int r = 0;

        if (!str_empty(endpoint_address4(e, four)))
                r = strv_add(ret, four);
        if (r >= 0 && !str_empty(endpoint_address6(e, six)))
                r = strv_add(ret, six);
        return r;
}

static int host_gateways(const Container *c, char ***ret) {
        char four[INET_ADDRSTRLEN] = "", six[INET6_ADDRSTRLEN] = "";
        char *const *given = c->set->settings->host_gateway_ips;
        struct in6_addr a6;
        struct in_addr a4;
        int r = 0;

        if (!strv_empty(given))
                return strv_add_all(ret, given);
        networks_host_gateway(c->set->networks, &a4, &a6);
        if (a4.s_addr != 0 && inet_ntop(AF_INET, &a4, four, sizeof(four)))
                r = strv_add(ret, four);
        if (r >= 0 && !IN6_IS_ADDR_UNSPECIFIED(&a6) && inet_ntop(AF_INET6, &a6, six, sizeof(six)))
                r = strv_add(ret, six);
        return r;
}

/* --link on the default bridge: "container:alias", those that run. */
static int add_link(const Container *c, const Network *n, const char *link, Links *l) {
        _cleanup_(freep) char *name = NULL, *names = NULL, *address = NULL;
        char four[INET_ADDRSTRLEN];
        const char *alias = strchr(link, ':');
        const Endpoint *e;
        Container *other;
        HostsLink *more;
        int r;

        r = str_copy_n(&name, link, strcspn(link, ":"));
        if (r < 0)
                return r;
        if (containers_find(c->set, name, &other, NULL) < 0 || !other->sandbox)
                return 0;
        e = sandbox_find(other->sandbox, n);
        if (!e || str_empty(endpoint_address4(e, four)))
                return 0;
        alias = alias ? alias + 1 : name;
        r = str_printf(&names, "%s %s%s%s", alias, str_or_empty(other->spec.config.hostname),
                streq(alias, other->name) ? "" : " ", streq(alias, other->name) ? "" : other->name);
        if (r >= 0)
                r = str_copy(&address, four);
        if (r < 0)
                return r;
        more = realloc(l->list, (l->n + 1) * sizeof(*more));
        if (!more)
                return -ENOMEM;
        l->list = more;
        more[l->n++] = (HostsLink) { .address = TAKE_PTR(address), .names = TAKE_PTR(names) };
        return 0;
}

int container_network_write_files(Container *c, char *const *gone) {
        const HostConfig *h = &c->spec.host;
        const SandboxWish wish = container_network_wish(c);
        _cleanup_(strv_freep) char **addresses = NULL, **gateways = NULL;
        _cleanup_(freep) char *hosts = NULL, *resolv = NULL;
        _cleanup_(links_done) Links links = {};
        _cleanup_(fd_closep) int folder = -EBADF;
        bool host = str_equal(h->network_mode, "host"), six = false;
        HostsFile files;
        Endpoint *e;
        int r;

        folder = file_open_dir(c->set->root_fd, c->id);
        r = folder < 0 ? folder : hosts_file_read_host_resolv(host, &resolv);
        if (r >= 0)
                r = host_gateways(c, &gateways);
        if (c->sandbox)
                LIST_FOREACH (e, &c->sandbox->endpoints, by_sandbox) {
                        six = six || e->prefix6 > 0;
                        if (r >= 0)
                                r = container_endpoint_addresses(e, &addresses);
                        if (r >= 0 && e->network->is_default)
                                STRV_FOREACH (link, h->links)
                                        if (r >= 0)
                                                r = add_link(c, e->network, *link, &links);
                }
        if (r < 0)
                return r;
        if (host)
                (void) file_read("/etc/hosts", HOSTS_SIZE_MAX, &hosts, NULL);
        files = (HostsFile) {
                .hostname = c->spec.config.hostname,
                .domainname = c->spec.config.domainname,
                .addresses = addresses,
                .extra_hosts = h->extra_hosts,
                .host_gateways = gateways,
                .links = links.list,
                .n_links = links.n,
                .dns = (char **) wish.dns,
                .dns_search = (char **) wish.dns_search,
                .dns_options = (char **) wish.dns_options,
                .host_hosts = hosts,
                .host_resolv = resolv,
                .host_network = host,
                .resolver = c->sandbox && sandbox_has_names(c->sandbox),
                .ipv6 = six,
        };
        return container_is_running(c) ? hosts_file_update(folder, &files, gone)
                                       : hosts_file_write(folder, &files);
}
