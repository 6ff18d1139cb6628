/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>

#include "config/settings.h"
#include "engine/container/container-again.h"
#include "engine/container/containers-new.h"
#include "engine/container/monitor-link.h"
#include "engine/container/set.h"
#include "engine/host/sysinfo.h"
#include "engine/host/units.h"
#include "engine/image/images.h"
#include "engine/storage/storage.h"
#include "engine/volume/volumes.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* After every start of the daemon, the first one included: what is on disk is read, what was under way when the last daemon ended is
 * brought to an end it could have had. On disk a container that runs is "starting": that is what was synced before it ran.
 *
 *   exit file there        it has exited: the same path as a monitor's record
 *   monitor answers        it runs (or starts): linked again
 *   neither, same boot     the monitor is lost: what is left is killed, exit code 255
 *   another boot           the host went down: exit code 255 */

#define QUARANTINE "quarantine"
#define MARK_MAX   ((size_t) 256)

static int quarantine(Containers *s, const char *id, int why) {
        _cleanup_(fd_closep) int data = -EBADF, folder = -EBADF;
        int r;

        data = file_open_dir(AT_FDCWD, s->settings->data_root);
        folder = data < 0 ? data : file_mkdir_open_exact(data, QUARANTINE, 0700);
        r = folder < 0 ? folder : file_rename_durable(s->root_fd, id, folder, id, 0);
        if (r < 0)
                return log_error_errno(
                        r, "Container %s is damaged and cannot be put aside: %m", id);
        return log_error_errno(why,
                "Container %s is damaged (%m): put aside to %s/" QUARANTINE "/%s, its layer stays",
                id, s->settings->data_root, id);
}

static int load_one(Containers *s, const char *id) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_(fd_closep) int folder = -EBADF;
        int r;

        folder = file_open_dir(s->root_fd, id);
        r = folder < 0 ? folder : container_load(id, folder, &c);
        if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
                return r; /* nothing is wrong with it */
        if (r < 0) {
                /* Not synced, so nothing is sure after a power cut; and it would be gone anyway. */
                if (folder >= 0 && file_exists_at(folder, CONTAINER_VOLATILE_MARK) > 0 &&
                        renameat(s->root_fd, id, s->trash_fd, id) >= 0)
                        return 0;
                (void) quarantine(s, id, r);
                return 0;
        }

        r = containers_reserve(s, c->name, c, NULL);
        if (r < 0) {
                (void) quarantine(s, id, r);
                return 0;
        }
        c->set = s;
        r = containers_add(s, c);
        if (r < 0)
                return r;
        c->image = c->image_id ? images_get(s->images, c->image_id) : NULL;
        if (c->image) {
                r = image_add_user(c->image, c->id);
                if (r < 0)
                        c->image = NULL;
        }
        mount_points_restore(c);
        c = NULL;
        return 0;
}

static int load_all(Containers *s, Error *reterr) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = file_list(s->root_fd, ".", /* hidden= */ false, &names);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to list %s", s->root);
        STRV_FOREACH (name, names) {
                if (!ident_is_valid(*name)) {
                        log_warning("%s/%s is no container, ignoring", s->root, *name);
                        continue;
                }
                r = load_one(s, *name);
                if (r < 0)
                        return error_set_errno(reterr, r, "Failed to load container %s", *name);
        }
        mount_points_finish_leaving(s);
        r = volumes_unmount(s->volumes, NULL); /* whose users have gone while nobody looked */
        if (r < 0)
                (void) log_warning_errno(r, "Failed to have volumes unmounted: %m, ignoring");
        return 0;
}

/* 1 and the time and pid of it: it has been told that it runs. */
static int read_mark(Container *c, int64_t *ret_started, int64_t *ret_pid) {
        _cleanup_(fd_closep) int folder = file_open_dir(c->set->run_fd, c->id);
        _cleanup_(freep) char *text = NULL;
        long long started, pid;

        if (folder < 0 || file_read_at(folder, START_MARK, MARK_MAX, &text, NULL) < 0 ||
                sscanf(text, "%lld %lld", &started, &pid) != 2)
                return 0;
        *ret_started = started;
        *ret_pid = pid;
        return 1;
}

static void now_running(Container *c, int64_t started_ns, int64_t pid) {
        c->has_started = true;
        c->started_ns = started_ns;
        c->pid = pid;
        container_move(c, CONTAINER_RUNNING);
        if (!c->link)
                return;
        container_follow_freezer(c);
        container_follow_limits(c);
        container_holds_restore(c);
}

static void now_at_rest(Container *c, int64_t code, const char *why) {
        int r;

        container_network_close(c);
        container_move(c, c->has_started ? CONTAINER_EXITED : CONTAINER_CREATED);
        c->exit_code = code;
        (void) str_copy(&c->error, why);
        (void) log_container_warning(c, 0, "%s", why);
        r = container_save(c);
        if (r < 0)
                (void) log_container_error(c, r, "Failed to save: %m");
        (void) container_auto_remove(c);
}

static void kill_scope(Containers *s, const char *id) {
        char name[CONTAINER_SCOPE_SIZE];
        int r;

        (void) snprintf(name, sizeof(name), "docker-%s.scope", id);
        r = units_kill(s->units, name, SIGKILL, NULL, NULL, NULL);
        if (r >= 0)
                r = units_stop(s->units, name, NULL, NULL, NULL);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to kill %s: %m, ignoring", name);
}

static void restore_this_boot(Container *c) {
        _cleanup_(monitor_record_done) MonitorRecord record = {};
        int64_t started = 0, pid = 0;
        bool marked;
        int r;

        marked = read_mark(c, &started, &pid) > 0;
        container_network_restore(
                c); /* whatever becomes of it: container_network_close() follows */

        if (container_read_exit(c, &record) >= 0) {
                if (!marked && record.started_at == 0) {
                        now_at_rest(c, record.exit_code,
                                str_or(record.error, "it could not be started"));
                        return;
                }
                now_running(c, record.started_at > 0 ? (int64_t) record.started_at : started, 0);
                container_handle_exit(c, &record);
                return;
        }

        r = c->link ? 0 : monitor_link_open(c, &c->link);
        if (r >= 0) {
                (void) container_watch_scope(c);
                if (marked) {
                        now_running(c, started, pid);
                        return;
                }
                r = container_start_resume(c);
                if (r >= 0)
                        return;
                c->link = monitor_link_free(c->link);
        }

        if (marked) {
                now_running(c, started, 0);
                container_lost(c, /* just_now= */ false);
                return;
        }
        kill_scope(c->set, c->id);
        now_at_rest(c, 128, "the engine ended while it was being started");
}

/* A start that was not even saved may have gone on without us: its container runs, or ran. /run knows only this boot. An exit file
 * of the last run may be there too, which is saved already. 1: there was such a start. */
static int restore_unsaved(Container *c) {
        _cleanup_(monitor_record_done) MonitorRecord record = {};
        int r;

        r = container_read_exit(c, &record);
        if (r >= 0 && (record.type != MONITOR_EXITED || record.started_at == 0 ||
                              (int64_t) record.exited_at == c->finished_ns))
                return 0;
        if (r < 0 && monitor_link_open(c, &c->link) < 0)
                return 0;

        r = str_copy(&c->start_boot, c->set->sysinfo->boot_id);
        if (r < 0)
                return r;
        container_move(c, CONTAINER_STARTING);
        restore_this_boot(c);
        return 1;
}

static void restore_one(Container *c) {
        if (c->state == CONTAINER_STARTING) {
                if (str_equal(c->start_boot, c->set->sysinfo->boot_id))
                        restore_this_boot(c);
                else {
                        now_running(c, c->started_ns, 0);
                        container_handle_exit(
                                c, &(MonitorRecord) {
                                           .type = MONITOR_EXITED,
                                           .exit_code = CONTAINER_EXIT_LOST,
                                           .accounting = ACCOUNTING_NULL,
                                           .error = (char *) "the host went down while it ran",
                                   });
                }
                return;
        }

        if (file_exists_at(c->set->run_fd, c->id) > 0) {
                if (restore_unsaved(c) > 0)
                        return;
                kill_scope(c->set, c->id);
                (void) containers_clear_run(c->set, c->id);
        }
        if (c->has_started)
                (void) container_auto_remove(c);
}

/* Folders in /run of containers that are not there any more: removed while their monitor was still leaving. */
static void sweep_run(Containers *s) {
        _cleanup_(strv_freep) char **names = NULL;

        if (file_list(s->run_fd, ".", /* hidden= */ false, &names) < 0)
                return;
        STRV_FOREACH (name, names) {
                if (!ident_is_valid(*name) || hashmap_contains(s->by_id, *name))
                        continue;
                kill_scope(s, *name);
                (void) containers_clear_run(s, *name);
        }
}

/* Layers of creations that were never seen, and of removals that were cut off. */
static int sweep_layers(Containers *s) {
        _cleanup_(freep) char *aside = NULL;
        _cleanup_(fd_closep) int put_aside = -EBADF;
        _cleanup_(strv_freep) char **ids = NULL;
        bool trash = false;
        int r;

        aside = path_join(s->settings->data_root, QUARANTINE);
        if (!aside)
                return -ENOMEM;
        put_aside = file_open_dir(AT_FDCWD, aside);
        r = storage_list_layers(s->storage, /* of_images= */ false, &ids);
        if (r < 0)
                return r;

        STRV_FOREACH (id, ids) {
                if (hashmap_contains(s->by_id, *id) || file_exists_at(s->root_fd, *id) > 0 ||
                        (put_aside >= 0 && file_exists_at(put_aside, *id) > 0))
                        continue; /* known, damaged where it is, or put aside */
                log_info("Layer %s belongs to no container, removing it", *id);
                r = storage_layer_remove(s->storage, *id);
                if (r < 0)
                        (void) log_warning_errno(r, "Failed to remove layer %s: %m, ignoring", *id);
                trash = trash || r > 0;
        }
        if (trash)
                containers_empty_trash(s);
        return 0;
}

int containers_restore(Containers *s, Error *reterr) {
        _cleanup_(freep) Container **all = NULL;
        Container *c;
        size_t n = 0;
        int r;

        assert(s);

        r = load_all(s, reterr);
        if (r < 0)
                return r;

        /* Some of them remove themselves meanwhile. */
        all = new0(Container *, s->n_sorted + 1);
        if (!all)
                return -ENOMEM;
        for (c = containers_next(s, NULL); c; c = containers_next(s, c))
                all[n++] = c;
        s->restoring = true;
        for (size_t i = 0; i < n; i++)
                restore_one(all[i]);
        for (size_t i = 0; i < n; i++)
                container_restore_again(all[i]);
        s->restoring = false;
        containers_trim_soon(s);
        containers_again_proceed(s);

        sweep_run(s);
        r = sweep_layers(s);
        if (r < 0)
                (void) log_warning_errno(
                        r, "Failed to look for layers without a container: %m, ignoring");
        return 0;
}
