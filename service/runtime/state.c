/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/state.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/path.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/oci/runtime-spec.h"
#include "service/runtime/cgroup.h"

static const char *const state_status_table[_STATE_STATUS_MAX] = {
        [STATE_CREATING] = "creating",
        [STATE_CREATED] = "created",
        [STATE_RUNNING] = "running",
        [STATE_PAUSED] = "paused",
        [STATE_STOPPED] = "stopped",
};

/* clang-format off */
static const JsonField state_fields[] = {
        JSON_UINT32    ("version",       State, version,        JSON_MANDATORY),
        JSON_STRING    ("id",            State, id,             JSON_MANDATORY),
        JSON_STRING    ("bundle",        State, bundle,         JSON_MANDATORY),
        JSON_STRING    ("rootfs",        State, rootfs,         0),
        JSON_UINT32    ("pid",           State, pid,            JSON_MANDATORY),
        JSON_UINT64    ("pidStart",      State, pid_start,      0),
        JSON_TIME      ("created",       State, created,        0),
        JSON_STRING    ("cgroupManager", State, cgroup_manager, 0),
        JSON_STRING    ("cgroupPath",    State, cgroup_path,    JSON_OMIT_EMPTY),
        JSON_STRING    ("scope",         State, scope,          JSON_OMIT_EMPTY),
        JSON_MAP       ("annotations",   State, annotations,    JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("hooks",         State, hooks,          runtime_hooks_fields, JSON_OMIT_EMPTY),
        {}
};
/* clang-format on */

const char *state_status_to_string(StateStatus status) {
        return status >= 0 && status < _STATE_STATUS_MAX ? state_status_table[status] : NULL;
}

bool state_id_is_valid(const char *id) {
        assert(id);

        if (!isascii((unsigned char) id[0]) || !isalnum((unsigned char) id[0]) ||
                strlen(id) > STATE_ID_MAX)
                return false;
        for (const char *p = id; *p; p++)
                if (!isascii((unsigned char) *p) ||
                        (!isalnum((unsigned char) *p) && !strchr("_+.-", *p)))
                        return false;

        return path_is_safe_name(id);
}

int state_root_open(const char *root, bool make, Error *reterr) {
        int fd;

        assert(root);

        fd = file_open_dir(AT_FDCWD, root);
        if (fd == -ENOENT && make) {
                int r = file_mkdir_p(root, 0700);

                if (r < 0)
                        return error_set_errno(reterr, r, "create the state root %s", root);
                fd = file_open_dir(AT_FDCWD, root);
        }
        if (fd < 0)
                return error_set_errno(reterr, fd, "open the state root %s", root);

        return fd;
}

int state_lock(const State *s, Error *reterr) {
        struct stat st;
        int r;

        r = file_lock(s->dir_fd, /* exclusive= */ true, /* wait= */ true);
        if (r < 0)
                return error_set_errno(reterr, r, "lock the state of %s", s->id);
        /* It may be gone by the time that it is ours. */
        if (fstat(s->dir_fd, &st) < 0 || st.st_nlink == 0)
                return error_set(reterr, ERROR_NOT_FOUND, "container does not exist: %s", s->id);
        return 0;
}

static int state_init(int root_fd, const char *id, State *ret, Error *reterr) {
        if (!state_id_is_valid(id))
                return error_set(reterr, ERROR_INVALID, "invalid container id \"%s\"", id);

        *ret = (State) { .version = STATE_VERSION, .dir_fd = -EBADF };
        return str_copy(&ret->id, id);
}

int state_create(int root_fd, const char *id, State *ret, Error *reterr) {
        _cleanup_(state_done) State s = { .dir_fd = -EBADF };
        int r;

        assert(root_fd >= 0);
        assert(id);
        assert(ret);

        r = state_init(root_fd, id, &s, reterr);
        if (r < 0)
                return r;
        if (mkdirat(root_fd, id, 0700) < 0)
                return errno == EEXIST
                             ? error_set(reterr, ERROR_EXISTS,
                                       "container with given ID already exists: %s", id)
                             : error_set_errno(reterr, -errno, "create the state folder of %s", id);

        s.dir_fd = file_open_dir(root_fd, id);
        if (s.dir_fd < 0) {
                r = s.dir_fd;
                (void) unlinkat(root_fd, id, AT_REMOVEDIR);
                return error_set_errno(reterr, r, "open the state folder of %s", id);
        }

        r = state_lock(&s, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(s);
        s.dir_fd = -EBADF;
        return 0;
}

int state_load(int root_fd, const char *id, bool lock, State *ret, Error *reterr) {
        _cleanup_(state_done) State s = { .dir_fd = -EBADF };
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        assert(id);
        assert(ret);

        r = state_init(root_fd, id, &s, reterr);
        if (r < 0)
                return r;

        s.dir_fd = root_fd >= 0 ? file_open_dir(root_fd, id) : -ENOENT;
        if (s.dir_fd == -ENOENT)
                return error_set(reterr, ERROR_NOT_FOUND, "container does not exist: %s", id);
        if (s.dir_fd < 0)
                return error_set_errno(reterr, s.dir_fd, "open the state folder of %s", id);

        if (lock) {
                r = state_lock(&s, reterr);
                if (r < 0)
                        return r;
        }

        r = file_read_at(s.dir_fd, STATE_FILE, STATE_FILE_MAX, &text, &size);
        if (r < 0 && r != -ENOENT)
                return error_set_errno(reterr, r, "read the state of %s", id);
        if (r >= 0) {
                r = json_read_text(text, size, state_fields, &s, 0, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "state of %s", id);
                if (s.version != STATE_VERSION)
                        return error_set(reterr, ERROR_NOT_IMPLEMENTED,
                                "the state of %s was written by another version of this program",
                                id);
        }

        *ret = TAKE_STRUCT(s);
        s.dir_fd = -EBADF;
        return 0;
}

int state_save(const State *s, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int r;

        assert(s);

        r = json_write_text(s, state_fields, &text);
        if (r >= 0 && strlen(text) > STATE_FILE_MAX)
                return error_set(reterr, ERROR_TOO_LARGE,
                        "the state of %s (annotations, hooks) is too large to be kept", s->id);
        if (r >= 0)
                r = file_write_atomic_string(s->dir_fd, STATE_FILE, text, 0600, 0);
        if (r < 0)
                return error_set_errno(reterr, r, "write the state of %s", s->id);
        return 0;
}

int state_note_cgroup(const State *s, const char *path) {
        return symlinkat(path, s->dir_fd, STATE_CGROUP) < 0 ? -errno : 0;
}

int state_noted_cgroup(const State *s, char **ret) {
        char path[PATH_MAX];
        ssize_t n;

        n = readlinkat(s->dir_fd, STATE_CGROUP, path, sizeof(path));
        return n < 0 ? -errno : str_copy_n(ret, path, (size_t) n);
}

int state_remove(int root_fd, State *s, Error *reterr) {
        int r;

        assert(s);
        assert(s->dir_fd >= 0);

        /* What we know is inside goes by name: no listing for the usual case. */
        (void) unlinkat(s->dir_fd, STATE_FILE, 0);
        (void) unlinkat(s->dir_fd, STATE_SOCKET, 0);
        (void) unlinkat(s->dir_fd, STATE_CGROUP, 0);
        if (unlinkat(root_fd, s->id, AT_REMOVEDIR) >= 0 || errno == ENOENT)
                return 0;

        r = file_remove_tree(root_fd, s->id);
        return r < 0 ? error_set_errno(reterr, r, "remove the state folder of %s", s->id) : 0;
}

void state_done(State *s) {
        if (!s)
                return;

        fields_done(state_fields, s);
        s->dir_fd = fd_close(s->dir_fd);
}

void state_unlock(const State *s) {
        (void) flock(s->dir_fd, LOCK_UN);
}

int state_pidfd(const State *s) {
        _cleanup_(fd_closep) int pidfd = -EBADF;
        uint64_t start;
        int r;

        assert(s);

        if (s->pid == 0)
                return -ESRCH;
        pidfd = process_pidfd_open((pid_t) s->pid);
        /* EINVAL, ENOENT since Linux 6.9: the process is gone, but its number names a thread by now, or the session of what it
         * left behind. */
        if (pidfd < 0)
                return pidfd == -EINVAL || pidfd == -ENOENT ? -ESRCH : pidfd;

        /* Looked at after it was opened: if it is ours now, the pidfd is ours. By the pidfd and not by the letter of
         * /proc/PID/stat, which is "Z" as soon as the first thread has ended, whatever the others do. */
        r = process_start_time((pid_t) s->pid, &start);
        if (r >= 0)
                r = start == s->pid_start ? process_is_alive(pidfd) : 0;
        if (r < 0)
                return r;

        return r > 0 ? TAKE_FD(pidfd) : -ESRCH;
}

int state_status(const State *s, StateStatus *ret, Error *reterr) {
        _cleanup_(fd_closep) int pidfd = -EBADF;

        assert(s);
        assert(ret);

        if (s->pid == 0) {
                *ret = STATE_CREATING;
                return 0;
        }

        pidfd = state_pidfd(s);
        if (pidfd == -ESRCH)
                *ret = STATE_STOPPED;
        else if (pidfd < 0)
                return error_set_errno(reterr, pidfd, "look at process %" PRIu32, s->pid);
        else if (file_exists_at(s->dir_fd, STATE_SOCKET) > 0)
                *ret = STATE_CREATED;
        else
                *ret = cgroup_is_frozen(s->cgroup_path) > 0 ? STATE_PAUSED : STATE_RUNNING;

        return 0;
}

int state_document(const State *s, StateStatus status, bool pretty, char **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        RuntimeState doc = {
                .oci_version = (char *) RUNTIME_SPEC_VERSION,
                .id = s->id,
                .status = (char *) state_status_to_string(status),
                .pid = status == STATE_STOPPED ? 0 : (int) s->pid,
                .bundle = s->bundle,
                .annotations = s->annotations,
        };
        int r;

        assert(ret);

        if (!pretty)
                return json_write_text(&doc, runtime_state_fields, ret);

        r = json_write(&doc, runtime_state_fields, &v);
        if (r < 0)
                return r;
        return json_print(v, JSON_PRETTY, ret);
}
