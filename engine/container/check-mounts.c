/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings.h"
#include "engine/container/bind.h"
#include "engine/container/container-check.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

#define MOUNTS_MAX 1000U

static int add_target(char ***targets, const char *path, Error *reterr) {
        _cleanup_(freep) char *normal = NULL;
        int r;

        r = path_normalise(path, &normal);
        if (r < 0)
                return r;
        if (strv_contains(*targets, normal))
                return error_set(reterr, ERROR_INVALID, "Duplicate mount point: %s", normal);
        if (strv_length(*targets) >= MOUNTS_MAX)
                return error_set(reterr, ERROR_INVALID, "more than %u mounts", MOUNTS_MAX);
        return strv_take(targets, TAKE_PTR(normal));
}

static int check_binds(const HostConfig *h, char ***targets, Error *reterr) {
        int r;

        STRV_FOREACH (text, h->binds) {
                _cleanup_(bind_done) Bind b = {};

                r = bind_parse(*text, &b, reterr);
                if (r < 0)
                        return r;
                r = add_target(targets, b.target, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_tmpfs_options(const char *path, const char *options, Error *reterr) {
        static const char *const known[] = { "defaults", "rw", "ro", "exec", "noexec", "suid",
                "nosuid", "dev", "nodev", "sync", "async", "dirsync", "relatime", "norelatime",
                "atime", "noatime", "diratime", "nodiratime", "strictatime", "nostrictatime",
                "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable",
                "runbindable", NULL };
        static const char *const with_value[] = {
                "size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=", "mpol=", "huge=", NULL
        };
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = strv_split(options, ",", /* keep_empty= */ false, &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                bool ok = str_in(*word, known);

                for (const char *const *p = with_value; !ok && *p; p++)
                        ok = str_starts(*word, *p) && !str_has_control(*word);
                if (!ok) {
                        size_t n = strcspn(*word, "=");

                        /* As Go prints what it has split. */
                        return (*word)[n] ? error_set(reterr, ERROR_INVALID,
                                                    "invalid tmpfs option [\"%.*s\" \"%s\"]",
                                                    (int) n, *word, *word + n + 1)
                                          : error_set(reterr, ERROR_INVALID,
                                                    "invalid tmpfs option [\"%s\"]", *word);
                }
        }
        return 0;
}

static int check_tmpfs(const HostConfig *h, char ***targets, Error *reterr) {
        const char *path, *options;
        int r;

        PAIRS_FOREACH(path, options, h->tmpfs) {
                r = bind_check_target(path, reterr);
                if (r < 0)
                        return r;
                r = check_tmpfs_options(path, options, reterr);
                if (r < 0)
                        return r;
                r = add_target(targets, path, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Where it leads to is looked at when it is mounted. */
static int check_subpath(const char *type, const char *subpath, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        int r, depth = 0;

        r = strv_split(subpath, "/", /* keep_empty= */ false, &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                depth += streq(*word, "..") ? -1 : !streq(*word, ".");
                if (depth < 0)
                        break;
        }
        if (path_is_absolute(subpath) || depth < 0 || str_has_control(subpath) ||
                strlen(subpath) >= 4096)
                return error_set(reterr, ERROR_INVALID,
                        "invalid mount config for type \"%s\": subpath must be a relative path "
                        "within the volume",
                        type);
        return 0;
}

static int check_image(const MountRequest *m, Error *reterr) {
        if (str_empty(m->source))
                return error_set(reterr, ERROR_INVALID,
                        "invalid mount config for type \"image\": field Source must not be empty");
        if (m->bind_options || m->volume_options || m->tmpfs_options)
                return error_set(reterr, ERROR_INVALID,
                        "invalid mount config for type \"image\": field %s must not be specified",
                        m->bind_options     ? "BindOptions"
                        : m->volume_options ? "VolumeOptions"
                                            : "TmpfsOptions");
        return m->image_options && !str_empty(m->image_options->subpath)
                     ? check_subpath("image", m->image_options->subpath, reterr)
                     : 0;
}

/* The wish for a volume; what is wrong with its name or options is said when it is made. */
static int check_volume(const MountRequest *m, Error *reterr) {
        if (m->bind_options || m->image_options || m->tmpfs_options)
                return error_set(reterr, ERROR_INVALID,
                        "invalid mount config for type \"volume\": field %s must not be specified",
                        m->bind_options    ? "BindOptions"
                        : m->tmpfs_options ? "TmpfsOptions"
                                           : "ImageOptions");
        if (str_empty(m->source) && m->volume_options && !str_empty(m->volume_options->subpath))
                return error_set(reterr, ERROR_INVALID,
                        "invalid mount config for type \"volume\": must not set Subpath when using "
                        "anonymous volumes");
        if (m->volume_options && !str_empty(m->volume_options->subpath))
                return check_subpath("volume", m->volume_options->subpath, reterr);
        return 0;
}

static int check_mount(const MountRequest *m, const char *runtime, char ***targets, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        const char *type = str_or_empty(m->type);
        int r;

        if (!STR_IN_SET(type, "bind", "volume", "tmpfs", "image"))
                return error_set(reterr, ERROR_INVALID,
                        "invalid mount config for type \"%s\": mount type unknown", type);

        r = bind_check_target(m->target, &e);
        if (r < 0) {
                if (str_empty(m->target))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"%s\": field Target must not be "
                                "empty",
                                type);
                return error_set(reterr, ERROR_INVALID, "invalid mount config for type \"%s\": %s",
                        type, error_text(&e, r));
        }

        if (STR_IN_SET(type, "volume", "image")) {
                r = streq(type, "volume") ? check_volume(m, reterr) : check_image(m, reterr);
                if (r < 0)
                        return r;
        } else if (streq(type, "bind")) {
                if (str_empty(m->source))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"bind\": field Source must not be "
                                "empty");
                if (!path_is_absolute(m->source) || str_has_control(m->source))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"bind\": invalid mount path: '%s' "
                                "mount path must be absolute",
                                m->source);
                if (m->volume_options || m->image_options)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"bind\": field %s must not be "
                                "specified",
                                m->volume_options ? "VolumeOptions" : "ImageOptions");
                if (m->bind_options && m->bind_options->read_only_force_recursive &&
                        !STR_IN_SET(str_or_empty(runtime), SETTINGS_DEFAULT_RUNTIME, "crun"))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"bind\": ReadOnlyForceRecursive: "
                                "runtime \"%s\" cannot do that",
                                str_or_empty(runtime));
                if (m->bind_options && !str_empty(m->bind_options->propagation) &&
                        !bind_propagation_is_valid(m->bind_options->propagation))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"bind\": invalid propagation mode: "
                                "%s",
                                m->bind_options->propagation);
        } else {
                if (!str_empty(m->source))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"tmpfs\": field Source must not be "
                                "specified");
                if (m->bind_options || m->image_options)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"tmpfs\": field %s must not be "
                                "specified",
                                m->bind_options ? "BindOptions" : "ImageOptions");
                if (m->tmpfs_options && m->tmpfs_options->size_bytes < 0)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"tmpfs\": invalid size %lld",
                                (long long) m->tmpfs_options->size_bytes);
                if (m->tmpfs_options && m->tmpfs_options->mode > 07777)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid mount config for type \"tmpfs\": invalid mode %o",
                                m->tmpfs_options->mode);
                for (size_t i = 0; m->tmpfs_options && i < m->tmpfs_options->n_options; i++) {
                        char **words = m->tmpfs_options->options[i].items;
                        size_t n = strv_length(words);
                        _cleanup_(freep) char *joined = NULL;

                        if (n < 1 || n > 2 || strchr(words[0], ',') ||
                                (n == 2 && strchr(words[1], ',')))
                                return error_set(reterr, ERROR_INVALID,
                                        "invalid mount config for type \"tmpfs\": invalid option "
                                        "array length: %zu",
                                        n);
                        joined = strv_join(words, "=");
                        if (!joined)
                                return -ENOMEM;
                        r = check_tmpfs_options(m->target, joined, reterr);
                        if (r < 0)
                                return r;
                }
        }
        return add_target(targets, m->target, reterr);
}

int check_mounts(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        _cleanup_(strv_freep) char **targets = NULL;
        const HostConfig *h = &spec->host;
        int r;

        r = check_binds(h, &targets, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < h->n_mounts; i++) {
                r = check_mount(h->mounts + i, h->runtime, &targets, reterr);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (path, spec->config.volumes) {
                r = bind_check_target(*path, reterr);
                if (r < 0)
                        return r;
        }
        return check_tmpfs(h, &targets, reterr);
}
