/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pool with the real launcher and workers, in namespaces of this process. Skipped for whoever may not make any. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/host/launcher.h"
#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/loop.h"

#define N_MAX 24U

typedef struct World {
        char folder[32];
        char *socket;
        int launcher_pidfd;
        sd_event *event;
        Launcher *launcher;
        NetnsPool *pool;
        Netns *taken[N_MAX];
        unsigned n_taken;
        unsigned n_failed;
        int r;
} World;

static bool may_make_namespaces;

static void start_launcher(World *w) {
        char *argv[] = { (char[]) { "stauer-launcher" }, (char[]) { "--socket" }, w->socket,
                (char[]) { "--libexec" }, getenv("STAUER_LIBEXEC"), NULL };
        const ProcessFd fds[] = { { STDERR_FILENO, STDERR_FILENO } };
        const ProcessSpec spec = { .path = getenv("STAUER_LAUNCHER"),
                .argv = argv,
                .fds = fds,
                .n_fds = 1,
                .death_signal = SIGKILL };
        pid_t pid;

        assert_int_equal(process_spawn(&spec, &pid, &w->launcher_pidfd), 0);
        for (unsigned i = 0; file_exists_at(AT_FDCWD, w->socket) <= 0; i++) {
                assert_true(i < 500);
                (void) usleep(10000);
        }
}

static void start_pool(World *w) {
        assert_int_equal(launcher_new(w->event, w->socket, &w->launcher), 0);
        assert_int_equal(netns_pool_new(w->event, w->launcher, w->folder, &w->pool), 0);
}

/* As a daemon that ends: what containers have stays. */
static void stop_pool(World *w) {
        w->pool = netns_pool_free(w->pool);
        w->launcher = launcher_free(w->launcher);
}

static int setup(void **state) {
        World *w;

        *state = NULL;
        if (!may_make_namespaces)
                return 0;
        w = calloc(1, sizeof(*w));
        assert_non_null(w);
        strcpy(w->folder, "/tmp/stauer-netns-XXXXXX");
        assert_non_null(mkdtemp(w->folder));
        w->socket = path_join(w->folder, "launcher.sock");
        assert_int_equal(loop_new(/* watchdog= */ false, &w->event), 0);
        start_launcher(w);
        start_pool(w);
        *state = w;
        return 0;
}

static int teardown(void **state) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) char *folder = NULL;
        World *w = *state;
        siginfo_t si;

        if (!w)
                return 0;
        stop_pool(w);
        assert_int_equal(process_kill(w->launcher_pidfd, SIGTERM), 0);
        assert_int_equal(process_wait(w->launcher_pidfd, 10 * USEC_PER_SEC, &si), 1);
        (void) fd_close(w->launcher_pidfd);
        /* A worker that still filled the pool is ours now; what it pins has to be there before it is taken away. */
        while (wait(NULL) > 0 || errno == EINTR)
                ;
        for (unsigned i = 0; i < w->n_taken; i++)
                netns_free(w->taken[i]);

        folder = path_join(w->folder, "netns");
        (void) file_list(AT_FDCWD, folder, false, &names);
        STRV_FOREACH (name, names) {
                _cleanup_(freep) char *path = path_join(folder, *name);

                (void) umount2(path, MNT_DETACH);
        }
        assert_int_equal(file_remove_tree(AT_FDCWD, w->folder), 1);
        loop_free(w->event);
        free(w->socket);
        free(w);
        return 0;
}

static World *world(void **state) {
        if (!*state)
                skip();
        return *state;
}

static void on_taken(int r, Netns *ns, const Error *e, void *userdata) {
        World *w = userdata;

        w->r = r;
        if (r < 0) {
                assert_null(ns);
                w->n_failed++;
                return;
        }
        assert_true(w->n_taken < N_MAX);
        w->taken[w->n_taken++] = ns;
}

static void await(World *w, unsigned n) {
        uint64_t deadline = clock_monotonic_us() + 20 * USEC_PER_SEC;

        while (w->n_taken + w->n_failed < n) {
                assert_true(clock_monotonic_us() < deadline);
                assert_true(sd_event_run(w->event, 100000) >= 0);
        }
}

static void take(World *w) {
        assert_int_equal(netns_pool_take(w->pool, on_taken, w, NULL), 0);
}

static unsigned count_pins(World *w) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(freep) char *folder = path_join(w->folder, "netns");

        return file_list(AT_FDCWD, folder, false, &names) < 0 ? 0 : (unsigned) strv_length(names);
}

static void await_pins(World *w, unsigned n) {
        uint64_t deadline = clock_monotonic_us() + 20 * USEC_PER_SEC;

        while (count_pins(w) != n) {
                assert_true(clock_monotonic_us() < deadline);
                assert_true(sd_event_run(w->event, 50000) >= 0);
        }
}

static bool is_pinned(const char *path) {
        struct statfs s;

        return statfs(path, &s) == 0 && s.f_type == NSFS_MAGIC;
}

static void on_link(const NetlinkEntry *e, void *userdata) {
        if (streq(e->name, "lo") && e->up)
                *(bool *) userdata = true;
}

static void on_listed(int r, const Error *e, void *userdata) {
        *(int *) userdata = r;
}

static void expect_lo(World *w, Netns *ns) {
        NetlinkBatch *b = netlink_batch_new();
        bool lo_is_up = false;
        int r = 1;

        assert_non_null(b);
        assert_int_equal(netlink_list_links(b, on_link, &lo_is_up), 0);
        assert_int_equal(netlink_run(ns->inside, b, on_listed, &r, NULL), 0);
        while (r == 1)
                assert_true(sd_event_run(w->event, 1000000) >= 0);
        assert_int_equal(r, 0);
        assert_true(lo_is_up);
}

/* A program of the container asks 127.0.0.11:53 by UDP and TCP: exit code 0 if it could send. */
static int ask_dns(const Netns *ns) {
        struct sockaddr_in a = {
                .sin_family = AF_INET, .sin_port = htons(53), .sin_addr = { htonl(0x7f00000b) }
        };
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                int udp, tcp;

                if (setns(ns->fd, CLONE_NEWNET) < 0)
                        _exit(1);
                udp = socket(AF_INET, SOCK_DGRAM, 0);
                tcp = socket(AF_INET, SOCK_STREAM, 0);
                if (sendto(udp, "?", 1, 0, (const struct sockaddr *) &a, sizeof(a)) != 1)
                        _exit(2);
                _exit(connect(tcp, (const struct sockaddr *) &a, sizeof(a)) < 0 ? 3 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_dns(const Netns *ns) {
        _cleanup_(fd_closep) int fd = -EBADF;
        char byte;

        assert_int_equal(ask_dns(ns), 0);
        assert_int_equal(fd_wait(ns->dns_udp_fd, POLLIN, 5 * USEC_PER_SEC), 1);
        assert_int_equal(recv(ns->dns_udp_fd, &byte, 1, 0), 1);
        assert_int_equal(byte, '?');
        assert_int_equal(fd_wait(ns->dns_tcp_fd, POLLIN, 5 * USEC_PER_SEC), 1);
        fd = accept4(ns->dns_tcp_fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(fd >= 0);
}

/* What a container finds, and that the pool goes away with the daemon's word. */
static void test_take(void **state) {
        World *w = world(state);
        Netns *ns;

        assert_int_equal(netns_pool_start(w->pool), 0);
        take(w);
        await(w, 1);
        assert_int_equal(w->r, 0);
        ns = w->taken[0];
        assert_true(is_pinned(ns->path));
        expect_lo(w, ns);
        expect_dns(ns);
        assert_int_equal(netns_allow_ipv6(ns, true), 0);
        assert_int_equal(netns_allow_ipv6(ns, false), 0);

        await_pins(w, 5); /* it and four that are ready */
        netns_pool_give_back(w->pool, ns);
        w->n_taken = 0;
        await_pins(w, 4);
}

/* More at once than there are, and than one worker makes. */
static void test_many(void **state) {
        World *w = world(state);

        assert_int_equal(netns_pool_start(w->pool), 0);
        for (unsigned i = 0; i < N_MAX; i++)
                take(w);
        await(w, N_MAX);
        assert_int_equal(w->n_failed, 0);
        for (unsigned i = 0; i < N_MAX; i++) {
                assert_true(is_pinned(w->taken[i]->path));
                for (unsigned k = 0; k < i; k++)
                        assert_string_not_equal(w->taken[i]->id, w->taken[k]->id);
        }
        await_pins(w, N_MAX + 4);
}

/* The next daemon finds the namespace of a container that runs, by its id; what nobody has is swept. */
static void test_adopt(void **state) {
        World *w = world(state);
        char id[IDENT_SIZE], unknown[IDENT_SIZE];
        int udp, tcp;

        assert_int_equal(netns_pool_start(w->pool), 0);
        take(w);
        await(w, 1);
        await_pins(w, 5);
        strcpy(id, w->taken[0]->id);

        /* its resolver's sockets were kept (fd store) */
        udp = TAKE_FD(w->taken[0]->dns_udp_fd);
        tcp = TAKE_FD(w->taken[0]->dns_tcp_fd);
        w->n_taken = 0;
        netns_free(w->taken[0]);
        stop_pool(w);
        start_pool(w);
        assert_int_equal(netns_pool_adopt(w->pool, id, udp, tcp, on_taken, w, NULL), 0);
        assert_int_equal(
                netns_pool_adopt(w->pool, ident_random(unknown), -EBADF, -EBADF, on_taken, w, NULL),
                0);
        assert_int_equal(netns_pool_start(w->pool), 0);
        await(w, 2);
        assert_int_equal(w->n_failed, 1);
        assert_string_equal(w->taken[0]->id, id);
        expect_lo(w, w->taken[0]);
        expect_dns(w->taken[0]);
        await_pins(w, 5);
}

/* Its resolver's sockets were not kept: new ones, and the rule leads there. */
static void test_renew(void **state) {
        World *w = world(state);
        char id[IDENT_SIZE];

        assert_int_equal(netns_pool_start(w->pool), 0);
        take(w);
        await(w, 1);
        strcpy(id, w->taken[0]->id);
        w->n_taken = 0;
        netns_free(w->taken[0]);
        stop_pool(w);
        start_pool(w);
        assert_int_equal(netns_pool_adopt(w->pool, id, -EBADF, -EBADF, on_taken, w, NULL), 0);
        assert_int_equal(netns_pool_start(w->pool), 0);
        await(w, 1);
        assert_int_equal(w->r, 0);
        expect_dns(w->taken[0]);
}

/* Who gives up is not called, and what was made for him serves the next. */
static void test_give_up(void **state) {
        World *w = world(state);
        NetnsTake *t;

        assert_int_equal(netns_pool_take(w->pool, on_taken, w, &t), 0);
        assert_int_equal(netns_pool_start(w->pool), 0);
        assert_true(sd_event_run(w->event, 0) >= 0);
        netns_take_free(t);
        take(w);
        await(w, 1);
        assert_int_equal(w->n_taken, 1);
}

/* A link of the host goes by the worker, others' calls are served meanwhile; one that is not there is fine; a call may be forgotten. */
static void test_remove_link(void **state) {
        World *w = world(state);
        const NetlinkLink pair = { .name = "gone0", .kind = "veth", .peer = "gone1" };
        NetlinkBatch *b = netlink_batch_new();
        NetlinkCall *call = NULL;
        Netlink *n;
        int r[3] = { 1, 1, 1 };

        assert_int_equal(netns_pool_start(w->pool), 0);
        assert_int_equal(netlink_new(w->event, -EBADF, &n), 0);
        netns_pool_serve(w->pool, n);
        (void) netlink_link_add(b, &pair);
        (void) netlink_link_remove(b, "gone0");
        (void) netlink_link_expect(b, "gone0", false);
        (void) netlink_link_remove(b, "gone0");
        assert_int_equal(netlink_run(n, b, on_listed, r, NULL), 0);
        b = netlink_batch_new();
        (void) netlink_link_expect(b, "lo", true);
        assert_int_equal(netlink_run(n, b, on_listed, r + 1, NULL), 0);
        while (r[0] == 1)
                assert_true(sd_event_run(w->event, 5000000) > 0);
        assert_int_equal(r[0], 0);
        assert_int_equal(r[1], 0);

        b = netlink_batch_new();
        (void) netlink_link_remove(b, "gone0");
        assert_int_equal(netlink_run(n, b, on_listed, r + 2, &call), 0);
        for (unsigned i = 0; i < 3; i++)
                assert_true(sd_event_run(w->event, 0) >= 0);
        netlink_call_free(call);
        assert_null(call);
        take(w);
        await(w, 1);
        assert_int_equal(r[2], 1);
        netlink_free(n);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_take, setup, teardown),
                cmocka_unit_test_setup_teardown(test_many, setup, teardown),
                cmocka_unit_test_setup_teardown(test_adopt, setup, teardown),
                cmocka_unit_test_setup_teardown(test_renew, setup, teardown),
                cmocka_unit_test_setup_teardown(test_give_up, setup, teardown),
                cmocka_unit_test_setup_teardown(test_remove_link, setup, teardown),
        };

        assert_return_code(prctl(PR_SET_CHILD_SUBREAPER, 1), errno);
        may_make_namespaces = geteuid() == 0 && getenv("STAUER_LAUNCHER") &&
                              getenv("STAUER_LIBEXEC") &&
                              unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 &&
                              mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
