/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Between netlink.c, which has the calls' turns, and netlink-socket.c, which sends messages and reads their answers. */

#include <systemd/sd-event.h>

#include "engine/host/netlink-internal.h"

#define KNOWN_MAX 4U

typedef struct Known Known;

/* A link's index, good for the rest of the batch. */
struct Known {
        char name[NETLINK_NAME_SIZE];
        int ifindex;
};

struct NetlinkCall {
        ListNode node; /* .calls of the netlink, or .parked while its remover is at work */
        bool is_parked;
        Netlink *netlink;
        NetlinkBatch *batch;
        ListNode by_then; /* .expected of then_netlink */
        Netlink *then_netlink;
        NetlinkBatch *then_batch;
        Netlink *undo_netlink;
        NetlinkBatch *undo;
        netlink_done_t done;
        void *userdata;
        NetlinkCall **holder;
        Known known[KNOWN_MAX];
        unsigned n_known;
        unsigned n_done;        /* steps */
        uint64_t deadline_usec; /* 0: not begun */
        int result;
        Error error;
};

struct Netlink {
        sd_event *event;
        int fd;
        sd_event_source *io;    /* on while an answer is awaited */
        sd_event_source *turn;  /* on while there is something to send */
        sd_event_source *timer; /* of the first call */
        List calls;
        List parked;
        NetlinkRemover remover;
        List expected; /* calls that come here when they are done elsewhere */
        uint32_t sequence;
        bool waits;             /* for an answer to the message .sequence */
        const NetlinkRef *asks; /* .. which only asked for this link's index */
        int answer;      /* 0, the kernel's negative errno, or one of ours about the answer */
        char words[160]; /* the kernel's, to .answer */
        bool *ret_freed; /* set by netlink_free() while a callback runs */
};

int netlink_socket_open(void);
/* Without them the answers only have fewer words. */
void netlink_socket_prepare(int fd);
int netlink_send(Netlink *n, struct nl_msg *m);
/* Asks for a link's index; n->asks is set. */
int netlink_ask(Netlink *n, const NetlinkRef *ref);
/* 1: the answer is complete, in n->answer; 0: there is more, -EAGAIN: nothing there yet. */
int netlink_receive(Netlink *n, NetlinkCall *c, NetlinkStep *s);
