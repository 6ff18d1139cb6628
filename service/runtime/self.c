/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/self.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/mountinfo.h"
#include "lib/base/str.h"

static uintptr_t page_down(uintptr_t a) {
        return a & ~((uintptr_t) getpagesize() - 1);
}

static uintptr_t page_up(uintptr_t a) {
        return page_down(a + (uintptr_t) getpagesize() - 1);
}

/* Not memcpy(): a checked one would find fault with what lies between our variables. */
__attribute__((no_sanitize("address", "undefined"))) static void copy_words(
        volatile uint64_t *to, const volatile uint64_t *from, size_t size) {
        for (size_t i = 0; i < size / sizeof(*to); i++)
                to[i] = from[i];
}

/* Puts a copy in the place of one segment. The code that does it is in such a segment itself: the bytes at its address are the same
 * before and after, and the kernel changes the mapping between two instructions. What cannot be written is taken from the
 * file: that touches no page of the old mapping, and while we run it nobody can write to it. */
static int replace_segment(
        uintptr_t from, uintptr_t to, int protection, int exe_fd, const ElfW(Phdr) * p) {
        size_t size = to - from;
        void *copy;
        int r = 0;

        copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                -1, 0);
        if (copy == MAP_FAILED)
                return -errno;

        if (protection & PROT_WRITE)
                copy_words(copy, (const void *) from, size);
        else if (pread(exe_fd, copy, size, (off_t) page_down(p->p_offset)) <
                 (ssize_t) (p->p_offset - page_down(p->p_offset) + p->p_filesz))
                r = -EIO;
        __builtin___clear_cache((char *) copy, (char *) copy + size);

        if (r >= 0 && (mprotect(copy, size, protection) < 0 ||
                              mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
                                      (void *) from) == MAP_FAILED))
                r = -errno;
        if (r < 0) {
                (void) munmap(copy, size);
                return r;
        }
        __builtin___clear_cache((char *) from, (char *) to);
        return 0;
}

typedef struct Replacement {
        int exe_fd;
        int result;
} Replacement;

static int protection_of(const ElfW(Phdr) * p) {
        return (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
               (p->p_flags & PF_X ? PROT_EXEC : 0);
}

static int replace_program(struct dl_phdr_info *info, size_t size, void *userdata) {
        Replacement *replacement = userdata;
        int r = 0;

        for (size_t i = 0; i < info->dlpi_phnum && r >= 0; i++) {
                const ElfW(Phdr) *p = info->dlpi_phdr + i;
                uintptr_t start = info->dlpi_addr + p->p_vaddr;

                if (p->p_type == PT_LOAD && p->p_filesz > 0)
                        r = replace_segment(page_down(start), page_up(start + p->p_filesz),
                                protection_of(p), replacement->exe_fd, p);
        }
        for (size_t i = 0; i < info->dlpi_phnum && r >= 0; i++) {
                const ElfW(Phdr) *p = info->dlpi_phdr + i;
                uintptr_t start = page_down(info->dlpi_addr + p->p_vaddr),
                          end = page_down(info->dlpi_addr + p->p_vaddr + p->p_memsz);

                if (p->p_type == PT_GNU_RELRO &&
                        mprotect((void *) start, end - start, PROT_READ) < 0)
                        r = -errno;
        }

        replacement->result = r;
        return 1; /* the first is the program, the others are libraries */
}

/* The kernel takes all of these or none, so they are read to be told the same again. */
static int read_map(struct prctl_mm_map *ret) {
        _cleanup_(freep) char *text = NULL;
        struct prctl_mm_map m = {};
        const char *p;
        int r;

        r = file_read("/proc/self/stat", 4096, &text, NULL);
        if (r < 0)
                return r;
        p = strrchr(text, ')');
        if (!p)
                return -EBADMSG;

        /* Fields 26 to 28 and 45 to 51 of proc(5); the name before the bracket is field 2. */
        for (int field = 2; *p && field < 52; p++) {
                __u64 *const to[] = { &m.start_code, &m.end_code, &m.start_stack };
                __u64 *const more[] = { &m.start_data, &m.end_data, &m.start_brk, &m.arg_start,
                        &m.arg_end, &m.env_start, &m.env_end };
                uint64_t value;

                if (*p != ' ')
                        continue;
                field++;
                if ((field >= 26 && field <= 28) || (field >= 45 && field <= 51)) {
                        if (sscanf(p, " %" SCNu64, &value) != 1)
                                return -EBADMSG;
                        *(field < 45 ? to[field - 26] : more[field - 45]) = value;
                }
        }

        m.brk = (uint64_t) (uintptr_t) sbrk(0);
        *ret = m;
        return 0;
}

int self_let_go(int exe_fd) {
        _cleanup_(fd_closep) int nothing_fd = -EBADF;
        Replacement replacement = { .exe_fd = exe_fd };
        struct prctl_mm_map map;
        int r;

        nothing_fd = fd_memfd_sealed("stauer-runtime", "", 0);
        if (nothing_fd < 0)
                return nothing_fd;
        (void) dl_iterate_phdr(replace_program, &replacement);
        r = replacement.result < 0 ? replacement.result : read_map(&map);
        if (r < 0)
                return r;

        /* EBUSY when anything of the old file is still mapped: then nothing is protected and the other way is taken. */
        map.exe_fd = (uint32_t) nothing_fd;
        return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0 ? -errno : 0;
}

/* Executed by descriptor (the kernel then calls us /dev/fd/N), and from a mount that is read-only. A caller that starts many of us
 * may keep such a copy itself and execute that. */
static int is_protected(int exe_fd) {
        const char *name = (const char *) getauxval(AT_EXECFN);
        struct statvfs sv;

        if (!name || !str_starts(name, "/dev/fd/"))
                return 0;
        if (fstatvfs(exe_fd, &sv) < 0)
                return -errno;
        return sv.f_flag & ST_RDONLY ? 1 : -EROFS;
}

static int execute_copy(char **argv, int exe_fd, Error *reterr) {
        _cleanup_(fd_closep) int copy_fd = -EBADF;
        int r;

        copy_fd = mount_clone(exe_fd, /* recursive= */ false);
        if (copy_fd < 0)
                return error_set_errno(reterr, copy_fd, "copy the mount of this program");
        r = mount_change(copy_fd, MOUNT_ATTR_RDONLY, 0, MS_PRIVATE, /* recursive= */ false);
        if (r < 0)
                return error_set_errno(reterr, r, "make the copy of this program read-only");

        (void) execveat(copy_fd, "", argv, environ, AT_EMPTY_PATH);
        return error_set_errno(reterr, -errno, "execute the copy of this program");
}

int self_protect(char **argv, Error *reterr) {
        _cleanup_(fd_closep) int exe_fd = -EBADF;
        int r;

        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set_errno(reterr, -errno, "protect this process");

        exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (exe_fd < 0)
                return error_set_errno(reterr, -errno, "open this program");
        r = is_protected(exe_fd);
        if (r < 0)
                return error_set_errno(
                        reterr, r, "this program was executed by descriptor from a writable mount");
        if (r > 0 || self_let_go(exe_fd) >= 0)
                return 0;

        return execute_copy(argv, exe_fd, reterr);
}
