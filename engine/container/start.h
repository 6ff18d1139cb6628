/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/container only: one start under way, and its table of steps (start-steps.c). */

#include <stdbool.h>
#include <sys/types.h>

#include "engine/container/container.h"
#include "engine/container/join.h"
#include "engine/network/driver.h"

typedef struct CdiDevices CdiDevices;
typedef struct CdiEdits CdiEdits;
typedef struct MonitorSpec MonitorSpec;
typedef struct Pending Pending;
typedef struct UnitProperties UnitProperties;

typedef enum StartPhase {
        START_OLD_SCOPE, /* the monitor and scope of the last run are not gone yet */
        START_STEPS,
        START_LAUNCH,
        START_MONITOR,
} StartPhase;

struct ContainerStart {
        Container *container;
        Pending **pendings; /* all who asked for it */
        size_t n_pendings;
        size_t n_pendings_allocated;
        StartPhase phase;
        sd_event_source *begin;
        sd_event_source *deadline;

        /* of the steps */
        size_t n_done;
        int folder_fd; /* DATAROOT/containers/ID */
        int run_fd;    /* RUNROOT/containers/ID */
        MountSpec rootfs;
        NetworkLeg leg;
        NamespaceJoin joins[_JOIN_KIND_MAX];
        CdiDevices *devices; /* what edits points into; NULL: none asked for */
        const CdiEdits **edits;
        size_t n_edits;
        char *files_folder; /* whose hosts, hostname and resolv.conf; NULL: our own */
        int spec_fd;        /* sealed */
        int listen_fd;

        /* afterwards */
        uint64_t launch_tag; /* 0: no request under way */
        pid_t monitor_pid;
        int pidfd;
        char **device_rules; /* what the devices that were asked for are */
        UnitCall *scope_call;
        bool ready; /* the monitor has mounted, and said so */
        bool scope_asked;
        bool scope_in_the_way; /* one of that name was there: asked again when it is gone */
        bool scope_asked_again;
        bool scope_done;
        bool network_done; /* links and ports are there */
        bool resumed;      /* begun by an earlier daemon */
};

void start_steps_init(ContainerStart *s, Container *c);
/* Undoes itself on failure. 1: the network namespace is waited for, container_start_on_network() goes on. */
int start_steps_walk(ContainerStart *s, Error *reterr);
void container_start_on_network(int r, const Error *e, void *container);
void start_steps_undo(ContainerStart *s);
void start_steps_keep(ContainerStart *s); /* it runs: nothing is to be undone any more */
void start_steps_done(ContainerStart *s); /* frees, undoes nothing */

int start_make_scope(ContainerStart *s, UnitProperties *ret);

/* start-devices.c: what is asked for by name (DeviceRequests) is looked up; what of the host's devices the monitor is to find. */
int start_find_devices(ContainerStart *s, Error *reterr);
int start_make_devices(const ContainerStart *s, MonitorSpec *m);
