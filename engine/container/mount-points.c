/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure half: from words to the list. */
#include "engine/container/mount-points.h"

#include <string.h>

#include "engine/container/bind.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define EMPTY JSON_OMIT_EMPTY

/* clang-format off */
const JsonField mount_point_fields[] = {
        JSON_STRING("Type",                 MountPoint, type,                    JSON_MANDATORY),
        JSON_STRING("Name",                 MountPoint, name,                    EMPTY),
        JSON_STRING("ImageID",              MountPoint, image_id,                EMPTY),
        JSON_STRING("Layer",                MountPoint, layer,                   EMPTY),
        JSON_STRING("Subpath",              MountPoint, subpath,                 EMPTY),
        JSON_STRING("Source",               MountPoint, source,                  EMPTY),
        JSON_STRING("Destination",          MountPoint, destination,             JSON_MANDATORY),
        JSON_STRING("Mode",                 MountPoint, mode,                    EMPTY),
        JSON_STRING("Propagation",          MountPoint, propagation,             EMPTY),
        JSON_BOOL  ("ReadOnly",             MountPoint, read_only,               EMPTY),
        JSON_BOOL  ("NonRecursive",         MountPoint, non_recursive,           EMPTY),
        JSON_BOOL  ("ReadOnlyNonRecursive", MountPoint, read_only_non_recursive, EMPTY),
        JSON_BOOL  ("Create",               MountPoint, create,                  EMPTY),
        JSON_BOOL  ("Anonymous",            MountPoint, anonymous,               EMPTY),
        JSON_BOOL  ("NoCopy",               MountPoint, no_copy,                 EMPTY),
        JSON_BOOL  ("Inherited",            MountPoint, inherited,               EMPTY),
        {}
};
/* clang-format on */

void mount_points_done(MountPoints *l) {
        for (size_t i = 0; i < l->n; i++)
                fields_done(mount_point_fields, l->items + i);
        free(l->items);
        *l = (MountPoints) {};
}

static MountPoint *find(const MountPoints *l, const char *destination) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].destination, destination))
                        return l->items + i;
        return NULL;
}

int mount_points_put(MountPoints *l, const char *destination, MountPoint **ret) {
        _cleanup_(freep) char *normal = NULL;
        MountPoint *m;
        int r;

        r = path_normalise(destination, &normal);
        if (r < 0)
                return r;
        m = find(l, normal);
        if (m)
                fields_done(mount_point_fields, m);
        else {
                r = array_grow(&l->items, &l->n_allocated, l->n + 1);
                if (r < 0)
                        return r;
                m = l->items + l->n++;
        }
        *m = (MountPoint) { .destination = TAKE_PTR(normal) };
        *ret = m;
        return 0;
}

static int add(MountPoints *l, const char *type, const char *destination, MountPoint **ret) {
        int r = mount_points_put(l, destination, ret);

        return r < 0 ? r : str_copy(&(*ret)->type, type);
}

static int add_bind(MountPoints *l, const char *text) {
        _cleanup_(bind_done) Bind b = {};
        MountPoint *m;
        int r;

        r = bind_parse(text, &b, NULL);
        if (r >= 0)
                r = add(l, b.is_volume ? "volume" : "bind", b.target, &m);
        if (r < 0)
                return r;
        if (b.is_volume)
                m->name = TAKE_PTR(b.source);
        else {
                m->source = TAKE_PTR(b.source);
                m->propagation = TAKE_PTR(b.propagation);
                m->create = true; /* -v makes the folder, --mount does not */
        }
        m->mode = TAKE_PTR(b.mode);
        m->read_only = b.read_only;
        m->no_copy = b.no_copy;
        return 0;
}

static int add_mount(MountPoints *l, const MountRequest *q) {
        const BindOptions *b = q->bind_options ?: &(const BindOptions) {};
        MountPoint *m;
        int r;

        if (!STR_IN_SET(q->type, "bind", "volume", "image"))
                return 0;
        r = add(l, q->type, q->target, &m);
        if (r < 0)
                return r;
        m->read_only = q->read_only;
        if (streq(q->type, "volume")) {
                m->no_copy = q->volume_options && q->volume_options->no_copy;
                m->anonymous = str_empty(q->source);
                r = q->volume_options ? str_copy(&m->subpath, q->volume_options->subpath) : 0;
                return r < 0 ? r : str_copy(&m->name, q->source);
        }
        if (streq(q->type, "image")) {
                m->read_only = true; /* there is no layer of its own to be written to */
                r = q->image_options ? str_copy(&m->subpath, q->image_options->subpath) : 0;
                return r < 0 ? r : str_copy(&m->source, q->source);
        }
        m->non_recursive = b->non_recursive;
        m->read_only_non_recursive = b->read_only_non_recursive;
        m->create = b->create_mountpoint;
        r = str_copy(&m->source, q->source);
        return r < 0 ? r
                     : str_copy(&m->propagation,
                               str_empty(b->propagation) ? "rprivate" : b->propagation);
}

/* Does a tmpfs or the like lie there? */
static int is_taken(MountPoints *l, const ContainerSpec *spec, const char *destination) {
        const HostConfig *h = &spec->host;

        if (find(l, destination))
                return 1;
        for (size_t i = 0; i < pairs_count(h->tmpfs); i++) {
                _cleanup_(freep) char *normal = NULL;
                int r = path_normalise(h->tmpfs[2 * i], &normal);

                if (r < 0)
                        return r;
                if (streq(normal, destination))
                        return 1;
        }
        for (size_t i = 0; i < h->n_mounts; i++) {
                _cleanup_(freep) char *normal = NULL;
                int r = path_normalise(h->mounts[i].target, &normal);

                if (r < 0)
                        return r;
                if (streq(normal, destination))
                        return 1;
        }
        return 0;
}

static int add_image_volume(MountPoints *l, const ContainerSpec *spec, const char *path) {
        _cleanup_(freep) char *normal = NULL;
        MountPoint *m;
        int r;

        r = path_normalise(path, &normal);
        if (r >= 0)
                r = is_taken(l, spec, normal);
        if (r != 0)
                return r < 0 ? r : 0;
        r = add(l, "volume", normal, &m);
        if (r >= 0)
                m->anonymous = true;
        return r;
}

int mount_points_add(MountPoints *l, const ContainerSpec *spec) {
        int r;

        STRV_FOREACH (text, spec->host.binds) {
                r = add_bind(l, *text);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < spec->host.n_mounts; i++) {
                r = add_mount(l, spec->host.mounts + i);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (path, spec->config.volumes) {
                r = add_image_volume(l, spec, *path);
                if (r < 0)
                        return r;
        }
        return 0;
}

int volumes_from_parse(const char *text, char **ret_container, bool *ret_read_only, Error *reterr) {
        const char *colon = strchr(text, ':');
        _cleanup_(freep) char *name = NULL;
        bool read_only = false;
        int r;

        if (!text[0] || text == colon || str_has_control(text))
                return error_set(
                        reterr, ERROR_INVALID, "malformed volumes-from specification: %s", text);
        if (colon) {
                _cleanup_(strv_freep) char **words = NULL;

                r = strv_split(colon + 1, ",", /* keep_empty= */ true, &words);
                if (r < 0)
                        return r;
                STRV_FOREACH (word, words) {
                        if (!STR_IN_SET(*word, "ro", "rw", "z", "Z", "nocopy"))
                                return error_set(
                                        reterr, ERROR_INVALID, "invalid mode: %s", colon + 1);
                        read_only = read_only || streq(*word, "ro");
                }
        }
        r = str_copy_n(&name, text, colon ? (size_t) (colon - text) : strlen(text));
        if (r < 0)
                return r;
        *ret_container = TAKE_PTR(name);
        *ret_read_only = read_only;
        return 0;
}
