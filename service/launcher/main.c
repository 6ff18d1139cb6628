/* SPDX-License-Identifier: GPL-2.0-or-later */

/* stauer-launcher: starts monitors and workers for stauerd, in a clean context. A process inherits seccomp filters, capabilities, limits and
 * the mount namespace from its parent, so the hardened daemon must not be one. It parses nothing but fixed structs from root (or from the
 * user that runs it), starts only the programs of one table, and needs nothing but libc and libsystemd. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/api/launcher-protocol.h"
#include "service/launcher/wake.h"
#include "stauer-config.h"

#define CONNECTIONS_MAX 16
#define CHILDREN_MAX    65536u
#define FD_PARKING      64 /* where descriptors wait before they move to 3, 4, …; above those */

typedef struct Child {
        pid_t pid;
        uint64_t tag;
        uint64_t connection; /* serial of the connection that asked */
} Child;

typedef struct Connection {
        int fd;
        uint64_t serial; /* 0: this slot is free */
} Connection;

typedef struct LauncherState {
        const char *libexec;
        char *journal_stream; /* JOURNAL_STREAM=…, or NULL */
        int listen_fd;
        int signal_fd;
        int null_fd;
        Wake wake;
        uint64_t n_connected;
        Connection connections[CONNECTIONS_MAX];
        Child *children;
        size_t n_children, n_allocated;
} LauncherState;

static const char *const programs[_LAUNCHER_PROGRAM_MAX] = {
        [LAUNCHER_MONITOR] = "stauer-monitor",
        [LAUNCHER_WORKER] = "stauer-worker",
        [LAUNCHER_FETCHER] = "stauer-fetcher",
};

static void close_many(int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (fds[i] >= 0)
                        (void) close(fds[i]);
}

/* The part between vfork() and exec: system calls only, for the memory is the parent's. Returns an errno. */
static int become(const LauncherState *s, const char *path, char *const argv[], char *const env[],
        const int *fds, size_t n_fds) {
        static const struct sigaction by_default = { .sa_handler = SIG_DFL };
        sigset_t none;

        (void) setsid();
        (void) umask(0022);
        if (chdir("/") < 0)
                return errno;
        if (dup2(s->null_fd, STDIN_FILENO) < 0 || dup2(s->null_fd, STDOUT_FILENO) < 0)
                return errno;
        for (size_t i = 0; i < n_fds; i++)
                if (dup2(fds[i], LAUNCHER_FD_FIRST + (int) i) < 0)
                        return errno;
        if (syscall(SYS_close_range, (unsigned) LAUNCHER_FD_FIRST + (unsigned) n_fds, ~0U, 0) < 0)
                return errno;

        /* what we ignore (systemd's IgnoreSIGPIPE=, a nohup) would stay ignored down to the container */
        for (int sig = 1; sig < NSIG; sig++)
                (void) sigaction(sig, &by_default, NULL);
        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return errno;
        (void) execve(path, argv, env);
        return errno;
}

static int spawn(const LauncherState *s, const LauncherRequest *q, const int *fds, size_t n_fds,
        pid_t *ret_pid, int *ret_pidfd) {
        char path[PATH_MAX], level[sizeof("STAUER_LOG_LEVEL=-2147483648")],
                label[LAUNCHER_LABEL_MAX];
        char program[sizeof("stauer-monitor")];
        char *argv[] = { program, label, NULL };
        char *env[] = {
                (char[]) { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
                (char[]) { "LANG=C.UTF-8" },
                level,
                s->journal_stream,
                NULL,
        };
        volatile int failure = 0;
        pid_t pid;
        int n, pidfd;

        n = snprintf(path, sizeof(path), "%s/%s", s->libexec, programs[q->program]);
        if (n < 0 || (size_t) n >= sizeof(path))
                return -ENAMETOOLONG;
        (void) snprintf(level, sizeof(level), "STAUER_LOG_LEVEL=%d", (int) q->log_level);
        memcpy(label, q->label, sizeof(label));
        memcpy(program, programs[q->program], strlen(programs[q->program]) + 1);

        pid = vfork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                failure = become(s, path, argv, env, fds, n_fds);
                _exit(127);
        }

        if (failure != 0) {
                (void) waitpid(pid, NULL, 0);
                return -failure;
        }
        /* the child is not reaped before the loop runs again, so this pid is the one we started */
        pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (pidfd < 0) {
                n = -errno;
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                return n;
        }
        *ret_pid = pid;
        *ret_pidfd = pidfd;
        return 0;
}

static bool label_is_valid(const char *label) {
        size_t n = strnlen(label, LAUNCHER_LABEL_MAX);

        return n > 0 && n < LAUNCHER_LABEL_MAX && label[0] != '-' &&
               strspn(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
                       n;
}

static int remember_child(LauncherState *s, pid_t pid, uint64_t tag, uint64_t connection) {
        s->children[s->n_children++] = (Child) { .pid = pid, .tag = tag, .connection = connection };
        return 0;
}

/* Room first: a process that nobody remembers must not be started. */
static int reserve_child(LauncherState *s) {
        size_t n = s->n_allocated ? s->n_allocated * 2 : 64;
        Child *p;

        if (s->n_children >= CHILDREN_MAX)
                return -EAGAIN;
        if (s->n_children < s->n_allocated)
                return 0;
        p = reallocarray(s->children, n, sizeof(Child));
        if (!p)
                return -ENOMEM;
        s->children = p;
        s->n_allocated = n;
        return 0;
}

static int start_program(LauncherState *s, const Connection *c, const LauncherRequest *q, int *fds,
        size_t n_fds, LauncherMessage *ret_answer, int *ret_pidfd) {
        pid_t pid;
        int r;

        if (q->version != LAUNCHER_VERSION)
                return -EPROTONOSUPPORT;
        if (q->program == 0 || q->program >= _LAUNCHER_PROGRAM_MAX || q->log_level < 0 ||
                q->log_level > 7 || q->reserved != 0 || !label_is_valid(q->label))
                return -EINVAL;

        r = reserve_child(s);
        if (r < 0)
                return r;

        /* out of the way of 3, 4, …: dup2() in the child must not overwrite what it has yet to copy */
        for (size_t i = 0; i < n_fds; i++) {
                int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, FD_PARKING);

                if (fd < 0)
                        return -errno;
                (void) close(fds[i]);
                fds[i] = fd;
        }

        r = spawn(s, q, fds, n_fds, &pid, ret_pidfd);
        if (r < 0)
                return r;
        ret_answer->pid = pid;
        return remember_child(s, pid, q->tag, c->serial);
}

static int send_message(int fd, const LauncherMessage *m, int pidfd) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec iov = { .iov_base = (void *) m, .iov_len = sizeof(*m) };
        struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (pidfd >= 0) {
                h.msg_control = &control;
                h.msg_controllen = sizeof(control);
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(&control.header), &pidfd, sizeof(int));
        }
        return sendmsg(fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* 1: one request was read; 0: nothing there; negative: the connection is over. */
static int receive_request(int fd, LauncherRequest *ret, int *fds, size_t *ret_n_fds) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * LAUNCHER_FDS_MAX)];
        } control;
        struct iovec iov = { .iov_base = ret, .iov_len = sizeof(*ret) };
        struct msghdr h = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        ssize_t n;

        *ret_n_fds = 0;
        n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;

        for (struct cmsghdr *p = CMSG_FIRSTHDR(&h); p; p = CMSG_NXTHDR(&h, p)) {
                size_t k;

                if (p->cmsg_level != SOL_SOCKET || p->cmsg_type != SCM_RIGHTS)
                        continue;
                k = (p->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                if (k > LAUNCHER_FDS_MAX - *ret_n_fds)
                        k = LAUNCHER_FDS_MAX - *ret_n_fds;
                memcpy(fds + *ret_n_fds, CMSG_DATA(p), k * sizeof(int));
                *ret_n_fds += k;
        }
        if (n == 0)
                return -ECONNRESET;
        if (n != sizeof(*ret) || (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
                return -EBADMSG;
        return 1;
}

static void drop_connection(Connection *c) {
        (void) close(c->fd);
        *c = (Connection) { .fd = -1 };
}

static void on_connection(LauncherState *s, Connection *c) {
        LauncherMessage answer = { .version = LAUNCHER_VERSION, .type = LAUNCHER_ANSWER };
        int fds[LAUNCHER_FDS_MAX], pidfd = -1, r;
        LauncherRequest q;
        size_t n_fds;

        r = receive_request(c->fd, &q, fds, &n_fds);
        if (r > 0 && q.version == LAUNCHER_VERSION && q.program == LAUNCHER_WAKE)
                wake_cgroups(&s->wake);
        else if (r > 0) {
                answer.tag = q.tag;
                answer.error = start_program(s, c, &q, fds, n_fds, &answer, &pidfd);
                /* A daemon that does not read its answers is gone or broken; what it started sees its own sockets close. */
                r = send_message(c->fd, &answer, pidfd);
        }
        close_many(fds, n_fds);
        if (pidfd >= 0)
                (void) close(pidfd);
        if (r < 0) {
                if (r != -ECONNRESET)
                        fprintf(stderr, "<4>Connection dropped: %s\n", strerror(-r));
                drop_connection(c);
        }
}

static void on_listen(LauncherState *s) {
        struct ucred peer;
        socklen_t size = sizeof(peer);
        int fd;

        fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
                (peer.uid != 0 && peer.uid != geteuid())) {
                fprintf(stderr, "<4>Refused a connection that is not from root.\n");
                (void) close(fd);
                return;
        }
        for (size_t i = 0; i < CONNECTIONS_MAX; i++)
                if (s->connections[i].serial == 0) {
                        s->connections[i] = (Connection) { .fd = fd, .serial = ++s->n_connected };
                        return;
                }
        fprintf(stderr, "<4>Refused a connection: %d are open already.\n", CONNECTIONS_MAX);
        (void) close(fd);
}

static void on_child(LauncherState *s) {
        siginfo_t si;

        for (;;) {
                LauncherMessage m = { .version = LAUNCHER_VERSION, .type = LAUNCHER_EXIT };
                uint64_t serial = 0;

                si.si_pid = 0;
                if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG) < 0 || si.si_pid == 0)
                        return;
                for (size_t i = 0; i < s->n_children; i++)
                        if (s->children[i].pid == si.si_pid) {
                                m.tag = s->children[i].tag;
                                serial = s->children[i].connection;
                                s->children[i] = s->children[--s->n_children];
                                break;
                        }
                wake_reaped(&s->wake, si.si_pid);
                m.pid = si.si_pid;
                m.code = si.si_code;
                m.status = si.si_status;
                for (size_t i = 0; serial != 0 && i < CONNECTIONS_MAX; i++)
                        if (s->connections[i].serial == serial &&
                                send_message(s->connections[i].fd, &m, -1) < 0)
                                drop_connection(&s->connections[i]);
        }
}

/* 1: time to end */
static int on_signal(LauncherState *s) {
        struct signalfd_siginfo si;

        while (read(s->signal_fd, &si, sizeof(si)) == sizeof(si)) {
                if (si.ssi_signo != SIGCHLD)
                        return 1;
                on_child(s);
        }
        return 0;
}

static int run(LauncherState *s) {
        for (;;) {
                struct pollfd p[2 + CONNECTIONS_MAX] = {
                        { .fd = s->signal_fd, .events = POLLIN },
                        { .fd = s->listen_fd, .events = POLLIN },
                };

                for (size_t i = 0; i < CONNECTIONS_MAX; i++)
                        p[2 + i] = (struct pollfd) {
                                .fd = s->connections[i].serial ? s->connections[i].fd : -1,
                                .events = POLLIN,
                        };
                if (poll(p, 2 + CONNECTIONS_MAX, -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                for (size_t i = 0; i < CONNECTIONS_MAX; i++)
                        if (p[2 + i].revents && s->connections[i].serial)
                                on_connection(s, &s->connections[i]);
                if (p[0].revents && on_signal(s) > 0)
                        return 0; /* what we started lives on: the next launcher is not its parent, and need not be */
                if (p[1].revents)
                        on_listen(s);
        }
}

static int listen_at(const char *path) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        mode_t old;
        int fd, r = 0;

        if (strlen(path) >= sizeof(a.sun_path))
                return -ENAMETOOLONG;
        strcpy(a.sun_path, path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) unlink(path);
        old = umask(0177);
        if (bind(fd, (const struct sockaddr *) &a, sizeof(a)) < 0 || listen(fd, SOMAXCONN) < 0)
                r = -errno;
        (void) umask(old);
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        return fd;
}

static int open_listen(const char *socket_path) {
        int n;

        if (socket_path)
                return listen_at(socket_path);
        n = sd_listen_fds(/* unset_environment= */ 1);
        if (n < 0)
                return n;
        if (n != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1, NULL, 0) <= 0)
                return -EBADFD;
        (void) fcntl(SD_LISTEN_FDS_START, F_SETFL, O_NONBLOCK);
        return SD_LISTEN_FDS_START;
}

static int setup(LauncherState *s, const char *socket_path) {
        const char *stream = getenv("JOURNAL_STREAM");
        sigset_t set;
        int fd;

        if (stream && asprintf(&s->journal_stream, "JOURNAL_STREAM=%s", stream) < 0)
                return -ENOMEM;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (s->signal_fd < 0)
                return -errno;
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        s->null_fd = fcntl(fd, F_DUPFD_CLOEXEC, FD_PARKING);
        (void) close(fd);
        if (s->null_fd < 0)
                return -errno;
        wake_init(&s->wake, FD_PARKING);
        s->listen_fd = open_listen(socket_path);
        return s->listen_fd < 0 ? s->listen_fd : 0;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                { "socket", required_argument, NULL, 's' },
                { "libexec", required_argument, NULL, 'l' },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'v' },
                {},
        };
        LauncherState s = { .libexec = PKGLIBEXECDIR };
        const char *socket_path = NULL;
        int c, r;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 's':
                        socket_path = optarg;
                        break;
                case 'l':
                        s.libexec = optarg;
                        break;
                case 'h':
                        puts("stauer-launcher [--socket PATH] [--libexec DIR]\n\n"
                             "Starts monitors and workers for stauerd. Started by systemd with its "
                             "socket.");
                        return 0;
                case 'v':
                        puts("stauer-launcher " STAUER_VERSION);
                        return 0;
                default:
                        return EXIT_FAILURE;
                }

        r = setup(&s, socket_path);
        if (r < 0) {
                fprintf(stderr, "<3>Failed to set up: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        (void) sd_notify(0, "READY=1");
        r = run(&s);
        (void) sd_notify(0, "STOPPING=1");
        if (socket_path)
                (void) unlink(socket_path);
        free(s.children);
        free(s.journal_stream);
        if (r < 0)
                fprintf(stderr, "<3>Failed to wait: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
