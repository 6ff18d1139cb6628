/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "config/settings.h"
#include "engine/container/container-check.h"
#include "engine/container/container-merge.h"
#include "engine/container/join.h"
#include "engine/container/names.h"
#include "engine/container/set.h"
#include "engine/core/job.h"
#include "engine/core/pending.h"
#include "engine/core/worker.h"
#include "engine/host/launcher.h"
#include "engine/host/sysinfo.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/storage/storage.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define CONTAINERS_MAX 100000U

/* A creation that waits for its layer. Until it is done the container has a name, but nobody finds it. */
typedef struct Creation {
        Containers *set;
        Container *container;
        Pending *pending;
        char **volumes; /* that were made for it */
} Creation;

static Creation *creation_free(Creation *k) {
        if (!k)
                return NULL;

        if (k->container) {
                containers_release(k->set, k->container->name, k->container);
                mount_points_undo(k->container, k->volumes);
                if (k->container->image)
                        image_remove_user(k->container->image, k->container->id);
                container_free(k->container);
        }
        pending_unref(k->pending);
        strv_free(k->volumes);
        free(k);
        return NULL;
}
DEFINE_CLEANUP(Creation *, creation_free);

static int choose_name(Containers *s, const char *name, Container *c, Error *reterr) {
        const char *bare;
        int r;

        if (!str_empty(name)) {
                r = names_check(name, &bare, reterr);
                if (r < 0)
                        return r;
                r = str_copy(&c->name, bare);
                return r < 0 ? r : containers_reserve(s, c->name, c, reterr);
        }

        for (unsigned attempt = 0; attempt <= NAMES_ATTEMPTS; attempt++) {
                c->name = mfree(c->name);
                r = attempt < NAMES_ATTEMPTS ? names_make(random_u64(), attempt, &c->name)
                                             : str_copy_n(&c->name, c->id, IDENT_SHORT_LENGTH);
                if (r < 0)
                        return r;
                r = containers_reserve(s, c->name, c, NULL);
                if (r >= 0)
                        return r;
        }
        return error_set(reterr, ERROR_INTERNAL, "Could not make up a name");
}

static int check_platform(Container *c, const char *platform, const Image *image,
        const CheckContext *x, Error *reterr) {
        const SysInfo *host = c->set->sysinfo;
        const char *go = sysinfo_go_architecture(host), *arch = image->config.architecture;
        _cleanup_(strv_freep) char **parts = NULL;
        int r;

        if (!str_empty(platform)) {
                r = strv_split(platform, "/", /* keep_empty= */ true, &parts);
                if (r < 0)
                        return r;
                if (strv_length(parts) > 3)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid platform \"%s\": must be os[/arch[/variant]]", platform);
                if (!streq(parts[0], "linux") ||
                        (parts[1] && !str_empty(arch) && !streq(parts[1], arch)))
                        return error_set(reterr, ERROR_NOT_FOUND,
                                "image with reference %s was found but does not provide the "
                                "specified platform (%s)",
                                str_or_empty(c->spec.config.image), platform);
                return 0;
        }
        if (str_empty(arch) || streq(arch, go))
                return 0;
        return check_warn(x,
                "The requested image's platform (linux/%s) does not match the detected host "
                "platform (linux/%s) and no specific platform was requested",
                arch, go);
}

static int choose_hostname(Container *c) {
        ContainerConfig *config = &c->spec.config;
        const HostConfig *h = &c->spec.host;

        if (!str_empty(config->hostname))
                return 0;
        if (str_equal(h->network_mode, "host") || str_equal(h->uts_mode, "host"))
                return str_copy(&config->hostname, c->set->sysinfo->hostname);
        return str_copy_n(&config->hostname, c->id, IDENT_SHORT_LENGTH);
}

/* Everything that can be wrong with the wish is found here, before anything is made. */
static int prepare(Container *c, const char *platform, Error *reterr) {
        Containers *s = c->set;
        const CheckContext x = {
                .settings = s->settings,
                .sysinfo = s->sysinfo,
                .warnings = &c->warnings,
        };
        Image *image;
        int r;

        if (str_empty(c->spec.config.image))
                return error_set(reterr, ERROR_INVALID, "no image specified");
        r = join_check(&c->spec, reterr);
        if (r >= 0)
                r = joins_resolve(s, &c->spec.host, reterr);
        if (r < 0)
                return r;
        r = images_find(s->images, c->spec.config.image, &image, reterr);
        if (r < 0)
                return r;
        r = check_platform(c, platform, image, &x, reterr);
        if (r < 0)
                return r;
        r = container_merge(&c->spec.config, &image->config.config);
        if (r < 0)
                return r;
        r = container_check(&c->spec, &x, reterr);
        if (r < 0)
                return r;
        r = container_network_complete(c, reterr);
        if (r < 0)
                return r;
        r = choose_hostname(c);
        if (r < 0)
                return r;

        r = strv_add_all(&c->path_and_args, c->spec.config.entrypoint);
        if (r >= 0)
                r = strv_add_all(&c->path_and_args, c->spec.config.cmd);
        if (r >= 0)
                r = str_copy(&c->image_id, image->id);
        if (r >= 0)
                r = str_copy(&c->driver, storage_driver_name(s->storage));
        if (r >= 0)
                r = image_add_user(image, c->id);
        if (r < 0)
                return r;
        c->image = image;
        return 0;
}

/* The folder is filled under a name in tmp/, then becomes visible by one rename: a crash before it leaves
 * rubbish in tmp/ and a layer that nobody owns, which the next start sweeps; after it, a container. */
static int make_visible(Container *c) {
        Containers *s = c->set;
        _cleanup_(fd_closep) int fd = -EBADF;
        char name[IDENT_SIZE + 16];
        int r;

        (void) snprintf(name, sizeof(name), "container-%s", c->id);
        fd = file_mkdir_open_exact(s->tmp_fd, name, 0710);
        if (fd < 0)
                return fd;
        r = container_save_new(c, fd);
        if (r >= 0)
                r = renameat(s->tmp_fd, name, s->root_fd, c->id) < 0 ? -errno : 0;
        if (r < 0) {
                (void) file_remove_tree(s->tmp_fd, name);
                return r;
        }
        return container_is_durable(c) ? file_sync_dir(s->root_fd) : 0;
}

static int commit(Creation *k, Error *reterr) {
        Container *c = k->container;
        int r;

        c->created_ns = clock_realtime_ns();
        r = make_visible(c);
        if (r < 0)
                return error_set_errno(reterr, r, "Failed to save container %s", c->name);
        r = containers_add(k->set, c);
        if (r < 0) {
                (void) renameat(k->set->root_fd, c->id, k->set->trash_fd, c->id);
                return r;
        }

        return 0;
}

static void tell(Creation *k) {
        Container *c = TAKE_PTR(k->container); /* it is the set's now */

        container_publish(c, "create", NULL, NULL);
        pending_complete(k->pending, 0, c, NULL);
}

static int on_layer_made(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        _cleanup_(creation_freep) Creation *k = userdata;
        _cleanup_(error_done) Error error = {};
        Containers *s = k->set;

        if (s->ending)
                return 0;
        if (r >= 0)
                r = commit(k, &error);
        else
                (void) (e ? error_copy(&error, e) : 0);
        if (r < 0) {
                (void) error_set_errno(
                        &error, r, "Failed to make the layer of container %s", k->container->name);
                (void) storage_layer_remove(s->storage, k->container->id);
                pending_complete(k->pending, r, NULL, &error);
                return r;
        }
        tell(k);
        return 0;
}

/* Takes k: the job's handler frees it and answers, whatever happens. */
static int begin_job(
        Creation *k, Workers *workers, TaskSpec *task, job_result_t handler, Error *reterr) {
        _cleanup_(creation_freep) Creation *creation = k;
        _cleanup_(job_unrefp) Job *j = NULL;
        _cleanup_(freep) char *title = NULL;
        Containers *s = k->set;
        int r;

        task->data_root = s->settings->data_root;
        task->driver = (char *) storage_driver_name(s->storage);
        task->driver_opts = (char **) storage_options(s->storage);
        r = str_printf(&title, "%s of container %s", task_kind_to_string((TaskKind) task->kind),
                k->container->name);
        if (r >= 0)
                r = job_new(s->jobs, JOB_LAYER, title, handler, k, &j);
        if (r < 0)
                return r;
        TAKE_PTR(creation);
        r = worker_start(workers, task, NULL, 0, j);
        if (r < 0)
                job_finish(j, NULL, r, NULL);
        return 0;
}

/* Takes k: told, or a job's. */
static int make_layer(Creation *k, Error *reterr) {
        _cleanup_(creation_freep) Creation *creation = k;
        Containers *s = k->set;
        Container *c = k->container;
        const char *parent = image_top_layer(c->image);
        int r;

        if (!storage_create_is_quick(s->storage)) {
                TaskSpec task = {
                        .kind = TASK_LAYER_CREATE,
                        .layer_id = c->id,
                        .layer_parent = (char *) parent,
                };

                return begin_job(TAKE_PTR(creation), s->workers, &task, on_layer_made, reterr);
        }

        r = storage_layer_create(s->storage, c->id, parent, reterr);
        if (r < 0)
                return r;
        r = commit(k, reterr);
        if (r < 0) {
                (void) storage_layer_remove(s->storage, c->id);
                return r;
        }
        tell(k);
        return 0;
}

static int on_copied_up(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        _cleanup_(creation_freep) Creation *k = userdata;
        _cleanup_(pending_unrefp) Pending *p = pending_ref(k->pending);
        _cleanup_(error_done) Error error = {};

        if (k->set->ending)
                return 0;
        mount_points_unmount(k->container);
        if (r >= 0)
                r = make_layer(TAKE_PTR(k), &error);
        else
                (void) (e ? error_copy(&error, e) : 0);
        if (r < 0) {
                k = creation_free(k); /* what it had is free before somebody hears of it */
                pending_complete(p, r, NULL, &error);
        }
        return r;
}

/* Takes k. First the content of new volumes, which may take a while, then the layer. */
static int make(Creation *k, Error *reterr) {
        _cleanup_(creation_freep) Creation *creation = k;
        _cleanup_(freep) TaskMount *mounts = NULL;
        TaskSpec task = { .kind = TASK_COPY_UP };
        int r;

        r = mount_points_make(k->container, &k->volumes, reterr);
        if (r >= 0)
                r = mount_points_copy_up(k->container, &mounts, &task.n_mounts);
        if (r < 0)
                return r;
        if (task.n_mounts == 0)
                return make_layer(TAKE_PTR(creation), reterr);
        r = mount_points_volume_mounts(k->container, &task.volume_mounts, &task.n_volume_mounts);
        if (r < 0)
                return r;
        task.mounts = mounts;
        task.layer_id = (char *) image_top_layer(k->container->image);
        r = begin_job(TAKE_PTR(creation), k->set->workers, &task, on_copied_up, reterr);
        volume_mounts_free(task.volume_mounts, task.n_volume_mounts);
        return r;
}

static int on_sources_checked(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        _cleanup_(creation_freep) Creation *k = userdata;
        _cleanup_(pending_unrefp) Pending *p = pending_ref(k->pending);
        _cleanup_(error_done) Error error = {};

        if (k->set->ending)
                return 0;
        if (r >= 0)
                r = make(TAKE_PTR(k), &error);
        else if (!result && e && e->kind == ERROR_INTERNAL) /* its alarm went off */
                r = error_set(&error, ERROR_TIMEOUT,
                        "the source of a bind mount of container %s does not answer",
                        k->container->name);
        else
                (void) (e ? error_copy(&error, e) : 0);
        if (r < 0) {
                k = creation_free(k);
                pending_complete(p, r, NULL, &error);
        }
        return r;
}

/* Takes k. Sources that --mount wants to be there; only a worker sees all of the host. */
static int check_sources(Creation *k, Error *reterr) {
        _cleanup_(creation_freep) Creation *creation = k;
        const HostConfig *h = &k->container->spec.host;
        _cleanup_(freep) TaskMount *mounts = new0(TaskMount, h->n_mounts + 1);
        TaskSpec task = { .kind = TASK_CHECK_SOURCES, .mounts = mounts };

        if (!mounts)
                return -ENOMEM;
        for (size_t i = 0; i < h->n_mounts; i++)
                if (str_equal(h->mounts[i].type, "bind") &&
                        !(h->mounts[i].bind_options &&
                                h->mounts[i].bind_options->create_mountpoint))
                        mounts[task.n_mounts++] = (TaskMount) { .source = h->mounts[i].source,
                                .target = h->mounts[i].target };
        if (task.n_mounts == 0)
                return make(TAKE_PTR(creation), reterr);
        return begin_job(TAKE_PTR(creation), k->set->copiers, &task, on_sources_checked, reterr);
}

int containers_create(Containers *s, ContainerSpec *spec, const char *name, const char *platform,
        Pending *p, Error *reterr) {
        _cleanup_(creation_freep) Creation *k = NULL;
        char id[IDENT_SIZE];
        Container *c;
        int r;

        assert(s);
        assert(spec);
        assert(p);

        if (s->n_sorted >= CONTAINERS_MAX)
                return error_set(
                        reterr, ERROR_INVALID, "there are %u containers already", CONTAINERS_MAX);

        launcher_wake(s->launcher); /* mostly it is started at once */
        k = new0(Creation, 1);
        if (!k)
                return -ENOMEM;
        k->set = s;
        k->pending = pending_ref(p);
        r = container_new(ident_random(id), "", &k->container);
        if (r < 0)
                return r;
        c = k->container;
        c->set = s;

        r = choose_name(s, str_empty(name) ? spec->name : name, c, reterr);
        if (r < 0)
                return r;
        /* A copy: when something is wrong with the wish the caller still has it as it was. */
        container_spec_done(&c->spec);
        container_spec_init(&c->spec);
        r = container_spec_copy(spec, &c->spec);
        if (r < 0)
                return r;
        r = prepare(c, str_empty(platform) ? spec->platform : platform, reterr);
        if (r < 0)
                return r;

        r = check_sources(TAKE_PTR(k), reterr);
        if (r < 0)
                return r;

        container_spec_done(spec);
        container_spec_init(spec);
        return 0;
}
