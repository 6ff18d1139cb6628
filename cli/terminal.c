/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

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

static int key_parse(const char *word, uint8_t *ret) {
        const char *control = str_starts(word, "ctrl-");

        if (!control) {
                if (strlen(word) != 1)
                        return -EINVAL;
                *ret = (uint8_t) word[0];
                return 0;
        }
        if (strlen(control) != 1 || !strchr("abcdefghijklmnopqrstuvwxyz@[\\]^_", control[0]))
                return -EINVAL;
        *ret = control[0] & 0x1f;
        return 0;
}

int detach_keys_parse(const char *text, DetachKeys *ret) {
        _cleanup_(strv_freep) char **words = NULL;
        DetachKeys k = {};
        int r;

        r = strv_split(text, ",", /* keep_empty= */ true, &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                if (k.n == DETACH_KEYS_MAX || key_parse(*word, k.keys + k.n) < 0)
                        return -EINVAL;
                k.n++;
        }
        *ret = k;
        return 0;
}

int detach_keys_filter(DetachKeys *k, const char *data, size_t size, Buffer *out) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < size; i++) {
                if (k->n > 0 && (uint8_t) data[i] == k->keys[k->seen]) {
                        if (++k->seen == k->n)
                                return 1;
                        continue;
                }
                if (k->seen > 0) {
                        r = buffer_append(out, k->keys, k->seen);
                        k->seen = 0;
                        i--; /* may be the first key again */
                        continue;
                }
                r = buffer_append_char(out, data[i]);
        }
        return r;
}
