/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

void endpoint_done(Endpoint *e) {
        free(e->shown);
        free(e->host);
        free(e->port);
        free(e->user);
        free(e->path);
        free(e->ca);
        free(e->cert);
        free(e->key);
        *e = (Endpoint) {};
}

/* "host", "host:port", "[v6]:port" of n bytes. */
static int split_host(const char *s, size_t n, char **ret_host, char **ret_port) {
        const char *end = s + n, *colon = NULL, *host = s, *host_end = end;
        unsigned port;
        int r;

        if (n > 0 && s[0] == '[') {
                host = s + 1;
                host_end = memchr(s, ']', n);
                if (!host_end || (host_end + 1 < end && host_end[1] != ':'))
                        return -EINVAL;
                colon = host_end + 1 < end ? host_end + 1 : NULL;
        } else {
                colon = memchr(s, ':', n);
                if (colon && memchr(colon + 1, ':', (size_t) (end - colon - 1)))
                        return -EINVAL;
                host_end = colon ? colon : end;
        }

        r = str_copy_n(ret_host, host, (size_t) (host_end - host));
        if (r >= 0 && colon && colon + 1 < end) {
                r = str_copy_n(ret_port, colon + 1, (size_t) (end - colon - 1));
                if (r >= 0 && (parse_unsigned(*ret_port, &port) < 0 || port == 0 || port > 65535))
                        r = -EINVAL;
        }
        return r;
}

static int parse_tcp(const char *rest, bool tls, Endpoint *e) {
        size_t n = strcspn(rest, "/");
        int r;

        r = split_host(rest, n, &e->host, &e->port);
        if (r >= 0 && str_empty(e->host))
                r = str_copy(&e->host, "127.0.0.1");
        if (r >= 0 && !e->port)
                r = str_copy(&e->port, tls ? "2376" : "2375");
        if (r >= 0)
                r = str_printf(&e->shown, strchr(e->host, ':') ? "tcp://[%s]:%s" : "tcp://%s:%s",
                        e->host, e->port);
        return r;
}

/* A user or host that begins with "-" would be an option of ssh. */
static int parse_ssh(const char *rest, Endpoint *e) {
        size_t n = strcspn(rest, "/");
        const char *at = memrchr(rest, '@', n);
        int r = 0;

        if (at) {
                r = str_copy_n(&e->user, rest, (size_t) (at - rest));
                if (r >= 0 && (str_empty(e->user) || e->user[0] == '-' || strchr(e->user, ':')))
                        return -EINVAL;
                n -= (size_t) (at + 1 - rest);
                rest = at + 1;
        }
        if (r >= 0)
                r = split_host(rest, n, &e->host, &e->port);
        if (r >= 0 && (str_empty(e->host) || e->host[0] == '-'))
                return -EINVAL;
        if (r >= 0 && rest[n] == '/' && rest[n + 1] != '\0')
                r = str_copy(&e->path, rest + n);
        return r;
}

int endpoint_parse(const char *text, bool tls, Endpoint *ret, Error *reterr) {
        _cleanup_(endpoint_done) Endpoint e = { .tls = false };
        const char *rest;
        int r;

        if (str_empty(text))
                text = ENDPOINT_DEFAULT;

        if ((rest = str_starts(text, "unix://"))) {
                e.scheme = ENDPOINT_UNIX;
                r = str_copy(&e.host, str_empty(rest) ? strstr(ENDPOINT_DEFAULT, "/run") : rest);
                if (r >= 0)
                        r = str_printf(&e.shown, "unix://%s", e.host);
        } else if ((rest = str_starts(text, "ssh://"))) {
                e.scheme = ENDPOINT_SSH;
                r = parse_ssh(rest, &e);
                if (r >= 0)
                        r = str_copy(&e.shown, text);
        } else if ((rest = str_starts(text, "tcp://")) || !strstr(text, "://")) {
                e.scheme = ENDPOINT_TCP;
                e.tls = tls;
                r = parse_tcp(rest ? rest : text, tls, &e);
        } else
                return error_set(reterr, ERROR_INVALID,
                        "unable to resolve docker endpoint: invalid bind address format: %s", text);

        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID,
                        "unable to resolve docker endpoint: invalid bind address: %s", text);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(e);
        return 0;
}

int endpoint_ssh_command(const Endpoint *e, char ***ret) {
        _cleanup_(strv_freep) char **argv = NULL;
        int r = 0;

        argv = strv_new("ssh", "-o", "ConnectTimeout=30", "-T");
        if (!argv)
                return -ENOMEM;

        if (e->user) {
                r = strv_add(&argv, "-l");
                if (r >= 0)
                        r = strv_add(&argv, e->user);
        }
        if (r >= 0 && e->port) {
                r = strv_add(&argv, "-p");
                if (r >= 0)
                        r = strv_add(&argv, e->port);
        }
        if (r >= 0)
                r = strv_add(&argv, "--");
        if (r >= 0)
                r = strv_add(&argv, e->host);
        if (r >= 0)
                r = strv_add(&argv, "docker");
        if (r >= 0 && e->path) { /* the other side's shell takes the words apart again */
                _cleanup_(freep) char *host = str_concat("unix://", e->path), *quoted = NULL;

                quoted = host ? str_quote_shell(host) : NULL;
                r = quoted ? strv_add(&argv, "-H") : -ENOMEM;
                if (r >= 0)
                        r = strv_add(&argv, quoted);
        }
        if (r >= 0)
                r = strv_add(&argv, "system");
        if (r >= 0)
                r = strv_add(&argv, "dial-stdio");
        if (r < 0)
                return r;

        *ret = TAKE_PTR(argv);
        return 0;
}
