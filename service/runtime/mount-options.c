/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/mount-options.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* <sys/mount.h> and <linux/mount.h> do not go together in older C libraries. */
#ifndef MS_UNBINDABLE
#define MS_UNBINDABLE (1 << 17)
#define MS_PRIVATE    (1 << 18)
#define MS_SLAVE      (1 << 19)
#define MS_SHARED     (1 << 20)
#endif

typedef enum OptionKind {
        OPTION_ATTRIBUTE,           /* set and clear of this mount */
        OPTION_RECURSIVE_ATTRIBUTE, /* and of those below */
        OPTION_PROPAGATION,
        OPTION_RECURSIVE_PROPAGATION,
        OPTION_BIND,
        OPTION_RECURSIVE_BIND,
        OPTION_REMOUNT,
        OPTION_COPY_UP,
        OPTION_ID_MAP,
        OPTION_DATA,    /* a flag of the file system, handed on */
        OPTION_NOTHING, /* the default anyway */
} OptionKind;

typedef struct Option {
        const char *name;
        OptionKind kind;
        uint64_t set;
        uint64_t clear;
} Option;

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#define ATIME MOUNT_ATTR__ATIME

/* clang-format off */
static const Option option_table[] = {
        { "acl",           OPTION_DATA },
        { "async",         OPTION_NOTHING },
        { "atime",         OPTION_ATTRIBUTE,           MOUNT_ATTR_RELATIME,     ATIME },
        { "bind",          OPTION_BIND },
        { "defaults",      OPTION_NOTHING },
        { "dev",           OPTION_ATTRIBUTE,           0,                       MOUNT_ATTR_NODEV },
        { "diratime",      OPTION_ATTRIBUTE,           0,                       MOUNT_ATTR_NODIRATIME },
        { "dirsync",       OPTION_DATA },
        { "exec",          OPTION_ATTRIBUTE,           0,                       MOUNT_ATTR_NOEXEC },
        { "idmap",         OPTION_ID_MAP },
        { "iversion",      OPTION_DATA },
        { "lazytime",      OPTION_DATA },
        { "loud",          OPTION_NOTHING },
        { "mand",          OPTION_DATA },
        { "noacl",         OPTION_DATA },
        { "noatime",       OPTION_ATTRIBUTE,           MOUNT_ATTR_NOATIME,      ATIME },
        { "nodev",         OPTION_ATTRIBUTE,           MOUNT_ATTR_NODEV,        0 },
        { "nodiratime",    OPTION_ATTRIBUTE,           MOUNT_ATTR_NODIRATIME,   0 },
        { "noexec",        OPTION_ATTRIBUTE,           MOUNT_ATTR_NOEXEC,       0 },
        { "noiversion",    OPTION_NOTHING },
        { "nolazytime",    OPTION_NOTHING },
        { "nomand",        OPTION_NOTHING },
        { "norelatime",    OPTION_ATTRIBUTE,           MOUNT_ATTR_STRICTATIME,  ATIME },
        { "nostrictatime", OPTION_ATTRIBUTE,           MOUNT_ATTR_RELATIME,     ATIME },
        { "nosuid",        OPTION_ATTRIBUTE,           MOUNT_ATTR_NOSUID,       0 },
        { "nosymfollow",   OPTION_ATTRIBUTE,           MOUNT_ATTR_NOSYMFOLLOW,  0 },
        { "private",       OPTION_PROPAGATION,         MS_PRIVATE },
        { "ratime",        OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_RELATIME,     ATIME },
        { "rbind",         OPTION_RECURSIVE_BIND },
        { "rdev",          OPTION_RECURSIVE_ATTRIBUTE, 0,                       MOUNT_ATTR_NODEV },
        { "rdiratime",     OPTION_RECURSIVE_ATTRIBUTE, 0,                       MOUNT_ATTR_NODIRATIME },
        { "relatime",      OPTION_ATTRIBUTE,           MOUNT_ATTR_RELATIME,     ATIME },
        { "remount",       OPTION_REMOUNT },
        { "rexec",         OPTION_RECURSIVE_ATTRIBUTE, 0,                       MOUNT_ATTR_NOEXEC },
        { "ridmap",        OPTION_ID_MAP },
        { "rnoatime",      OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_NOATIME,      ATIME },
        { "rnodev",        OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_NODEV,        0 },
        { "rnodiratime",   OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_NODIRATIME,   0 },
        { "rnoexec",       OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_NOEXEC,       0 },
        { "rnorelatime",   OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_STRICTATIME,  ATIME },
        { "rnostrictatime", OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_RELATIME,    ATIME },
        { "rnosuid",       OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_NOSUID,       0 },
        { "rnosymfollow",  OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_NOSYMFOLLOW,  0 },
        { "ro",            OPTION_ATTRIBUTE,           MOUNT_ATTR_RDONLY,       0 },
        { "rprivate",      OPTION_RECURSIVE_PROPAGATION, MS_PRIVATE },
        { "rrelatime",     OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_RELATIME,     ATIME },
        { "rro",           OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_RDONLY,       0 },
        { "rrw",           OPTION_RECURSIVE_ATTRIBUTE, 0,                       MOUNT_ATTR_RDONLY },
        { "rshared",       OPTION_RECURSIVE_PROPAGATION, MS_SHARED },
        { "rslave",        OPTION_RECURSIVE_PROPAGATION, MS_SLAVE },
        { "rstrictatime",  OPTION_RECURSIVE_ATTRIBUTE, MOUNT_ATTR_STRICTATIME,  ATIME },
        { "rsuid",         OPTION_RECURSIVE_ATTRIBUTE, 0,                       MOUNT_ATTR_NOSUID },
        { "rsymfollow",    OPTION_RECURSIVE_ATTRIBUTE, 0,                       MOUNT_ATTR_NOSYMFOLLOW },
        { "runbindable",   OPTION_RECURSIVE_PROPAGATION, MS_UNBINDABLE },
        { "rw",            OPTION_ATTRIBUTE,           0,                       MOUNT_ATTR_RDONLY },
        { "shared",        OPTION_PROPAGATION,         MS_SHARED },
        { "silent",        OPTION_DATA },
        { "slave",         OPTION_PROPAGATION,         MS_SLAVE },
        { "strictatime",   OPTION_ATTRIBUTE,           MOUNT_ATTR_STRICTATIME,  ATIME },
        { "suid",          OPTION_ATTRIBUTE,           0,                       MOUNT_ATTR_NOSUID },
        { "symfollow",     OPTION_ATTRIBUTE,           0,                       MOUNT_ATTR_NOSYMFOLLOW },
        { "sync",          OPTION_DATA },
        { "tmpcopyup",     OPTION_COPY_UP },
        { "unbindable",    OPTION_PROPAGATION,         MS_UNBINDABLE },
};
/* clang-format on */

static const Option *option_find(const char *name) {
        size_t low = 0, high = ARRAY_SIZE(option_table);

        while (low < high) {
                size_t middle = (low + high) / 2;
                int c = strcmp(name, option_table[middle].name);

                if (c == 0)
                        return option_table + middle;
                if (c < 0)
                        high = middle;
                else
                        low = middle + 1;
        }

        return NULL;
}

/* The later word wins: what it sets is no longer cleared and the other way round. The kernel wants the whole field of
 * access times cleared whenever one of its values is set. */
static void attribute_apply(uint64_t *set, uint64_t *clear, const Option *o) {
        if (o->clear & ATIME) {
                *set &= ~(uint64_t) ATIME;
                *clear |= ATIME;
                *set |= o->set;
                return;
        }

        *set = (*set & ~o->clear) | o->set;
        *clear = (*clear & ~o->set) | o->clear;
}

static int option_apply(MountOptions *m, const Option *o, const char *word) {
        switch (o->kind) {
        case OPTION_ATTRIBUTE:
                attribute_apply(&m->set, &m->clear, o);
                return 0;
        case OPTION_RECURSIVE_ATTRIBUTE:
                attribute_apply(&m->recursive_set, &m->recursive_clear, o);
                return 0;
        case OPTION_PROPAGATION:
        case OPTION_RECURSIVE_PROPAGATION:
                m->propagation = o->set;
                m->propagation_recursive = o->kind == OPTION_RECURSIVE_PROPAGATION;
                return 0;
        case OPTION_RECURSIVE_BIND:
                m->recursive = true;
                _fallthrough_;
        case OPTION_BIND:
                m->bind = true;
                return 0;
        case OPTION_REMOUNT:
                m->remount = true;
                return 0;
        case OPTION_COPY_UP:
                m->copy_up = true;
                return 0;
        case OPTION_ID_MAP:
                m->id_map = true;
                return 0;
        case OPTION_DATA:
                return strv_add(&m->data, word);
        case OPTION_NOTHING:
                return 0;
        default:
                assert_unreachable();
        }
}

int mount_options_parse(char *const *options, MountOptions *ret, Error *reterr) {
        _cleanup_(mount_options_done) MountOptions m = {};
        size_t n = 0, size = 0;
        int r;

        assert(ret);

        STRV_FOREACH (word, options) {
                const Option *o;

                size += strlen(*word) + 1;
                if (++n > MOUNT_OPTIONS_MAX || size > MOUNT_OPTIONS_SIZE)
                        return error_set(reterr, ERROR_TOO_LARGE, "too many mount options");
                if (str_empty(*word))
                        continue;

                o = option_find(*word);
                r = o ? option_apply(&m, o, *word) : strv_add(&m.data, *word);
                if (r < 0)
                        return error_set_errno(reterr, r, "mount options");
        }

        *ret = TAKE_STRUCT(m);
        return 0;
}

void mount_options_done(MountOptions *o) {
        if (!o)
                return;

        o->data = strv_free(o->data);
        *o = (MountOptions) {};
}

/* Whether the row's word says what the attributes say. Aliases come later in the alphabet than what they mean or are left
 * out by the caller, so the first word that fits does. */
static bool attribute_is(const Option *o, uint64_t *set, uint64_t *clear) {
        if (o->clear & ATIME) {
                if (!(*clear & ATIME) || (*set & ATIME) != o->set)
                        return false;
                *set &= ~(uint64_t) ATIME;
                *clear &= ~(uint64_t) ATIME;
                return true;
        }

        if ((*set & o->set) != o->set || (*clear & o->clear) != o->clear)
                return false;
        *set &= ~o->set;
        *clear &= ~o->clear;
        return true;
}

int mount_options_format(const MountOptions *o, char ***ret) {
        _cleanup_(strv_freep) char **l = NULL;
        MountOptions left;
        int r;

        assert(o);
        assert(ret);

        left = *o;
        for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
                const Option *t = option_table + i;
                bool is = false;

                switch (t->kind) {
                case OPTION_ATTRIBUTE:
                        is = attribute_is(t, &left.set, &left.clear);
                        break;
                case OPTION_RECURSIVE_ATTRIBUTE:
                        is = attribute_is(t, &left.recursive_set, &left.recursive_clear);
                        break;
                case OPTION_PROPAGATION:
                case OPTION_RECURSIVE_PROPAGATION:
                        is = t->set == left.propagation &&
                             left.propagation_recursive ==
                                     (t->kind == OPTION_RECURSIVE_PROPAGATION);
                        break;
                case OPTION_BIND:
                        is = left.bind && !left.recursive;
                        break;
                case OPTION_RECURSIVE_BIND:
                        is = left.bind && left.recursive;
                        break;
                case OPTION_REMOUNT:
                        is = left.remount;
                        break;
                case OPTION_COPY_UP:
                        is = left.copy_up;
                        break;
                case OPTION_ID_MAP:
                        is = TAKE(left.id_map, false);
                        break;
                case OPTION_DATA:
                case OPTION_NOTHING:
                        break;
                default:
                        assert_unreachable();
                }

                r = is ? strv_add(&l, t->name) : 0;
                if (r < 0)
                        return r;
        }

        r = strv_add_all(&l, o->data);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(l);
        return 0;
}

const char *const *mount_options_names(void) {
        static const char *names[ARRAY_SIZE(option_table) + 1];

        for (size_t i = 0; i < ARRAY_SIZE(option_table); i++)
                names[i] = option_table[i].name;

        return names;
}
