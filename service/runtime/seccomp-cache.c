/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/seccomp.h"

#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/runtime-spec.h"

/* A file of the cache: this, the key, zeros up to eight bytes, the instructions. */
typedef struct CacheHeader {
        char magic[8];
        uint32_t flags;
        uint32_t n_instructions;
        uint64_t key_size;
} CacheHeader;

#define CACHE_MAGIC \
        "StBPF\0\0\1" /* the last byte counts changes of what seccomp_compile() makes of a profile */
#define CACHE_FOLDER    ".seccomp" /* no container id begins with a dot */
#define CACHE_FILES_MAX 64U
#define CACHE_FILE_MAX  (1024U * 1024U)
#define CACHE_NAME_SIZE 24U

static int append_u64(Buffer *b, uint64_t n) {
        return buffer_append(b, &n, sizeof(n));
}

static int append_string(Buffer *b, const char *s) {
        int r;

        /* With its length in front, so that no two profiles run together to the same bytes. */
        r = append_u64(b, s ? strlen(s) + 1 : 0);
        if (r >= 0 && s)
                r = buffer_append(b, s, strlen(s));
        return r;
}

static int append_strv(Buffer *b, char *const *l) {
        int r;

        r = append_u64(b, strv_length(l));
        STRV_FOREACH (s, l)
                if (r >= 0)
                        r = append_string(b, *s);
        return r;
}

static int append_syscall(Buffer *b, const RuntimeSyscall *c) {
        int r;

        r = append_strv(b, c->names);
        if (r >= 0)
                r = append_string(b, c->action);
        if (r >= 0)
                r = append_u64(b, c->errno_ret);
        if (r >= 0)
                r = append_u64(b, c->n_args);
        for (size_t i = 0; r >= 0 && i < c->n_args; i++) {
                const RuntimeSeccompArg *a = c->args + i;

                r = append_u64(b, a->index);
                if (r >= 0)
                        r = append_u64(b, a->value);
                if (r >= 0)
                        r = append_u64(b, a->value_two);
                if (r >= 0)
                        r = append_string(b, a->op);
        }

        return r;
}

int seccomp_key(const RuntimeSeccomp *s, Buffer *ret) {
        _cleanup_(buffer_done) Buffer b = {};
        const struct scmp_version *v = seccomp_version();
        int r;

        assert(s);
        assert(ret);

        r = append_u64(&b, v ? ((uint64_t) v->major << 32 | v->minor << 16 | v->micro) : 0);
        if (r >= 0)
                r = append_u64(&b, seccomp_arch_native());
        if (r >= 0)
                r = append_string(&b, s->default_action);
        if (r >= 0)
                r = append_u64(&b, s->default_errno_ret);
        if (r >= 0)
                r = append_strv(&b, s->architectures);
        if (r >= 0)
                r = append_strv(&b, s->flags);
        if (r >= 0)
                r = append_u64(&b, s->n_syscalls);
        for (size_t i = 0; r >= 0 && i < s->n_syscalls; i++)
                r = append_syscall(&b, s->syscalls + i);
        if (r < 0)
                return r;

        *ret = TAKE_STRUCT(b);
        return 0;
}

/* FNV-1a over words. It only finds the file; that it is the right one says the comparison of the whole key. */
static void cache_name(const Buffer *key, char ret[static CACHE_NAME_SIZE]) {
        const char *p = buffer_head(key);
        uint64_t hash = UINT64_C(14695981039346656037);
        size_t n = buffer_size(key);

        for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t), p += sizeof(uint64_t)) {
                uint64_t word;

                memcpy(&word, p, sizeof(word));
                hash = (hash ^ word) * UINT64_C(1099511628211);
                hash ^= hash >> 29;
        }
        for (; n > 0; n--, p++)
                hash = (hash ^ (uint8_t) *p) * UINT64_C(1099511628211);

        (void) snprintf(ret, CACHE_NAME_SIZE, "%016" PRIx64 ".bpf", hash);
}

static size_t padded(size_t size) {
        return (size + 7) & ~(size_t) 7;
}

/* 1: found. Everything that is not exactly right counts as not found. */
static int cache_load(int dir_fd, const char *name, const Buffer *key, SeccompFilter *ret) {
        _cleanup_(fd_closep) int fd = -EBADF;
        const CacheHeader *header;
        struct stat st;
        size_t start;
        void *map;

        fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return 0;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
                (st.st_mode & 022) || st.st_size < (off_t) sizeof(*header) ||
                st.st_size > CACHE_FILE_MAX)
                return 0;

        map = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (map == MAP_FAILED)
                return 0;

        header = map;
        start = sizeof(*header) + padded(buffer_size(key));
        if (memcmp(header->magic, CACHE_MAGIC, sizeof(header->magic)) != 0 ||
                header->key_size != buffer_size(key) || header->n_instructions == 0 ||
                header->n_instructions > BPF_MAXINSNS ||
                (size_t) st.st_size !=
                        start + header->n_instructions * sizeof(struct sock_filter) ||
                memcmp(header + 1, buffer_head(key), buffer_size(key)) != 0) {
                (void) munmap(map, (size_t) st.st_size);
                return 0;
        }

        *ret = (SeccompFilter) {
                .instructions = (const struct sock_filter *) ((const char *) map + start),
                .n_instructions = header->n_instructions,
                .flags = header->flags,
                .map = map,
                .map_size = (size_t) st.st_size,
        };
        return 1;
}

static int cache_save(int dir_fd, const char *name, const Buffer *key, const SeccompFilter *f) {
        static const char zeros[8] = {};
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(strv_freep) char **files = NULL;
        CacheHeader header = {
                .magic = CACHE_MAGIC,
                .flags = f->flags,
                .n_instructions = (uint32_t) f->n_instructions,
                .key_size = buffer_size(key),
        };
        int r;

        r = buffer_append(&b, &header, sizeof(header));
        if (r >= 0)
                r = buffer_append(&b, buffer_head(key), buffer_size(key));
        if (r >= 0)
                r = buffer_append(&b, zeros, padded(buffer_size(key)) - buffer_size(key));
        if (r >= 0)
                r = buffer_append(
                        &b, f->instructions, f->n_instructions * sizeof(*f->instructions));
        if (r < 0)
                return r;

        /* Profiles are few; who makes a new one for every container gets a cache that starts again now and then. */
        r = file_list(dir_fd, ".", /* hidden= */ true, &files);
        if (r < 0)
                return r;
        if (strv_length(files) >= CACHE_FILES_MAX)
                STRV_FOREACH (old, files)
                        (void) file_unlink(dir_fd, *old);

        return file_write_atomic(dir_fd, name, buffer_head(&b), buffer_size(&b), 0600, 0);
}

int seccomp_prepare(const RuntimeSeccomp *s, int root_fd, SeccompFilter *ret, Error *reterr) {
        _cleanup_(seccomp_filter_done) SeccompFilter f = {};
        _cleanup_(buffer_done) Buffer key = {};
        _cleanup_(fd_closep) int dir_fd = -EBADF;
        char name[CACHE_NAME_SIZE];
        int r;

        assert(s);
        assert(ret);

        r = seccomp_key(s, &key);
        if (r < 0)
                return r;
        cache_name(&key, name);

        if (root_fd >= 0) {
                dir_fd = file_open_dir(root_fd, CACHE_FOLDER);
                if (dir_fd == -ENOENT)
                        dir_fd = file_mkdir_open(root_fd, CACHE_FOLDER, 0700);
        }
        if (dir_fd >= 0 && cache_load(dir_fd, name, &key, ret) > 0)
                return 0;

        r = seccomp_compile(s, &f, reterr);
        if (r < 0)
                return r;
        if (dir_fd >= 0)
                (void) cache_save(dir_fd, name, &key, &f);

        *ret = TAKE_STRUCT(f);
        return 0;
}
