/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces for the daemon's pool: made, pinned, opened again, unpinned. All the daemon needs inside is opened here and handed over, so
 * that it never enters one. Each has a row of its own: one that fails does not hold up the others. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/worker/confine.h"
#include "service/worker/nft-redirect.h"
#include "service/worker/task.h"

#define NETNS_SELF   "/proc/self/ns/net"
#define IPV6_DEFAULT "/proc/sys/net/ipv6/conf/default/disable_ipv6"
#define DNS_ADDRESS  0x7f00000bU /* 127.0.0.11 */
#define DNS_BACKLOG  64

/* The step that a negative answer comes from, for the row. */
typedef struct Attempt {
        const char *step;
        int fds[_TASK_NETNS_FD_MAX];
} Attempt;

static int attempt(Attempt *a, const char *step, int r) {
        a->step = step;
        return r;
}

static int open_socket(int family, int type, int protocol) {
        int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

        return fd < 0 ? -errno : fd;
}

static int bring_lo_up(void) {
        _cleanup_(fd_closep) int fd = open_socket(AF_INET, SOCK_DGRAM, 0);
        struct ifreq q = { .ifr_name = "lo", .ifr_flags = IFF_UP };

        if (fd < 0)
                return fd;
        return ioctl(fd, SIOCSIFFLAGS, &q) < 0 ? -errno : 0;
}

/* Which port the kernel chose. */
static int bound_port(int fd, uint16_t *ret) {
        struct sockaddr_in a = {};
        socklen_t size = sizeof(a);

        if (getsockname(fd, (struct sockaddr *) &a, &size) < 0)
                return -errno;
        *ret = ntohs(a.sin_port);
        return 0;
}

static int open_dns(int type, uint16_t *ret_port) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(DNS_ADDRESS) } };
        _cleanup_(fd_closep) int fd = open_socket(AF_INET, type, 0);
        int r;

        if (fd < 0)
                return fd;
        if (bind(fd, (const struct sockaddr *) &a, sizeof(a)) < 0)
                return -errno;
        if (type == SOCK_STREAM && listen(fd, DNS_BACKLOG) < 0)
                return -errno;
        r = bound_port(fd, ret_port);
        return r < 0 ? r : TAKE_FD(fd);
}

static int make_dns(Attempt *a) {
        uint16_t udp, tcp;
        int r;

        r = attempt(a, "open the resolver's UDP socket", open_dns(SOCK_DGRAM, &udp));
        if (r < 0)
                return r;
        a->fds[TASK_NETNS_FD_DNS_UDP] = r;
        r = attempt(a, "open the resolver's TCP socket", open_dns(SOCK_STREAM, &tcp));
        if (r < 0)
                return r;
        a->fds[TASK_NETNS_FD_DNS_TCP] = r;
        return attempt(a, "lead 127.0.0.11:53 to the resolver", nft_redirect_dns(udp, tcp));
}

/* New links start without IPv6; the daemon, which holds this, says when one shall have it. */
static int open_ipv6(bool turn_off) {
        _cleanup_(fd_closep) int fd = open(IPV6_DEFAULT, O_RDWR | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? open("/dev/null", O_RDWR | O_CLOEXEC) : -errno;
        if (turn_off && pwrite(fd, "1", 1, 0) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* What every row has, made in the namespace that we are in. */
static int open_inside(Attempt *a, const char *path, bool new) {
        int r;

        r = open(path, O_RDONLY | O_CLOEXEC);
        r = attempt(a, "open the namespace", r < 0 ? -errno : r);
        if (r < 0)
                return r;
        a->fds[TASK_NETNS_FD_NAMESPACE] = r;
        r = attempt(a, "open a netlink socket", open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
        if (r < 0)
                return r;
        a->fds[TASK_NETNS_FD_ROUTE] = r;
        r = attempt(a, "open the switch of IPv6", open_ipv6(new));
        if (r < 0)
                return r;
        a->fds[TASK_NETNS_FD_IPV6] = r;
        return 0;
}

static void unpin(const char *path) {
        (void) umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
        (void) unlink(path); /* takes it off every other mount namespace as well */
}

static int make_pinned(Attempt *a, const char *path) {
        int r;

        r = attempt(a, "make a namespace", unshare(CLONE_NEWNET) < 0 ? -errno : 0);
        if (r < 0)
                return r;
        r = attempt(a, "pin the namespace",
                mount(NETNS_SELF, path, NULL, MS_BIND, NULL) < 0 ? -errno : 0);
        if (r < 0)
                return r;
        r = attempt(a, "bring up lo", bring_lo_up());
        if (r < 0)
                return r;
        r = open_inside(a, path, /* new= */ true);
        return r < 0 ? r : make_dns(a);
}

static int netns_make(Attempt *a, const char *path) {
        int fd, r;

        fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
        r = attempt(a, "make the pin", fd < 0 ? -errno : 0);
        if (r < 0)
                return r;
        (void) close(fd);

        r = make_pinned(a, path);
        if (r < 0)
                unpin(path);
        return r;
}

static int enter(const char *path) {
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct statfs s;

        if (fd < 0)
                return -errno;
        if (fstatfs(fd, &s) < 0)
                return -errno;
        if (s.f_type != NSFS_MAGIC)
                return -ENOENT; /* somebody took the pin off */
        return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int netns_open(Attempt *a, const char *path) {
        int r = attempt(a, "enter the namespace", enter(path));

        return r < 0 ? r : open_inside(a, path, /* new= */ false);
}

static int netns_renew(Attempt *a, const char *path) {
        int r = netns_open(a, path);

        return r < 0 ? r : make_dns(a);
}

static int send_row(TaskContext *c, const char *id, int r, const Attempt *a) {
        TaskProgress row = { .id = (char *) id };
        size_t n = 0;

        if (r < 0) {
                row.current = (uint64_t) -r;
                row.status = (char *) a->step;
                return task_progress_fds(c, &row, NULL, 0);
        }
        while (n < _TASK_NETNS_FD_MAX && a->fds[n] >= 0)
                n++;
        return task_progress_fds(c, &row, a->fds, n);
}

static int run_each(TaskContext *c, char *const *ids, int (*run)(Attempt *a, const char *path)) {
        int r;

        STRV_FOREACH (id, ids) {
                Attempt a = { .fds = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } };
                _cleanup_(freep) char *path = NULL;
                char name[IDENT_SHORT_SIZE];

                if (!ident_is_valid(*id))
                        return -EINVAL;
                path = path_join(c->spec.path, ident_short(*id, name));
                if (!path)
                        return -ENOMEM;
                if (task_cancelled(c))
                        return -ECANCELED;

                r = send_row(c, *id, run(&a, path), &a);
                fd_close_many(a.fds, ARRAY_SIZE(a.fds));
                if (r < 0)
                        return r; /* nobody is there any more */
        }
        return 0;
}

static int remove_each(TaskContext *c) {
        STRV_FOREACH (name, c->spec.netns_remove) {
                _cleanup_(freep) char *path = NULL;

                if (!path_is_safe_name(*name))
                        return -EINVAL;
                path = path_join(c->spec.path, *name);
                if (!path)
                        return -ENOMEM;
                unpin(path);
        }
        return 0;
}

/* --- links of the host, which the kernel takes its time for ------------------------------------------ */

static int ask_removal(int fd, const char *name) {
        static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        struct ifinfomsg header = {};
        struct nl_msg *m;
        int r = -ENOMEM;

        m = nlmsg_alloc_size(256);
        if (!m)
                return r;
        if (nlmsg_put(m, 0, 0, RTM_DELLINK, 0, NLM_F_REQUEST | NLM_F_ACK) &&
                nlmsg_append(m, &header, sizeof(header), NLMSG_ALIGNTO) >= 0 &&
                nla_put_string(m, IFLA_IFNAME, name) >= 0)
                r = sendto(fd, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len, 0,
                            (const struct sockaddr *) &kernel, sizeof(kernel)) < 0
                          ? -errno
                          : 0;
        nlmsg_free(m);
        return r;
}

/* The answer is there when the request was taken. */
static int remove_link(const char *name) {
        struct {
                struct nlmsghdr header;
                struct nlmsgerr error;
                char more[1024];
        } answer;
        _cleanup_(fd_closep) int fd = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
        ssize_t n;
        int r;

        if (fd < 0)
                return fd;
        r = ask_removal(fd, name);
        if (r < 0)
                return r;
        n = recv(fd, &answer, sizeof(answer), 0);
        if (n < 0)
                return -errno;
        if ((size_t) n < offsetof(typeof(answer), more) || answer.header.nlmsg_type != NLMSG_ERROR)
                return -EBADMSG;
        return answer.error.error;
}

static int remove_links(TaskContext *c, int host_fd) {
        static const Attempt a = { .step = "remove the link",
                .fds = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } };
        int r;

        if (strv_empty(c->spec.links_remove))
                return 0;
        if (setns(host_fd, CLONE_NEWNET) < 0)
                return -errno;
        STRV_FOREACH (name, c->spec.links_remove) {
                r = send_row(c, *name, remove_link(*name), &a);
                if (r < 0)
                        return r;
        }
        return 0;
}

int task_netns_run(TaskContext *c, Error *reterr) {
        _cleanup_(fd_closep) int host_fd = -EBADF;
        int r;

        if (str_empty(c->spec.path))
                return -EINVAL;
        r = file_mkdir_p(c->spec.path, 0755);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to make %s", c->spec.path);
        host_fd = open(NETNS_SELF, O_RDONLY | O_CLOEXEC);
        if (host_fd < 0)
                return -errno;
        r = confine_netns();
        if (r < 0)
                return r;

        /* Those first that a start waits for. */
        r = run_each(c, c->spec.netns_open, netns_open);
        if (r >= 0)
                r = run_each(c, c->spec.netns_renew, netns_renew);
        if (r >= 0)
                r = run_each(c, c->spec.netns_make, netns_make);
        if (r >= 0)
                r = remove_links(c, host_fd);
        return r < 0 ? r : remove_each(c);
}
