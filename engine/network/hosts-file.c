/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/hosts-file.h"

#include <arpa/inet.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* What Docker falls back to when the host's own name servers are of no use to a container. */
static const char *const fallback_servers[] = { "8.8.8.8", "8.8.4.4" };

static bool is_address(const char *s) {
        struct in6_addr six;
        struct in_addr four;
        char text[INET6_ADDRSTRLEN];
        const char *zone = strchr(s, '%');

        /* A link-local address may name its link: fe80::1%eth0. */
        if (zone) {
                if ((size_t) (zone - s) >= sizeof(text))
                        return false;
                memcpy(text, s, (size_t) (zone - s));
                text[zone - s] = 0;
                return inet_pton(AF_INET6, text, &six) == 1;
        }
        return inet_pton(AF_INET, s, &four) == 1 || inet_pton(AF_INET6, s, &six) == 1;
}

static bool is_loopback(const char *s) {
        return str_starts(s, "127.") || streq(s, "::1");
}

/* Where the name ends; the address follows. "name=::1" and "name:::1" are the same. */
static size_t extra_host_split(const char *entry, const char **ret_address) {
        size_t n = strcspn(entry, ":=");

        if (n == 0 || !entry[n])
                return 0;
        *ret_address = entry + n + 1;
        return n;
}

int hosts_file_check_extra(const char *entry, Error *reterr) {
        _cleanup_(freep) char *plain = NULL;
        const char *address;
        size_t n;

        n = extra_host_split(entry, &address);
        if (n == 0)
                return error_set(reterr, ERROR_INVALID, "bad format for add-host: \"%s\"", entry);
        if (str_has_control(entry) || strpbrk(entry, " \t#"))
                return error_set(reterr, ERROR_INVALID, "bad format for add-host: \"%s\"", entry);
        if (streq(address, "host-gateway"))
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "add-host \"%s\": host-gateway needs a bridge network, which is not "
                        "implemented yet",
                        entry);

        n = strlen(address);
        if (n >= 2 && address[0] == '[' && address[n - 1] == ']') {
                if (str_copy_n(&plain, address + 1, n - 2) < 0)
                        return -ENOMEM;
                address = plain;
        }
        if (!is_address(address))
                return error_set(
                        reterr, ERROR_INVALID, "invalid IP address in add-host: \"%s\"", address);
        return 0;
}

int hosts_file_check_dns(const char *address, Error *reterr) {
        if (!is_address(address))
                return error_set(reterr, ERROR_INVALID, "bad nameserver address %s", address);
        return 0;
}

int hosts_file_format(const HostsFile *h, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        const char *address;
        size_t n;
        int r;

        assert(h);
        assert(ret);

        if (h->host_hosts)
                r = buffer_printf(&b, "%s%s", h->host_hosts,
                        str_empty(h->host_hosts) || str_ends(h->host_hosts, "\n") ? "" : "\n");
        else
                r = buffer_append_string(&b, "127.0.0.1\tlocalhost\n"
                                             "::1\tlocalhost ip6-localhost ip6-loopback\n"
                                             "fe00::0\tip6-localnet\n"
                                             "ff00::0\tip6-mcastprefix\n"
                                             "ff02::1\tip6-allnodes\n"
                                             "ff02::2\tip6-allrouters\n");
        if (r < 0)
                return r;

        STRV_FOREACH (entry, h->extra_hosts) {
                size_t size;

                n = extra_host_split(*entry, &address);
                if (n == 0)
                        return -EINVAL;
                size = strlen(address);
                if (address[0] == '[' && size >= 2 && address[size - 1] == ']')
                        r = buffer_printf(
                                &b, "%.*s\t%.*s\n", (int) size - 2, address + 1, (int) n, *entry);
                else
                        r = buffer_printf(&b, "%s\t%.*s\n", address, (int) n, *entry);
                if (r < 0)
                        return r;
        }

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

/* A line of the host's file, unless the container has its own words for that. */
static int keep_line(const HostsFile *h, Buffer *b, const char *line, unsigned *n_servers) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = strv_split(line, " \t", /* keep_empty= */ false, &words);
        if (r < 0 || strv_empty(words))
                return r;

        if (streq(words[0], "nameserver")) {
                if (!strv_empty(h->dns) || !words[1])
                        return 0;
                if (is_loopback(words[1]) && !h->host_network)
                        return 0;
                (*n_servers)++;
        } else if (STR_IN_SET(words[0], "search", "domain")) {
                if (!strv_empty(h->dns_search))
                        return 0;
        } else if (streq(words[0], "options")) {
                if (!strv_empty(h->dns_options))
                        return 0;
        } else
                return 0; /* comments, sortlist */

        return buffer_printf(b, "%s\n", line);
}

static int append_words(Buffer *b, const char *key, char *const *words) {
        _cleanup_(freep) char *joined = NULL;

        if (strv_empty(words))
                return 0;
        joined = strv_join(words, " ");
        if (!joined)
                return -ENOMEM;
        return buffer_printf(b, "%s %s\n", key, joined);
}

int hosts_file_format_resolv(const HostsFile *h, char **ret) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(buffer_done) Buffer b = {};
        unsigned n_servers = 0;
        int r;

        assert(h);
        assert(ret);

        r = strv_split(str_or_empty(h->host_resolv), "\n", /* keep_empty= */ false, &lines);
        if (r < 0)
                return r;
        STRV_FOREACH (line, lines) {
                r = keep_line(h, &b, *line, &n_servers);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (server, h->dns) {
                r = buffer_printf(&b, "nameserver %s\n", *server);
                if (r < 0)
                        return r;
                n_servers++;
        }
        for (size_t i = 0; n_servers == 0 && i < ARRAY_SIZE(fallback_servers); i++) {
                r = buffer_printf(&b, "nameserver %s\n", fallback_servers[i]);
                if (r < 0)
                        return r;
        }

        /* A search list of "." means none at all. */
        if (!(h->dns_search && strv_length(h->dns_search) == 1 && streq(h->dns_search[0], "."))) {
                r = append_words(&b, "search", h->dns_search);
                if (r < 0)
                        return r;
        }
        r = append_words(&b, "options", h->dns_options);
        if (r < 0)
                return r;

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

static int format_hostname(const HostsFile *h, char **ret) {
        if (str_empty(h->domainname))
                return str_printf(ret, "%s\n", str_or_empty(h->hostname));
        return str_printf(ret, "%s.%s\n", str_or_empty(h->hostname), h->domainname);
}

int hosts_file_write(int folder_fd, const HostsFile *h) {
        static const struct {
                const char *name;
                int (*format)(const HostsFile *h, char **ret);
        } table[] = {
                { "hosts", hosts_file_format },
                { "hostname", format_hostname },
                { "resolv.conf", hosts_file_format_resolv },
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *text = NULL;

                r = table[i].format(h, &text);
                if (r < 0)
                        return r;
                /* Not synced: made again at the next start. */
                r = file_write_atomic_string(folder_fd, table[i].name, text, 0644, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}
