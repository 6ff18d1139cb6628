/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a monitor does before the daemon says go: it reads its specification, mounts, looks the user up. */

#include <errno.h>
#include <malloc.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/users.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "service/monitor/apparmor.h"
#include "service/monitor/host.h"
#include "service/monitor/monitor-internal.h"
#include "service/monitor/runtime-call.h"
#include "service/rootfs/place.h"
#include "service/rootfs/rootfs.h"
#include "service/rootfs/volume-mount.h"

#define SPEC_SIZE_MAX ((size_t) 16 * 1024 * 1024)

int monitor_load_spec(Monitor *m, const char *id, int fd) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(error_done) Error e = {};
        size_t size;
        int r;

        r = fd_is_sealed(fd);
        if (r <= 0)
                return log_error_errno(
                        r < 0 ? r : -EPERM, "The specification is no sealed memory: %m");
        r = file_read_fd(fd, SPEC_SIZE_MAX, &text, &size);
        if (r < 0)
                return log_error_errno(r, "Failed to read the specification: %m");
        fields_init(monitor_spec_fields, &m->spec);
        r = json_read_text(text, size, monitor_spec_fields, &m->spec, 0, &e);
        if (r < 0)
                return log_error_errno(
                        r, "Failed to read the specification: %s", error_text(&e, r));
        if (m->spec.version != MONITOR_SPEC_VERSION || !str_equal(m->spec.id, id) ||
                !m->spec.run_dir || !m->spec.bundle_dir || !m->spec.runtime ||
                !m->spec.runtime_root || !m->spec.log_driver || !m->spec.rootfs.type)
                return log_error_errno(
                        -EINVAL, "The specification is incomplete or of another version: %m");
        return 0;
}

int monitor_open_run(Monitor *m) {
        m->run_fd = file_open_dir(AT_FDCWD, m->spec.run_dir);
        if (m->run_fd < 0)
                return log_error_errno(m->run_fd, "Failed to open %s: %m", m->spec.run_dir);
        (void) file_unlink(m->run_fd,
                "exit.json"); /* of an earlier run; the daemon has read it before it starts us */
        runtime_forget(m->run_fd);
        return 0;
}

/* After the mount namespace is ours: through an older descriptor, the mount would go to the host's. */
static int monitor_open_bundle(Monitor *m, Error *reterr) {
        int r;

        r = file_mkdir_p(m->spec.bundle_dir, 0700);
        if (r >= 0)
                r = m->bundle_fd = file_open_dir(AT_FDCWD, m->spec.bundle_dir);
        return r < 0 ? error_set_errno(reterr, r, "Cannot open %s", m->spec.bundle_dir) : 0;
}

static int monitor_resolve_user(Monitor *m, Error *reterr) {
        _cleanup_(user_identity_done) UserIdentity user = {};
        _cleanup_(freep) char *text = NULL;
        int r;

        r = users_resolve(m->root_fd, str_or_empty(m->spec.user), m->spec.group_add, &user, &text);
        if (r < 0)
                return text ? error_set(reterr, ERROR_INVALID, "%s", text)
                            : error_set_errno(reterr, r, "unable to find user %s", m->spec.user);
        r = host_add_devices(&m->spec, &user, m->spec.config, &m->record.device_rules, reterr);
        return r < 0 ? r : bundle_make(m->spec.config, &user, &m->bundle, reterr);
}

/* In the host's mount namespace: others shall see them too. */
static int monitor_use_volumes(Monitor *m, Error *reterr) {
        if (m->spec.n_volumes == 0)
                return 0;
        m->volume_fds = new0(int, m->spec.n_volumes);
        if (!m->volume_fds)
                return -ENOMEM;
        for (; m->n_volume_fds < m->spec.n_volumes; m->n_volume_fds++) {
                int r = volume_mount_acquire(
                        m->spec.volumes + m->n_volume_fds, m->volume_fds + m->n_volume_fds, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

void monitor_leave_volumes(Monitor *m) {
        fd_close_many(m->volume_fds, m->n_volume_fds);
        m->n_volume_fds = 0;
        m->volume_fds = mfree(m->volume_fds);
}

static int monitor_show_places(Monitor *m, Error *reterr) {
        for (size_t i = 0; i < m->spec.n_places; i++) {
                _cleanup_(freep) char *scratch = NULL;
                int r;

                r = str_printf(&scratch, "%s/images/%zu", m->spec.bundle_dir, i);
                if (r >= 0)
                        r = place_show(m->spec.places + i, scratch, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int monitor_prepare(Monitor *m, Error *reterr) {
        int r;

        r = stdio_init(&m->stdio, &m->poller, &m->spec, reterr);
        if (r < 0)
                return r;
        m->stdio.on_detach = monitor_on_detach;
        m->stdio.clients_userdata = m;
        r = monitor_use_volumes(m, reterr);
        if (r >= 0)
                r = rootfs_unshare(reterr);
        if (r < 0)
                return r;
        r = host_check_binds(&m->spec, reterr);
        if (r >= 0)
                r = monitor_open_bundle(m, reterr);
        if (r < 0)
                return r;
        r = rootfs_mount(&m->spec.rootfs, m->spec.bundle_dir, m->bundle_fd, &m->root_fd, reterr);
        if (r < 0)
                return r;
        r = monitor_show_places(m, reterr);
        if (r >= 0)
                r = monitor_resolve_user(m, reterr);
        if (r >= 0)
                r = apparmor_prepare(m->spec.config, reterr);
        m->root_fd = fd_close(m->root_fd); /* nothing of the image stays open in here */
        m->runtime_fd = runtime_open(&m->spec);
        m->spec.config = json_unref(m->spec.config);
        (void) malloc_trim(0);
        return r;
}
