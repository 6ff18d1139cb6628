/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/container only: the set with its collaborators, and the moves that one file makes for another. */

#include <systemd/sd-event.h>

#include "engine/container/container.h"
#include "engine/container/containers-new.h"
#include "engine/container/exec.h"
#include "lib/base/hashmap.h"
#include "lib/base/log.h"

typedef struct ContainerPrune ContainerPrune;
typedef struct Hub Hub;
typedef struct Images Images;
typedef struct Job Job;
typedef struct Jobs Jobs;
typedef struct Launcher Launcher;
typedef struct MonitorRecord MonitorRecord;
typedef struct Networks Networks;
typedef struct SeccompProfile SeccompProfile;
typedef struct Settings Settings;
typedef struct Storage Storage;
typedef struct SysInfo SysInfo;
typedef struct UnitProperties UnitProperties;
typedef struct Units Units;
typedef struct Volumes Volumes;
typedef struct Workers Workers;

struct Containers {
        sd_event *event;
        const Settings *settings;
        const SysInfo *sysinfo;
        Hub *hub;
        Jobs *jobs;
        Units *units;
        Launcher *launcher;
        Workers *workers;
        Workers *copiers; /* for what waits for a client: it keeps nobody else waiting */
        Storage *storage;
        Images *images;
        Networks *networks;
        Volumes *volumes;
        SeccompProfile *seccomp; /* the built-in one */

        char *root; /* DATAROOT/containers */
        int root_fd;
        int tmp_fd;   /* DATAROOT/tmp: what nobody refers to yet */
        int trash_fd; /* DATAROOT/tmp/trash: what nobody refers to any more */
        char *run;    /* RUNROOT/containers */
        int run_fd;
        int runtime_fd; /* RUNROOT/runtime: where OCI runtimes keep their state, a folder per id */

        Hashmap *by_id;
        Hashmap *by_name;   /* also names of containers that are being made */
        Container **sorted; /* by id, for prefixes */
        size_t n_sorted;
        size_t n_sorted_allocated;
        List by_age;   /* newest first */
        List leaving;  /* removed, by by_age: their monitor is still there */
        List measures; /* walks under way */
        List replays;  /* clients that read a log before they are attached */
        unsigned n_replays;
        uint64_t last_hold;
        List left_scopes; /* of containers that are gone */
        Hashmap *execs;   /* by id */
        sd_event_source *exec_sweep;
        sd_event_source *trim;
        exec_news_t on_exec; /* NULL: nobody asks */
        void *on_exec_userdata;
        unsigned n_running; /* paused ones too */
        unsigned n_paused;
        bool trash_running; /* a worker empties the trash */
        bool trash_again;
        bool ending;
        ContainerPrune *prune; /* the one under way */
        bool restoring;        /* containers_restore() is at work */
        List again;            /* who is to start by policy, by by_again */
        unsigned n_again;      /* such starts under way */
};

/* containers.c: puts a container into all indexes; its name may be reserved by containers_reserve(). */
int containers_add(Containers *s, Container *c);
void containers_remove(Containers *s, Container *c);
int containers_reserve(Containers *s, const char *name, const Container *owner, Error *reterr);
int containers_clear_run(Containers *s, const char *id); /* what a run has left in /run */
void containers_release(Containers *s, const char *name, const Container *owner);
void containers_trim_soon(
        Containers *s); /* memory that went free goes back to the system, for many at once */

/* container-state.c: the one way to change a state; asserts that the move is allowed. */
void container_move(Container *c, ContainerState to);
void container_publish(Container *c, const char *action, const char *key, const char *value);
void container_publish_pairs(Container *c, const char *action, char *const *more);

/* container-store.c */
int container_save(Container *
                c); /* DATAROOT/containers/ID/container.json; durable unless the container goes away by itself */
int container_save_new(Container *c, int folder_fd);
int container_load(const char *id, int folder_fd, Container **ret);
bool container_is_durable(const Container *c);
#define CONTAINER_VOLATILE_MARK "auto-remove"

/* container-start.c: as container_start(), but nobody wished it: the policy's bookkeeping goes on */
int container_start_by_policy(Container *c, Pending *p, Error *reterr);
/* news of a start under way */
void container_start_on_record(Container *c, const MonitorRecord *r);
void container_start_on_hangup(Container *c);
void container_start_on_scope_gone(Container *c);
ContainerStart *container_start_free(ContainerStart *s);
void container_start_cancel(Container *c); /* its end is wished; who asked for the start is told */
int container_start_resume(Container *
                c); /* an earlier daemon began it; its monitor is linked and will say how it went */
/* container-network.c */
int container_network_complete(Container *c, Error *reterr); /* create: spec.endpoints, checked */
int container_network_reserve(Container *c, Error *reterr);  /* start: the sandbox, not open yet */
int container_network_save(Container *c);     /* RUNROOT/containers/ID/network.json */
void container_network_restore(Container *c); /* from there */
void container_network_close(Container *c);   /* it does not run any more; once more is fine */
int container_network_write_files(
        Container *c, char *const *gone); /* hosts, hostname, resolv.conf */
void container_network_publish(Container *c, const char *action);
/* container-connect.c: a connect or disconnect under way is not answered any more; it is answered, for the container has stopped. */
void container_connects_forget(Container *c);
void container_connects_end(Container *c);
#define START_MARK "started" /* RUNROOT/containers/ID/started: time and pid */

/* container-exit.c: the one place where an exit is handled. */
void container_handle_exit(Container *c, const MonitorRecord *r);
void container_handle_record(Container *c, const MonitorRecord *r);
void container_handle_hangup(Container *c);
void container_handle_scope_gone(Container *c);
int container_read_exit(
        Container *c, MonitorRecord *ret); /* RUNROOT/containers/ID/exit.json; -ENOENT */

/* container-health.c */
int container_health_make(
        const Container *c, MonitorHealth **ret); /* stays NULL: there is no check */
void container_health_reset(Container *c);        /* a new run begins */
void container_handle_health(Container *c, const MonitorRecord *record);

/* container-lost.c: its monitor is not there any more and left no word. What runs is ended, then it has exited. just_now: we heard the
 * monitor end; whether all else dies with it by itself is waited for. */
void container_lost(Container *c, bool just_now);
void container_lost_end(Container *c); /* nothing is left */
ContainerLost *container_lost_free(ContainerLost *l);

/* container-restart.c, container-pause.c, container-update.c, container-top.c: it goes away */
void container_restarts_forget(Container *c);
void container_freezes_forget(Container *c);
void container_holds_forget(Container *c); /* container-hold.c; before its freezes */
/* Thaws what a daemon that was killed has left frozen. It runs, and is followed. */
void container_holds_restore(Container *c);
void container_updates_forget(Container *c);
void container_tops_forget(Container *c);
/* Looks whether what runs is frozen, and follows it from now on. */
void container_follow_freezer(Container *c);
ContainerFreezer *container_freezer_free(ContainerFreezer *f);
/* container-follow.c: limits that are changed at its scope are its own. Begins to follow and looks, tells nothing before the loop runs. */
void container_follow_limits(Container *c);
void container_follow_update_over(Container *c); /* one of ours is through */
ContainerFollower *container_follower_free(ContainerFollower *f);
void container_set_paused(Container *c, bool paused); /* and tells, if it is news */
/* "container ID is not running", or that it is restarting */
int container_check_running(const Container *c, Error *reterr);

/* start-steps.c: the description alone */
int container_describe_scope(const Container *c, UnitProperties *ret);

/* container-prune.c: without a word */
ContainerPrune *container_prune_free(ContainerPrune *x);

/* container-attach.c: clients that came before the start */
void container_attach_hand_over(Container *c);
void container_attach_drop(Container *c);
/* container-replay.c: clients that read the log first; the container goes, they read on */
void container_replays_forget(Container *c);
void container_replays_free(Containers *s);
void container_handle_held(Container *c, const MonitorRecord *record);

/* container-stop.c: by systemctl stop */
void container_handle_scope_stopped(Container *c);

/* container-scope.c */
int container_watch_scope(Container *c);
void container_end_scope(
        Container *c); /* killed, and stopped in case that systemd has missed its end */
void container_expect_end_of_scope(Container *c); /* its monitor is gone */
void container_leave_scope(Container *c); /* the container goes, the scope may need a moment more */
void containers_forget_scopes(Containers *s);

/* container-remove.c, container-stop.c, container-wait.c, container-logs.c: told by container-exit.c and each other */
void container_remove_proceed(Container *c);
ContainerRemove *container_remove_free(ContainerRemove *r);
int container_auto_remove(Container *c);
void container_stops_proceed(Container *c);
void container_stops_finish(Container *c, int r, const Error *e);
void container_waits_tell(Container *c, bool removed);
void container_waits_fail(Container *c, int r, const Error *e);
void container_logs_finish(Container *c, bool removed);
/* The same as container_logs(), but also of a container that does not run: it ends with the end of the next run. on_idle and read_to as in
 * engine/log/reader.h. */
int container_logs_keep(Container *c, const LogReadOptions *options, log_message_t on_message,
        void (*on_idle)(void *userdata), log_end_t on_end, void *userdata, ContainerLog **ret,
        Error *reterr);
int container_log_read_to(ContainerLog *l, const LogPlace *place);

/* container-files.c */
bool container_files_writing(Container *c); /* a worker has its layer mounted and writes */
void container_files_cancel(Container *c);
void container_files_detach(Container *c); /* the container goes away */

/* Ends what is under way for a container that goes away with the set: nobody is told. */
void container_detach(Container *c);
