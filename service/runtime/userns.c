/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/userns.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/oci/runtime-spec.h"

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size) {
        return (uint64_t) a < (uint64_t) b + b_size && (uint64_t) b < (uint64_t) a + a_size;
}

int id_map_format(
        const char *what, const RuntimeIdMapping *maps, size_t n, char **ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL;
        int r;

        assert(maps || n == 0);
        assert(ret);

        if (n == 0 || n > ID_MAPPINGS_MAX)
                return error_set(reterr, ERROR_INVALID, "%s: 1 to %u mappings are possible", what,
                        ID_MAPPINGS_MAX);

        for (size_t i = 0; i < n; i++) {
                const RuntimeIdMapping *m = maps + i;

                if (m->size == 0 || (uint64_t) m->container_id + m->size > UINT32_MAX ||
                        (uint64_t) m->host_id + m->size > UINT32_MAX)
                        return error_set(reterr, ERROR_INVALID,
                                "%s: %" PRIu32 " ids from %" PRIu32 " on is not a range of ids",
                                what, m->size, m->container_id);
                for (size_t k = 0; k < i; k++)
                        if (overlap(m->container_id, m->size, maps[k].container_id, maps[k].size) ||
                                overlap(m->host_id, m->size, maps[k].host_id, maps[k].size))
                                return error_set(
                                        reterr, ERROR_INVALID, "%s: mappings overlap", what);

                r = str_appendf(&text, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", m->container_id,
                        m->host_id, m->size);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(text);
        return 0;
}

static int write_map(pid_t pid, const char *file, const char *what, const RuntimeIdMapping *maps,
        size_t n, Error *reterr) {
        _cleanup_(freep) char *text = NULL, *path = NULL;
        int r;

        r = id_map_format(what, maps, n, &text, reterr);
        if (r >= 0)
                r = str_printf(&path, "/proc/%d/%s", (int) pid, file);
        if (r >= 0) {
                r = file_write_kernel(path, text);
                if (r < 0)
                        return error_set_errno(reterr, r, "write the %s", what);
        }
        return r;
}

int userns_write_maps(const RuntimeLinux *l, pid_t pid, Error *reterr) {
        int r;

        r = write_map(
                pid, "uid_map", "linux.uidMappings", l->uid_mappings, l->n_uid_mappings, reterr);
        if (r < 0)
                return r;
        return write_map(
                pid, "gid_map", "linux.gidMappings", l->gid_mappings, l->n_gid_mappings, reterr);
}

int userns_become_root(Error *reterr) {
        if (setgroups(0, NULL) < 0 && errno != EPERM)
                return error_set_errno(reterr, -errno, "drop the groups");
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "become root of the user namespace");
        /* The change made us what fs.suid_dumpable says. */
        return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0
                     ? error_set_errno(reterr, -errno, "protect this process")
                     : 0;
}
