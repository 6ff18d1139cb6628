/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Between netns.c, the pool and who waits for it, and netns-worker.c, which has a stauer-worker do what there is to do. */

#include <systemd/sd-event.h>

#include "engine/host/netlink.h"
#include "engine/host/netns.h"
#include "lib/api/task-spec.h"
#include "lib/base/list.h"

#define NETNS_REMOVE_MANY 64U /* pins that do not wait for a quiet moment */

typedef struct Child Child;
typedef struct Entry Entry;
typedef struct Removal Removal;

struct NetnsTake {
        ListNode node; /* .waiting, .adopting or .asked of the pool */
        NetnsPool *pool;
        netns_taken_t taken;
        void *userdata;
        sd_event_source *timer;
        char id[IDENT_SIZE]; /* adopted ones */
        int dns_udp_fd, dns_tcp_fd;
};

/* A link of the host that goes. */
struct Removal {
        ListNode node; /* .removals of the pool */
        char name[NETLINK_NAME_SIZE];
        NetlinkCall *call; /* NULL: forgotten */
        bool asked;
};

struct Entry {
        Netns netns;
        ListNode node; /* .ready or .given of the pool, or in none */
};

struct NetnsPool {
        sd_event *event;
        Launcher *launcher;
        char *folder;
        bool started;
        bool quiet; /* nothing was taken or given back for a while */
        List ready;
        unsigned n_ready;
        List given;    /* back; closed when they are unpinned */
        List waiting;  /* for one from the pool */
        List adopting; /* not yet asked of a worker */
        List asked;    /* the worker opens them */
        char **remove;
        List removals;
        unsigned n_failures;

        /* the worker that runs, if any */
        uint64_t tag;
        bool spawning;
        int channel_fd; /* until the child is there */
        Child *child;
        TaskSpec task;
        bool has_result;

        sd_event_source *turn;
        sd_event_source *timer; /* quiet, or the end of a back-off */
        bool backs_off;
};

/* The pool has more to do, or may give: looked at in the next turn of the loop. */
void netns_pool_kick(NetnsPool *p);
/* Looks at it in a while, as at a quiet moment. */
void netns_pool_wait(NetnsPool *p, uint64_t usec);
/* Its pin is taken off in the next quiet moment. */
void netns_remove_later(NetnsPool *p, const char *id);
/* What came with the worker's row; takes fds. */
int netns_new(NetnsPool *p, const char *id, int *fds, size_t n_fds, Netns **ret);
/* The end of a wait; both free t. The first takes ns. */
void netns_take_finish(NetnsTake *t, int r, Netns *ns, const Error *e);
void netns_take_fail(NetnsTake *t, int r, const char *step);

/* Starts a worker, if there is something to do and none runs. */
void netns_worker_start(NetnsPool *p);
/* It is forgotten, and what it was asked to remove. */
void netns_worker_forget(NetnsPool *p);
