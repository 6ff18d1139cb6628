/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/fd.h"

static struct {
        struct termios before;
        int fd;
        bool raw;
        bool at_exit;
} terminal = { .fd = -EBADF };

int terminal_raw(int fd) {
        struct termios t;

        if (tcgetattr(fd, &terminal.before) < 0)
                return -errno;
        if (!terminal.at_exit && atexit(terminal_restore) != 0)
                return -ENOMEM;
        terminal.at_exit = true;

        t = terminal.before;
        cfmakeraw(&t);
        if (tcsetattr(fd, TCSADRAIN, &t) < 0)
                return -errno;
        terminal.fd = fd;
        terminal.raw = true;
        return 0;
}

void terminal_restore(void) {
        if (terminal.raw)
                (void) tcsetattr(terminal.fd, TCSADRAIN, &terminal.before);
        terminal.raw = false;
}

int terminal_size(int fd, unsigned *ret_rows, unsigned *ret_columns) {
        struct winsize size;

        if (ioctl(fd, TIOCGWINSZ, &size) < 0 || (size.ws_row == 0 && size.ws_col == 0))
                return 0;
        *ret_rows = size.ws_row;
        *ret_columns = size.ws_col;
        return 1;
}
