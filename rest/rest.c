/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/rest.h"

#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "config/settings.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "rest/http.h"
#include "rest/tls.h"

#define REST_SOCKETS_MAX 16
#define REST_BACKLOG     1024

struct Rest {
        Http *servers[REST_SOCKETS_MAX];
        size_t n_servers;
        Tls *tls;
        char **paths; /* sockets that we made and remove again */
};

static int add_server(Rest *s, Engine *e, Auth *auth, int fd, Error *reterr) {
        int r;

        if (s->n_servers >= REST_SOCKETS_MAX) {
                fd_close(fd);
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %d API sockets", REST_SOCKETS_MAX);
        }

        r = http_new(e, auth, fd, s->tls, &s->servers[s->n_servers], reterr);
        if (r < 0)
                return r;

        s->n_servers++;
        return 0;
}

/* The group need not be there: then the socket is root's alone, as dockerd does. */
static int give_to_group(const char *path, const char *group) {
        struct group *g;

        errno = 0;
        g = getgrnam(group); /* before the loop runs; local files and nss-systemd */
        if (!g) {
                log_warning("Group %s does not exist, API socket %s is for root only", group, path);
                return chmod(path, 0600) < 0 ? -errno : 0;
        }

        if (chown(path, (uid_t) -1, g->gr_gid) < 0)
                return geteuid() == 0 ? -errno : 0;
        return 0;
}

static int split_path(const char *path, char **ret_folder, const char **ret_name) {
        const char *slash = strrchr(path, '/');

        if (!slash || !slash[1])
                return -EINVAL;
        *ret_name = slash + 1;
        return str_copy_n(ret_folder, path, MAX((size_t) (slash - path), (size_t) 1));
}

static int listen_unix(Rest *s, const char *path, const char *group, Error *reterr) {
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *name;
        int r;

        r = split_path(path, &folder, &name);
        if (r < 0)
                return error_set(
                        reterr, ERROR_INVALID, "-H unix://%s: expected a path of a socket", path);

        dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return error_set_errno(
                        reterr, -errno, "-H unix://%s: cannot open folder %s", path, folder);

        fd = fd_listen_at(dir_fd, name, SOCK_STREAM, 0660, REST_BACKLOG);
        if (fd < 0)
                return error_set_errno(reterr, fd, "-H unix://%s: cannot listen", path);

        r = strv_add(&s->paths, path);
        if (r < 0)
                return r;

        r = give_to_group(path, group);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "-H unix://%s: cannot give the socket to group %s", path, group);

        return TAKE_FD(fd);
}

/* ---- TCP ---- */

/* "tcp://HOST:PORT", "tcp://[V6]:PORT", "tcp://HOST", "tcp://:PORT" or "tcp://"; what is missing is as with dockerd. */
static int split_address(const char *host, bool tls, char **ret_name, char **ret_port) {
        const char *rest = str_starts(host, "tcp://"), *colon, *end;
        bool brackets;
        int r;

        if (!rest)
                return -EINVAL;
        end = rest + strcspn(rest, "/");
        brackets = *rest == '[';
        colon = brackets ? strchr(rest, ']') : rest + strcspn(rest, ":/");
        if (!colon)
                return -EINVAL;
        r = str_copy_n(ret_name, rest + brackets, (size_t) (colon - rest) - brackets);
        if (r < 0)
                return r;
        colon += brackets;
        if (*colon == ':' && end > colon + 1)
                return str_copy_n(ret_port, colon + 1, (size_t) (end - colon) - 1);
        return str_copy(ret_port, tls ? "2376" : "2375");
}

static bool is_loopback(const struct addrinfo *a) {
        if (a->ai_family == AF_INET)
                return ntohl(((const struct sockaddr_in *) a->ai_addr)->sin_addr.s_addr) >> 24 ==
                       127;
        return a->ai_family == AF_INET6 &&
               IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *) a->ai_addr)->sin6_addr);
}

/* Whoever reaches a TCP socket without --tlsverify is root. dockerd says so, and waits a while unless it was meant; a daemon that waits is a
 * daemon that is down, so here it has to be meant, unless only this host can reach it. */
static int check_open_door(const Rest *s, const Settings *settings, const char *host,
        const struct addrinfo *a, Error *reterr) {
        bool meant =
                settings_was_given(settings, "tls") || settings_was_given(settings, "tlsverify");

        if (s->tls && s->tls->verify)
                return 0;
        if (!meant && !is_loopback(a))
                return error_set(reterr, ERROR_INVALID,
                        "-H %s: without --tlsverify everybody who can reach it would be root on "
                        "this "
                        "host; use --tlsverify, or say --tls=false if that is what you want",
                        host);
        log_warning("Binding to %s without --tlsverify is insecure and gives root access on this "
                    "machine to everyone who has access to your network",
                host);
        return 0;
}

static int listen_address(const struct addrinfo *a) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int one = 1;

        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (a->ai_family == AF_INET6)
                (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
        if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, REST_BACKLOG) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static void free_addresses(struct addrinfo **p) {
        if (*p)
                freeaddrinfo(*p);
}

/* A name may have several addresses: all are served. Before the loop runs. */
static int listen_tcp(
        Rest *s, Engine *e, Auth *auth, const Settings *settings, const char *host, Error *reterr) {
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
        _cleanup_(free_addresses) struct addrinfo *list = NULL;
        _cleanup_(freep) char *name = NULL, *port = NULL;
        int r;

        r = split_address(host, !!s->tls, &name, &port);
        if (r < 0)
                return error_set(reterr, ERROR_INVALID, "-H %s: expected tcp://HOST:PORT", host);
        r = getaddrinfo(str_empty(name) ? "127.0.0.1" : name, port, &hints, &list);
        if (r != 0)
                return error_set(reterr, ERROR_INVALID, "-H %s: %s", host, gai_strerror(r));

        for (const struct addrinfo *a = list; a; a = a->ai_next) {
                int fd;

                r = check_open_door(s, settings, host, a, reterr);
                if (r < 0)
                        return r;
                fd = listen_address(a);
                if (fd < 0)
                        return error_set_errno(reterr, fd, "-H %s: cannot listen", host);
                r = add_server(s, e, auth, fd, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_host(
        Rest *s, Engine *e, Auth *auth, const Settings *settings, const char *host, Error *reterr) {
        const char *path = str_starts(host, "unix://");
        int fd;

        if (str_starts(host, "fd://"))
                return error_set(reterr, ERROR_INVALID,
                        "-H %s: no socket was passed by systemd; enable stauer.socket or give -H "
                        "unix:///run/docker.sock",
                        host);
        if (!path)
                return listen_tcp(s, e, auth, settings, host, reterr);

        fd = listen_unix(s, path, settings->group, reterr);
        if (fd < 0)
                return fd;
        return add_server(s, e, auth, fd, reterr);
}

int rest_new(Engine *e, Auth *auth, const Settings *settings, int *fds, size_t n_fds, Rest **ret,
        Error *reterr) {
        _cleanup_(rest_freep) Rest *s = NULL;
        int r = 0;

        assert(e);
        assert(auth);
        assert(settings);
        assert(fds || n_fds == 0);
        assert(ret);

        s = new0(Rest, 1);
        r = s ? tls_load(settings, &s->tls, reterr) : -ENOMEM;

        for (size_t i = 0; i < n_fds; i++) {
                if (r >= 0)
                        r = add_server(s, e, auth, TAKE_FD(fds[i]), reterr);
                else
                        fds[i] = fd_close(fds[i]);
        }
        if (r < 0)
                return r;

        STRV_FOREACH (host, settings->hosts) {
                if (n_fds > 0 && str_starts(*host, "fd://"))
                        continue;
                r = add_host(s, e, auth, settings, *host, reterr);
                if (r < 0)
                        return r;
        }

        if (s->n_servers == 0) {
                r = add_host(s, e, auth, settings, "unix:///run/docker.sock", reterr);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(s);
        return 0;
}

Rest *rest_free(Rest *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n_servers; i++)
                http_free(s->servers[i]);
        STRV_FOREACH (path, s->paths)
                (void) unlink(*path);
        strv_free(s->paths);
        tls_free(s->tls);
        return mfree(s);
}
