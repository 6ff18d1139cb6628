/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/monitor-spec.h"

#include "lib/json/json.h"

static const char *const record_type_table[_MONITOR_RECORD_MAX] = {
        [MONITOR_READY] = "ready",
        [MONITOR_STARTED] = "started",
        [MONITOR_FAILED] = "failed",
        [MONITOR_EXITED] = "exited",
        [MONITOR_OOM] = "oom",
        [MONITOR_EXEC_STARTED] = "exec-started",
        [MONITOR_EXEC_EXITED] = "exec-exited",
        [MONITOR_HEALTH] = "health",
        [MONITOR_DETACHED] = "detached",
        [MONITOR_HELD] = "held",
        [MONITOR_REPLY] = "reply",
};

static const char *const command_type_table[_MONITOR_COMMAND_MAX] = {
        [MONITOR_GO] = "go",
        [MONITOR_KILL] = "kill",
        [MONITOR_REOPEN_LOGS] = "reopen-logs",
        [MONITOR_LIMIT_TASKS] = "limit-tasks",
        [MONITOR_EXEC] = "exec",
        [MONITOR_EXEC_KILL] = "exec-kill",
        [MONITOR_ATTACH] = "attach",
        [MONITOR_RELEASE] = "release",
        [MONITOR_RESIZE] = "resize",
};

#define EMPTY    JSON_OMIT_EMPTY
#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

static const JsonField bind_fields[] = {
        JSON_STRING("source", MonitorBind, source, JSON_MANDATORY),
        JSON_BOOL  ("create", MonitorBind, create, EMPTY),
        {}
};

const JsonField monitor_device_fields[] = {
        JSON_STRING("path_on_host",      MonitorDevice, path_on_host,      JSON_MANDATORY),
        JSON_STRING("path_in_container", MonitorDevice, path_in_container, EMPTY),
        JSON_STRING("permissions",       MonitorDevice, permissions,       EMPTY),
        JSON_STRING("type",              MonitorDevice, type,              EMPTY),
        JSON_INT64 ("major",             MonitorDevice, major,             OPTIONAL),
        JSON_INT64 ("minor",             MonitorDevice, minor,             OPTIONAL),
        JSON_UINT32("file_mode",         MonitorDevice, file_mode,         OPTIONAL),
        JSON_UINT32("uid",               MonitorDevice, uid,               OPTIONAL),
        JSON_UINT32("gid",               MonitorDevice, gid,               OPTIONAL),
        JSON_BOOL  ("is_owned",          MonitorDevice, is_owned,          EMPTY),
        {}
};

static const JsonField join_fields[] = {
        JSON_STRING("id",       MonitorJoin, id,       JSON_MANDATORY),
        JSON_INT64 ("pid",      MonitorJoin, pid,      JSON_MANDATORY),
        JSON_STRING("shm_path", MonitorJoin, shm_path, EMPTY),
        {}
};

static const JsonField monitor_health_fields[] = {
        JSON_STRV  ("command",             MonitorHealth, command,             JSON_MANDATORY),
        JSON_UINT64("interval_usec",       MonitorHealth, interval_usec,       EMPTY),
        JSON_UINT64("timeout_usec",        MonitorHealth, timeout_usec,        EMPTY),
        JSON_UINT64("start_period_usec",   MonitorHealth, start_period_usec,   EMPTY),
        JSON_UINT64("start_interval_usec", MonitorHealth, start_interval_usec, EMPTY),
        JSON_INT   ("retries",             MonitorHealth, retries,             EMPTY),
        JSON_STRING("on_unhealthy",        MonitorHealth, on_unhealthy,        EMPTY),
        {}
};

static const JsonField health_probe_fields[] = {
        JSON_TIME  ("Start",    HealthProbe, start,     0),
        JSON_TIME  ("End",      HealthProbe, end,       0),
        JSON_INT   ("ExitCode", HealthProbe, exit_code, 0),
        JSON_STRING("Output",   HealthProbe, output,    0),
        {}
};

const JsonField health_state_fields[] = {
        JSON_STRING("Status",        HealthState, status,         0),
        JSON_INT   ("FailingStreak", HealthState, failing_streak, 0),
        JSON_ARRAY ("Log", HealthState, log, n_log, HealthProbe, health_probe_fields, 0),
        {}
};

const JsonField monitor_spec_fields[] = {
        JSON_UINT32("version",      MonitorSpec, version,      JSON_MANDATORY),
        JSON_STRING("id",           MonitorSpec, id,           JSON_MANDATORY),
        JSON_STRING("name",         MonitorSpec, name,         EMPTY),
        JSON_STRING("image",        MonitorSpec, image,        EMPTY),
        JSON_STRING("run_dir",      MonitorSpec, run_dir,      JSON_MANDATORY),
        JSON_STRING("bundle_dir",   MonitorSpec, bundle_dir,   JSON_MANDATORY),
        JSON_STRING("log_path",     MonitorSpec, log_path,     EMPTY),
        JSON_NESTED("rootfs",       MonitorSpec, rootfs, mount_spec_fields, JSON_MANDATORY),
        JSON_RAW   ("config",       MonitorSpec, config,       JSON_MANDATORY),
        JSON_ARRAY ("binds",   MonitorSpec, binds,   n_binds,   MonitorBind,   bind_fields,   OPTIONAL),
        JSON_ARRAY ("volumes", MonitorSpec, volumes, n_volumes, VolumeMount,   volume_mount_fields, OPTIONAL),
        JSON_ARRAY ("places",  MonitorSpec, places,  n_places,  PlacedMount,   placed_mount_fields, OPTIONAL),
        JSON_ARRAY ("devices", MonitorSpec, devices, n_devices, MonitorDevice, monitor_device_fields, OPTIONAL),
        JSON_ARRAY ("joins",   MonitorSpec, joins,   n_joins,   MonitorJoin,   join_fields,   OPTIONAL),
        JSON_BOOL  ("all_devices",  MonitorSpec, all_devices,  EMPTY),
        JSON_STRING("user",         MonitorSpec, user,         EMPTY),
        JSON_STRV  ("group_add",    MonitorSpec, group_add,    OPTIONAL),
        JSON_STRING("runtime",      MonitorSpec, runtime,      JSON_MANDATORY),
        JSON_STRV  ("runtime_args", MonitorSpec, runtime_args, OPTIONAL),
        JSON_STRING("runtime_root", MonitorSpec, runtime_root, EMPTY),
        JSON_STRING("log_driver",   MonitorSpec, log_driver,   EMPTY),
        JSON_STRV  ("log_opts",     MonitorSpec, log_opts,     OPTIONAL),
        JSON_STRV  ("log_fields",   MonitorSpec, log_fields,   OPTIONAL),
        JSON_BOOL  ("open_stdin",   MonitorSpec, open_stdin,   EMPTY),
        JSON_BOOL  ("terminal",     MonitorSpec, terminal,     EMPTY),
        JSON_BOOL  ("stdin_once",   MonitorSpec, stdin_once,   EMPTY),
        JSON_UINT64("stop_timeout_usec", MonitorSpec, stop_timeout_usec, EMPTY),
        JSON_INT   ("stop_signal",  MonitorSpec, stop_signal,  EMPTY),
        JSON_NESTED_PTR("health",   MonitorSpec, health, monitor_health_fields, EMPTY),
        {}
};

const JsonField accounting_fields[] = {
        JSON_UINT64("cpu_usage_nsec",      Accounting, cpu_usage_nsec,      OPTIONAL),
        JSON_UINT64("cpu_user_nsec",       Accounting, cpu_user_nsec,       OPTIONAL),
        JSON_UINT64("cpu_system_nsec",     Accounting, cpu_system_nsec,     OPTIONAL),
        JSON_UINT64("memory_peak",         Accounting, memory_peak,         OPTIONAL),
        JSON_UINT64("io_read_bytes",       Accounting, io_read_bytes,       OPTIONAL),
        JSON_UINT64("io_write_bytes",      Accounting, io_write_bytes,      OPTIONAL),
        JSON_UINT64("io_read_operations",  Accounting, io_read_operations,  OPTIONAL),
        JSON_UINT64("io_write_operations", Accounting, io_write_operations, OPTIONAL),
        JSON_UINT64("pids_peak",           Accounting, pids_peak,           OPTIONAL),
        JSON_UINT64("oom_kills",           Accounting, oom_kills,           OPTIONAL),
        {}
};

const JsonField monitor_record_fields[] = {
        JSON_ENUM  ("type",       MonitorRecord, type, record_type_table, JSON_MANDATORY),
        JSON_UINT64("serial",     MonitorRecord, serial,     EMPTY),
        JSON_INT64 ("pid",        MonitorRecord, pid,        EMPTY),
        JSON_INT64 ("exit_code",  MonitorRecord, exit_code,  0),
        JSON_BOOL  ("oom_killed", MonitorRecord, oom_killed, EMPTY),
        JSON_UINT64("started_at", MonitorRecord, started_at, EMPTY),
        JSON_UINT64("exited_at",  MonitorRecord, exited_at,  EMPTY),
        JSON_NESTED("accounting", MonitorRecord, accounting, accounting_fields, EMPTY),
        JSON_STRING("exec_id",    MonitorRecord, exec_id,    EMPTY),
        JSON_NESTED_PTR("exec",   MonitorRecord, exec,   exec_spec_fields,    EMPTY),
        JSON_BOOL  ("probe",      MonitorRecord, probe,      EMPTY),
        JSON_BOOL  ("unheard",    MonitorRecord, unheard,    EMPTY),
        JSON_NESTED_PTR("health", MonitorRecord, health, health_state_fields, EMPTY),
        JSON_UINT64("hold",        MonitorRecord, hold,        EMPTY),
        JSON_UINT64("log_inode",   MonitorRecord, log_inode,   EMPTY),
        JSON_UINT64("log_offset",  MonitorRecord, log_offset,  EMPTY),
        JSON_STRING("log_epoch",   MonitorRecord, log_epoch,   EMPTY),
        JSON_UINT64("log_ordinal", MonitorRecord, log_ordinal, EMPTY),
        JSON_STRV  ("device_rules", MonitorRecord, device_rules, OPTIONAL),
        JSON_BOOL  ("unhealthy_stop", MonitorRecord, unhealthy_stop, EMPTY),
        JSON_STRING("error_kind", MonitorRecord, error_kind, EMPTY),
        JSON_STRING("error",      MonitorRecord, error,      EMPTY),
        {}
};

const JsonField monitor_command_fields[] = {
        JSON_ENUM  ("type",   MonitorCommand, type, command_type_table, JSON_MANDATORY),
        JSON_UINT64("serial", MonitorCommand, serial, EMPTY),
        JSON_INT64 ("signal", MonitorCommand, signal, EMPTY),
        JSON_BOOL  ("all",    MonitorCommand, all,    EMPTY),
        JSON_INT64 ("limit",  MonitorCommand, limit,  JSON_OMIT_EMPTY),
        JSON_STRING("exec_id", MonitorCommand, exec_id, EMPTY),
        JSON_NESTED_PTR("exec", MonitorCommand, exec, exec_spec_fields, EMPTY),
        JSON_STRV  ("capabilities", MonitorCommand, capabilities, OPTIONAL),
        JSON_BOOL  ("framed", MonitorCommand, framed, EMPTY),
        JSON_BOOL  ("stdin",  MonitorCommand, attach_stdin,  EMPTY),
        JSON_BOOL  ("stdout", MonitorCommand, attach_stdout, EMPTY),
        JSON_BOOL  ("stderr", MonitorCommand, attach_stderr, EMPTY),
        JSON_BOOL  ("raw",    MonitorCommand, raw,    EMPTY),
        JSON_INT   ("websocket", MonitorCommand, websocket, EMPTY),
        JSON_UINT64("hold",   MonitorCommand, hold,   EMPTY),
        JSON_STRING("detach_keys", MonitorCommand, detach_keys, EMPTY),
        JSON_UINT32("height", MonitorCommand, height, EMPTY),
        JSON_UINT32("width",  MonitorCommand, width,  EMPTY),
        {}
};

/* clang-format on */

void monitor_spec_done(MonitorSpec *s) {
        fields_done(monitor_spec_fields, s);
}

void health_state_done(HealthState *h) {
        fields_done(health_state_fields, h);
}

void monitor_command_done(MonitorCommand *c) {
        fields_done(monitor_command_fields, c);
}

void monitor_record_done(MonitorRecord *r) {
        fields_done(monitor_record_fields, r);
}

int monitor_record_read(Json *v, MonitorRecord *ret, Error *reterr) {
        _cleanup_(monitor_record_done) MonitorRecord record = {};
        int r;

        assert(v);
        assert(ret);

        fields_init(monitor_record_fields, &record);
        r = json_read(v, monitor_record_fields, &record, reterr);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;

        *ret = TAKE_STRUCT(record);
        return 0;
}
