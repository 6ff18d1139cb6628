/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/run-mount.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "cli/csv.h"
#include "cli/run-values.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"

/* One word of a mount. */
typedef struct MountWords {
        MountRequest *m;
        const char *key;   /* lower case */
        const char *value; /* NULL: the key stood alone */
        const char *field; /* both as written */
} MountWords;

static int own_path(const char *path, char **ret) {
        char folder[4096];
        _cleanup_(freep) char *whole = NULL;

        if (!getcwd(folder, sizeof folder))
                return -errno;
        whole = str_concat(folder, "/", path);
        return whole ? path_normalise(whole, ret) : -ENOMEM;
}

/* ---- one setter per group of keys ---- */

static int bad_value(const MountWords *w, Error *reterr) {
        return error_set(
                reterr, ERROR_INVALID, "invalid value for %s: %s", w->key, str_or_empty(w->value));
}

static int word_bool(const MountWords *w, bool *ret, Error *reterr) {
        if (!w->value) {
                *ret = true;
                return 0;
        }
        return parse_bool(w->value, ret) < 0 ? bad_value(w, reterr) : 0;
}

static int lower_copy(char **ret, const char *s) {
        int r = str_copy(ret, s);

        if (r >= 0 && *ret)
                str_lower(*ret);
        return r;
}

static BindOptions *bind_options(MountRequest *m) {
        if (!m->bind_options)
                m->bind_options = new0(BindOptions, 1);
        return m->bind_options;
}

static VolumeOptions *volume_options(MountRequest *m) {
        if (!m->volume_options)
                m->volume_options = new0(VolumeOptions, 1);
        return m->volume_options;
}

static VolumeDriverConfig *volume_driver(MountRequest *m) {
        VolumeOptions *o = volume_options(m);

        if (o && !o->driver_config)
                o->driver_config = new0(VolumeDriverConfig, 1);
        return o ? o->driver_config : NULL;
}

static TmpfsOptions *tmpfs_options(MountRequest *m) {
        if (!m->tmpfs_options)
                m->tmpfs_options = new0(TmpfsOptions, 1);
        return m->tmpfs_options;
}

static int set_type(MountWords *w, Error *reterr) {
        (void) reterr;
        return lower_copy(&w->m->type, w->value);
}

static int set_source(MountWords *w, Error *reterr) {
        (void) reterr;
        if (streq(w->value, ".") || str_starts(w->value, "./")) {
                w->m->source = mfree(w->m->source);
                return own_path(w->value, &w->m->source);
        }
        return str_copy(&w->m->source, w->value);
}

static int set_target(MountWords *w, Error *reterr) {
        (void) reterr;
        return str_copy(&w->m->target, w->value);
}

static int set_read_only(MountWords *w, Error *reterr) {
        return word_bool(w, &w->m->read_only, reterr);
}

static int set_consistency(MountWords *w, Error *reterr) {
        (void) reterr;
        return lower_copy(&w->m->consistency, w->value);
}

static int set_propagation(MountWords *w, Error *reterr) {
        BindOptions *o = bind_options(w->m);

        (void) reterr;
        return o ? lower_copy(&o->propagation, w->value) : -ENOMEM;
}

static int set_non_recursive(MountWords *w, Error *reterr) {
        BindOptions *o = bind_options(w->m);

        return o ? word_bool(w, &o->non_recursive, reterr) : -ENOMEM;
}

static int set_recursive(MountWords *w, Error *reterr) {
        BindOptions *o;

        if (streq(w->value, "enabled"))
                return 0;
        o = bind_options(w->m);
        if (!o)
                return -ENOMEM;
        if (streq(w->value, "disabled"))
                o->non_recursive = true;
        else if (streq(w->value, "writable"))
                o->read_only_non_recursive = true;
        else if (streq(w->value, "readonly"))
                o->read_only_force_recursive = true;
        else
                return error_set(reterr, ERROR_INVALID,
                        "invalid value for %s: %s (must be \"enabled\", \"disabled\", "
                        "\"writable\", or \"readonly\")",
                        w->key, w->value);
        return 0;
}

static int set_volume_subpath(MountWords *w, Error *reterr) {
        VolumeOptions *o = volume_options(w->m);

        (void) reterr;
        return o ? str_copy(&o->subpath, w->value) : -ENOMEM;
}

static int set_volume_no_copy(MountWords *w, Error *reterr) {
        VolumeOptions *o = volume_options(w->m);

        return o ? word_bool(w, &o->no_copy, reterr) : -ENOMEM;
}

static int set_volume_label(MountWords *w, Error *reterr) {
        VolumeOptions *o = volume_options(w->m);

        (void) reterr;
        return o ? run_pair_add(&o->labels, w->value) : -ENOMEM;
}

static int set_volume_driver(MountWords *w, Error *reterr) {
        VolumeDriverConfig *d = volume_driver(w->m);

        (void) reterr;
        return d ? str_copy(&d->name, w->value) : -ENOMEM;
}

static int set_volume_opt(MountWords *w, Error *reterr) {
        VolumeDriverConfig *d = volume_driver(w->m);

        (void) reterr;
        return d ? run_pair_add(&d->options, w->value) : -ENOMEM;
}

static int set_image_subpath(MountWords *w, Error *reterr) {
        (void) reterr;
        if (!w->m->image_options)
                w->m->image_options = new0(ImageOptions, 1);
        return w->m->image_options ? str_copy(&w->m->image_options->subpath, w->value) : -ENOMEM;
}

static int set_tmpfs_size(MountWords *w, Error *reterr) {
        TmpfsOptions *o = tmpfs_options(w->m);

        if (!o)
                return -ENOMEM;
        return run_bytes_parse(w->value, &o->size_bytes, NULL) < 0 ? bad_value(w, reterr) : 0;
}

static int set_tmpfs_mode(MountWords *w, Error *reterr) {
        TmpfsOptions *o = tmpfs_options(w->m);
        mode_t mode;

        if (!o)
                return -ENOMEM;
        if (parse_mode(w->value, &mode) < 0)
                return bad_value(w, reterr);
        o->mode = mode;
        return 0;
}

/* alone: the key may stand without a value, and means yes. */
static const struct {
        const char *key;
        bool alone;
        int (*set)(MountWords *w, Error *reterr);
} mount_keys[] = {
        /* clang-format off */
        { "type",              false, set_type           },
        { "source",            false, set_source         },
        { "src",               false, set_source         },
        { "target",            false, set_target         },
        { "dst",               false, set_target         },
        { "destination",       false, set_target         },
        { "readonly",          true,  set_read_only      },
        { "ro",                true,  set_read_only      },
        { "consistency",       false, set_consistency    },
        { "bind-propagation",  false, set_propagation    },
        { "bind-nonrecursive", true,  set_non_recursive  },
        { "bind-recursive",    false, set_recursive      },
        { "volume-subpath",    false, set_volume_subpath },
        { "volume-nocopy",     true,  set_volume_no_copy },
        { "volume-label",      false, set_volume_label   },
        { "volume-driver",     false, set_volume_driver  },
        { "volume-opt",        false, set_volume_opt     },
        { "image-subpath",     false, set_image_subpath  },
        { "tmpfs-size",        false, set_tmpfs_size     },
        { "tmpfs-mode",        false, set_tmpfs_mode     },
        /* clang-format on */
};

static int mount_word(MountRequest *m, const char *field, Error *reterr) {
        const char *equals = strchr(field, '=');
        _cleanup_(freep) char *key = NULL;
        MountWords w = { .m = m, .field = field, .value = equals ? equals + 1 : NULL };
        int r;

        r = str_copy_n(&key, field, equals ? (size_t) (equals - field) : strlen(field));
        if (r < 0)
                return r;
        str_lower(key);
        w.key = key;

        for (size_t i = 0; i < ARRAY_SIZE(mount_keys); i++) {
                if (!streq(mount_keys[i].key, key))
                        continue;
                if (!equals && !mount_keys[i].alone)
                        break;
                return mount_keys[i].set(&w, reterr);
        }

        if (!equals)
                return error_set(reterr, ERROR_INVALID,
                        "invalid field '%s' must be a key=value pair", field);
        return error_set(reterr, ERROR_INVALID, "unexpected key '%s' in '%s'", key, field);
}

static int check_mount(const MountRequest *m, Error *reterr) {
        const struct {
                const void *options;
                const char *type;
        } kinds[] = {
                { m->volume_options, "volume" },
                { m->image_options, "image" },
                { m->bind_options, "bind" },
                { m->tmpfs_options, "tmpfs" },
        };
        const BindOptions *b = m->bind_options;

        if (str_empty(m->type))
                return error_set(reterr, ERROR_INVALID, "type is required");
        if (str_empty(m->target))
                return error_set(reterr, ERROR_INVALID, "target is required");

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (kinds[i].options && !streq(m->type, kinds[i].type))
                        return error_set(reterr, ERROR_INVALID,
                                "cannot mix '%s-*' options with mount type '%s'", kinds[i].type,
                                m->type);

        if (b && (b->read_only_non_recursive || b->read_only_force_recursive) && !m->read_only)
                return error_set(reterr, ERROR_INVALID,
                        "option 'bind-recursive=%s' requires 'readonly' to be specified in "
                        "conjunction",
                        b->read_only_non_recursive ? "writable" : "readonly");
        if (b && b->read_only_force_recursive && !str_equal(b->propagation, "rprivate"))
                return error_set(reterr, ERROR_INVALID,
                        "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to "
                        "be specified in conjunction");
        return 0;
}

int run_mount_add(ContainerSpec *spec, const char *value, Error *reterr) {
        _cleanup_(strv_freep) char **fields = NULL;
        size_t allocated = spec->host.n_mounts;
        MountRequest *m;
        int r;

        r = csv_parse(value, &fields, reterr);
        if (r >= 0)
                r = array_grow(&spec->host.mounts, &allocated, spec->host.n_mounts + 1);
        if (r < 0)
                return r;
        m = spec->host.mounts + spec->host.n_mounts++; /* half made it is freed with spec */
        *m = (MountRequest) {};

        r = str_copy(&m->type, "volume");
        STRV_FOREACH (field, fields)
                if (r >= 0)
                        r = mount_word(m, *field, reterr);
        return r < 0 ? r : check_mount(m, reterr);
}

/* ---- --volume ---- */

typedef struct VolumeWords {
        char *source;
        char *target;
        bool options;
} VolumeWords;

static void volume_words_done(VolumeWords *w) {
        free(w->source);
        free(w->target);
}

/* A single letter before a colon is a drive of Windows, for docker on every system. */
static bool is_drive(const char *part, size_t n, char next) {
        return next == ':' && n == 1 && isalpha((unsigned char) *part);
}

static int volume_part(
        VolumeWords *w, const char *part, size_t n, bool last, const char *value, Error *reterr) {
        if (n == 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid volume specification: '%s': empty section between colons", value);
        if (!w->source && last)
                return str_copy_n(&w->target, part, n);
        if (!w->source)
                return str_copy_n(&w->source, part, n);
        if (!w->target)
                return str_copy_n(&w->target, part, n);
        if (!last)
                return error_set(reterr, ERROR_INVALID,
                        "invalid volume specification: '%s': too many colons", value);
        w->options = true;
        return 0;
}

static int volume_parse(const char *value, VolumeWords *w, Error *reterr) {
        const char *part = value;
        int r;

        if (!*value)
                return error_set(reterr, ERROR_INVALID, "invalid empty volume spec");
        if (strlen(value) <= 2)
                return str_copy(&w->target, value);

        for (const char *p = value;; p++) {
                if (*p && *p != ':')
                        continue;
                if (is_drive(part, (size_t) (p - part), *p))
                        continue;
                r = volume_part(w, part, (size_t) (p - part), !*p, value, reterr);
                if (r < 0 || !*p)
                        return r;
                part = p + 1;
        }
}

int run_volume_add(ContainerSpec *spec, const char *value, Error *reterr) {
        _cleanup_(volume_words_done) VolumeWords w = {};
        _cleanup_(freep) char *source = NULL;
        int r;

        r = volume_parse(value, &w, reterr);
        if (r < 0)
                return r;
        if (!w.source) {
                if (strv_contains(spec->config.volumes, value))
                        return 0;
                return strv_add(&spec->config.volumes, value);
        }
        if (value[0] != '.') {
                if (strv_contains(spec->host.binds, value))
                        return 0;
                return strv_add(&spec->host.binds, value);
        }

        r = own_path(w.source, &source);
        if (r < 0)
                return error_set_errno(reterr, r, "%s", value);
        return strv_addf(&spec->host.binds, "%s%s", source, value + strlen(w.source));
}

int run_tmpfs_add(ContainerSpec *spec, const char *value, Error *reterr) {
        const char *colon = strchr(value, ':');
        _cleanup_(freep) char *path = NULL;
        int r;

        (void) reterr;
        r = str_copy_n(&path, value, colon ? (size_t) (colon - value) : strlen(value));
        return r < 0 ? r : pairs_set(&spec->host.tmpfs, path, colon ? colon + 1 : "");
}
