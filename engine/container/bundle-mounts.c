/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/bundle.h"
#include "engine/container/join.h"
#include "engine/container/mount-points.h"
#include "engine/container/security.h"
#include "engine/network/driver.h"
#include "lib/api/container-spec.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"
#include "lib/oci/cdi-spec.h"
#include "lib/oci/runtime-spec.h"

#define BUNDLE_MOUNTS_MAX 2048U

typedef struct Mounts {
        RuntimeMount *items;
        size_t n;
        size_t n_allocated;
} Mounts;

static void mount_done(RuntimeMount *m) {
        free(m->destination);
        free(m->type);
        free(m->source);
        strv_free(m->options);
        *m = (RuntimeMount) {};
}

static void mounts_done(Mounts *l) {
        for (size_t i = 0; i < l->n; i++)
                mount_done(l->items + i);
        free(l->items);
        *l = (Mounts) {};
}

/* A later mount on the same place takes the place of the earlier one: the user's instead of the default. */
static int mounts_add(Mounts *l, const char *destination, const char *type, const char *source,
        const char *options, RuntimeMount **ret) {
        _cleanup_(freep) char *normal = NULL;
        RuntimeMount *m = NULL;
        int r;

        r = path_normalise(destination, &normal);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].destination, normal)) {
                        m = l->items + i;
                        mount_done(m);
                }
        if (!m) {
                if (l->n >= BUNDLE_MOUNTS_MAX)
                        return -E2BIG;
                r = array_grow(&l->items, &l->n_allocated, l->n + 1);
                if (r < 0)
                        return r;
                m = l->items + l->n++;
        }

        m->destination = TAKE_PTR(normal);
        r = str_copy(&m->type, type);
        if (r >= 0)
                r = str_copy(&m->source, source);
        if (r >= 0)
                r = strv_split(options, ",", /* keep_empty= */ false, &m->options);
        if (r >= 0 && ret)
                *ret = m;
        return r;
}

static int add_defaults(Mounts *l, const BundleInput *in, const SecurityOptions *o) {
        static const struct {
                const char *destination;
                const char *type;
                const char *source;
                const char *options;
        } table[] = {
                { "/proc", "proc", "proc", "nosuid,noexec,nodev" },
                { "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
                { "/dev/pts", "devpts", "devpts",
                        "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
                { "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro" },
                { "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,ro" },
                { "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
        };
        const HostConfig *h = &in->spec->host;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                const char *options = table[i].options;
                bool writable =
                        h->privileged || (streq(table[i].type, "cgroup") && o->writable_cgroups);

                if (writable && STR_IN_SET(table[i].type, "sysfs", "cgroup"))
                        options = "nosuid,noexec,nodev,rw";
                r = mounts_add(
                        l, table[i].destination, table[i].type, table[i].source, options, NULL);
                if (r < 0)
                        return r;
        }

        if (str_equal(h->ipc_mode, "host")) {
                r = mounts_add(
                        l, "/dev/mqueue", "bind", "/dev/mqueue", "rbind,nosuid,noexec,nodev", NULL);
                if (r < 0)
                        return r;
                return mounts_add(
                        l, "/dev/shm", "bind", "/dev/shm", "rbind,nosuid,noexec,nodev", NULL);
        }
        if (in->joins && in->joins[JOIN_IPC].shm_path)
                return mounts_add(l, "/dev/shm", "bind", in->joins[JOIN_IPC].shm_path,
                        "rbind,nosuid,noexec,nodev", NULL);
        if (!str_equal(h->ipc_mode, "none")) {
                _cleanup_(freep) char *options = NULL;

                r = str_printf(&options, "nosuid,noexec,nodev,mode=1777,size=%lld",
                        (long long) h->shm_size);
                if (r < 0)
                        return r;
                return mounts_add(l, "/dev/shm", "tmpfs", "shm", options, NULL);
        }
        return 0;
}

static int add_network_files(Mounts *l, const BundleInput *in) {
        static const char *const names[] = { "resolv.conf", "hostname", "hosts" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *source = path_join(in->files_folder ?: in->folder, names[i]);
                _cleanup_(freep) char *destination = path_join("/etc", names[i]);
                int r;

                if (!source || !destination)
                        return -ENOMEM;
                r = mounts_add(l, destination, "bind", source,
                        in->spec->host.readonly_rootfs ? "rbind,ro,rprivate" : "rbind,rprivate",
                        NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* As Docker has it: nothing of the image is needed, and nothing in the container can change it. */
static int add_init(Mounts *l, const BundleInput *in) {
        return in->init_path ? mounts_add(l, BUNDLE_INIT, "bind", in->init_path,
                                       "bind,ro,rprivate,nosuid,nodev", NULL)
                             : 0;
}

/* "ro" alone would leave what is mounted below writable. */
static int add_mount_point(Mounts *l, const BundleInput *in, size_t i, bool recursive_read_only) {
        _cleanup_(freep) char *options = NULL, *place = NULL;
        const MountPoint *p = in->mount_points->items + i;
        bool recursive = recursive_read_only && !p->non_recursive && !p->read_only_non_recursive;
        int r;

        r = str_printf(&options, "%s,%s%s", p->non_recursive ? "bind" : "rbind",
                !p->read_only ? ""
                : recursive   ? "ro,rro,"
                              : "ro,",
                str_empty(p->propagation) ? "rprivate" : p->propagation);
        if (r >= 0 && in->bundle_dir && mount_point_is_placed(p))
                r = mount_point_place(in->mount_points, i, in->bundle_dir, &place);
        return r < 0 ? r
                     : mounts_add(l, p->destination, "bind",
                               place ? place : str_or_empty(p->source), options, NULL);
}

static int add_mount_points(Mounts *l, const BundleInput *in, bool recursive_read_only) {
        for (size_t i = 0; in->mount_points && i < in->mount_points->n; i++) {
                int r = add_mount_point(l, in, i, recursive_read_only);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_mount_request(Mounts *l, const MountRequest *q) {
        RuntimeMount *m;
        int r;

        if (!str_equal(q->type, "tmpfs"))
                return 0;
        r = mounts_add(l, q->target, "tmpfs", "tmpfs", "noexec,nosuid,nodev", &m);
        if (r < 0)
                return r;
        if (q->read_only) {
                r = strv_add(&m->options, "ro");
                if (r < 0)
                        return r;
        }
        if (!q->tmpfs_options)
                return 0;
        if (q->tmpfs_options->size_bytes > 0) {
                r = strv_addf(&m->options, "size=%lld", (long long) q->tmpfs_options->size_bytes);
                if (r < 0)
                        return r;
        }
        if (q->tmpfs_options->mode != 0) {
                r = strv_addf(&m->options, "mode=%o", q->tmpfs_options->mode);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < q->tmpfs_options->n_options; i++) {
                _cleanup_(freep) char *joined = strv_join(q->tmpfs_options->options[i].items, "=");

                if (!joined)
                        return -ENOMEM;
                r = strv_add(&m->options, joined);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* docker's --tmpfs: these three unless the opposite is asked for. */
static int add_tmpfs(Mounts *l, const HostConfig *h) {
        static const char *const pairs[][2] = {
                { "noexec", "exec" },
                { "nosuid", "suid" },
                { "nodev", "dev" },
        };
        const char *path, *options;
        int r;

        PAIRS_FOREACH(path, options, h->tmpfs) {
                RuntimeMount *m;

                r = mounts_add(l, path, "tmpfs", "tmpfs", options, &m);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                        if (strv_contains(m->options, pairs[i][0]) ||
                                strv_contains(m->options, pairs[i][1]))
                                continue;
                        r = strv_add(&m->options, pairs[i][0]);
                        if (r < 0)
                                return r;
                }
                (void) strv_remove(m->options, "defaults");
        }
        return 0;
}

static unsigned depth(const char *path) {
        unsigned n = 0;

        if (streq(path, "/"))
                return 0;
        for (; *path; path++)
                n += *path == '/';
        return n;
}

/* A mount must come after those above it; else the order stays. */
static void sort_by_depth(Mounts *l) {
        for (size_t i = 1; i < l->n; i++) {
                RuntimeMount m = l->items[i];
                unsigned d = depth(m.destination);
                size_t k = i;

                for (; k > 0 && depth(l->items[k - 1].destination) > d; k--)
                        l->items[k] = l->items[k - 1];
                l->items[k] = m;
        }
}

/* What is mounted there already goes, as CDI has it. */
static int add_edits(Mounts *l, const CdiEdits *e) {
        for (size_t i = 0; i < e->n_mounts; i++) {
                const CdiMount *m = e->mounts + i;
                const char *type = str_empty(m->type) ? "bind" : m->type;
                RuntimeMount *mount = NULL;
                int r;

                r = mounts_add(l, m->container_path, type, m->host_path, "", &mount);
                if (r >= 0)
                        r = strv_add_all(&mount->options, m->options);
                if (r >= 0 && streq(type, "bind") && !strv_contains(m->options, "bind") &&
                        !strv_contains(m->options, "rbind"))
                        r = strv_add(&mount->options, "rbind");
                if (r < 0)
                        return r;
        }
        return 0;
}

int bundle_add_mounts(const BundleInput *in, const SecurityOptions *o, RuntimeSpec *s) {
        _cleanup_(mounts_done) Mounts l = {};
        const HostConfig *h = &in->spec->host;
        int r;

        r = add_defaults(&l, in, o);
        if (r < 0)
                return r;
        r = add_network_files(&l, in);
        if (r < 0)
                return r;
        r = add_mount_points(&l, in, in->recursive_read_only);
        if (r < 0)
                return r;
        for (size_t i = 0; i < h->n_mounts; i++) {
                r = add_mount_request(&l, h->mounts + i);
                if (r < 0)
                        return r;
        }
        r = add_tmpfs(&l, h);
        if (r >= 0)
                r = add_init(&l, in);
        for (size_t i = 0; i < in->n_edits && r >= 0; i++)
                r = add_edits(&l, in->edits[i]);
        if (r < 0)
                return r;
        sort_by_depth(&l);

        s->mounts = TAKE_PTR(l.items);
        s->n_mounts = TAKE(l.n, 0);
        return 0;
}

static const MountPoint *find_mount_point(const MountPoints *l, const char *destination) {
        for (size_t i = 0; l && i < l->n; i++)
                if (streq(l->items[i].destination, destination))
                        return l->items + i;
        return NULL;
}

int bundle_list_binds(const BundleInput *in, TaskMount **ret, size_t *ret_n) {
        _cleanup_(mounts_done) Mounts l = {};
        int r;

        r = add_network_files(&l, in);
        if (r >= 0)
                r = add_mount_points(&l, in, /* recursive_read_only= */ false);
        if (r < 0)
                return r;
        sort_by_depth(&l);

        *ret_n = 0;
        *ret = new0(TaskMount, l.n + 1);
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < l.n; i++) {
                RuntimeMount *m = l.items + i;
                const MountPoint *p = find_mount_point(in->mount_points, m->destination);
                TaskMount *to = *ret + *ret_n;

                if (!str_equal(m->type, "bind"))
                        continue;
                if (p && (str_copy(&to->subpath, p->subpath) < 0 ||
                                 str_copy(&to->layer, p->layer) < 0))
                        return -ENOMEM;
                to->source = TAKE_PTR(m->source);
                to->target = TAKE_PTR(m->destination);
                to->read_only = strv_contains(m->options, "ro");
                to->recursive = strv_contains(m->options, "rbind");
                if (!str_empty(to->layer)) /* what the user calls the image is no path */
                        to->source = mfree(to->source);
                (*ret_n)++;
        }
        return 0;
}
