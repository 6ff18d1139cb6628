/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of run and create → create body: one table says where each goes. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/file.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define ENV_FILE_MAX (1024U * 1024)

/* clang-format off */
#define RUN_OPTIONS                                                                                                          \
        { "annotation",          0,   OPTION_KEYED,  "map",      "Add an annotation to the container (passed through to the OCI runtime)" }, \
        { "cap-add",             0,   OPTION_LIST,   "list",     "Add Linux capabilities" },                                  \
        { "cap-drop",            0,   OPTION_LIST,   "list",     "Drop Linux capabilities" },                                 \
        { "cgroup-parent",       0,   OPTION_STRING, "string",   "Slice of the container's scope" },                          \
        { "cgroupns",            0,   OPTION_STRING, "string",   "Cgroup namespace to use (host|private)" },                  \
        { "cidfile",             0,   OPTION_STRING, "string",   "Write the container ID to the file" },                      \
        { "cpu-period",          0,   OPTION_STRING, "int",      "Limit CPU CFS (Completely Fair Scheduler) period" },        \
        { "cpu-quota",           0,   OPTION_STRING, "int",      "Limit CPU CFS (Completely Fair Scheduler) quota" },         \
        { "cpu-shares",          'c', OPTION_STRING, "int",      "CPU shares (relative weight)" },                            \
        { "cpus",                0,   OPTION_STRING, "decimal",  "Number of CPUs" },                                          \
        { "cpuset-cpus",         0,   OPTION_STRING, "string",   "CPUs in which to allow execution (0-3, 0,1)" },             \
        { "cpuset-mems",         0,   OPTION_STRING, "string",   "MEMs in which to allow execution (0-3, 0,1)" },             \
        { "device",              0,   OPTION_LIST,   "list",     "Add a host device to the container" },                      \
        { "device-cgroup-rule",  0,   OPTION_LIST,   "list",     "Add a rule to the cgroup allowed devices list" },           \
        { "domainname",          0,   OPTION_STRING, "string",   "Container NIS domain name" },                               \
        { "entrypoint",          0,   OPTION_STRING, "string",   "Overwrite the default ENTRYPOINT of the image" },           \
        { "env",                 'e', OPTION_LIST,   "list",     "Set environment variables" },                               \
        { "env-file",            0,   OPTION_LIST,   "list",     "Read in a file of environment variables" },                 \
        { "group-add",           0,   OPTION_LIST,   "list",     "Add additional groups to join" },                           \
        { "hostname",            'h', OPTION_STRING, "string",   "Container host name" },                                     \
        { "interactive",         'i', OPTION_FLAG,   NULL,       "Keep STDIN open even if not attached" },                    \
        { "ipc",                 0,   OPTION_STRING, "string",   "IPC mode to use" },                                         \
        { "label",               'l', OPTION_KEYED,  "list",     "Set meta data on a container" },                            \
        { "log-driver",          0,   OPTION_STRING, "string",   "Logging driver for the container" },                        \
        { "log-opt",             0,   OPTION_KEYED,  "list",     "Log driver options" },                                      \
        { "memory",              'm', OPTION_STRING, "bytes",    "Memory limit" },                                            \
        { "memory-reservation",  0,   OPTION_STRING, "bytes",    "Memory soft limit" },                                       \
        { "memory-swap",         0,   OPTION_STRING, "bytes",    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap" }, \
        { "name",                0,   OPTION_STRING, "string",   "Assign a name to the container" },                          \
        { "net",                 0,   OPTION_STRING, "network",  NULL },                                                      \
        { "network",             0,   OPTION_STRING, "network",  "Connect a container to a network (none|host)" },            \
        { "oom-score-adj",       0,   OPTION_STRING, "int",      "Tune host's OOM preferences (-1000 to 1000)" },             \
        { "pid",                 0,   OPTION_STRING, "string",   "PID namespace to use" },                                    \
        { "pids-limit",          0,   OPTION_STRING, "int",      "Tune container pids limit (set -1 for unlimited)" },        \
        { "platform",            0,   OPTION_STRING, "string",   "Set platform if server is multi-platform capable" },        \
        { "privileged",          0,   OPTION_FLAG,   NULL,       "Give extended privileges to this container" },              \
        { "read-only",           0,   OPTION_FLAG,   NULL,       "Mount the container's root filesystem as read only" },      \
        { "restart",             0,   OPTION_STRING, "string",   "Restart policy to apply when a container exits" },          \
        { "rm",                  0,   OPTION_FLAG,   NULL,       "Automatically remove the container when it exits" },        \
        { "runtime",             0,   OPTION_STRING, "string",   "Runtime to use for this container" },                       \
        { "security-opt",        0,   OPTION_LIST,   "list",     "Security Options" },                                        \
        { "shm-size",            0,   OPTION_STRING, "bytes",    "Size of /dev/shm" },                                        \
        { "stop-signal",         0,   OPTION_STRING, "string",   "Signal to stop the container" },                            \
        { "stop-timeout",        0,   OPTION_STRING, "int",      "Timeout (in seconds) to stop a container" },                \
        { "sysctl",              0,   OPTION_KEYED,  "map",      "Sysctl options" },                                          \
        { "tmpfs",               0,   OPTION_LIST,   "list",     "Mount a tmpfs directory" },                                 \
        { "tty",                 't', OPTION_FLAG,   NULL,       "Allocate a pseudo-TTY" },                                   \
        { "ulimit",              0,   OPTION_LIST,   "ulimit",   "Ulimit options" },                                          \
        { "user",                'u', OPTION_STRING, "string",   "Username or UID (format: <name|uid>[:<group|gid>])" },      \
        { "userns",              0,   OPTION_STRING, "string",   "User namespace to use" },                                   \
        { "uts",                 0,   OPTION_STRING, "string",   "UTS namespace to use" },                                    \
        { "volume",              'v', OPTION_LIST,   "list",     "Bind mount a path of the host" },                           \
        { "workdir",             'w', OPTION_STRING, "string",   "Working directory inside the container" }

const Option create_options[] = { RUN_OPTIONS, {} };
const Option run_options[] = {
        { "detach", 'd', OPTION_FLAG, NULL, "Run container in background and print container ID" },
        RUN_OPTIONS, {}
};
/* clang-format on */

/* ---- conversions: one word of the option into its field ---- */

typedef int (*run_convert_t)(const char *value, void *field);

static int to_string(const char *value, void *field) {
        return str_copy(field, value);
}

static int to_list(const char *value, void *field) {
        return strv_add(field, value);
}

static int to_flag(const char *value, void *field) {
        return parse_bool(value, field);
}

static int to_int(const char *value, void *field) {
        return parse_int(value, field);
}

static int to_int64(const char *value, void *field) {
        return parse_i64(value, field);
}

static int to_bytes(const char *value, void *field) {
        return parse_size_signed(value, field);
}

static int to_cpus(const char *value, void *field) {
        double cpus;
        int r;

        r = parse_double(value, &cpus);
        if (r < 0)
                return r;
        if (cpus < 0 || cpus > 1e6)
                return -ERANGE;
        *(int64_t *) field = (int64_t) (cpus * 1e9 + 0.5);
        return 0;
}

/* "K=V"; "K" alone is K with an empty value. */
static int to_pair(const char *value, void *field) {
        _cleanup_(freep) char *key = NULL, *v = NULL;
        int r;

        r = str_split_pair(value, '=', &key, &v);
        if (r == -EINVAL)
                return pairs_set(field, value, "");
        if (r < 0)
                return r;
        return str_empty(key) ? -EINVAL : pairs_set(field, key, v);
}

/* "/path[:options]" */
static int to_tmpfs(const char *value, void *field) {
        _cleanup_(freep) char *path = NULL, *options = NULL;
        int r;

        r = str_split_pair(value, ':', &path, &options);
        if (r == -EINVAL)
                return pairs_set(field, value, "");
        if (r < 0)
                return r;
        return pairs_set(field, path, options);
}

/* "K=V"; "K" alone takes the value from our own environment, or is dropped when it is not there. */
static int to_env(const char *value, void *field) {
        const char *own;

        if (strchr(value, '='))
                return strv_add(field, value);
        own = getenv(value);
        return own ? strv_addf(field, "%s=%s", value, own) : 0;
}

static int to_env_file(const char *path, void *field) {
        _cleanup_(strv_freep) char **lines = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(path, ENV_FILE_MAX, &text, &size);
        if (r < 0)
                return r;
        if (strlen(text) != size)
                return -EINVAL;
        r = strv_split(text, "\n", /* keep_empty= */ false, &lines);
        if (r < 0)
                return r;

        STRV_FOREACH (line, lines) {
                char *s = str_chomp(*line);

                s += strspn(s, " \t");
                if (!*s || *s == '#')
                        continue;
                r = to_env(s, field);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "--entrypoint ''" clears the image's: Docker's body says so with [""]. */
static int to_entrypoint(const char *value, void *field) {
        return strv_add(field, value);
}

/* "HOST[:CONTAINER][:rwm]" */
static int to_device(const char *value, void *field) {
        _cleanup_(strv_freep) char **parts = NULL;
        Resources *resources = field;
        size_t n, allocated = resources->n_devices;
        const char *inside, *rights = "rwm";
        DeviceMapping *d;
        int r;

        r = strv_split(value, ":", /* keep_empty= */ true, &parts);
        if (r < 0)
                return r;
        n = strv_length(parts);
        if (n < 1 || n > 3 || str_empty(parts[0]))
                return -EINVAL;

        inside = parts[0];
        if (n == 2 && strspn(parts[1], "rwm") == strlen(parts[1]))
                rights = parts[1];
        else if (n >= 2)
                inside = parts[1];
        if (n == 3)
                rights = parts[2];

        r = array_grow(&resources->devices, &allocated, resources->n_devices + 1);
        if (r < 0)
                return r;
        d = resources->devices + resources->n_devices++;
        *d = (DeviceMapping) {};
        r = str_copy(&d->path_on_host, parts[0]);
        if (r >= 0)
                r = str_copy(&d->path_in_container, inside);
        if (r >= 0)
                r = str_copy(&d->permissions, rights);
        return r;
}

/* "nofile=1024[:2048]" */
static int to_ulimit(const char *value, void *field) {
        _cleanup_(freep) char *name = NULL, *limits = NULL;
        _cleanup_(strv_freep) char **numbers = NULL;
        Resources *resources = field;
        size_t n, allocated = resources->n_ulimits;
        Ulimit u = {};
        int r;

        r = str_split_pair(value, '=', &name, &limits);
        if (r >= 0)
                r = strv_split(limits, ":", /* keep_empty= */ true, &numbers);
        if (r < 0)
                return r;

        n = strv_length(numbers);
        if (n < 1 || n > 2 || parse_i64(numbers[0], &u.soft) < 0 ||
                parse_i64(numbers[n - 1], &u.hard) < 0)
                return -EINVAL;

        r = array_grow(&resources->ulimits, &allocated, resources->n_ulimits + 1);
        if (r < 0)
                return r;
        u.name = TAKE_PTR(name);
        resources->ulimits[resources->n_ulimits++] = u;
        return 0;
}

/* ---- where each goes ---- */

typedef struct RunField {
        const char *option;
        run_convert_t convert;
        size_t offset;
} RunField;

#define SPEC(member) offsetof(ContainerSpec, member)

/* clang-format off */
static const RunField fields[] = {
        { "annotation",         to_pair,       SPEC(host.annotations) },
        { "cap-add",            to_list,       SPEC(host.cap_add) },
        { "cap-drop",           to_list,       SPEC(host.cap_drop) },
        { "cgroup-parent",      to_string,     SPEC(host.resources.cgroup_parent) },
        { "cgroupns",           to_string,     SPEC(host.cgroupns_mode) },
        { "cpu-period",         to_int64,      SPEC(host.resources.cpu_period) },
        { "cpu-quota",          to_int64,      SPEC(host.resources.cpu_quota) },
        { "cpu-shares",         to_int64,      SPEC(host.resources.cpu_shares) },
        { "cpus",               to_cpus,       SPEC(host.resources.nano_cpus) },
        { "cpuset-cpus",        to_string,     SPEC(host.resources.cpuset_cpus) },
        { "cpuset-mems",        to_string,     SPEC(host.resources.cpuset_mems) },
        { "device",             to_device,     SPEC(host.resources) },
        { "device-cgroup-rule", to_list,       SPEC(host.resources.device_cgroup_rules) },
        { "domainname",         to_string,     SPEC(config.domainname) },
        { "entrypoint",         to_entrypoint, SPEC(config.entrypoint) },
        { "env-file",           to_env_file,   SPEC(config.env) },
        { "env",                to_env,        SPEC(config.env) },
        { "group-add",          to_list,       SPEC(host.group_add) },
        { "hostname",           to_string,     SPEC(config.hostname) },
        { "interactive",        to_flag,       SPEC(config.open_stdin) },
        { "ipc",                to_string,     SPEC(host.ipc_mode) },
        { "label",              to_pair,       SPEC(config.labels) },
        { "log-driver",         to_string,     SPEC(host.log_config.type) },
        { "log-opt",            to_pair,       SPEC(host.log_config.config) },
        { "memory",             to_bytes,      SPEC(host.resources.memory) },
        { "memory-reservation", to_bytes,      SPEC(host.resources.memory_reservation) },
        { "memory-swap",        to_bytes,      SPEC(host.resources.memory_swap) },
        { "net",                to_string,     SPEC(host.network_mode) },
        { "network",            to_string,     SPEC(host.network_mode) },
        { "oom-score-adj",      to_int,        SPEC(host.oom_score_adj) },
        { "pid",                to_string,     SPEC(host.pid_mode) },
        { "pids-limit",         to_int64,      SPEC(host.resources.pids_limit) },
        { "privileged",         to_flag,       SPEC(host.privileged) },
        { "read-only",          to_flag,       SPEC(host.readonly_rootfs) },
        { "rm",                 to_flag,       SPEC(host.auto_remove) },
        { "runtime",            to_string,     SPEC(host.runtime) },
        { "security-opt",       to_list,       SPEC(host.security_opt) },
        { "shm-size",           to_bytes,      SPEC(host.shm_size) },
        { "stop-signal",        to_string,     SPEC(config.stop_signal) },
        { "stop-timeout",       to_int,        SPEC(config.stop_timeout) },
        { "sysctl",             to_pair,       SPEC(host.sysctls) },
        { "tmpfs",              to_tmpfs,      SPEC(host.tmpfs) },
        { "tty",                to_flag,       SPEC(config.tty) },
        { "ulimit",             to_ulimit,     SPEC(host.resources) },
        { "user",               to_string,     SPEC(config.user) },
        { "userns",             to_string,     SPEC(host.userns_mode) },
        { "uts",                to_string,     SPEC(host.uts_mode) },
        { "volume",             to_list,       SPEC(host.binds) },
        { "workdir",            to_string,     SPEC(config.working_dir) },
};
/* clang-format on */

/* "on-failure[:3]" */
static int set_restart_policy(ContainerSpec *spec, const char *value, Error *reterr) {
        _cleanup_(freep) char *name = NULL, *count = NULL;
        RestartPolicy *policy = &spec->host.restart_policy;

        if (!value)
                return 0;
        if (str_split_pair(value, ':', &name, &count) < 0)
                return str_copy(&policy->name, value);
        if (parse_int(count, &policy->maximum_retry_count) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid restart policy \"%s\": maximum retry count must be an integer",
                        value);
        return str_copy(&policy->name, name);
}

int run_options_body(const Options *o, Json **ret, Error *reterr) {
        _cleanup_(container_spec_done) ContainerSpec spec;
        char *const *arguments = options_arguments(o);
        int r;

        container_spec_init(&spec);

        r = str_copy(&spec.config.image, arguments[0]);
        if (r >= 0 && arguments[1])
                r = strv_set(&spec.config.cmd, arguments + 1);
        if (r >= 0)
                r = set_restart_policy(&spec, options_string(o, "restart"), reterr);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                const RunField *f = fields + i;

                STRV_FOREACH (value, options_list(o, f->option)) {
                        r = f->convert(*value, (char *) &spec + f->offset);
                        if (r == -ENOMEM)
                                return r;
                        if (r == -EINVAL || r == -ERANGE)
                                return error_set(reterr, ERROR_INVALID,
                                        "invalid argument \"%s\" for \"--%s\" flag", *value,
                                        f->option);
                        if (r < 0)
                                return error_set_errno(reterr, r, "--%s %s", f->option, *value);
                }
        }

        return container_spec_write(&spec, ret);
}
