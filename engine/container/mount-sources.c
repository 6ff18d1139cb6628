/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What monitor and worker have to do before something can be mounted: volumes that are mounts themselves, parts of volumes, images. */
#include "engine/container/container.h"
#include "engine/container/mount-points.h"
#include "engine/container/set.h"
#include "engine/storage/storage.h"
#include "engine/volume/volumes.h"
#include "lib/api/mount-source.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

bool mount_point_is_placed(const MountPoint *m) {
        return !str_empty(m->subpath) || str_equal(m->type, "image");
}

int mount_point_place(const MountPoints *l, size_t i, const char *bundle_dir, char **ret) {
        assert(i < l->n);

        return str_printf(ret, "%s/places/%zu", bundle_dir, i);
}

/* The volume of it that has to be mounted, or NULL. */
static const Volume *mounted_volume(const Container *c, const MountPoint *m) {
        Volume *v;

        return str_equal(m->type, "volume") && m->name &&
                               volumes_find(c->set->volumes, m->name, &v, NULL) >= 0 &&
                               volume_is_mount(v)
                     ? v
                     : NULL;
}

VolumeMount *volume_mounts_free(VolumeMount *list, size_t n) {
        for (size_t i = 0; list && i < n; i++)
                fields_done(volume_mount_fields, list + i);
        return mfree(list);
}

int mount_points_volume_mounts(const Container *c, VolumeMount **ret, size_t *ret_n) {
        VolumeMount *list = new0(VolumeMount, c->mount_points.n + 1);
        size_t n = 0;
        int r = list ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < c->mount_points.n; i++) {
                const Volume *v = mounted_volume(c, c->mount_points.items + i);

                if (v)
                        r = volume_describe_mount(v, list + n++);
        }
        if (r < 0) {
                volume_mounts_free(list, n);
                return r;
        }
        *ret = list;
        *ret_n = n;
        return 0;
}

static int describe_place(
        const Container *c, size_t i, const char *bundle_dir, PlacedMount *ret, Error *reterr) {
        const MountPoint *m = c->mount_points.items + i;
        int r;

        ret->recursive = !m->non_recursive;
        r = mount_point_place(&c->mount_points, i, bundle_dir, &ret->path);
        if (r >= 0)
                r = str_copy(&ret->subpath, m->subpath);
        if (r < 0)
                return r;
        if (!str_equal(m->type, "image"))
                return str_copy(&ret->source, m->source);
        if (str_empty(m->layer))
                return error_set(
                        reterr, ERROR_INVALID, "image %s has no layers to be mounted", m->source);
        return storage_mount_spec(
                c->set->storage, m->layer, /* read_only= */ true, &ret->image, reterr);
}

int mount_points_places(const Container *c, const char *bundle_dir, PlacedMount **ret,
        size_t *ret_n, Error *reterr) {
        PlacedMount *list = new0(PlacedMount, c->mount_points.n + 1);
        size_t n = 0;
        int r = list ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < c->mount_points.n; i++)
                if (mount_point_is_placed(c->mount_points.items + i))
                        r = describe_place(c, i, bundle_dir, list + n++, reterr);
        if (r < 0) {
                for (size_t i = 0; list && i < n; i++)
                        fields_done(placed_mount_fields, list + i);
                free(list);
                return r;
        }
        *ret = list;
        *ret_n = n;
        return 0;
}

void mount_points_unmount(Container *c) {
        _cleanup_(strv_freep) char **names = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->mount_points.n; i++)
                if (mounted_volume(c, c->mount_points.items + i))
                        r = strv_add(&names, c->mount_points.items[i].name);
        if (r >= 0 && !strv_empty(names))
                r = volumes_unmount(c->set->volumes, names);
        if (r < 0)
                (void) log_container_warning(
                        c, r, "Failed to have its volumes unmounted: %m, ignoring");
}
