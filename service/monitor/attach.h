/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The clients of one process's streams: each a stream socket that gets output (in Docker's frames, or raw) and may give input. What a client does
 * not take waits in a buffer of its own. A full buffer stops the reading of the process's output, as a pipe would, so that a slow client
 * loses nothing; one that makes it wait for ATTACH_PATIENCE_USEC at a stretch is dropped, so that it stops nobody for long. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/log/driver.h"
#include "lib/api/detach-keys.h"
#include "lib/api/stream-frame.h"
#include "lib/base/list.h"
#include "service/monitor/poller.h"

#define ATTACH_BUFFER_SIZE   ((size_t) 256 * 1024)
#define ATTACH_PATIENCE_USEC UINT64_C(10000000)
#define ATTACH_CLIENTS_MAX   512U

typedef struct Attachments Attachments;

typedef struct AttachRequest {
        bool in, out, err;
        StreamFraming framing; /* with a terminal STREAM_FRAMES is STREAM_BARE */
        uint64_t hold;         /* not 0: its output waits for attach_release() */
        DetachKeys keys;       /* looked for in input when there is a terminal */
        const void *early;     /* input that came before, copied */
        size_t early_size;
} AttachRequest;

typedef struct AttachCallbacks {
        void (*on_drain)(void *userdata);  /* no client is full any more */
        void (*on_detach)(void *userdata); /* somebody typed the keys; his stream is closed */
        void (*on_idle)(
                void *userdata); /* after attach_end(): the last client has got everything and is gone */
        void *userdata;
} AttachCallbacks;

struct Attachments {
        Poller *poller;
        AttachCallbacks callbacks;
        List clients;
        unsigned n;
        bool terminal;
        bool close_input; /* the input ends with the first client that ends its own */
        bool ending;
        int input_fd;                         /* borrowed, non-blocking; -EBADF: nobody reads */
        void (*on_input_end)(void *userdata); /* its owner closes it */
        Watch input_watch;
        Timer patience;
};

void attach_init(Attachments *a, Poller *p, const AttachCallbacks *callbacks);
void attach_done(Attachments *a); /* drops all clients; no callback */

/* fd moved in any case. -EUSERS: too many. */
int attach_add(Attachments *a, int fd, const AttachRequest *request);
static inline bool attach_has_clients(const Attachments *a) {
        return a->n > 0;
}

/* Output of before for the client that was added with this hold, behind what is there; false: it is not there any more. */
bool attach_write_held(
        Attachments *a, uint64_t hold, LogStream stream, const void *data, size_t size);
/* What waited goes out. */
void attach_release(Attachments *a, uint64_t hold);
/* Whoever would have released them is not there any more. */
void attach_drop_held(Attachments *a);

/* Where input goes from now on; clients may have come earlier. */
void attach_set_input(Attachments *a, int input_fd, void (*on_input_end)(void *userdata));

void attach_write(Attachments *a, LogStream stream, const void *data, size_t size);
bool attach_is_full(const Attachments *a); /* on_drain follows */

/* No more output comes: clients get what waits and are closed; on_idle possibly at once. */
void attach_end(Attachments *a);
