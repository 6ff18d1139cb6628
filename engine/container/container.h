/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A Container: what it shall be (spec, fixed at create), what has become of it (state, saved), and what is under way (volatile). Owned by
 * Containers. The fields are for reading; only engine/container changes them, state only through container-state.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/container/mount-points.h"
#include "lib/api/container-spec.h"
#include "lib/api/monitor-spec.h"
#include "lib/base/error.h"
#include "lib/base/list.h"
#include "lib/base/macro.h"

typedef struct Container Container;
typedef struct ContainerFollower ContainerFollower;
typedef struct ContainerFreezer ContainerFreezer;
typedef struct ContainerLost ContainerLost;
typedef struct ContainerStart ContainerStart;
typedef struct ContainerRemove ContainerRemove;
typedef struct Containers Containers;
typedef struct Image Image;
typedef struct MonitorLink MonitorLink;
typedef struct Endpoint Endpoint;
typedef struct Network Network;
typedef struct Pending Pending;
typedef struct Sandbox Sandbox;
typedef struct sd_event sd_event;
typedef struct sd_event_source sd_event_source;
typedef struct UnitCall UnitCall;
typedef struct UnitWatch UnitWatch;
typedef struct UnitsBarrier UnitsBarrier;

#define ON_UNHEALTHY_LABEL "org.stauer.on-unhealthy" /* none, restart, stop, kill */

typedef enum ContainerState {
        CONTAINER_CREATED,
        CONTAINER_STARTING, /* shown as what it was before: created, exited, restarting */
        CONTAINER_RUNNING,
        CONTAINER_PAUSED,     /* runs, frozen */
        CONTAINER_RESTARTING, /* exited, and waits for its next start */
        CONTAINER_EXITED,
        CONTAINER_REMOVING,
        _CONTAINER_STATE_MAX,
        _CONTAINER_STATE_INVALID = -22,
} ContainerState;

#define CONTAINER_EXIT_LOST 255 /* nobody saw how it ended: monitor lost, host went down */

struct Container {
        Containers *set;
        ListNode by_age; /* in Containers: newest first */

        /* fixed at create */
        char *id;           /* 64 hex digits */
        char *name;         /* without slash */
        ContainerSpec spec; /* as asked, merged with the image, defaults filled */
        char *image_id;     /* sha256:… */
        char *driver;       /* storage driver of its layer */
        MountPoints mount_points;
        char **path_and_args; /* entrypoint and command joined: what runs */
        int64_t created_ns;
        char **warnings; /* of create; not saved */

        /* saved */
        ContainerState state;
        bool has_started; /* ever: "exited" and not "created" is what it rests in */
        bool oom_killed;
        bool manually_stopped; /* or signalled: unless-stopped minds */
        int64_t restart_count; /* by policy, since somebody started it */
        int64_t exit_code;
        char *error;        /* why the last start failed or how it was lost; NULL: nothing */
        int64_t started_ns; /* CLOCK_NEVER: never */
        int64_t finished_ns;
        bool has_accounting;
        Accounting accounting; /* of the last run, final */
        char *start_boot;      /* boot id in which the last start was begun */

        /* volatile */
        int64_t pid;  /* of the first process; 0: none */
        Image *image; /* borrowed, NULL when it is not there any more */
        MonitorLink *link;
        ContainerStart *start;
        ContainerRemove *remove;
        Sandbox *sandbox; /* its network, while it runs or starts; NULL: it has none of its own */
        Pending *network_change;     /* who waits for a connect */
        Network *network_new;        /* to this one */
        bool restart_cancelled;      /* the policy sleeps until the next start */
        bool restarting;             /* starts by policy */
        uint64_t restart_pause_usec; /* the last one */
        sd_event_source *again_timer;
        ListNode by_again;           /* in Containers: whose turn it will be */
        Pending *again;              /* that start */
        UnitsBarrier *again_barrier; /* before it: did somebody stop the scope? */
        bool again_waits;            /* there was a job, it will be told of which kind */
        bool scope_stopped;          /* by systemctl stop, in this run: not told yet as "stop" */
        ContainerFreezer *freezer;
        ContainerFollower *follower;    /* of its scope's limits, while it runs */
        UnitWatch *scope;               /* while the scope is, or may be, there */
        sd_event_source *scope_lingers; /* its monitor is gone: it should be, too */
        ContainerLost *lost;            /* waits for the end of what a lost monitor left */
        bool has_size;
        uint64_t size;        /* of its own layer, when it was last measured */
        bool exit_unsaved;    /* the disk was full: the exit file stays the truth */
        List waiting_clients; /* attached before the start */
        List waits;
        List stops;
        List restarts;   /* by a person, under way */
        List freezes;    /* calls under way */
        List holds;      /* who needs it frozen: container-hold.c */
        bool hold_moves; /* it is being frozen or thawed for them */
        bool held;       /* it was frozen for them */
        List updates;
        List tops;
        List logs;
        List execs;          /* Exec, oldest first */
        HealthState health;  /* as its monitor said; status NULL: nothing yet */
        bool health_restart; /* it is restarted because it is unhealthy */
        List files;          /* workers in its files */
};

int container_new(const char *id, const char *name, Container **ret);
Container *container_free(Container *c);
DEFINE_CLEANUP(Container *, container_free);

/* There is a process: from "started" to the handled exit, paused or not. */
static inline bool container_is_running(const Container *c) {
        return c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED;
}

/* Between an exit and the next start by its policy. */
static inline bool container_is_restarting(const Container *c) {
        return c->state == CONTAINER_RESTARTING ||
               (c->state == CONTAINER_STARTING && c->restarting);
}

/* Docker's "Running": restarting ones too. */
static inline bool container_is_up(const Container *c) {
        return container_is_running(c) || container_is_restarting(c);
}

const char *container_state_to_string(ContainerState s);

/* Docker's word of State.Status: created running paused restarting exited removing. (dead is what is half removed: nothing here is.) */
const char *container_status(const Container *c);

/* docker-ID.scope */
#define CONTAINER_SCOPE_SIZE (sizeof("docker-.scope") + 64)
const char *container_scope(const Container *c, char ret[static CONTAINER_SCOPE_SIZE]);

/* The loop it lives in, for faces that follow it. */
sd_event *container_event(const Container *c);

/* Names of files and folders as inspect shows them; NULL when out of memory. */
char *container_folder(const Container *c); /* DATAROOT/containers/ID */
/* Of hosts, hostname and resolv.conf: its own, or that of the container whose network it shares. */
char *container_files_folder(const Container *c);
char *container_file(const Container *c, const char *name); /* … below it */
char *container_log_file(
        const Container *c); /* where its driver writes, or keeps a cache; "": nowhere */
char *container_log_path(const Container *c);   /* "" for a driver without file */
char *container_run_folder(const Container *c); /* RUNROOT/containers/ID */

/* Its health check: none (there is none), starting, healthy, unhealthy. */
bool container_has_health(const Container *c);
const char *container_health_status(const Container *c);
const char *container_on_unhealthy(const Container *c); /* never NULL */

/* The image as the user named it; its id when that name is another one's by now. */
const char *container_image_name(const Container *c);

/* As dockerd says it: the AppArmor profile, known from the first start on; "" on a host without AppArmor. */
int container_apparmor_profile(const Container *c, char **ret);

/* Bytes of its own layer when it was last measured, and with the image's. Unknown: 0. */
void container_size(const Container *c, uint64_t *ret_own, uint64_t *ret_all);

const char *container_network_id(const Container *c); /* NULL: there is no such network */
typedef struct Networks Networks;
Networks *container_networks(const Container *c); /* the set that its networks are in */
/* Its leg in the network that one of spec.endpoints names; NULL: it does not run, or has not joined. */
const Endpoint *container_endpoint(const Container *c, const EndpointSpec *spec);

/* Pairs of GraphDriver.Data. */
int container_describe_layer(const Container *c, char ***ret);

/* KEY=VALUE of an event: labels, image, name. */
int container_event_attributes(const Container *c, char ***ret);

/* Present figures while it runs (read from the cgroup: some file reads), final ones afterwards; UINT64_MAX where nobody can tell. */
typedef struct ContainerFigures {
        Accounting accounting;
        uint64_t memory_current;
        uint64_t tasks_current;
} ContainerFigures;

void container_figures(const Container *c, ContainerFigures *ret);

/* /sys/fs/cgroup/…/docker-ID.scope. NULL when out of memory. */
char *container_scope_folder(const Container *c);
/* /sys/fs/cgroup/…/docker-ID.scope/container: only what runs in it. NULL when out of memory. */
char *container_cgroup_folder(const Container *c);

#define log_container(level, c, r, ...)                       \
        log_struct(level, r,                                  \
                &((LogFields) { .container_id = (c)->id,      \
                        .container_name = (c)->name,          \
                        .image_name = (c)->spec.config.image, \
                        .object = (c)->name }),               \
                __VA_ARGS__)
#define log_container_error(c, r, ...)   log_container(LOG_ERR, c, r, __VA_ARGS__)
#define log_container_warning(c, r, ...) log_container(LOG_WARNING, c, r, __VA_ARGS__)
#define log_container_debug(c, r, ...)   log_container(LOG_DEBUG, c, r, __VA_ARGS__)
