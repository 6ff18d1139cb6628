/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What crosses between stauerd and one stauer-monitor.
 *
 * Start: the daemon hands the monitor two descriptors: 3 is a sealed memfd that holds a
 * MonitorSpec as JSON, 4 is the listening SOCK_SEQPACKET socket RUNDIR/monitor.sock, already
 * bound by the daemon, so that the daemon may connect at once and any later daemon may connect
 * again. All records on that socket are JSON objects with a "type".
 *
 * The monitor accepts one daemon at a time; a newer connection replaces the older one. On
 * connect the monitor says where it is: it sends its last state record ("ready", "started",
 * "failed" or "exited") again. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/api/exec-spec.h"
#include "lib/api/mount-source.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"
#include "lib/json/fields.h"

typedef struct Json Json;

#define MONITOR_SPEC_VERSION 1
#define MONITOR_FD_SPEC      3
#define MONITOR_FD_LISTEN    4

/* What only the monitor can see, because the daemon has a /tmp, a /home and a /dev of its own. */
typedef struct MonitorBind {
        char *source; /* a bind mount of config has it; checked before the runtime is called */
        bool create; /* make a folder there when it is missing (docker's -v), else that is an error:
                                 * invalid mount config for type "bind": bind source path does not exist: SOURCE */
} MonitorBind;

typedef struct MonitorDevice {
        char *path_on_host; /* a node, a link to one, or a folder: all nodes below it */
        char *path_in_container;
        char *permissions; /* of r w m; added to linux.resources.devices */
        /* A node that is described, not found, and what is set instead of the host's; absent: JSON_NO_x. Of CDI. */
        char *type; /* b c; "": look at the host's path_on_host */
        int64_t major;
        int64_t minor;
        uint32_t file_mode;
        uint32_t uid;
        uint32_t gid;
        bool is_owned; /* by the container's user, where uid and gid do not say otherwise */
} MonitorDevice;

extern const JsonField monitor_device_fields[];

/* A namespace of another container is joined: by the number of its first process, which must still be that container's. */
typedef struct MonitorJoin {
        char *id; /* of the other container */
        int64_t pid;
        char *shm_path; /* its /dev/shm is shown there, for a bind mount of config; NULL: not wanted */
} MonitorJoin;

/* A health check, ready to run: defaults filled, CMD-SHELL wrapped in its shell. */
typedef struct MonitorHealth {
        char **command;
        uint64_t interval_usec;
        uint64_t timeout_usec;
        uint64_t start_period_usec;   /* failures in it do not count */
        uint64_t start_interval_usec; /* between probes in it */
        int retries;                  /* so many failures in a row are unhealthy */
        char *on_unhealthy; /* none, restart (the daemon does it), stop, kill; empty: none */
} MonitorHealth;

typedef struct HealthProbe {
        int64_t start, end; /* nsec since the epoch */
        int exit_code;      /* -1: it took too long */
        char *output;       /* at most HEALTH_OUTPUT_MAX bytes, and "..." when there was more */
} HealthProbe;

#define HEALTH_LOG_MAX    5u
#define HEALTH_OUTPUT_MAX 4096u

/* State.Health of inspect. */
typedef struct HealthState {
        char *status; /* starting, healthy, unhealthy */
        int failing_streak;
        HealthProbe *log; /* oldest first, at most HEALTH_LOG_MAX */
        size_t n_log;
} HealthState;

typedef struct MonitorSpec {
        uint32_t version;
        char *id;
        char *name;
        char *image;   /* name as the user gave it, for the journal's IMAGE_NAME */
        char *run_dir; /* RUNROOT/containers/ID: bundle, exit file, socket, pid file */
        char *bundle_dir; /* run_dir/bundle: the monitor writes config.json there and mounts rootfs/ there */
        char *log_path; /* json-file: DATAROOT/containers/ID/ID-json.log */
        MountSpec rootfs;
        Json *config; /* OCI config.json, complete but for process.user and HOME */
        MonitorBind *binds;
        size_t n_binds;
        VolumeMount *volumes; /* mounted on the host, used as long as the monitor lives */
        size_t n_volumes;
        PlacedMount *places; /* made before the runtime is called */
        size_t n_places;
        MonitorDevice *devices; /* the monitor looks the nodes up and adds them to linux.devices */
        size_t n_devices;
        MonitorJoin *joins;
        size_t n_joins;
        bool all_devices; /* privileged: every node of the host's /dev, as Docker does */
        char *user; /* as the user or image wrote it: "", "name", "uid:gid", …; resolved in the mounted root */
        char **group_add;
        char *runtime; /* path of the OCI runtime program */
        char **runtime_args;
        char *runtime_root; /* state folder given to the runtime by --root */
        char *log_driver;   /* json-file, journald, none */
        char **log_opts;    /* KEY=VALUE */
        char **log_fields; /* KEY=VALUE extra fields (labels, env, tag already resolved), see engine/log/driver.h */
        bool open_stdin;
        bool terminal;
        bool stdin_once;
        uint64_t
                stop_timeout_usec; /* after SIGTERM to the monitor (scope stopped): stop signal, then KILL */
        int stop_signal;
        MonitorHealth *health; /* NULL: no check */
} MonitorSpec;

/* Final or present figures of a container; UINT64_MAX where the host cannot tell (controller
 * absent). */
typedef struct Accounting {
        uint64_t cpu_usage_nsec;
        uint64_t cpu_user_nsec;
        uint64_t cpu_system_nsec;
        uint64_t memory_peak;
        uint64_t io_read_bytes;
        uint64_t io_write_bytes;
        uint64_t io_read_operations;
        uint64_t io_write_operations;
        uint64_t pids_peak;
        uint64_t oom_kills;
} Accounting;

#define ACCOUNTING_NULL                                                                 \
        (Accounting) {                                                                  \
                UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, \
                        UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX                  \
        }

/* Monitor to daemon. "exited" has the same table as the file RUNDIR/exit.json, which is written
 * (beside, renamed) before the record is sent; a "failed" start leaves an exit file too
 * (started_at 0). */
typedef enum MonitorRecordType {
        MONITOR_READY,   /* root file system mounted, waiting for "go"; device_rules */
        MONITOR_STARTED, /* pid, started_at */
        MONITOR_FAILED,  /* exit_code 125/126/127/128 as Docker maps them, error */
        MONITOR_EXITED,  /* exit_code, oom_killed, exited_at, accounting */
        MONITOR_OOM,     /* a process was killed, the container lives on */
        MONITOR_EXEC_STARTED, /* exec_id, exec, probe, pid, started_at; said again to a daemon that connects */
        MONITOR_EXEC_EXITED, /* and exit_code, exited_at, error (it could not be started, pid 0); the same */
        MONITOR_HEALTH,   /* health, after each probe and on connect */
        MONITOR_DETACHED, /* an attached client typed the keys */
        MONITOR_HELD, /* hold: that client is attached; and how far the log is that it is to get first */
        MONITOR_REPLY, /* serial, error kind and text (empty: done); may carry descriptors */
        _MONITOR_RECORD_MAX,
        _MONITOR_RECORD_INVALID = -22,
} MonitorRecordType;

typedef struct MonitorRecord {
        int type; /* MonitorRecordType; on the wire "ready", "started", … */
        uint64_t serial;
        int64_t pid;       /* the container's first process, in the host's pid namespace */
        int64_t exit_code; /* 0…255, 128+n after signal n */
        bool oom_killed;
        uint64_t started_at; /* nsec since the epoch */
        uint64_t exited_at;
        Accounting accounting;
        char *exec_id;
        ExecSpec *exec;
        bool probe;   /* the exec is one of the health check */
        bool unheard; /* of EXEC_EXITED: no daemon was there when it ended */
        HealthState *health;
        uint64_t hold;
        uint64_t log_inode, log_offset; /* as LogPlace of engine/log/driver.h */
        char *log_epoch;
        uint64_t log_ordinal;
        char **device_rules; /* ready: "c 1:11 rwm" for each node that a device of the spec turned out to be */
        bool unhealthy_stop; /* exited: stopped for its health, to stay so */
        char *error_kind;    /* lib/base/error.h name */
        char *error;
} MonitorRecord;

/* Daemon to monitor. Each gets a MONITOR_REPLY with the same serial, except go. */
typedef enum MonitorCommandType {
        MONITOR_GO,   /* cgroup: we are in the scope now; make supervisor/ and container/, start */
        MONITOR_KILL, /* signal, to the first process; all: every process of the container */
        MONITOR_REOPEN_LOGS,
        MONITOR_LIMIT_TASKS, /* limit; -1: none */
        MONITOR_EXEC, /* exec_id, exec, capabilities, framed; the descriptor of the client's stream, or none */
        MONITOR_EXEC_KILL, /* exec_id, signal */
        MONITOR_ATTACH, /* fd: a connected stream socket, served from now on; a second one, a sealed memfd: its early input. hold: its output waits for release, or for our link to end, and held is said before the answer */
        MONITOR_RELEASE, /* hold */
        MONITOR_RESIZE,  /* the terminal's height and width in characters */
        _MONITOR_COMMAND_MAX,
        _MONITOR_COMMAND_INVALID = -22,
} MonitorCommandType;

typedef struct MonitorCommand {
        int type;
        uint64_t serial;
        int64_t signal;
        bool all;
        int64_t limit;
        char *exec_id;
        ExecSpec *exec;
        char **capabilities; /* all that a privileged one gets; NULL: the container's */
        bool framed;         /* Docker's frames for the client */
        bool attach_stdin;
        bool attach_stdout;
        bool attach_stderr;
        bool raw;          /* no frames around the output */
        int websocket;     /* messages of a WebSocket instead: 1 text, 2 binary */
        uint64_t hold;     /* chosen by the daemon, not 0 */
        char *detach_keys; /* see lib/api/detach-keys.h */
        uint32_t height;
        uint32_t width;
} MonitorCommand;

extern const JsonField monitor_spec_fields[];
extern const JsonField monitor_record_fields[];
extern const JsonField monitor_command_fields[];
extern const JsonField accounting_fields[];

extern const JsonField health_state_fields[];

void health_state_done(HealthState *h);
void monitor_spec_done(MonitorSpec *s);
void monitor_record_done(MonitorRecord *r);
void monitor_command_done(MonitorCommand *c);

/* Reads RUNDIR/exit.json or any record; -EBADMSG with reterr filled when it is not one. */
int monitor_record_read(Json *v, MonitorRecord *ret, Error *reterr);
