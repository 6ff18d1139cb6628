/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mount points have to do with the sets: other containers' are taken over, volumes are made, used and let go. */
#include <string.h>

#include "engine/container/mount-points.h"
#include "engine/container/set.h"
#include "engine/core/hub.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/volume/volumes.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

static bool is_volume(const MountPoint *m) {
        return str_equal(m->type, "volume");
}

/* ---- other containers' ---- */

static int inherit_one(MountPoints *l, const MountPoint *from, bool read_only) {
        MountPoint *m;
        int r;

        r = mount_points_put(l, from->destination, &m);
        if (r < 0)
                return r;
        r = fields_copy(mount_point_fields, from, m);
        m->read_only = m->read_only || read_only;
        m->inherited = true;
        return r;
}

static int inherit(Container *c, Error *reterr) {
        STRV_FOREACH (text, c->spec.host.volumes_from) {
                _cleanup_(freep) char *name = NULL;
                bool read_only;
                Container *from;
                int r;

                r = volumes_from_parse(*text, &name, &read_only, reterr);
                if (r >= 0 && containers_find(c->set, name, &from, NULL) < 0)
                        /* "not found" would be said of the image */
                        r = error_set(reterr, ERROR_INVALID, "No such container: %s", name);
                for (size_t i = 0; r >= 0 && i < from->mount_points.n; i++)
                        r = inherit_one(&c->mount_points, from->mount_points.items + i, read_only);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- volumes ---- */

/* What a --mount says of the volume that it makes. */
static const VolumeOptions *options_of(const Container *c, const MountPoint *m) {
        static const VolumeOptions none;
        const HostConfig *h = &c->spec.host;

        for (size_t i = 0; i < h->n_mounts; i++) {
                _cleanup_(freep) char *target = NULL;

                if (str_equal(h->mounts[i].type, "volume") && h->mounts[i].volume_options &&
                        path_normalise(h->mounts[i].target, &target) >= 0 &&
                        streq(target, m->destination))
                        return h->mounts[i].volume_options;
        }
        return &none;
}

static int make_one(Container *c, MountPoint *m, char ***made, Error *reterr) {
        const VolumeOptions *o = options_of(c, m);
        const VolumeWish wish = {
                .name = m->name,
                .driver = o->driver_config && !str_empty(o->driver_config->name)
                                ? o->driver_config->name
                                : c->spec.host.volume_driver,
                .labels = o->labels,
                .options = o->driver_config ? o->driver_config->options : NULL,
        };
        Volume *v;
        int r;

        if (m->inherited)
                r = volumes_find(c->set->volumes, m->name, &v, reterr);
        else
                r = volumes_create(c->set->volumes, &wish, &v, reterr);
        if (r > 0) {
                r = strv_add(made, v->name);
                if (r < 0)
                        (void) volumes_remove(c->set->volumes, v, NULL);
        }
        if (r >= 0)
                r = volume_add_user(v, c->id);
        if (r >= 0)
                r = str_copy(&m->name, v->name);
        if (r < 0)
                return r;
        free(m->source);
        m->source = volume_mountpoint(v);
        return m->source ? 0 : -ENOMEM;
}

/* ---- images ---- */

static bool is_image(const MountPoint *m) {
        return str_equal(m->type, "image");
}

static int use_image(Container *c, MountPoint *m, Error *reterr) {
        Image *image;
        int r;

        r = images_find(c->set->images, m->image_id ? m->image_id : m->source, &image, reterr);
        if (r >= 0)
                r = image_add_user(image, c->id);
        if (r >= 0)
                r = str_copy(&m->image_id, image->id);
        return r < 0 ? r : str_copy(&m->layer, image_top_layer(image));
}

int mount_points_make(Container *c, char ***ret_made, Error *reterr) {
        _cleanup_(strv_freep) char **made = NULL;
        int r;

        r = inherit(c, reterr);
        if (r >= 0)
                r = mount_points_add(&c->mount_points, &c->spec);
        for (size_t i = 0; r >= 0 && i < c->mount_points.n; i++)
                if (is_volume(c->mount_points.items + i))
                        r = make_one(c, c->mount_points.items + i, &made, reterr);
                else if (is_image(c->mount_points.items + i))
                        r = use_image(c, c->mount_points.items + i, reterr);
        if (r < 0) {
                mount_points_undo(c, made);
                return r;
        }
        *ret_made = TAKE_PTR(made);
        return 0;
}

static void leave(Container *c) {
        for (size_t i = 0; i < c->mount_points.n; i++) {
                const MountPoint *m = c->mount_points.items + i;
                Volume *v;

                if (is_volume(m) && m->name &&
                        volumes_find(c->set->volumes, m->name, &v, NULL) >= 0)
                        volume_remove_user(v, c->id);
                if (is_image(m) && m->image_id && !str_equal(m->image_id, c->image_id)) {
                        Image *image = images_get(c->set->images, m->image_id);

                        if (image)
                                image_remove_user(image, c->id);
                }
        }
}

static void remove_unused(Container *c, const char *name) {
        _cleanup_(error_done) Error e = {};
        Volume *v;
        int r;

        if (volumes_find(c->set->volumes, name, &v, NULL) < 0 || volume_count_users(v) > 0)
                return;
        r = volumes_remove(c->set->volumes, v, &e);
        if (r < 0)
                log_container_warning(
                        c, r, "Failed to remove its volume: %s, ignoring", error_text(&e, r));
}

void mount_points_undo(Container *c, char *const *made) {
        leave(c);
        STRV_FOREACH (name, made)
                remove_unused(c, *name);
}

void mount_points_leave(Container *c, bool anonymous) {
        leave(c);
        for (size_t i = 0; anonymous && i < c->mount_points.n; i++)
                if (is_volume(c->mount_points.items + i) && c->mount_points.items[i].anonymous)
                        remove_unused(c, c->mount_points.items[i].name);
        mount_points_unmount(c);
}

void mount_points_mark_leaving(Container *c, bool leaving) {
        for (size_t i = 0; i < c->mount_points.n; i++) {
                const MountPoint *m = c->mount_points.items + i;
                Volume *v;
                int r;

                if (!is_volume(m) || !m->anonymous ||
                        volumes_find(c->set->volumes, str_or_empty(m->name), &v, NULL) < 0)
                        continue;
                r = volume_mark_leaving(v, leaving ? c->id : NULL);
                if (r < 0)
                        (void) log_container_warning(
                                c, r, "Failed to mark its volume %s: %m, ignoring", m->name);
        }
}

void mount_points_finish_leaving(Containers *s) {
        Volume *next;

        for (Volume *v = volumes_next(s->volumes, NULL); v; v = next) {
                _cleanup_(error_done) Error e = {};
                char id[IDENT_SIZE];
                Container *c;
                int r;

                next = volumes_next(s->volumes, v);
                if (!volume_is_anonymous(v) || volume_read_leaving(v, id) <= 0)
                        continue;
                if (volume_count_users(v) > 0 || containers_find(s, id, &c, NULL) >= 0) {
                        (void) volume_mark_leaving(v, NULL);
                        continue;
                }
                r = volumes_remove(s->volumes, v, &e);
                if (r < 0)
                        log_warning("Failed to remove a volume of container %s, which is gone: %s, "
                                    "ignoring",
                                id, error_text(&e, r));
        }
}

void mount_points_restore(Container *c) {
        for (size_t i = 0; i < c->mount_points.n; i++) {
                MountPoint *m = c->mount_points.items + i;
                char *source;
                Volume *v;
                int r;

                if (is_image(m)) {
                        Image *image = images_get(c->set->images, str_or_empty(m->image_id));

                        r = image ? image_add_user(image, c->id) : -ENOENT;
                        if (r < 0)
                                (void) log_container_warning(c, r,
                                        "The image %s that it mounts is not there: %m",
                                        str_or_empty(m->source));
                }
                if (!is_volume(m))
                        continue;
                r = volumes_find(c->set->volumes, str_or_empty(m->name), &v, NULL);
                if (r >= 0)
                        r = volume_add_user(v, c->id);
                if (r < 0) {
                        (void) log_container_warning(
                                c, r, "Its volume %s is not there: %m", str_or_empty(m->name));
                        continue;
                }
                source = volume_mountpoint(v);
                if (source) { /* the data root may have moved */
                        free(m->source);
                        m->source = source;
                }
        }
}

int mount_points_copy_up(Container *c, TaskMount **ret, size_t *ret_n) {
        _cleanup_(freep) TaskMount *list = new0(TaskMount, c->mount_points.n + 1);
        size_t n = 0;

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < c->mount_points.n; i++) {
                const MountPoint *m = c->mount_points.items + i;
                Volume *v;

                if (!is_volume(m) || m->no_copy || m->inherited || !str_empty(m->subpath) ||
                        volumes_find(c->set->volumes, m->name, &v, NULL) < 0 ||
                        volume_is_empty(v) <= 0)
                        continue;
                list[n++] = (TaskMount) { .source = m->source, .target = m->destination };
        }
        *ret_n = c->image && image_top_layer(c->image) ? n : 0;
        *ret = TAKE_PTR(list);
        return 0;
}

static int publish_one(Container *c, const MountPoint *m, bool mounted) {
        _cleanup_(strv_freep) char **attributes = NULL;
        int r;

        r = strv_addf(&attributes, "container=%s", c->id);
        if (r >= 0 && mounted)
                r = strv_addf(&attributes, "destination=%s", m->destination);
        if (r >= 0)
                r = strv_add(&attributes, "driver=" VOLUME_DRIVER);
        if (r >= 0 && mounted)
                r = strv_add(&attributes, "propagation=");
        if (r >= 0 && mounted)
                r = strv_addf(&attributes, "read/write=%s", m->read_only ? "false" : "true");
        return r < 0 ? r
                     : hub_publish(c->set->hub, "volume", mounted ? "mount" : "unmount", m->name,
                               attributes);
}

void mount_points_publish(Container *c, bool mounted) {
        for (size_t i = 0; i < c->mount_points.n; i++) {
                int r = is_volume(c->mount_points.items + i)
                              ? publish_one(c, c->mount_points.items + i, mounted)
                              : 0;

                if (r < 0)
                        (void) log_container_warning(
                                c, r, "Failed to tell of its volumes: %m, ignoring");
        }
}
