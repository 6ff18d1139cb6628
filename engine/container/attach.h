/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/container only: a client on its way to the monitor (container-attach.c), perhaps by the log (container-replay.c). */

#include "engine/container/containers.h"
#include "lib/api/monitor-spec.h"
#include "lib/api/stream-frame.h"
#include "lib/base/buffer.h"
#include "lib/base/list.h"

typedef struct sd_event_source sd_event_source;

typedef struct AttachClient {
        ListNode node; /* in its container, while it waits for the start */
        Container *container;
        int fd;       /* kept until the monitor has answered */
        int early_fd; /* sealed memfd, or none */
        StreamFraming framing;
        MonitorCommand command;
        sd_event_source *gone;
        Pending *
                pending; /* who waits for the answer; NULL: what goes wrong is told on the stream */
} AttachClient;

AttachClient *attach_client_free(AttachClient *k);
DEFINE_CLEANUP(AttachClient *, attach_client_free);

/* Who waits for the answer has it: from here on what goes wrong is told on the stream. */
void attach_client_complete(AttachClient *k);
/* It cannot be attached: said to whoever listens. Frees it. */
void attach_client_fail(AttachClient *k, int r, const Error *e);
/* What goes before an end that is an error, as the client reads it. */
int attach_append_error(Buffer *b, StreamFraming framing, const char *text);

/* Whether there is a monitor that would take it now. */
bool container_takes_clients(const Container *c);
/* Gives it to the monitor, or lets it wait for the next start; then its Pending is completed. Taken when that worked. */
int attach_client_go_on(AttachClient *k, Error *reterr);

/* Begins with the log: k->command is given to the monitor when the client has read it all, unless nothing follows. Taken when that worked. */
int container_replay(AttachClient *k, bool follow, Error *reterr);
