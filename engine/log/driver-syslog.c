/* SPDX-License-Identifier: GPL-2.0-or-later */

/* syslog: one message a line, to a server or the local one, sent from the monitor. A connection that is lost is made anew, at most once a second;
 * what is written meanwhile is counted as lost. What was sent is kept in a cache besides, so that it can be read. */

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/log/file-log.h"
#include "engine/log/local-line.h"
#include "engine/log/logs.h"
#include "engine/log/syslog-format.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/ident.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define ADDRESS_LOCAL  "unixgram:///dev/log"
#define CONNECT_USEC   (5 * USEC_PER_SEC)
#define RECONNECT_USEC (1 * USEC_PER_SEC)
#define HOST_SIZE      256u

typedef struct Syslog {
        SyslogSender sender;
        char *tag;
        char hostname[HOST_SIZE];
        union {
                struct sockaddr sa;
                struct sockaddr_un un;
                struct sockaddr_storage storage;
        } address;
        socklen_t address_size;
        int socket_type;
        int fd;
        bool connecting;
        uint64_t tried_usec; /* the last connect() */
        Buffer out;          /* of a stream: what the kernel has not taken yet; else one message */
        FileLog *cache;
        uint64_t n_lost;
        int lost_errno;
} Syslog;

static const FileLogFormat cache_format = {
        .write = local_line_write,
        .size_option = "cache-max-size",
        .files_option = "cache-max-file",
        .compress_option = "cache-compress",
        .compress = true,
        .max_size = UINT64_C(20) * 1024 * 1024,
        .max_files = 5,
};

static int parse_address(char *const *opts, SyslogTransport *ret_transport, char **ret_host,
        char **ret_port, Error *reterr) {
        const char *address = logs_option(opts, "syslog-address");
        int r;

        if (str_empty(address))
                address = ADDRESS_LOCAL;
        r = syslog_address_parse(address, ret_transport, ret_host, ret_port);
        if (r == -EPROTONOSUPPORT)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "log opt 'syslog-address=%s' is not supported: syslog over TLS is not "
                        "implemented, use a local relay",
                        address);
        if (r == -EINVAL)
                return error_set(reterr, ERROR_INVALID,
                        "syslog-address should be in form proto://address, got %s", address);
        return r;
}

/* Known, so that whoever asks for it is told why not instead of that there is no such option. */
static const char *const tls_opts[] = { "syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key",
        "syslog-tls-skip-verify", NULL };

static int syslog_check(char *const *opts, Error *reterr) {
        _cleanup_(freep) char *host = NULL, *port = NULL;
        const char *disabled = logs_option(opts, "cache-disabled");
        SyslogTransport transport;
        unsigned facility;
        bool b;
        int r;

        r = parse_address(opts, &transport, &host, &port, reterr);
        if (r < 0)
                return r;
        for (const char *const *o = tls_opts; *o; o++)
                if (logs_option(opts, *o))
                        return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                                "log opt '%s' is not supported: syslog over TLS is not "
                                "implemented, use a local relay",
                                *o);
        if (syslog_facility_parse(logs_option(opts, "syslog-facility"), &facility) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid syslog facility");
        if (syslog_format_from_string(logs_option(opts, "syslog-format")) < 0)
                return error_set(reterr, ERROR_INVALID, "Invalid syslog format");
        if (disabled && parse_bool(disabled, &b) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid value for cache-disabled: '%s', must be true or false", disabled);
        return file_log_check(opts, &cache_format, reterr);
}

static int set_local(Syslog *s, const char *path, int type) {
        if (strlen(path) >= sizeof(s->address.un.sun_path))
                return -ENAMETOOLONG;
        s->address.un.sun_family = AF_UNIX;
        strcpy(s->address.un.sun_path, path);
        s->address_size = sizeof(s->address.un);
        s->socket_type = type;
        return 0;
}

/* Names are looked up once, here: the container does not run yet, so nobody waits but its start. */
static int set_remote(Syslog *s, const char *host, const char *port, int type) {
        const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = type };
        struct addrinfo *found;

        if (getaddrinfo(host, port, &hints, &found) != 0)
                return -EHOSTUNREACH;
        memcpy(&s->address.storage, found->ai_addr, found->ai_addrlen);
        s->address_size = found->ai_addrlen;
        s->socket_type = type;
        freeaddrinfo(found);
        return 0;
}

static void syslog_disconnect(Syslog *s) {
        s->fd = fd_close(s->fd);
        s->connecting = false;
        buffer_reset(&s->out);
}

/* 0: connected; -EAGAIN: under way. */
static int syslog_connect(Syslog *s) {
        syslog_disconnect(s);
        s->tried_usec = clock_monotonic_us();
        s->fd = socket(s->address.sa.sa_family, s->socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (s->fd < 0)
                return -errno;
        if (connect(s->fd, &s->address.sa, s->address_size) >= 0)
                return 0;
        if (errno == EINPROGRESS) {
                s->connecting = true;
                return -EAGAIN;
        }
        return -errno;
}

static int syslog_connected(Syslog *s) {
        socklen_t size = sizeof(int);
        int r, error = 0;

        r = fd_wait(s->fd, POLLOUT, 0);
        if (r == 0)
                return clock_monotonic_us() - s->tried_usec < CONNECT_USEC ? -EAGAIN : -ETIMEDOUT;
        if (r > 0 && getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                r = -errno;
        if (r < 0 || error != 0)
                return r < 0 ? r : -error;
        s->connecting = false;
        return 0;
}

/* unix:// is whatever the socket is. */
static int syslog_first_connect(Syslog *s, SyslogTransport transport) {
        int r;

        r = syslog_connect(s);
        if (r == -EPROTOTYPE && transport == SYSLOG_LOCAL) {
                s->socket_type = SOCK_STREAM;
                r = syslog_connect(s);
        }
        if (r == -EAGAIN && s->connecting) {
                r = fd_wait(s->fd, POLLOUT, CONNECT_USEC);
                r = r < 0 ? r : r == 0 ? -ETIMEDOUT : syslog_connected(s);
        }
        return r;
}

static void syslog_close(void *state);

static int syslog_set_sender(Syslog *s, const LogTarget *t) {
        const char *tag = logs_option(t->fields, "tag");
        char id[IDENT_SHORT_SIZE];

        s->sender = (SyslogSender) {
                .format = syslog_format_from_string(logs_option(t->opts, "syslog-format")),
                .hostname = s->hostname,
                .pid = (unsigned) getpid(),
        };
        if (gethostname(s->hostname, sizeof(s->hostname) - 1) < 0)
                strcpy(s->hostname, "localhost");
        (void) syslog_facility_parse(logs_option(t->opts, "syslog-facility"), &s->sender.facility);
        if (str_copy(&s->tag, str_empty(tag) ? ident_short(t->id, id) : tag) < 0)
                return -ENOMEM;
        s->sender.tag = s->tag;
        return 0;
}

static int syslog_open_all(Syslog *s, const LogTarget *t) {
        _cleanup_(freep) char *host = NULL, *port = NULL;
        const char *disabled = logs_option(t->opts, "cache-disabled");
        SyslogTransport transport;
        bool no_cache = false;
        int r;

        r = parse_address(t->opts, &transport, &host, &port, NULL);
        if (r >= 0)
                r = syslog_set_sender(s, t);
        if (r >= 0)
                r = transport >= SYSLOG_LOCAL
                          ? set_local(s, host, SOCK_DGRAM)
                          : set_remote(s, host, port,
                                    transport == SYSLOG_TCP ? SOCK_STREAM : SOCK_DGRAM);
        if (r >= 0)
                r = syslog_first_connect(s, transport);
        if (r >= 0 && disabled)
                r = parse_bool(disabled, &no_cache);
        if (r < 0 || no_cache || str_empty(t->path))
                return r;
        return file_log_open(t, &cache_format, &s->cache);
}

static int syslog_open(const LogTarget *t, void **ret_state) {
        Syslog *s;
        int r;

        s = new0(Syslog, 1);
        if (!s)
                return -ENOMEM;
        s->fd = -EBADF;
        r = syslog_open_all(s, t);
        if (r < 0) {
                syslog_close(s);
                return r;
        }
        *ret_state = s;
        return 0;
}

/* Gives what is in out to the kernel. 0: all of it. */
static int syslog_send(Syslog *s) {
        while (!buffer_empty(&s->out)) {
                ssize_t n = send(s->fd, buffer_head(&s->out), buffer_size(&s->out),
                        MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
                buffer_consume(&s->out, (size_t) n);
        }
        return 0;
}

/* Ready for one more message; -EAGAIN: later; else it is lost. */
static int syslog_ready(Syslog *s) {
        int r = 0;

        if (s->fd < 0) {
                if (clock_monotonic_us() - s->tried_usec < RECONNECT_USEC)
                        return -ENOTCONN;
                r = syslog_connect(s);
        } else if (s->connecting)
                r = syslog_connected(s);
        if (r >= 0)
                r = syslog_send(s); /* the rest of an earlier one */
        if (r < 0 && r != -EAGAIN)
                syslog_disconnect(s);
        return r;
}

static int syslog_give(Syslog *s, const LogMessage *m) {
        int r;

        r = syslog_message_write(&s->out, &s->sender, m);
        if (r >= 0 && s->socket_type == SOCK_STREAM)
                r = buffer_append_char(&s->out, '\n');
        if (r >= 0)
                r = syslog_send(s);
        if (r == -EAGAIN && s->socket_type == SOCK_STREAM)
                return 0; /* taken: the rest goes out before the next one */
        if (r == -EAGAIN || (r == -EMSGSIZE && s->socket_type == SOCK_DGRAM))
                buffer_reset(&s->out);
        else if (r < 0)
                syslog_disconnect(s);
        return r;
}

static int syslog_write(void *state, const LogMessage *m) {
        Syslog *s = state;
        int r;

        r = syslog_ready(s);
        if (r >= 0) {
                r = syslog_give(s, m);
                /* The server has gone, or a datagram before this one found nobody: once more, at once. */
                if (r < 0 && r != -EAGAIN && r != -EMSGSIZE) {
                        r = syslog_connect(s);
                        if (r >= 0)
                                r = syslog_give(s, m);
                }
        }
        if (r == -EAGAIN)
                return r;
        if (r < 0) {
                s->n_lost++;
                s->lost_errno = -r;
        }
        return s->cache ? file_log_write(s->cache, m) : 0;
}

static int syslog_flush(void *state) {
        Syslog *s = state;

        if (s->cache)
                (void) file_log_flush(s->cache);
        if (s->fd < 0 || buffer_empty(&s->out))
                return 0;
        return syslog_ready(s) == -EAGAIN ? -EAGAIN : 0;
}

static int syslog_reopen(void *state) {
        Syslog *s = state;

        return s->cache ? file_log_reopen(s->cache) : 0;
}

static void syslog_place(void *state, LogPlace *ret) {
        Syslog *s = state;

        if (s->cache)
                file_log_place(s->cache, ret);
}

static bool syslog_reaped(void *state, const siginfo_t *si) {
        Syslog *s = state;

        return s->cache && file_log_reaped(s->cache, si);
}

static uint64_t syslog_n_lost(void *state, int *ret_errno) {
        Syslog *s = state;

        *ret_errno = s->lost_errno;
        return s->n_lost;
}

static void syslog_close(void *state) {
        Syslog *s = state;

        if (!s)
                return;
        (void) fd_close(s->fd);
        file_log_close(s->cache);
        buffer_done(&s->out);
        free(s->tag);
        free(s);
}

static const char *const syslog_opts[] = { "cache-compress", "cache-disabled", "cache-max-file",
        "cache-max-size", "env", "env-regex", "labels", "labels-regex", "syslog-address",
        "syslog-facility", "syslog-format", "syslog-tls-ca-cert", "syslog-tls-cert",
        "syslog-tls-key", "syslog-tls-skip-verify", "tag", NULL };

const LogDriver log_driver_syslog = {
        .name = "syslog",
        .opts = syslog_opts,
        .check = syslog_check,
        .open = syslog_open,
        .write = syslog_write,
        .flush = syslog_flush,
        .reopen = syslog_reopen,
        .place = syslog_place,
        .reaped = syslog_reaped,
        .n_lost = syslog_n_lost,
        .close = syslog_close,
};
