/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/runtime-call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/mountinfo.h"
#include "lib/base/parse.h"
#include "lib/base/process.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "service/monitor/runtime-error.h"

#define LOG_NAME "runtime.log"
#define PID_NAME "pid"
#define LOG_MAX  ((size_t) 1024 * 1024)

/* RUNTIME [ARGS] --root R [--log F --log-format json] COMMAND … */
static int make_arguments(const MonitorSpec *s, const char *log, char ***ret) {
        _cleanup_(strv_freep) char **l = NULL;
        int r;

        r = strv_add(&l, s->runtime);
        if (r >= 0)
                r = strv_add_all(&l, s->runtime_args);
        if (r >= 0)
                r = strv_add(&l, "--root");
        if (r >= 0)
                r = strv_add(&l, s->runtime_root);
        if (r >= 0)
                r = strv_add(&l, "--log");
        if (r >= 0)
                r = strv_addf(&l, "%s/%s", s->run_dir, log);
        if (r >= 0)
                r = strv_add(&l, "--log-format");
        if (r >= 0)
                r = strv_add(&l, "json");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

int runtime_open(const MonitorSpec *s) {
        _cleanup_(fd_closep) int fd = -EBADF, copy_fd = -EBADF;
        const char *slash = strrchr(s->runtime, '/');
        int r;

        if (!slash || !streq(slash + 1, "stauer-runtime"))
                return -EBADF;
        fd = open(s->runtime, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        copy_fd = mount_clone(fd, /* recursive= */ false);
        if (copy_fd < 0)
                return copy_fd;
        r = mount_change(copy_fd, MOUNT_ATTR_RDONLY, 0, MS_PRIVATE, /* recursive= */ false);
        return r < 0 ? r : TAKE_FD(copy_fd);
}

/* stdio_fds NULL: none. */
static int spawn(
        const MonitorSpec *s, int exec_fd, char **argv, const int *stdio_fds, pid_t *ret_pid) {
        ProcessFd fds[3];

        for (int i = 0; stdio_fds && i < 3; i++)
                fds[i] = (ProcessFd) { stdio_fds[i], i };
        return process_spawn(
                &(ProcessSpec) {
                        .path = s->runtime,
                        .exec_fd = exec_fd,
                        .argv = argv,
                        .env = environ,
                        .fds = fds,
                        .n_fds = stdio_fds ? ARRAY_SIZE(fds) : 0,
                },
                ret_pid, NULL);
}

int runtime_run(const MonitorSpec *s, int exec_fd, const int stdio_fds[static 3], pid_t *ret_pid) {
        _cleanup_(strv_freep) char **argv = NULL;
        int r;

        r = make_arguments(s, LOG_NAME, &argv);
        if (r >= 0)
                r = strv_add(&argv, "run");
        if (r >= 0)
                r = strv_add(&argv, "--detach");
        if (r >= 0)
                r = strv_add(&argv, "--bundle");
        if (r >= 0)
                r = strv_add(&argv, s->bundle_dir);
        if (r >= 0)
                r = strv_add(&argv, "--pid-file");
        if (r >= 0)
                r = strv_addf(&argv, "%s/" PID_NAME, s->run_dir);
        if (r >= 0 && s->terminal)
                r = strv_add(&argv, "--console-socket");
        if (r >= 0 && s->terminal)
                r = strv_addf(&argv, "%s/" CONSOLE_NAME, s->run_dir);
        if (r >= 0)
                r = strv_add(&argv, s->id);
        return r < 0 ? r : spawn(s, exec_fd, argv, stdio_fds, ret_pid);
}

static int add_path(char ***argv, const char *option, const MonitorSpec *s, const char *name,
        const char *suffix) {
        int r;

        r = strv_add(argv, option);
        return r < 0 ? r : strv_addf(argv, "%s/%s%s", s->run_dir, name, suffix);
}

void runtime_console_name(const char *exec_id, char ret[static RUNTIME_CONSOLE_NAME_SIZE]) {
        (void) snprintf(ret, RUNTIME_CONSOLE_NAME_SIZE, "t-%.12s", exec_id);
}

int runtime_exec(const MonitorSpec *s, int exec_fd, const char *name, const char *cgroup,
        const char *console, const int stdio_fds[static 3], pid_t *ret_pid) {
        _cleanup_(strv_freep) char **argv = NULL;
        _cleanup_(freep) char *log = NULL;
        int r;

        log = str_concat(name, RUNTIME_EXEC_LOG);
        if (!log)
                return -ENOMEM;
        r = make_arguments(s, log, &argv);
        if (r >= 0)
                r = strv_add(&argv, "exec");
        if (r >= 0)
                r = strv_add(&argv, "--detach");
        if (r >= 0)
                r = add_path(&argv, "--process", s, name, RUNTIME_EXEC_PROCESS);
        if (r >= 0)
                r = add_path(&argv, "--pid-file", s, name, RUNTIME_EXEC_PID);
        if (r >= 0 && console)
                r = add_path(&argv, "--console-socket", s, console, "");
        if (r >= 0 && cgroup)
                r = strv_add(&argv, "--cgroup");
        if (r >= 0 && cgroup)
                r = strv_add(&argv, cgroup);
        if (r >= 0)
                r = strv_add(&argv, s->id);
        return r < 0 ? r : spawn(s, exec_fd, argv, stdio_fds, ret_pid);
}

int runtime_delete(const MonitorSpec *s, int exec_fd, pid_t *ret_pid) {
        _cleanup_(strv_freep) char **argv = NULL;
        int r;

        r = make_arguments(s, LOG_NAME, &argv);
        if (r >= 0)
                r = strv_add(&argv, "delete");
        if (r >= 0)
                r = strv_add(&argv, "--force");
        if (r >= 0)
                r = strv_add(&argv, s->id);
        return r < 0 ? r : spawn(s, exec_fd, argv, NULL, ret_pid);
}

void runtime_forget(int run_fd) {
        (void) file_unlink(run_fd, LOG_NAME);
        (void) file_unlink(run_fd, PID_NAME);
        (void) file_unlink(run_fd, CONSOLE_NAME);
}

int runtime_read_pid(int run_fd, const char *name, pid_t *ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = file_read_at(run_fd, name ?: PID_NAME, 64, &text, NULL);
        return r < 0 ? r : parse_pid(str_strip(text), ret);
}

int runtime_read_error(int run_fd, const char *name, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read_at(run_fd, name ?: LOG_NAME, LOG_MAX, &text, &size);
        if (r == -ENOENT) {
                *ret = NULL;
                return 0;
        }
        return r < 0 ? r : runtime_error_parse(text, size, ret);
}
