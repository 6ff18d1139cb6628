/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system dial-stdio: the engine's socket on stdin and stdout; what ssh runs on the other side. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/endpoint.h"
#include "cli/rest-client.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"

#define CHUNK (64U * 1024)

static int dial_tcp(const Endpoint *e) {
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
        int fd = -EBADF, r = -EHOSTUNREACH;

        if (getaddrinfo(e->host, e->port, &hints, &list) != 0)
                return -EHOSTUNREACH;
        for (struct addrinfo *a = list; a; a = a->ai_next) {
                fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, a->ai_protocol);
                if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) >= 0)
                        break;
                r = -errno;
                fd = fd_close(fd);
        }
        freeaddrinfo(list);
        return fd >= 0 ? fd : r;
}

static int dial(const Endpoint *e, Error *reterr) {
        int fd;

        if (e->scheme == ENDPOINT_SSH || e->tls)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "dial-stdio speaks to unix:// and plain tcp:// only, not to %s", e->shown);
        fd = e->scheme == ENDPOINT_UNIX ? fd_connect_at(AT_FDCWD, e->host, SOCK_STREAM)
                                        : dial_tcp(e);
        return fd >= 0 ? fd : error_set_errno(reterr, fd, "cannot connect to %s", e->shown);
}

/* One read, all of it written: 1, or 0 at the end. */
static int pass(int from, int to) {
        char data[CHUNK];
        ssize_t n;
        int r;

        n = read(from, data, sizeof data);
        if (n < 0)
                return errno == EINTR || errno == EAGAIN ? 1 : -errno;
        if (n == 0)
                return 0;
        r = fd_write_full(to, data, (size_t) n);
        return r < 0 ? r : 1;
}

static int cmd_dial(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(fd_closep) int fd = -EBADF;
        struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN } };
        RestClient *c;
        int r;

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        fd = dial(rest_client_endpoint(c), reterr);
        if (fd < 0)
                return fd;
        p[1] = (struct pollfd) { .fd = fd, .events = POLLIN };

        for (;;) { /* until the engine has said all; our end only closes one direction */
                if (poll(p, 2, -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (p[0].revents) {
                        r = pass(STDIN_FILENO, fd);
                        if (r <= 0) {
                                (void) shutdown(fd, SHUT_WR);
                                p[0].fd = -1;
                        }
                }
                if (p[1].revents) {
                        r = pass(fd, STDOUT_FILENO);
                        if (r == 0 || r == -EPIPE || r == -ECONNRESET)
                                return 0;
                        if (r < 0)
                                return r;
                }
        }
}

/* clang-format off */
const Command dial_commands[] = {
        { "system", "dial-stdio", NULL, "", "Connect stdin and stdout with the engine's socket", NULL, 0, 0, false, 0, cmd_dial, NULL, true },
        {}
};
/* clang-format on */
