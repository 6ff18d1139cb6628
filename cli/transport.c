/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/transport.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/endpoint.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/path.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

struct Transport {
        int fd;
        TransportTls *tls;
};

static int cannot_connect(const Endpoint *e, int r, Error *reterr) {
        const char *why = strerror(-r);

        if (e->scheme == ENDPOINT_UNIX)
                why = r == -ENOENT                ? "there is no such socket"
                    : r == -EACCES || r == -EPERM ? "permission denied: be root or in group docker"
                    : r == -ECONNREFUSED          ? "nobody listens"
                                                  : why;
        return error_set(reterr, ERROR_UNAVAILABLE,
                "Cannot connect to the Docker daemon at %s. Is the docker daemon running? (%s)",
                e->shown, why);
}

static int connect_unix(const Endpoint *e) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t n = strlen(e->host);

        if (n >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        memcpy(address.sun_path, e->host, n + 1);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof address) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int connect_one(const struct addrinfo *a) {
        _cleanup_(fd_closep) int fd = -EBADF;
        int on = 1;

        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) < 0)
                return -errno;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        return TAKE_FD(fd);
}

static int connect_tcp(const Endpoint *e) {
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        struct addrinfo *list = NULL;
        int fd = -EHOSTUNREACH;

        if (getaddrinfo(e->host, e->port, &hints, &list) != 0)
                return -EHOSTUNREACH;
        for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
                fd = connect_one(a);
        freeaddrinfo(list);
        return fd;
}

static int find_program(const char *name, char **ret) {
        _cleanup_(strv_freep) char **folders = NULL;
        int r;

        r = strv_split(
                str_or(getenv("PATH"), "/usr/bin:/bin"), ":", /* keep_empty= */ false, &folders);
        if (r < 0)
                return r;
        STRV_FOREACH (folder, folders) {
                _cleanup_(freep) char *path = path_join(*folder, name);

                if (!path)
                        return -ENOMEM;
                if (path[0] == '/' && access(path, X_OK) >= 0) {
                        *ret = TAKE_PTR(path);
                        return 0;
                }
        }
        return -ENOENT;
}

/* The ssh client speaks with the other side's socket; its own words go to our stderr. */
static int connect_ssh(const Endpoint *e) {
        _cleanup_(fd_closep) int ours = -EBADF, theirs = -EBADF;
        _cleanup_(strv_freep) char **argv = NULL;
        _cleanup_(freep) char *path = NULL;
        ProcessSpec spec = { .env = environ, .keep_dir = true };
        int r, pair[2];
        pid_t pid;

        r = endpoint_ssh_command(e, &argv);
        if (r >= 0)
                r = find_program(argv[0], &path);
        if (r >= 0)
                r = fd_socketpair(SOCK_STREAM, pair);
        if (r < 0)
                return r;
        ours = pair[0];
        theirs = pair[1];

        spec.path = path;
        spec.argv = argv;
        spec.fds = (const ProcessFd[]) { { theirs, 0 }, { theirs, 1 }, { STDERR_FILENO, 2 } };
        spec.n_fds = 3;
        r = process_spawn(&spec, &pid, NULL);
        return r < 0 ? r : TAKE_FD(ours);
}

int transport_open(const Endpoint *e, Transport **ret, Error *reterr) {
        _cleanup_(transport_freep) Transport *t = NULL;
        int r;

        t = new0(Transport, 1);
        if (!t)
                return -ENOMEM;
        t->fd = -EBADF;

        if (e->scheme == ENDPOINT_TCP && e->tls)
                r = transport_tls_open(e, &t->tls, &t->fd, reterr);
        else {
                t->fd = e->scheme == ENDPOINT_UNIX ? connect_unix(e)
                      : e->scheme == ENDPOINT_TCP  ? connect_tcp(e)
                                                   : connect_ssh(e);
                r = t->fd < 0 ? cannot_connect(e, t->fd, reterr) : 0;
        }
        if (r >= 0)
                r = fd_set_nonblock(t->fd, true);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(t);
        return 0;
}

Transport *transport_free(Transport *t) {
        if (!t)
                return NULL;

        if (t->tls)
                transport_tls_free(t->tls);
        else
                fd_close(t->fd);
        return mfree(t);
}

int transport_fd(const Transport *t) {
        return t->fd;
}

ssize_t transport_read(Transport *t, void *buffer, size_t size) {
        ssize_t n;

        if (t->tls)
                return transport_tls_read(t->tls, buffer, size);
        do
                n = read(t->fd, buffer, size);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

ssize_t transport_write(Transport *t, const void *data, size_t size) {
        ssize_t n;

        if (t->tls)
                return transport_tls_write(t->tls, data, size);
        do
                n = send(t->fd, data, size, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

int transport_end_write(Transport *t) {
        if (t->tls)
                return transport_tls_end_write(t->tls);
        return shutdown(t->fd, SHUT_WR) < 0 ? -errno : 0;
}
