/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/host/nft.h"

#include <malloc.h>
#include <nftables/libnftables.h>
#include <string.h>

#include "engine/host/nft-events.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/event/loop.h"
#include "lib/json/json.h"

#define EVENTS_READ 32768U /* more than the kernel puts into one datagram */

struct Nft {
        struct nft_ctx
                *context; /* made by the first call: most programs that link us never make one */
        int generation_fd;
        int events_fd;
        sd_event_source *source;
        char *table;
        nft_touched_t touched;
        void *userdata;
};

int nft_new(Nft **ret) {
        Nft *n;

        assert(ret);

        n = new0(Nft, 1);
        if (!n)
                return -ENOMEM;
        n->generation_fd = n->events_fd = -EBADF;
        *ret = n;
        return 0;
}

Nft *nft_free(Nft *n) {
        if (!n)
                return NULL;
        (void) loop_source_free(n->source);
        (void) fd_close(n->events_fd);
        (void) fd_close(n->generation_fd);
        if (n->context)
                nft_ctx_free(n->context);
        free(n->table);
        free(n);
        return NULL;
}

static int ensure_context(Nft *n) {
        if (n->context)
                return 0;
        n->context = nft_ctx_new(NFT_CTX_DEFAULT);
        if (!n->context)
                return -ENOMEM;
        if (nft_ctx_buffer_output(n->context) == 0 && nft_ctx_buffer_error(n->context) == 0)
                return 0;
        nft_ctx_free(n->context);
        n->context = NULL;
        return -ENOMEM;
}

/* "Error: Could not process rule: Operation not permitted" gives what comes last; the library hands no number out. */
static int error_number(const char *line) {
        static const int known[] = { EPERM, EACCES, ENOENT, EEXIST, EBUSY, EOPNOTSUPP, ENOMEM,
                ENOBUFS, ENOSPC };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (str_ends(line, strerror(known[i])))
                        return -known[i];
        return -EIO;
}

static int say(Nft *n, Error *reterr) {
        _cleanup_(freep) char *line = NULL;
        const char *text = nft_ctx_get_error_buffer(n->context);
        int r;

        if (str_copy_n(&line, text, strcspn(text, "\n")) < 0)
                return -ENOMEM;
        r = error_number(line);
        (void) error_set(reterr, error_kind_from_errno(r), "nftables: %s", line);
        return r;
}

/* What has come is looked at. Did it name our table? */
static bool read_events(Nft *n) {
        _Alignas(8) char data[EVENTS_READ];
        bool is_touched = false;
        ssize_t size;

        for (;;) {
                size = recv(n->events_fd, data, sizeof(data), MSG_TRUNC);
                if (size < 0 && errno == EINTR)
                        continue;
                if (size < 0 && errno == EAGAIN)
                        return is_touched;
                if (size <= 0 || (size_t) size > sizeof(data)) {
                        /* ENOBUFS: some are lost */
                        is_touched = true;
                        if (size <= 0 && errno != ENOBUFS)
                                return true;
                } else if (!is_touched)
                        is_touched = nft_events_name_table(data, (size_t) size, n->table);
        }
}

static int on_events(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        Nft *n = userdata;

        if (read_events(n))
                n->touched(n->userdata);
        return 0;
}

/* Our own transaction raises the generation by one. If it went up by more, somebody else's came between, and what we hear is not ours alone. */
static bool after_run(Nft *n, uint32_t before, bool done) {
        bool is_ours, is_heard;
        uint32_t after;

        is_ours =
                nft_generation(n->generation_fd, &after) >= 0 && after - before == (done ? 1U : 0U);
        is_heard = read_events(n);
        return is_heard && !is_ours;
}

int nft_run(Nft *n, const char *commands, Error *reterr) {
        uint32_t before = 0;
        bool is_touched = false;
        int r;

        assert(n);
        assert(commands);

        r = ensure_context(n);
        if (r < 0)
                return r;
        if (n->events_fd >= 0) {
                is_touched = read_events(n);
                (void) nft_generation(n->generation_fd, &before);
        }

        nft_ctx_output_set_flags(n->context, 0);
        r = nft_run_cmd_from_buffer(n->context, commands) == 0 ? 0 : say(n, reterr);
        /* What it has printed (nothing) and complained of is kept for the next call otherwise. */
        (void) nft_ctx_get_output_buffer(n->context);
        (void) nft_ctx_get_error_buffer(n->context);

        if (n->events_fd >= 0 && after_run(n, before, r >= 0))
                is_touched = true;
        if (is_touched)
                n->touched(n->userdata);
        return r;
}

void nft_rest(Nft *n) {
        assert(n);

        if (n->context)
                nft_ctx_free(n->context);
        n->context = NULL;
        (void) malloc_trim(0);
}

int nft_list(Nft *n, const char *command, Json **ret, Error *reterr) {
        const char *text;
        int r;

        assert(n);
        assert(command);
        assert(ret);

        r = ensure_context(n);
        if (r < 0)
                return r;
        nft_ctx_output_set_flags(n->context, NFT_CTX_OUTPUT_JSON);
        r = nft_run_cmd_from_buffer(n->context, command) == 0 ? 0 : say(n, reterr);
        text = nft_ctx_get_output_buffer(n->context);
        (void) nft_ctx_get_error_buffer(n->context);
        if (r < 0)
                return r;
        return json_parse(text, strlen(text), JSON_SIZE_MAX, ret, reterr);
}

int nft_watch(Nft *n, sd_event *e, const char *table, nft_touched_t touched, void *userdata) {
        _cleanup_(fd_closep) int events = -EBADF, generation = -EBADF;
        _cleanup_(freep) char *copy = NULL;
        int r;

        assert(n);
        assert(e);
        assert(table);
        assert(touched);

        if (n->source)
                return 0;
        r = str_copy(&copy, table);
        if (r < 0)
                return r;
        events = nft_events_open();
        if (events < 0)
                return events;
        generation = nft_generation_open();
        if (generation < 0)
                return generation;
        r = loop_io(e, events, EPOLLIN, LOOP_SYSTEM, "nftables", on_events, n, &n->source);
        if (r < 0)
                return r;
        n->events_fd = TAKE_FD(events);
        n->generation_fd = TAKE_FD(generation);
        n->table = TAKE_PTR(copy);
        n->touched = touched;
        n->userdata = userdata;
        return 0;
}
