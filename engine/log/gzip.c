/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/log/gzip.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/alloc.h"
#include "lib/base/fd.h"

#define LIBRARY "libz.so.1"

#define GZIP_BITS   (MAX_WBITS + 16) /* nothing but gzip */
#define LEVEL       6
#define MEMORY      8
#define BLOCK       ((size_t) 16 * 1024)
#define HEADER_SIZE 10u
#define EXTRA_FLAG  4u

/* The field of the header that is ours: two letters, a size, the inode; all little endian. */
#define EXTRA_SIZE 12u

static struct Zlib {
        int (*deflate_init)(z_streamp z, int level, int method, int bits, int memory, int strategy,
                const char *version, int size);
        int (*deflate_set_header)(z_streamp z, gz_headerp header);
        int (*deflate)(z_streamp z, int flush);
        int (*deflate_end)(z_streamp z);
        int (*inflate_init)(z_streamp z, int bits, const char *version, int size);
        int (*inflate)(z_streamp z, int flush);
        int (*inflate_reset)(z_streamp z);
        int (*inflate_end)(z_streamp z);
} zlib;

static int load(void) {
        const struct {
                const char *name;
                void **function;
        } table[] = {
                { "deflateInit2_", (void **) &zlib.deflate_init },
                { "deflateSetHeader", (void **) &zlib.deflate_set_header },
                { "deflate", (void **) &zlib.deflate },
                { "deflateEnd", (void **) &zlib.deflate_end },
                { "inflateInit2_", (void **) &zlib.inflate_init },
                { "inflate", (void **) &zlib.inflate },
                { "inflateReset", (void **) &zlib.inflate_reset },
                { "inflateEnd", (void **) &zlib.inflate_end },
        };
        static bool loaded;
        void *library;

        if (loaded)
                return 0;
        library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return -ELIBACC;
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                *table[i].function = dlsym(library, table[i].name);
                if (!*table[i].function)
                        return -ELIBBAD;
        }
        loaded = true;
        return 0;
}

static int read_some(int fd, uint8_t *to, size_t size, uint64_t offset) {
        ssize_t n;

        do
                n = pread(fd, to, size, (off_t) offset);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : (int) n;
}

/* ---- packing ---- */

static int pack_all(z_stream *z, int in_fd, int out_fd) {
        uint8_t in[BLOCK], out[BLOCK];
        uint64_t offset = 0;
        int r, n;

        do {
                n = read_some(in_fd, in, sizeof(in), offset);
                if (n < 0)
                        return n;
                offset += (uint64_t) n;
                z->next_in = in;
                z->avail_in = (uInt) n;
                do {
                        z->next_out = out;
                        z->avail_out = sizeof(out);
                        if (zlib.deflate(z, n == 0 ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
                                return -EIO;
                        r = fd_write_full(out_fd, out, sizeof(out) - z->avail_out);
                        if (r < 0)
                                return r;
                } while (z->avail_out == 0);
        } while (n > 0);
        return fsync(out_fd) < 0 ? -errno : 0;
}

int gzip_pack(int in_fd, int out_fd) {
        uint8_t extra[EXTRA_SIZE] = { 'S', 't', sizeof(uint64_t), 0 };
        gz_header header = { .extra = extra, .extra_len = sizeof(extra), .os = 3 };
        z_stream z = {};
        struct stat st;
        int r;

        r = load();
        if (r < 0)
                return r;
        if (fstat(in_fd, &st) < 0)
                return -errno;
        for (unsigned i = 0; i < sizeof(uint64_t); i++)
                extra[4 + i] = (uint8_t) ((uint64_t) st.st_ino >> 8 * i);

        if (zlib.deflate_init(&z, LEVEL, Z_DEFLATED, GZIP_BITS, MEMORY, Z_DEFAULT_STRATEGY,
                    ZLIB_VERSION, (int) sizeof(z)) != Z_OK)
                return -ENOMEM;
        r = zlib.deflate_set_header(&z, &header) != Z_OK ? -EIO : pack_all(&z, in_fd, out_fd);
        (void) zlib.deflate_end(&z);
        return r;
}

/* ---- what is there ---- */

bool gzip_is(int fd) {
        uint8_t head[3];

        return read_some(fd, head, sizeof(head), 0) == (int) sizeof(head) && head[0] == 0x1f &&
               head[1] == 0x8b && head[2] == Z_DEFLATED;
}

int gzip_origin(int fd, uint64_t *ret_inode) {
        uint8_t head[HEADER_SIZE + 2 + 256];
        uint64_t inode = 0;
        size_t size, end;
        int n;

        n = read_some(fd, head, sizeof(head), 0);
        if (n < 0)
                return n;
        size = (size_t) n;
        if (size < HEADER_SIZE + 2 || head[0] != 0x1f || head[1] != 0x8b || !(head[3] & EXTRA_FLAG))
                return -ENODATA;
        end = HEADER_SIZE + 2 + (size_t) (head[HEADER_SIZE] | head[HEADER_SIZE + 1] << 8);
        end = MIN(end, size);
        for (size_t i = HEADER_SIZE + 2; i + 4 <= end;) {
                size_t length = (size_t) (head[i + 2] | head[i + 3] << 8);

                if (i + 4 + length > end)
                        break;
                if (head[i] == 'S' && head[i + 1] == 't' && length == sizeof(inode)) {
                        for (unsigned k = 0; k < sizeof(inode); k++)
                                inode |= (uint64_t) head[i + 4 + k] << 8 * k;
                        *ret_inode = inode;
                        return 0;
                }
                i += 4 + length;
        }
        return -ENODATA;
}

/* ---- reading ---- */

struct GzipReader {
        int fd;
        uint64_t offset; /* of the next block */
        z_stream z;
        bool open;  /* z is to be ended */
        bool ended; /* a stream has come to its end; another may follow it */
        uint8_t in[BLOCK];
};

int gzip_reader_new(int fd, GzipReader **ret) {
        _cleanup_(gzip_reader_freep) GzipReader *g = NULL;
        int r;

        r = load();
        if (r < 0)
                return r;
        g = new0(GzipReader, 1);
        if (!g)
                return -ENOMEM;
        g->fd = fd;
        if (zlib.inflate_init(&g->z, GZIP_BITS, ZLIB_VERSION, (int) sizeof(g->z)) != Z_OK)
                return -ENOMEM;
        g->open = true;
        *ret = TAKE_PTR(g);
        return 0;
}

GzipReader *gzip_reader_free(GzipReader *g) {
        if (!g)
                return NULL;
        if (g->open)
                (void) zlib.inflate_end(&g->z);
        free(g);
        return NULL;
}

int gzip_reader_next(GzipReader *g, char *to, size_t size, size_t *ret_n) {
        g->z.next_out = (Bytef *) to;
        g->z.avail_out = (uInt) size;
        while (g->z.avail_out == size) {
                int r;

                if (g->z.avail_in == 0) {
                        r = read_some(g->fd, g->in, sizeof(g->in), g->offset);
                        if (r < 0)
                                return r;
                        if (r == 0)
                                break;
                        g->offset += (uint64_t) r;
                        g->z.next_in = g->in;
                        g->z.avail_in = (uInt) r;
                }
                if (g->ended && zlib.inflate_reset(&g->z) != Z_OK)
                        return -EIO;
                g->ended = false;
                r = zlib.inflate(&g->z, Z_NO_FLUSH);
                if (r == Z_STREAM_END)
                        g->ended = true;
                else if (r != Z_OK && r != Z_BUF_ERROR)
                        return r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
        }
        *ret_n = size - g->z.avail_out;
        return 0;
}
