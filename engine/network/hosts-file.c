/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/network/hosts-file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define HOST_GATEWAY  "host-gateway"
#define HASH_FILE     "resolv.conf.hash"
#define FILE_SIZE_MAX ((size_t) 1024 * 1024)
#define RESOLV_FILE   "/etc/resolv.conf"
#define RESOLVED_FILE "/run/systemd/resolve/resolv.conf"
#define RESOLVED_STUB "127.0.0.53"
#define RESOLVER      "127.0.0.11"

/* What Docker falls back to when the host's own name servers are of no use to a container. */
static const char *const fallback_servers[] = { "8.8.8.8", "8.8.4.4" };
static const char *const fallback_servers6[] = { "2001:4860:4860::8888", "2001:4860:4860::8844" };

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
        if (streq(address, HOST_GATEWAY))
                return 0;

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

static int append_extra(const HostsFile *h, Buffer *b, const char *entry) {
        const char *address;
        size_t n, size;
        int r;

        n = extra_host_split(entry, &address);
        if (n == 0)
                return -EINVAL;
        if (streq(address, HOST_GATEWAY)) {
                STRV_FOREACH (gateway, h->host_gateways) {
                        r = buffer_printf(b, "%s\t%.*s\n", *gateway, (int) n, entry);
                        if (r < 0)
                                return r;
                }
                return 0;
        }
        size = strlen(address);
        if (address[0] == '[' && size >= 2 && address[size - 1] == ']')
                return buffer_printf(
                        b, "%.*s\t%.*s\n", (int) size - 2, address + 1, (int) n, entry);
        return buffer_printf(b, "%s\t%.*s\n", address, (int) n, entry);
}

/* Of a container: "172.18.0.2\tweb.example.org web". */
static int append_own(const HostsFile *h, Buffer *b, const char *address) {
        if (str_empty(h->hostname))
                return 0;
        if (str_empty(h->domainname))
                return buffer_printf(b, "%s\t%s\n", address, h->hostname);
        return buffer_printf(b, "%s\t%s.%s %s\n", address, h->hostname, h->domainname, h->hostname);
}

int hosts_file_format(const HostsFile *h, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
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
                r = append_extra(h, &b, *entry);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < h->n_links; i++) {
                r = buffer_printf(&b, "%s\t%s\n", h->links[i].address, h->links[i].names);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (address, h->addresses) {
                r = append_own(h, &b, *address);
                if (r < 0)
                        return r;
        }

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

/* Is it the line that we have made for the address? */
static bool is_own_line(const HostsFile *h, const char *line, const char *address) {
        const char *rest = str_starts(line, address);
        size_t n;

        if (!rest || *rest != '\t' || str_empty(h->hostname))
                return false;
        rest = str_starts(rest + 1, h->hostname);
        if (!rest)
                return false;
        n = strcspn(rest, "\n");
        return n == 0 || (*rest == '.' && !str_empty(h->domainname));
}

static bool is_own_line_of(const HostsFile *h, const char *line, char *const *addresses) {
        STRV_FOREACH (address, addresses)
                if (is_own_line(h, line, *address))
                        return true;
        return false;
}

static bool has_own_line(const HostsFile *h, const char *text, const char *address) {
        for (const char *line = text; line && *line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (is_own_line(h, line, address))
                        return true;
        }
        return false;
}

int hosts_file_edit(const HostsFile *h, const char *text, char *const *gone, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        int r = 0;

        assert(h);
        assert(text);
        assert(ret);

        for (const char *line = text, *next; *line && r >= 0; line = next) {
                next = strchrnul(line, '\n');
                next += *next == '\n';
                if (!is_own_line_of(h, line, gone))
                        r = buffer_append(&b, line, (size_t) (next - line));
        }
        if (r >= 0 && *text && !str_ends(text, "\n"))
                r = buffer_append_char(&b, '\n');
        if (r < 0)
                return r;
        STRV_FOREACH (address, h->addresses) {
                if (has_own_line(h, text, *address) && !strv_contains(gone, *address))
                        continue;
                r = append_own(h, &b, *address);
                if (r < 0)
                        return r;
        }
        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

static bool has_ndots_option(char *const *words) {
        STRV_FOREACH (word, words)
                if (str_starts(*word, "ndots:"))
                        return true;
        return false;
}

/* A line of the host's file, unless the container has its own words for that. */
static int keep_line(
        const HostsFile *h, Buffer *b, const char *line, unsigned *n_servers, bool *has_ndots) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = strv_split(line, " \t", /* keep_empty= */ false, &words);
        if (r < 0 || strv_empty(words))
                return r;

        if (streq(words[0], "nameserver")) {
                if (h->resolver || !strv_empty(h->dns) || !words[1])
                        return 0;
                if (!h->host_network &&
                        (is_loopback(words[1]) || (!h->ipv6 && strchr(words[1], ':'))))
                        return 0;
                (*n_servers)++;
        } else if (STR_IN_SET(words[0], "search", "domain")) {
                if (!strv_empty(h->dns_search))
                        return 0;
        } else if (streq(words[0], "options")) {
                if (!strv_empty(h->dns_options))
                        return 0;
                if (has_ndots_option(words))
                        *has_ndots = true;
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

static int append_servers(const HostsFile *h, Buffer *b, unsigned n_servers) {
        int r;

        if (h->resolver)
                return buffer_append_string(b, "nameserver " RESOLVER "\n");
        STRV_FOREACH (server, h->dns) {
                r = buffer_printf(b, "nameserver %s\n", *server);
                if (r < 0)
                        return r;
                n_servers++;
        }
        if (n_servers > 0)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(fallback_servers); i++) {
                r = buffer_printf(b, "nameserver %s\n", fallback_servers[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; h->ipv6 && i < ARRAY_SIZE(fallback_servers6); i++) {
                r = buffer_printf(b, "nameserver %s\n", fallback_servers6[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int hosts_file_format_resolv(const HostsFile *h, char **ret) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(buffer_done) Buffer b = {};
        bool has_ndots = has_ndots_option(h->dns_options);
        unsigned n_servers = 0;
        int r;

        assert(h);
        assert(ret);

        r = strv_split(str_or_empty(h->host_resolv), "\n", /* keep_empty= */ false, &lines);
        if (r < 0)
                return r;
        STRV_FOREACH (line, lines) {
                r = keep_line(h, &b, *line, &n_servers, &has_ndots);
                if (r < 0)
                        return r;
        }
        r = append_servers(h, &b, n_servers);
        if (r < 0)
                return r;

        /* A search list of "." means none at all. */
        if (!(h->dns_search && strv_length(h->dns_search) == 1 && streq(h->dns_search[0], "."))) {
                r = append_words(&b, "search", h->dns_search);
                if (r < 0)
                        return r;
        }
        r = append_words(&b, "options", h->dns_options);
        /* Our names have no dot: they come first, and the domains of the search list later. */
        if (r >= 0 && h->resolver && !has_ndots)
                r = buffer_append_string(&b, "options ndots:0\n");
        if (r < 0)
                return r;

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}

bool hosts_file_is_stub(const char *resolv) {
        bool found = false;

        for (const char *line = resolv; line; line = strchr(line, '\n')) {
                const char *address;

                line += *line == '\n';
                address = str_starts(line, "nameserver");
                if (!address || !strchr(" \t", *address))
                        continue;
                address += strspn(address, " \t");
                if (strcspn(address, " \t\n") != STRLEN(RESOLVED_STUB) ||
                        !str_starts(address, RESOLVED_STUB))
                        return false;
                found = true;
        }
        return found;
}

int hosts_file_read_host_resolv(bool for_host_network, char **ret) {
        _cleanup_(freep) char *text = NULL, *real = NULL;
        int r;

        r = file_read(RESOLV_FILE, FILE_SIZE_MAX, &text, NULL);
        if (r >= 0 && !for_host_network && hosts_file_is_stub(text))
                r = file_read(RESOLVED_FILE, FILE_SIZE_MAX, &real, NULL);
        if (r == -ENOMEM)
                return r;
        *ret = real ? TAKE_PTR(real) : TAKE_PTR(text);
        return 0;
}

static int format_hostname(const HostsFile *h, char **ret) {
        if (str_empty(h->domainname))
                return str_printf(ret, "%s\n", str_or_empty(h->hostname));
        return str_printf(ret, "%s.%s\n", str_or_empty(h->hostname), h->domainname);
}

/* So that a change by somebody else is seen. */
static int write_hash(int folder_fd, const char *resolv) {
        char hash[DIGEST_TEXT_SIZE];
        int r;

        r = digest_data(resolv, strlen(resolv), hash);
        return r < 0 ? r : file_write_atomic_string(folder_fd, HASH_FILE, hash, 0644, 0);
}

int hosts_file_write(int folder_fd, const HostsFile *h) {
        static const struct {
                const char *name;
                int (*format)(const HostsFile *h, char **ret);
                int (*also)(int folder_fd, const char *text);
        } table[] = {
                { "hosts", hosts_file_format, NULL },
                { "hostname", format_hostname, NULL },
                { "resolv.conf", hosts_file_format_resolv, write_hash },
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *text = NULL;

                r = table[i].format(h, &text);
                if (r < 0)
                        return r;
                /* Not synced: made again at the next start. */
                r = file_write_atomic_string(folder_fd, table[i].name, text, 0644, 0);
                if (r >= 0 && table[i].also)
                        r = table[i].also(folder_fd, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The container has this very file mounted: another one of that name would not be seen. */
static int write_in_place(int folder_fd, const char *name, const char *text) {
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t size = strlen(text);
        int r;

        fd = openat(folder_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        r = fd_verify_regular(fd);
        if (r >= 0)
                r = fd_pwrite_full(fd, text, size, 0);
        if (r < 0)
                return r;
        return ftruncate(fd, (off_t) size) < 0 ? -errno : 0;
}

static int update_hosts(int folder_fd, const HostsFile *h, char *const *gone) {
        _cleanup_(freep) char *text = NULL, *fresh = NULL;
        int r;

        r = file_read_at(folder_fd, "hosts", FILE_SIZE_MAX, &text, NULL);
        if (r >= 0)
                r = hosts_file_edit(h, text, gone, &fresh);
        if (r < 0 || streq(text, fresh))
                return r;
        return write_in_place(folder_fd, "hosts", fresh);
}

static int update_resolv(int folder_fd, const HostsFile *h) {
        _cleanup_(freep) char *text = NULL, *fresh = NULL, *known = NULL;
        char hash[DIGEST_TEXT_SIZE];
        size_t size;
        int r;

        r = file_read_at(folder_fd, "resolv.conf", FILE_SIZE_MAX, &text, &size);
        if (r >= 0)
                r = file_read_at(folder_fd, HASH_FILE, DIGEST_TEXT_SIZE, &known, NULL);
        if (r >= 0)
                r = digest_data(text, size, hash);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (!streq(hash, known))
                return 0;
        r = hosts_file_format_resolv(h, &fresh);
        if (r < 0 || streq(text, fresh))
                return r;
        r = write_in_place(folder_fd, "resolv.conf", fresh);
        return r < 0 ? r : write_hash(folder_fd, fresh);
}

int hosts_file_update(int folder_fd, const HostsFile *h, char *const *gone) {
        int r, k;

        assert(h);

        r = update_hosts(folder_fd, h, gone);
        k = update_resolv(folder_fd, h);
        return r < 0 ? r : k;
}
