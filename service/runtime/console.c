/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/console.h"

#include <errno.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/beneath.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/mountinfo.h"
#include "lib/base/process.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/mounts.h"

#define CONSOLE_NAME "/dev/ptmx" /* what runc sends along with the fd */

int console_connect(const char *path, Error *reterr) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(fd_closep) int fd = -EBADF;

        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(reterr, ERROR_INVALID,
                        "the path of the console socket is too long: %s", path);
        memcpy(address.sun_path, path, strlen(path));

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return error_set_errno(reterr, -errno, "connect to the console socket %s", path);
        return TAKE_FD(fd);
}

static int open_pty(Mounts *m, int *ret_slave) {
        _cleanup_(fd_closep) int master = -EBADF, slave = -EBADF;
        struct statfs sfs;
        int unlock = 0;

        /* The container's own instance, by a name without links, and checked to be what it seems: then its slave can only be
         * its own too, and is taken from the kernel and not by a name. */
        master = beneath_open(
                m->root_fd, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, 0, BENEATH_STRICT);
        if (master < 0)
                return master;
        if (fstatfs(master, &sfs) < 0)
                return -errno;
        if (sfs.f_type != DEVPTS_SUPER_MAGIC)
                return -ENODEV;
        if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
                return -errno;

        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0)
                return -errno;

        *ret_slave = TAKE_FD(slave);
        return TAKE_FD(master);
}

/* A file of ours in our /dev, with the slave mounted on it. */
static int mount_console(Mounts *m, int slave) {
        _cleanup_(fd_closep) int made = -EBADF, target = -EBADF, copy = -EBADF;

        if (m->dev_fd < 0)
                return 0;
        made = openat(m->dev_fd, "console",
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
        if (made < 0 && errno != EEXIST)
                return -errno;
        target = beneath_open(m->dev_fd, "console", O_PATH | O_NOFOLLOW, 0, BENEATH_STRICT);
        if (target < 0)
                return target;
        copy = mount_clone(slave, /* recursive= */ false);
        if (copy < 0)
                return copy;
        return mount_attach(copy, target);
}

int console_make(const RuntimeProcess *spec, Mounts *m, int socket_fd, Error *reterr) {
        _cleanup_(fd_closep) int master = -EBADF, slave = -EBADF;
        int r;

        master = open_pty(m, &slave);
        if (master < 0)
                return error_set_errno(
                        reterr, master, "open a terminal in the container's /dev/pts");

        if (spec->console_size) {
                struct winsize size = {
                        .ws_row = (unsigned short) spec->console_size->height,
                        .ws_col = (unsigned short) spec->console_size->width,
                };

                if (ioctl(master, TIOCSWINSZ, &size) < 0)
                        return error_set_errno(reterr, -errno, "set the size of the terminal");
        }

        r = mount_console(m, slave);
        if (r < 0)
                return error_set_errno(reterr, r, "mount /dev/console");
        r = fd_send(socket_fd, CONSOLE_NAME, strlen(CONSOLE_NAME), &master, 1, 0);
        if (r < 0)
                return error_set_errno(reterr, r, "send the terminal to the console socket");

        for (int fd = 0; fd < 3; fd++)
                if (dup2(slave, fd) < 0)
                        return error_set_errno(reterr, -errno, "set the standard streams");

        return 0;
}

int console_control(Error *reterr) {
        return ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0
                     ? error_set_errno(reterr, -errno, "set the controlling terminal")
                     : 0;
}

int console_receive(int socket_fd, Error *reterr) {
        char name[64];
        size_t n_fds = 1;
        ssize_t n;
        int fd;

        n = fd_receive(socket_fd, name, sizeof(name), &fd, &n_fds, NULL, 0);
        if (n < 0)
                return error_set_errno(reterr, (int) n, "receive the terminal");
        if (n_fds != 1)
                return -EPIPE; /* the child has failed and says so elsewhere */
        return fd;
}

static void copy_size(int master_fd) {
        struct winsize size;

        if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) >= 0)
                (void) ioctl(master_fd, TIOCSWINSZ, &size);
}

/* 1: more may come, 0: the end. */
static int copy_some(int from, int to) {
        char data[8192];
        ssize_t n;

        n = read(from, data, sizeof(data));
        if (n < 0)
                return errno == EINTR || errno == EAGAIN ? 1
                                                         : 0; /* EIO: the last slave is closed */
        if (n == 0)
                return 0;
        return fd_write_full(to, data, (size_t) n) < 0 ? 0 : 1;
}

int console_relay(int master_fd, int pidfd, int signal_fd, Error *reterr) {
        struct pollfd fds[] = {
                { .fd = master_fd, .events = POLLIN },
                { .fd = STDIN_FILENO, .events = POLLIN },
                { .fd = signal_fd, .events = POLLIN },
                { .fd = pidfd, .events = POLLIN },
        };
        struct termios saved, raw;
        bool terminal;

        terminal = tcgetattr(STDIN_FILENO, &saved) >= 0;
        if (terminal) {
                raw = saved;
                cfmakeraw(&raw);
                (void) tcsetattr(STDIN_FILENO, TCSANOW, &raw);
                copy_size(master_fd);
        }

        for (;;) {
                struct signalfd_siginfo info;

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        break;
                }
                if (fds[2].revents && read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
                        if (info.ssi_signo == SIGWINCH)
                                copy_size(master_fd);
                        else if (info.ssi_signo != SIGCHLD)
                                (void) process_kill(pidfd, (int) info.ssi_signo);
                }
                if (fds[1].revents && copy_some(STDIN_FILENO, master_fd) == 0)
                        fds[1].fd = -1;
                if (fds[0].revents && copy_some(master_fd, STDOUT_FILENO) == 0)
                        break;
                if (fds[3].revents && !fds[0].revents)
                        break; /* it is gone and all it said is out */
        }

        if (terminal)
                (void) tcsetattr(STDIN_FILENO, TCSANOW, &saved);
        return 0;
}
