/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/worker/file-stat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/beneath.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define LINKS_MAX 255U
#define LINK_MAX_ 4096U

uint32_t file_stat_go_mode(mode_t mode) {
        static const struct {
                mode_t kind;
                uint32_t bits;
        } kinds[] = {
                { S_IFDIR, UINT32_C(1) << 31 },
                { S_IFLNK, UINT32_C(1) << 27 },
                { S_IFBLK, UINT32_C(1) << 26 },
                { S_IFCHR, UINT32_C(1) << 26 | UINT32_C(1) << 21 },
                { S_IFIFO, UINT32_C(1) << 25 },
                { S_IFSOCK, UINT32_C(1) << 24 },
        };
        uint32_t bits = mode & 0777;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if ((mode & S_IFMT) == kinds[i].kind)
                        bits |= kinds[i].bits;
        if (mode & S_ISUID)
                bits |= UINT32_C(1) << 23;
        if (mode & S_ISGID)
                bits |= UINT32_C(1) << 22;
        if (mode & S_ISVTX)
                bits |= UINT32_C(1) << 20;
        return bits;
}

int file_stat_format(const char *name, const struct stat *st, const char *link, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        char time[CLOCK_TEXT_SIZE];
        int r;

        (void) clock_format(
                st->st_mtim.tv_sec * (int64_t) NSEC_PER_SEC + st->st_mtim.tv_nsec, time);

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "name", name);
        if (r >= 0)
                r = json_set_int64(v, "size", st->st_size);
        if (r >= 0)
                r = json_set_uint64(v, "mode", file_stat_go_mode(st->st_mode));
        if (r >= 0)
                r = json_set_text(v, "mtime", time);
        if (r >= 0)
                r = json_set_text(v, "linkTarget", link);
        return r < 0 ? r : json_print(v, JSON_COMPACT, ret);
}

/* Takes the last component off an absolute clean path ("" is the root). */
static void pop(char *path) {
        char *slash = strrchr(path, '/');

        if (slash)
                *slash = '\0';
}

/* The link's text when path is one: 1; else 0. */
static int read_link(int root_fd, const char *path, char ret[static LINK_MAX_ + 1]) {
        _cleanup_(fd_closep) int fd = -EBADF;
        ssize_t n;

        fd = beneath_open(root_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, BENEATH_STRICT);
        if (fd < 0)
                return 0;
        n = readlinkat(fd, "", ret, LINK_MAX_ + 1);
        if (n < 0)
                return 0;
        if ((size_t) n > LINK_MAX_)
                return -ENAMETOOLONG;
        ret[n] = '\0';
        return 1;
}

int file_stat_resolve(int root_fd, const char *path, char **ret) {
        _cleanup_(freep) char *todo = NULL, *done = NULL;
        char link[LINK_MAX_ + 1];
        unsigned n_links = 0;
        int r;

        todo = strdup(path);
        done = strdup("");
        if (!todo || !done)
                return -ENOMEM;

        for (char *p = todo;;) {
                _cleanup_(freep) char *rest = NULL;
                size_t n;

                p += strspn(p, "/");
                if (!*p)
                        break;
                n = strcspn(p, "/");
                if (n == 1 && p[0] == '.') {
                        p += n;
                        continue;
                }
                if (n == 2 && p[0] == '.' && p[1] == '.') {
                        pop(done);
                        p += n;
                        continue;
                }

                r = str_appendf(&done, "/%.*s", (int) n, p);
                p += n;
                if (r >= 0)
                        r = read_link(root_fd, done, link);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                if (++n_links > LINKS_MAX)
                        return -ELOOP;

                if (link[0] == '/')
                        done[0] = '\0';
                else
                        pop(done);
                r = str_printf(&rest, "%s/%s", link, p);
                if (r < 0)
                        return r;
                if (strlen(rest) > 16 * LINK_MAX_)
                        return -ENAMETOOLONG;
                free(todo);
                p = todo = TAKE_PTR(rest);
        }

        *ret = done[0] ? TAKE_PTR(done) : strdup("/");
        return *ret ? 0 : -ENOMEM;
}
