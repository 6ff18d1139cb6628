/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/rest.h"

#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "config/settings.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "rest/http.h"

#define REST_SOCKETS_MAX 16
#define REST_BACKLOG     1024

struct Rest {
        Http *servers[REST_SOCKETS_MAX];
        size_t n_servers;
        char **paths; /* sockets that we made and remove again */
};

static int add_server(Rest *s, Engine *e, Auth *auth, int fd, Error *reterr) {
        int r;

        if (s->n_servers >= REST_SOCKETS_MAX) {
                fd_close(fd);
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %d API sockets", REST_SOCKETS_MAX);
        }

        r = http_new(e, auth, fd, &s->servers[s->n_servers], reterr);
        if (r < 0)
                return r;

        s->n_servers++;
        return 0;
}

/* The group need not be there: then the socket is root's alone, as dockerd does. */
static int give_to_group(const char *path, const char *group) {
        struct group *g;

        errno = 0;
        g = getgrnam(group); /* before the loop runs; local files and nss-systemd */
        if (!g) {
                log_warning("Group %s does not exist, API socket %s is for root only", group, path);
                return chmod(path, 0600) < 0 ? -errno : 0;
        }

        if (chown(path, (uid_t) -1, g->gr_gid) < 0)
                return geteuid() == 0 ? -errno : 0;
        return 0;
}

static int split_path(const char *path, char **ret_folder, const char **ret_name) {
        const char *slash = strrchr(path, '/');

        if (!slash || !slash[1])
                return -EINVAL;
        *ret_name = slash + 1;
        return str_copy_n(ret_folder, path, MAX((size_t) (slash - path), (size_t) 1));
}

static int listen_unix(Rest *s, const char *path, const char *group, Error *reterr) {
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        _cleanup_(fd_closep) int fd = -EBADF;
        const char *name;
        int r;

        r = split_path(path, &folder, &name);
        if (r < 0)
                return error_set(
                        reterr, ERROR_INVALID, "-H unix://%s: expected a path of a socket", path);

        dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return error_set_errno(
                        reterr, -errno, "-H unix://%s: cannot open folder %s", path, folder);

        fd = fd_listen_at(dir_fd, name, SOCK_STREAM, 0660, REST_BACKLOG);
        if (fd < 0)
                return error_set_errno(reterr, fd, "-H unix://%s: cannot listen", path);

        r = strv_add(&s->paths, path);
        if (r < 0)
                return r;

        r = give_to_group(path, group);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "-H unix://%s: cannot give the socket to group %s", path, group);

        return TAKE_FD(fd);
}

static int add_host(
        Rest *s, Engine *e, Auth *auth, const Settings *settings, const char *host, Error *reterr) {
        const char *path = str_starts(host, "unix://");
        int fd;

        if (str_starts(host, "fd://"))
                return error_set(reterr, ERROR_INVALID,
                        "-H %s: no socket was passed by systemd; enable stauer.socket or give -H "
                        "unix:///run/docker.sock",
                        host);
        if (!path)
                return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                        "-H %s: only unix:// and fd:// sockets are served, TCP with TLS is not "
                        "implemented",
                        host);

        fd = listen_unix(s, path, settings->group, reterr);
        if (fd < 0)
                return fd;
        return add_server(s, e, auth, fd, reterr);
}

int rest_new(Engine *e, Auth *auth, const Settings *settings, int *fds, size_t n_fds, Rest **ret,
        Error *reterr) {
        _cleanup_(rest_freep) Rest *s = NULL;
        int r = 0;

        assert(e);
        assert(auth);
        assert(settings);
        assert(fds || n_fds == 0);
        assert(ret);

        s = new0(Rest, 1);
        if (!s)
                r = -ENOMEM;

        for (size_t i = 0; i < n_fds; i++) {
                if (r >= 0)
                        r = add_server(s, e, auth, TAKE_FD(fds[i]), reterr);
                else
                        fds[i] = fd_close(fds[i]);
        }
        if (r < 0)
                return r;

        STRV_FOREACH (host, settings->hosts) {
                if (n_fds > 0 && str_starts(*host, "fd://"))
                        continue;
                r = add_host(s, e, auth, settings, *host, reterr);
                if (r < 0)
                        return r;
        }

        if (s->n_servers == 0) {
                r = add_host(s, e, auth, settings, "unix:///run/docker.sock", reterr);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(s);
        return 0;
}

Rest *rest_free(Rest *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n_servers; i++)
                http_free(s->servers[i]);
        STRV_FOREACH (path, s->paths)
                (void) unlink(*path);
        strv_free(s->paths);
        return mfree(s);
}
