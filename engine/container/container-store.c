/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-store.h"

#include "engine/container/set.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

/* "removing" is never saved: the rename of the folder is what removes. */
static const char *const saved_state_table[_CONTAINER_STATE_MAX] = {
        [CONTAINER_CREATED] = "created",
        [CONTAINER_STARTING] = "starting",
        [CONTAINER_RUNNING] = "running",
        [CONTAINER_PAUSED] = "paused",
        [CONTAINER_RESTARTING] = "restarting",
        [CONTAINER_EXITED] = "exited",
};

/* clang-format off */
const JsonField container_fields[] = {
        JSON_STRING ("Id",              Container, id,               JSON_MANDATORY),
        JSON_STRING ("Name",            Container, name,             JSON_MANDATORY),
        JSON_STRING ("Image",           Container, image_id,         JSON_MANDATORY),
        JSON_STRING ("Driver",          Container, driver,           0),
        JSON_TIME   ("Created",         Container, created_ns,       0),
        JSON_ENUM   ("State",           Container, state,            saved_state_table, JSON_MANDATORY),
        JSON_BOOL   ("HasStarted",      Container, has_started,      JSON_OMIT_EMPTY),
        JSON_BOOL   ("OOMKilled",       Container, oom_killed,       JSON_OMIT_EMPTY),
        JSON_NESTED ("Health",          Container, health, health_state_fields, JSON_OMIT_EMPTY),
        JSON_BOOL   ("ManuallyStopped", Container, manually_stopped, JSON_OMIT_EMPTY),
        JSON_INT64  ("RestartCount",    Container, restart_count,    JSON_OMIT_EMPTY),
        JSON_INT64  ("ExitCode",        Container, exit_code,        0),
        JSON_STRING ("Error",           Container, error,            JSON_OMIT_EMPTY),
        JSON_TIME   ("StartedAt",       Container, started_ns,       0),
        JSON_TIME   ("FinishedAt",      Container, finished_ns,      0),
        JSON_STRING ("StartBoot",       Container, start_boot,       JSON_OMIT_EMPTY),
        JSON_BOOL   ("HasAccounting",   Container, has_accounting,   JSON_OMIT_EMPTY),
        JSON_NESTED ("Accounting",      Container, accounting,       accounting_fields, JSON_OMIT_EMPTY),
        JSON_ARRAY  ("MountPoints", Container, mount_points.items, mount_points.n, MountPoint, mount_point_fields, JSON_OMIT_EMPTY),
        JSON_STRING ("Build",           Container, spec.build,       JSON_OMIT_EMPTY),
        JSON_NESTED ("Spec",            Container, spec,             container_spec_fields, 0),
        {}
};
/* clang-format on */

/* A container that removes itself would be gone after a power cut anyway: it costs no sync. Its folder carries a mark, because
 * without syncs nothing but the order of names is sure afterwards. */
bool container_is_durable(const Container *c) {
        return !c->spec.host.auto_remove;
}

static int container_write(Container *c, int folder_fd) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = json_write(c, container_fields, &v);
        if (r < 0)
                return r;
        r = json_set_uint64(v, "version", CONTAINER_FILE_VERSION);
        if (r < 0)
                return r;
        r = json_print(v, JSON_COMPACT, &text);
        if (r < 0)
                return r;
        return file_write_atomic_string(folder_fd, CONTAINER_FILE, text, 0600,
                container_is_durable(c) ? FILE_WRITE_DURABLE : 0);
}

int container_save(Container *c) {
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = file_open_dir(c->set->root_fd, c->id);
        return fd < 0 ? fd : container_write(c, fd);
}

int container_save_new(Container *c, int folder_fd) {
        int r;

        if (!container_is_durable(c)) {
                r = file_write_atomic_string(folder_fd, CONTAINER_VOLATILE_MARK, "", 0600, 0);
                if (r < 0)
                        return r;
        }
        return container_write(c, folder_fd);
}

int container_load(const char *id, int folder_fd, Container **ret) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read_at(folder_fd, CONTAINER_FILE, CONTAINER_FILE_MAX, &text, &size);
        if (r < 0)
                return r;
        r = container_new(id, "", &c);
        if (r < 0)
                return r;
        r = json_parse(text, size, CONTAINER_FILE_MAX, &v, &e);
        if (r < 0)
                return r;
        if (json_get_int64(v, "version", -1) != CONTAINER_FILE_VERSION)
                return -EPROTONOSUPPORT;
        r = json_read(v, container_fields, c, &e);
        if (r < 0)
                return r;
        if (!str_equal(c->id, id) || !ident_is_name(str_or_empty(c->name)) ||
                c->state == CONTAINER_REMOVING)
                return -EBADMSG;
        if (container_is_running(c)) /* restore.c finds out whether it still does */
                c->state = CONTAINER_STARTING;

        r = strv_add_all(&c->path_and_args, c->spec.config.entrypoint);
        if (r >= 0)
                r = strv_add_all(&c->path_and_args, c->spec.config.cmd);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}
