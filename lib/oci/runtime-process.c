/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/oci/runtime-spec.h"

/* clang-format off */

const JsonField runtime_rlimit_fields[] = {
        JSON_STRING("type", RuntimeRlimit, type, JSON_MANDATORY),
        JSON_UINT64("hard", RuntimeRlimit, hard, JSON_MANDATORY),
        JSON_UINT64("soft", RuntimeRlimit, soft, JSON_MANDATORY),
        {}
};

const JsonField runtime_capabilities_fields[] = {
        JSON_STRV("bounding",    RuntimeCapabilities, bounding,    JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_STRV("effective",   RuntimeCapabilities, effective,   JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_STRV("inheritable", RuntimeCapabilities, inheritable, JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_STRV("permitted",   RuntimeCapabilities, permitted,   JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_STRV("ambient",     RuntimeCapabilities, ambient,     JSON_OMIT_EMPTY | JSON_NULLABLE),
        {}
};

const JsonField runtime_user_fields[] = {
        JSON_UINT32("uid", RuntimeUser, uid, 0),
        JSON_UINT32("gid", RuntimeUser, gid, 0),
        JSON_UINT32("umask", RuntimeUser, umask, JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_UINT32_LIST("additionalGids", RuntimeUser, additional_gids, n_additional_gids,
                         JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_STRING("username", RuntimeUser, username, JSON_OMIT_EMPTY),
        {}
};

static const JsonField scheduler_fields[] = {
        JSON_STRING("policy",   RuntimeScheduler, policy,   JSON_MANDATORY),
        JSON_INT   ("nice",     RuntimeScheduler, nice,     JSON_OMIT_EMPTY),
        JSON_INT   ("priority", RuntimeScheduler, priority, JSON_OMIT_EMPTY),
        JSON_STRV  ("flags",    RuntimeScheduler, flags,    JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_UINT64("runtime",  RuntimeScheduler, runtime,  JSON_OMIT_EMPTY),
        JSON_UINT64("deadline", RuntimeScheduler, deadline, JSON_OMIT_EMPTY),
        JSON_UINT64("period",   RuntimeScheduler, period,   JSON_OMIT_EMPTY),
        {}
};

static const JsonField io_priority_fields[] = {
        JSON_STRING("class",    RuntimeIOPriority, class,    JSON_MANDATORY),
        JSON_INT   ("priority", RuntimeIOPriority, priority, 0),
        {}
};

static const JsonField exec_affinity_fields[] = {
        JSON_STRING("initial", RuntimeExecAffinity, initial, JSON_OMIT_EMPTY),
        JSON_STRING("final",   RuntimeExecAffinity, final,   JSON_OMIT_EMPTY),
        {}
};

static const JsonField console_size_fields[] = {
        JSON_UINT32("height", RuntimeConsoleSize, height, JSON_MANDATORY),
        JSON_UINT32("width",  RuntimeConsoleSize, width,  JSON_MANDATORY),
        {}
};

const JsonField runtime_process_fields[] = {
        JSON_BOOL("terminal", RuntimeProcess, terminal, JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("consoleSize", RuntimeProcess, console_size, console_size_fields, JSON_OMIT_EMPTY),
        JSON_NESTED("user", RuntimeProcess, user, runtime_user_fields, 0),
        JSON_STRV("args", RuntimeProcess, args, JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_STRING("commandLine", RuntimeProcess, command_line, JSON_OMIT_EMPTY),
        JSON_STRV("env", RuntimeProcess, env, JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_STRING("cwd", RuntimeProcess, cwd, JSON_MANDATORY),
        JSON_NESTED_PTR("capabilities", RuntimeProcess, capabilities, runtime_capabilities_fields, JSON_OMIT_EMPTY),
        JSON_ARRAY("rlimits", RuntimeProcess, rlimits, n_rlimits, RuntimeRlimit, runtime_rlimit_fields,
                   JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_BOOL("noNewPrivileges", RuntimeProcess, no_new_privileges, JSON_OMIT_EMPTY),
        JSON_STRING("apparmorProfile", RuntimeProcess, apparmor_profile, JSON_OMIT_EMPTY),
        JSON_INT("oomScoreAdj", RuntimeProcess, oom_score_adj, JSON_OMIT_EMPTY | JSON_NULLABLE),
        JSON_NESTED_PTR("scheduler", RuntimeProcess, scheduler, scheduler_fields, JSON_OMIT_EMPTY),
        JSON_STRING("selinuxLabel", RuntimeProcess, selinux_label, JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("ioPriority", RuntimeProcess, io_priority, io_priority_fields, JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("execCPUAffinity", RuntimeProcess, exec_affinity, exec_affinity_fields, JSON_OMIT_EMPTY),
        {}
};

/* clang-format on */

void runtime_process_init(RuntimeProcess *p) {
        *p = (RuntimeProcess) {};
        fields_init(runtime_process_fields, p);
}

void runtime_process_done(RuntimeProcess *p) {
        fields_done(runtime_process_fields, p);
}
